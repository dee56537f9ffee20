// The CLIENT command.

#include <string>
#include <utility>

#include "server/session.hpp"
#include "server/words.hpp"

namespace kiwi {

namespace {

Reply syntax_error() { return Reply::error("ERR syntax error"); }

Reply set_info(const RedisCommand& command, ClientInfo& info) {
  const auto attribute = command.args[2].view();
  const auto value = command.args[3].view();
  const bool is_name = same_word(attribute, "lib-name");
  if (!is_name && !same_word(attribute, "lib-ver"))
    return Reply::error("ERR Unrecognized option '" + std::string(attribute) + "'");
  if (auto problem = name_error(value, attribute); !problem.empty())
    return Reply::error(std::move(problem));
  (is_name ? info.library_name : info.library_version) = value;
  return Reply::ok();
}

}  // namespace

Reply Session::client(const CommandSpec& spec, const RedisCommand& command, std::uint64_t now_ms) {
  const auto& args = command.args;
  if (spec.name == "id")
    return Reply::of(static_cast<std::int64_t>(info_.id));
  if (spec.name == "getname")
    return info_.name.empty() ? Reply::nil() : Reply::bulk(std::string(info_.name));
  if (spec.name == "setname") {
    if (auto problem = name_error(args[2].view(), "Client names"); !problem.empty())
      return Reply::error(std::move(problem));
    info_.name = args[2].view();
    return Reply::ok();
  }
  if (spec.name == "setinfo")
    return set_info(command, info_);
  if (spec.name == "no-evict") {
    const bool on = same_word(args[2].view(), "on");
    if (!on && !same_word(args[2].view(), "off"))
      return syntax_error();
    info_.no_evict = on;
    return Reply::ok();
  }
  if (spec.name == "info")
    return Reply::verbatim(client_line(info_, now_ms));
  return client_list(command, now_ms);
}

Reply Session::client_list(const RedisCommand& command, std::uint64_t now_ms) const {
  const auto& args = command.args;
  std::string lines;
  if (args.size() == 4 && same_word(args[2].view(), "type")) {
    const auto type = args[3].view();
    const bool normal = same_word(type, "normal");
    if (!normal && !same_word(type, "master") && !same_word(type, "replica") && !same_word(type, "slave") &&
        !same_word(type, "pubsub"))
      return Reply::error("ERR Unknown client type '" + std::string(type) + "'");
    // Nodes speak with each other elsewhere: who is here is a normal client.
    if (!normal)
      return Reply::verbatim("");
  } else if (args.size() > 3 && same_word(args[2].view(), "id")) {
    for (std::size_t i = 3; i < args.size(); ++i) {
      const auto id = read_integer(args[i].view());
      if (!id)
        return Reply::error("ERR Invalid client ID");
      const auto* other = *id > 0 ? registry_->find(static_cast<std::uint64_t>(*id)) : nullptr;
      if (other != nullptr)
        lines += client_line(*other, now_ms);
    }
    return Reply::verbatim(std::move(lines));
  } else if (args.size() != 2) {
    return syntax_error();
  }
  for (const auto& [id, other] : registry_->all()) lines += client_line(*other, now_ms);
  return Reply::verbatim(std::move(lines));
}

}  // namespace kiwi
