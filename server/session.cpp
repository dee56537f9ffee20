#include "server/session.hpp"

#include <limits>
#include <utility>

#include "messages/assert.hpp"
#include "messages/key_slot.hpp"
#include "server/cluster.hpp"
#include "server/command_reply.hpp"
#include "server/config_table.hpp"
#include "server/hello.hpp"
#include "server/help.hpp"
#include "server/info.hpp"
#include "server/node_status.hpp"
#include "server/raft_commands.hpp"
#include "server/words.hpp"

namespace kiwi {

namespace {

std::uint16_t slot_of_first_key(const CommandSpec& spec, const RedisCommand& command) {
  const auto first = static_cast<std::size_t>(spec.first_key);
  if (first == 0 || first >= command.args.size())
    return 0;
  return key_slot(command.args[first].view());
}

Reply select_database(std::string_view wanted) {
  const auto number = read_integer(wanted);
  if (!number)
    return Reply::error("ERR value is not an integer or out of range");
  if (*number < std::numeric_limits<std::int32_t>::min() ||
      *number > std::numeric_limits<std::int32_t>::max())
    return Reply::error("ERR value is out of range, value must between -2147483648 and 2147483647");
  return *number == 0 ? Reply::ok() : Reply::error("ERR DB index is out of range");
}

}  // namespace

Session::Session(std::shared_ptr<ClientRegistry> registry,
                 std::shared_ptr<const ServerEnvironment> environment, ConnectionFacts facts,
                 std::uint64_t now_ms)
    : registry_(std::move(registry)), environment_(std::move(environment)) {
  KIWI_ASSERT(registry_ != nullptr && environment_ != nullptr, "a session knows its server");
  info_.address = std::move(facts.address);
  info_.local_address = std::move(facts.local_address);
  info_.fd = facts.fd;
  info_.connected_ms = now_ms;
  info_.last_command_ms = now_ms;
  registry_->add(info_);
}

Session::~Session() { registry_->remove(info_); }

Step Session::handle(const RedisCommand& command, std::uint64_t now_ms) {
  KIWI_ASSERT(!command.args.empty(), "a command has a name");
  info_.last_command_ms = now_ms;
  const auto* spec = find_command(command);
  if (spec == nullptr)
    return reply_now(Reply::error(unknown_command_error(command)));
  if (!arity_fits(*spec, command.args.size()))
    return reply_now(Reply::error(wrong_arity_error(*spec)));
  ++info_.commands;
  ++registry_->totals().commands;
  const bool is_subcommand = !spec->container.empty();
  info_.last_command = is_subcommand ? spec->container : spec->name;
  info_.last_subcommand = is_subcommand ? spec->name : std::string_view();
  switch (spec->place) {
    case CommandPlace::write:
      return SubmitCommand{CommandMode::write, slot_of_first_key(*spec, command)};
    case CommandPlace::read:
      return SubmitCommand{info_.readonly ? CommandMode::stale_read : CommandMode::read,
                           slot_of_first_key(*spec, command)};
    case CommandPlace::connection:
      return on_connection(*spec, command, now_ms);
    case CommandPlace::node:
      return on_node(*spec, command);
  }
  KIWI_ASSERT(false, "every command has a place");
  return ReplyNow{};
}

Step Session::on_connection(const CommandSpec& spec, const RedisCommand& command, std::uint64_t now_ms) {
  const auto& args = command.args;
  const auto name = info_.last_command;
  if (spec.name == "help" && !spec.container.empty())
    return reply_now(help_reply(spec.container));
  if (name == "ping") {
    if (args.size() > 2)
      return reply_now(Reply::error(wrong_arity_error(spec)));
    return reply_now(args.size() == 1 ? Reply::simple("PONG") : Reply::bulk(args[1]));
  }
  if (name == "client")
    return reply_now(client(spec, command, now_ms));
  if (name == "command")
    return reply_now(command_reply(spec, command));
  if (name == "config")
    return reply_now(config_get(environment_->config, command));
  if (name == "cluster")
    return reply_now(Reply::of(key_slot(args[2].view())));  // KEYSLOT; the rest asks the node
  if (name == "echo")
    return reply_now(Reply::bulk(args[1]));
  if (name == "select")
    return reply_now(select_database(args[1].view()));
  if (name == "auth")
    return reply_now(authenticate(command));
  if (name == "hello")
    return hello(command);
  if (name == "readonly" || name == "readwrite") {
    info_.readonly = name == "readonly";
    return reply_now(Reply::ok());
  }
  if (name == "reset") {
    reset();
    return reply_now(Reply::simple("RESET"));
  }
  KIWI_ASSERT(name == "quit", "every command of the connection is handled here");
  info_.closing = true;
  return ReplyNow{Reply::ok(), true};
}

Step Session::on_node(const CommandSpec& spec, const RedisCommand& command) {
  if (spec.name == "info" && spec.container.empty())
    return NeedStatus{.with_stats = true};
  if (spec.container == "raft.node" || spec.name == "raft.transfer_leader" || spec.name == "join") {
    auto call = parse_admin_call(spec, command);
    return call ? Step(AskAdmin{&spec, std::move(*call)}) : Step(reply_now(std::move(call.error())));
  }
  if (spec.container == "raft.cluster")
    return InitCluster{};
  if (spec.name == "raft.digest")
    return PutDigestMarker{};
  if (spec.name == "raft.snapshot")
    return MakeSnapshot{};
  if (spec.container == "raft.snapshot")
    return NeedStatus{.with_stats = true};
  if (spec.container == "raft.digest") {
    const auto index = read_integer(command.args[2].view());
    if (!index || *index <= 0)
      return reply_now(Reply::error("ERR value is not an integer or out of range"));
    return GetDigest{Index(static_cast<std::uint64_t>(*index))};
  }
  return NeedStatus{};
}

Step Session::hello(const RedisCommand& command) {
  auto problem = read_hello(command, info_);
  if (problem.is_error())
    return reply_now(std::move(problem));
  return NeedStatus{};
}

Reply Session::answer(const RedisCommand& command, RespVersion version, const NodeStatus& status,
                      const ProcessFigures& process) const {
  const auto* spec = find_command(command);
  KIWI_ASSERT(spec != nullptr, "only a known command is answered");
  if (spec->container == "cluster")
    return cluster_reply(spec->name, status);
  if (spec->name == "hello")
    return hello_reply(info_, version, status);
  if (spec->name == "raft.nodes")
    return raft_nodes_reply(status);
  if (spec->container == "raft.snapshot")
    return snapshot_list_reply(status.snapshots.built);
  KIWI_ASSERT(spec->name == "info", "only what handle() said NeedStatus for is answered");
  return info_reply(command, InfoSources{status, process, *registry_, *environment_});
}

void Session::reset() {
  // As in Redis 7: the library's name and the no-evict flag describe the client and stay.
  info_.name.clear();
  info_.version = RespVersion::resp2;
  info_.readonly = false;
}

ReplyNow Session::reply_now(Reply reply) {
  if (reply.is_error())
    ++registry_->totals().error_replies;
  return ReplyNow{std::move(reply), false};
}

}  // namespace kiwi
