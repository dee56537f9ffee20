#include "statemachine/command_table.hpp"

#include <algorithm>
#include <array>

#include "messages/assert.hpp"
#include "statemachine/command_rows_connection.hpp"
#include "statemachine/command_rows_keys.hpp"
#include "statemachine/command_rows_node.hpp"
#include "statemachine/command_rows_strings.hpp"

namespace kiwi {

namespace {

constexpr bool by_name(const CommandSpec& a, const CommandSpec& b) { return a.name < b.name; }

template <std::size_t... N>
constexpr auto sorted_join(const CommandSpec (&... groups)[N]) {
  std::array<CommandSpec, (N + ...)> all{};
  auto* out = all.data();
  ((out = std::copy(std::begin(groups), std::end(groups), out)), ...);
  std::sort(all.begin(), all.end(), by_name);
  return all;
}

constexpr auto kCommands =
    sorted_join(command_rows::kStrings, command_rows::kKeys, command_rows::kConnection, command_rows::kNode);

struct Container {
  std::string_view name;
  std::span<const CommandSpec> subcommands;
};
constexpr Container kContainers[] = {
    {"client", command_rows::kClientSubcommands},
    {"cluster", command_rows::kClusterSubcommands},
    {"command", command_rows::kCommandSubcommands},
    {"config", command_rows::kConfigSubcommands},
    {"object", command_rows::kObjectSubcommands},
    {"raft.cluster", command_rows::kRaftClusterSubcommands},
    {"raft.digest", command_rows::kRaftDigestSubcommands},
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::size_t kLongestName = 24;
constexpr std::size_t kBuckets = 512;
constexpr std::uint8_t kNone = 0xff;

/// FNV-1a, of the name in lower case.
constexpr std::size_t bucket_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(lower(c))) * 16777619u;
  return (hash ^ (hash >> 15)) % kBuckets;
}

/// Open addressing, made by the compiler: the position in kCommands, or kNone.
constexpr auto kIndex = [] {
  static_assert(kCommands.size() * 4 < kBuckets && kCommands.size() < kNone);
  std::array<std::uint8_t, kBuckets> index{};
  index.fill(kNone);
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    auto bucket = bucket_of(kCommands[i].name);
    while (index[bucket] != kNone) bucket = (bucket + 1) % kBuckets;
    index[bucket] = static_cast<std::uint8_t>(i);
  }
  return index;
}();

/// `lower_name` is in lower case.
bool same_name(std::string_view lower_name, std::string_view given) {
  return lower_name.size() == given.size() && std::equal(given.begin(), given.end(), lower_name.begin(),
                                                         [](char a, char b) { return lower(a) == b; });
}

const CommandSpec* find_subcommand(std::span<const CommandSpec> subcommands, std::string_view name) {
  for (const auto& spec : subcommands)
    if (same_name(spec.name, name))
      return &spec;
  return nullptr;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// Redis cuts what it quotes from a client in an error.
constexpr std::size_t kQuotedBytes = 128;

}  // namespace

std::span<const CommandSpec> all_commands() { return kCommands; }

std::span<const CommandSpec> subcommands_of(std::string_view container) {
  for (const auto& c : kContainers)
    if (same_name(c.name, container))
      return c.subcommands;
  return {};
}

const CommandSpec* find_command_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName)
    return nullptr;
  for (auto bucket = bucket_of(name); kIndex[bucket] != kNone; bucket = (bucket + 1) % kBuckets) {
    const auto& spec = kCommands[kIndex[bucket]];
    if (same_name(spec.name, name))
      return &spec;
  }
  return nullptr;
}

const CommandSpec* find_command(const RedisCommand& command) {
  KIWI_ASSERT(!command.args.empty(), "a command has a name");
  const auto* spec = find_command_name(command.args[0].view());
  if (spec == nullptr || !spec->has_subcommands || command.args.size() < 2)
    return spec;
  return find_subcommand(subcommands_of(spec->name), command.args[1].view());
}

const CommandSpec* find_full_name(std::string_view name) {
  const auto bar = name.find('|');
  if (bar == std::string_view::npos)
    return find_command_name(name);
  return find_subcommand(subcommands_of(name.substr(0, bar)), name.substr(bar + 1));
}

std::string full_name(const CommandSpec& spec) {
  if (spec.container.empty())
    return std::string(spec.name);
  return std::string(spec.container) + "|" + std::string(spec.name);
}

std::vector<std::size_t> key_positions(const CommandSpec& spec, const RedisCommand& command) {
  std::vector<std::size_t> positions;
  if (spec.first_key <= 0)
    return positions;
  const auto count = static_cast<int>(command.args.size());
  const auto last = spec.last_key >= 0 ? spec.last_key : count + spec.last_key;
  for (int i = spec.first_key; i <= last && i < count; i += spec.key_step)
    positions.push_back(static_cast<std::size_t>(i));
  return positions;
}

bool arity_fits(const CommandSpec& spec, std::size_t argument_count) {
  if (spec.arity >= 0)
    return argument_count == static_cast<std::size_t>(spec.arity);
  return argument_count >= static_cast<std::size_t>(-spec.arity);
}

std::string unknown_command_error(const RedisCommand& command) {
  const auto& args = command.args;
  const auto* spec = find_command_name(args[0].view());
  if (spec != nullptr && spec->has_subcommands && args.size() > 1) {
    std::string text = "ERR unknown subcommand '";
    text += args[1].view().substr(0, kQuotedBytes);
    text += "'. Try " + upper(spec->name) + " HELP.";
    return text;
  }
  std::string quoted;
  for (std::size_t i = 1; i < args.size() && quoted.size() < kQuotedBytes; ++i) {
    const auto room = kQuotedBytes - quoted.size();
    quoted += '\'';
    quoted += args[i].view().substr(0, room);
    quoted += "' ";
  }
  std::string text = "ERR unknown command '";
  text += args[0].view().substr(0, kQuotedBytes);
  text += "', with args beginning with: " + quoted;
  return text;
}

std::string wrong_arity_error(const CommandSpec& spec) {
  return "ERR wrong number of arguments for '" + full_name(spec) + "' command";
}

}  // namespace kiwi
