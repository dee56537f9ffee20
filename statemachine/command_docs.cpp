#include "statemachine/command_docs.hpp"

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"
#include "statemachine/command_arguments.hpp"

namespace kiwi {

namespace {

constexpr std::pair<CommandFlag, std::string_view> kFlagNames[] = {
    {kFlagWrite, "write"},          {kFlagReadonly, "readonly"},
    {kFlagDenyoom, "denyoom"},      {kFlagAdmin, "admin"},
    {kFlagNoscript, "noscript"},    {kFlagLoading, "loading"},
    {kFlagStale, "stale"},          {kFlagFast, "fast"},
    {kFlagNoAuth, "no_auth"},       {kFlagMovableKeys, "movablekeys"},
    {kFlagAllowBusy, "allow_busy"},
};

Reply text(std::string_view words) { return Reply::bulk(std::string(words)); }

/// A set of simple strings, the form that Redis gives to flags and categories.
Reply words_as_set(const std::vector<std::string_view>& words) {
  std::vector<Reply> elements;
  for (const auto word : words) elements.push_back(Reply::simple(std::string(word)));
  return Reply::set(std::move(elements));
}

Reply flags_of(const CommandSpec& spec) {
  std::vector<std::string_view> words;
  for (const auto& [flag, name] : kFlagNames)
    if ((spec.flags & flag) != 0)
      words.push_back(name);
  return words_as_set(words);
}

Reply key_specification(std::string_view flags, int begin, int last, int step) {
  std::vector<Reply> begin_search;
  begin_search.push_back(text("type"));
  begin_search.push_back(text("index"));
  begin_search.push_back(text("spec"));
  begin_search.push_back(Reply::map({text("index"), Reply::of(begin)}));
  std::vector<Reply> find_keys;
  find_keys.push_back(text("type"));
  find_keys.push_back(text("range"));
  find_keys.push_back(text("spec"));
  find_keys.push_back(Reply::map(
      {text("lastkey"), Reply::of(last), text("keystep"), Reply::of(step), text("limit"), Reply::of(0)}));
  return Reply::map({text("flags"), words_as_set(split_words(flags)), text("begin_search"),
                     Reply::map(std::move(begin_search)), text("find_keys"),
                     Reply::map(std::move(find_keys))});
}

Reply key_specifications(const CommandSpec& spec) {
  std::vector<Reply> out;
  const auto groups = split_words(spec.key_flags, ';');
  if (groups.size() == 1) {
    const auto last = spec.last_key < 0 ? spec.last_key : spec.last_key - spec.first_key;
    out.push_back(key_specification(groups[0], spec.first_key, last, spec.key_step));
  } else {
    auto begin = spec.first_key;
    for (const auto group : groups) out.push_back(key_specification(group, begin++, 0, 1));
  }
  return Reply::set(std::move(out));
}

Reply argument_docs(const CommandArgument& argument) {
  std::vector<Reply> out;
  auto add = [&out](std::string_view name, Reply value) {
    out.push_back(text(name));
    out.push_back(std::move(value));
  };
  add("name", text(argument.name));
  add("type", text(argument.type));
  if (argument.type == "key")
    add("key_spec_index", Reply::of(argument.key));
  if (!argument.token.empty())
    add("token", text(argument.token));
  if (!argument.since.empty())
    add("since", text(argument.since));
  std::vector<std::string_view> flags;
  if (argument.optional)
    flags.push_back("optional");
  if (argument.multiple)
    flags.push_back("multiple");
  if (!flags.empty())
    add("flags", words_as_set(flags));
  if (!argument.arguments.empty()) {
    std::vector<Reply> inner;
    for (const auto& a : argument.arguments) inner.push_back(argument_docs(a));
    add("arguments", Reply::array(std::move(inner)));
  }
  return Reply::map(std::move(out));
}

bool asks_for(const RedisCommand& command, std::string_view option) {
  return std::any_of(command.args.begin(), command.args.end(), [option](const Bytes& arg) {
    const auto word = arg.view();
    return word.size() == option.size() &&
           std::equal(word.begin(), word.end(), option.begin(), [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
  });
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view words, char separator) {
  std::vector<std::string_view> out;
  while (!words.empty()) {
    const auto end = std::min(words.find(separator), words.size());
    if (end > 0)
      out.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

Reply command_info(const CommandSpec& spec) {
  std::vector<Reply> out;
  out.push_back(Reply::bulk(full_name(spec)));
  out.push_back(Reply::of(spec.arity));
  out.push_back(flags_of(spec));
  out.push_back(Reply::of(spec.first_key));
  out.push_back(Reply::of(spec.last_key));
  out.push_back(Reply::of(spec.key_step));
  out.push_back(words_as_set(split_words(spec.categories)));
  std::vector<Reply> tips;
  for (const auto tip : split_words(spec.tips)) tips.push_back(text(tip));
  out.push_back(Reply::set(std::move(tips)));
  out.push_back(key_specifications(spec));
  std::vector<Reply> subcommands;
  if (spec.has_subcommands)
    for (const auto& sub : subcommands_of(spec.name)) subcommands.push_back(command_info(sub));
  out.push_back(Reply::set(std::move(subcommands)));
  return Reply::array(std::move(out));
}

Reply command_docs(const CommandSpec& spec) {
  std::vector<Reply> out;
  auto add = [&out](std::string_view name, Reply value) {
    out.push_back(text(name));
    out.push_back(std::move(value));
  };
  add("summary", text(spec.summary));
  add("since", text(spec.since));
  add("group", text(spec.group));
  add("complexity", text(spec.complexity));
  if (!spec.deprecated_since.empty()) {
    add("doc_flags", words_as_set({"deprecated"}));
    add("deprecated_since", text(spec.deprecated_since));
    add("replaced_by", text(spec.replaced_by));
  }
  const auto arguments = parse_arguments(spec.arguments);
  if (!arguments.empty()) {
    std::vector<Reply> elements;
    for (const auto& argument : arguments) elements.push_back(argument_docs(argument));
    add("arguments", Reply::array(std::move(elements)));
  }
  if (spec.has_subcommands) {
    std::vector<Reply> subcommands;
    for (const auto& sub : subcommands_of(spec.name)) {
      subcommands.push_back(Reply::bulk(full_name(sub)));
      subcommands.push_back(command_docs(sub));
    }
    add("subcommands", Reply::map(std::move(subcommands)));
  }
  return Reply::map(std::move(out));
}

std::vector<std::string_view> key_flags_of(const CommandSpec& spec, const RedisCommand& command,
                                           std::size_t position) {
  const auto groups = split_words(spec.key_flags, ';');
  KIWI_ASSERT(!groups.empty() && spec.first_key > 0, "a command with keys says how it uses them");
  auto group = groups.front();
  if (groups.size() > 1)
    group = groups[std::min(position - static_cast<std::size_t>(spec.first_key), groups.size() - 1)];
  auto flags = split_words(group);
  // SET overwrites blindly, unless it is asked for the old value.
  if (std::find(flags.begin(), flags.end(), "variable_flags") != flags.end()) {
    if (asks_for(command, "get"))
      return {"RW", "access", "update"};
    return {"OW", "update"};
  }
  return flags;
}

}  // namespace kiwi
