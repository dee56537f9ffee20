#include "server/raft_commands.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/assert.hpp"
#include "server/node_status.hpp"
#include "server/refusal.hpp"
#include "server/words.hpp"

namespace kiwi {

namespace {

using Kind = raft::MembershipChange::Kind;

tl::unexpected<Reply> error(const std::string& text) { return tl::unexpected(Reply::error("ERR " + text)); }

/// From `base` 10: a decimal number of 1 or more; from 16: any.
std::optional<std::uint64_t> number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Reads the arguments of one command from left to right; the first problem stays.
class Words {
 public:
  Words(const RedisCommand& command, std::size_t first) : args_(command.args), next_(first) {}

  bool more() const { return next_ < args_.size(); }
  std::string_view peek() const { return args_[next_].view(); }
  bool take(std::string_view word) {
    if (!more() || !same_word(peek(), word))
      return false;
    ++next_;
    return true;
  }
  NodeId node() {
    const auto id = more() ? number(peek()) : std::nullopt;
    if (!id || *id == 0)
      fail(more() ? "'" + std::string(peek()) + "' is not a node id (1 or more)" : "a node id is missing");
    ++next_;
    return NodeId(id.value_or(0));
  }
  NodeAddress address() {
    auto parsed = more() ? parse_address(std::string(peek()))
                         : tl::expected<NodeAddress, std::string>(tl::make_unexpected("no address"));
    if (!parsed)
      fail(parsed.error());
    ++next_;
    return parsed ? *parsed : NodeAddress{};
  }
  std::uint64_t value(int base) {
    const auto x = more() ? number(peek(), base) : std::nullopt;
    if (!x)
      fail("syntax error");
    ++next_;
    return x.value_or(0);
  }
  void fail(std::string text) {
    if (problem_.empty())
      problem_ = std::move(text);
  }
  const std::string& problem() const { return problem_; }

 private:
  const std::vector<Bytes>& args_;
  std::size_t next_;
  std::string problem_;
};

void read_options(Words& words, AdminCall& call, bool of_add) {
  while (words.more() && words.problem().empty()) {
    if (words.take("if"))
      call.change.if_configuration = Index(words.value(10));
    else if (of_add && words.take("learner"))
      call.change.kind = Kind::add_learner;
    else if (of_add && words.take("instance"))
      call.instance = InstanceId(words.value(16));
    else if (of_add && words.take("cluster"))
      call.cluster = ClusterId(words.value(16));
    else
      words.fail("syntax error");
  }
}

const char* kWatch = "; watch it with RAFT.NODES or INFO raft";

std::string accepted(const AdminCall& call, const AdminAnswer& answer) {
  const auto& change = call.change;
  const auto at = "OK configuration " + to_string(answer.index) + ": ";
  switch (call.what) {
    case AdminCall::What::cancel:
      return at + "the change is cancelled; its node stays a learner";
    case AdminCall::What::join:
      return std::string("OK this node is added, and becomes a voter once it has caught up") + kWatch;
    case AdminCall::What::transfer:
    case AdminCall::What::leave:
      return "OK";
    case AdminCall::What::change:
      break;
  }
  const auto node = "node " + to_string(change.node);
  switch (change.kind) {
    case Kind::add_learner:
      return at + node + " is a learner" + kWatch;
    case Kind::add_voter:
      return at + node + " becomes a voter once it has caught up" + kWatch;
    case Kind::remove:
      return at + node + " leaves" + kWatch;
    case Kind::replace:
      return at + node + " takes the place of node " + to_string(change.replaced) + " once it has caught up" +
             kWatch;
  }
  return at;
}

}  // namespace

tl::expected<AdminCall, Reply> parse_admin_call(const CommandSpec& spec, const RedisCommand& command) {
  AdminCall call;
  const auto& args = command.args;
  if (spec.name == "raft.transfer_leader") {
    call.what = AdminCall::What::transfer;
    Words words(command, 1);
    if (words.more())
      call.target = words.node();
    return words.problem().empty() ? tl::expected<AdminCall, Reply>(std::move(call)) : error(words.problem());
  }
  if (spec.container == "raft.cluster") {
    call.what = AdminCall::What::join;
    for (std::size_t i = 2; i < args.size(); ++i) {
      auto target = parse_host_port(args[i].str());
      if (!target)
        return error(target.error());
      call.targets.push_back(std::move(*target));
    }
    return call;
  }
  KIWI_ASSERT(spec.container == "raft.node", "only commands about nodes come here");
  Words words(command, 2);
  if (spec.name == "cancel") {
    call.what = AdminCall::What::cancel;
    return call;
  }
  call.what = AdminCall::What::change;
  if (spec.name == "add") {
    call.change.kind = Kind::add_voter;
    call.change.node = words.node();
    call.change.address = words.address();
  } else if (spec.name == "remove") {
    call.change.kind = Kind::remove;
    call.change.node = words.node();
  } else {
    KIWI_ASSERT(spec.name == "replace", "every subcommand of RAFT.NODE is parsed");
    call.change.kind = Kind::replace;
    call.change.replaced = words.node();
    call.change.node = words.node();
    call.change.address = words.address();
  }
  read_options(words, call, spec.name == "add");
  if (!words.problem().empty())
    return error(words.problem());
  return call;
}

Reply admin_reply(const CommandSpec&, const AdminCall& call, const AdminAnswer& answer) {
  if (answer.kind != AnswerKind::done)
    return refusal(answer.kind, answer.leader, 0);
  if (!answer.problem.empty())
    return Reply::error((answer.try_again ? "TRYAGAIN " : "ERR ") + answer.problem);
  return Reply::simple(accepted(call, answer));
}

Reply raft_nodes_reply(const NodeStatus& status) {
  const auto text = [](std::string value) { return Reply::bulk(std::move(value)); };
  const auto integer = [](std::uint64_t value) { return Reply::of(static_cast<std::int64_t>(value)); };
  const auto& m = status.membership;
  const auto has = [](const std::vector<NodeId>& ids, NodeId id) {
    return std::binary_search(ids.begin(), ids.end(), id);
  };
  std::vector<Reply> nodes;
  for (const auto& member : m.members) {
    std::vector<Reply> out{text("id"), integer(member.id.value), text("address"),
                           text(to_string(member.address))};
    const auto add = [&out, &text](const char* name, Reply value) {
      out.push_back(text(name));
      out.push_back(std::move(value));
    };
    // What it counts for, and where the change under way takes it.
    std::string role = has(m.voters, member.id) ? "voter" : "learner";
    if (m.joint() && !has(m.voters, member.id))
      role = has(m.outgoing_voters, member.id) ? "leaving" : role;
    else if (m.joint() && !has(m.outgoing_voters, member.id) && role == "voter")
      role = "joining";
    else if (m.joining == member.id)
      role = "catching-up";
    else if (m.replaced == member.id)
      role = "to-be-replaced";
    add("role", text(role));
    add("leader", integer(status.leader == member.id ? 1 : 0));
    for (const auto& follower : status.followers) {
      if (follower.id != member.id)
        continue;
      const auto last = status.last_log.index;
      add("active", integer(follower.recently_active ? 1 : 0));
      add("state", text(raft::to_string(follower.state)));
      add("match", integer(follower.match.value));
      add("lag", integer(last > follower.match ? last - follower.match : 0));
      if (follower.state == raft::ProgressState::snapshot) {
        add("snapshot-bytes", integer(follower.snapshot_bytes));
        add("snapshot-received", integer(follower.snapshot_received));
      }
    }
    nodes.push_back(Reply::map(std::move(out)));
  }
  return Reply::array(std::move(nodes));
}

}  // namespace kiwi
