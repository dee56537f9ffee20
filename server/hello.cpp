#include "server/hello.hpp"

#include <optional>
#include <string>

#include "messages/client.hpp"
#include "server/client_registry.hpp"
#include "server/environment.hpp"
#include "server/node_status.hpp"
#include "server/words.hpp"

namespace kiwi {

namespace {

Reply wrong_password() {
  return Reply::error("WRONGPASS invalid username-password pair or user is disabled.");
}

/// The only user there is; any password is right for it, as in a Redis without one.
bool is_default_user(std::string_view user) { return user == "default"; }

}  // namespace

Reply read_hello(const RedisCommand& command, ClientInfo& client) {
  const auto& args = command.args;
  if (args.size() == 1)
    return Reply::nil();
  const auto number = read_integer(args[1].view());
  if (!number)
    return Reply::error("ERR Protocol version is not an integer or out of range");
  if (*number != 2 && *number != 3)
    return Reply::error("NOPROTO unsupported protocol version");

  std::optional<std::string_view> user;
  std::optional<std::string_view> name;
  for (std::size_t i = 2; i < args.size(); ++i) {
    const auto option = args[i].view();
    const auto left = args.size() - 1 - i;
    if (same_word(option, "auth") && left >= 2) {
      user = args[i + 1].view();
      i += 2;
    } else if (same_word(option, "setname") && left >= 1) {
      name = args[++i].view();
      if (auto problem = name_error(*name, "Client names"); !problem.empty())
        return Reply::error(std::move(problem));
    } else {
      return Reply::error("ERR Syntax error in HELLO option '" + std::string(option) + "'");
    }
  }
  if (user && !is_default_user(*user))
    return wrong_password();
  if (name)
    client.name = *name;
  client.version = *number == 3 ? RespVersion::resp3 : RespVersion::resp2;
  return Reply::nil();
}

Reply hello_reply(const ClientInfo& client, RespVersion version, const NodeStatus& status) {
  auto text = [](std::string_view words) { return Reply::bulk(std::string(words)); };
  const bool leads = status.role == raft::Role::leader;
  return Reply::map({text("server"), text("redis"), text("version"), text(kRedisVersion), text("proto"),
                     Reply::of(static_cast<std::int64_t>(version)), text("id"),
                     Reply::of(static_cast<std::int64_t>(client.id)), text("mode"), text("cluster"),
                     text("role"), text(leads ? "master" : "replica"), text("modules"), Reply::array({})});
}

Reply authenticate(const RedisCommand& command) {
  const auto& args = command.args;
  if (args.size() > 3)
    return Reply::error("ERR syntax error");
  if (args.size() == 2)
    return Reply::error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  return is_default_user(args[1].view()) ? Reply::ok() : wrong_password();
}

}  // namespace kiwi
