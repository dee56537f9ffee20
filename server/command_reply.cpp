#include "server/command_reply.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "server/help.hpp"
#include "server/words.hpp"
#include "statemachine/command_docs.hpp"
#include "statemachine/glob.hpp"

namespace kiwi {

namespace {

Reply syntax_error() { return Reply::error("ERR syntax error"); }

Reply all_info() {
  std::vector<Reply> out;
  for (const auto& spec : all_commands()) out.push_back(command_info(spec));
  return Reply::array(std::move(out));
}

Reply info(const RedisCommand& command) {
  if (command.args.size() == 2)
    return all_info();
  std::vector<Reply> out;
  for (std::size_t i = 2; i < command.args.size(); ++i) {
    const auto* spec = find_full_name(command.args[i].view());
    out.push_back(spec != nullptr ? command_info(*spec) : Reply::nil());
  }
  return Reply::array(std::move(out));
}

Reply docs(const RedisCommand& command) {
  std::vector<Reply> out;
  auto add = [&out](const CommandSpec& spec) {
    out.push_back(Reply::bulk(full_name(spec)));
    out.push_back(command_docs(spec));
  };
  if (command.args.size() == 2) {
    for (const auto& spec : all_commands()) add(spec);
  }
  for (std::size_t i = 2; i < command.args.size(); ++i) {
    if (const auto* spec = find_full_name(command.args[i].view()))
      add(*spec);
  }
  return Reply::map(std::move(out));
}

/// Calls `visit` for every command and, if `filtered`, for every subcommand: Redis lists subcommands only
/// under a filter.
template <class Visit>
void for_each_listed(bool filtered, Visit visit) {
  for (const auto& spec : all_commands()) {
    visit(spec);
    if (!filtered || !spec.has_subcommands)
      continue;
    for (const auto& sub : subcommands_of(spec.name)) visit(sub);
  }
}

Reply list(const RedisCommand& command) {
  const auto& args = command.args;
  const bool filtered = args.size() == 5 && same_word(args[2].view(), "filterby");
  if (args.size() != 2 && !filtered)
    return syntax_error();
  std::string kind;
  std::string wanted;
  if (filtered) {
    kind = to_lower(args[3].view());
    wanted = to_lower(args[4].view());
    if (kind != "module" && kind != "aclcat" && kind != "pattern")
      return syntax_error();
  }
  std::vector<Reply> out;
  for_each_listed(filtered, [&](const CommandSpec& spec) {
    if (kind == "module")
      return;
    if (kind == "pattern" && !glob_matches(wanted, full_name(spec)))
      return;
    if (kind == "aclcat") {
      const auto categories = split_words(spec.categories);
      if (std::find(categories.begin(), categories.end(), "@" + wanted) == categories.end())
        return;
    }
    out.push_back(Reply::bulk(full_name(spec)));
  });
  return Reply::array(std::move(out));
}

Reply get_keys(const RedisCommand& command, bool with_flags) {
  const RedisCommand inner{{command.args.begin() + 2, command.args.end()}};
  const auto* spec = find_command(inner);
  if (spec == nullptr)
    return Reply::error("ERR Invalid command specified");
  if (spec->first_key == 0)
    return Reply::error("ERR The command has no key arguments");
  if (!arity_fits(*spec, inner.args.size()))
    return Reply::error("ERR Invalid number of arguments specified for command");
  std::vector<Reply> out;
  for (const auto position : key_positions(*spec, inner)) {
    auto key = Reply::bulk(inner.args[position]);
    if (!with_flags) {
      out.push_back(std::move(key));
      continue;
    }
    std::vector<Reply> flags;
    for (const auto flag : key_flags_of(*spec, inner, position))
      flags.push_back(Reply::simple(std::string(flag)));
    out.push_back(Reply::array({std::move(key), Reply::set(std::move(flags))}));
  }
  return Reply::array(std::move(out));
}

}  // namespace

Reply command_reply(const CommandSpec& spec, const RedisCommand& command) {
  if (spec.container.empty())
    return all_info();
  if (spec.name == "count")
    return Reply::of(static_cast<std::int64_t>(all_commands().size()));
  if (spec.name == "docs")
    return docs(command);
  if (spec.name == "info")
    return info(command);
  if (spec.name == "list")
    return list(command);
  if (spec.name == "getkeys")
    return get_keys(command, false);
  if (spec.name == "getkeysandflags")
    return get_keys(command, true);
  return help_reply(spec.container);
}

}  // namespace kiwi
