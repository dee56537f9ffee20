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
    {"raft.node", command_rows::kRaftNodeSubcommands},
    {"raft.snapshot", command_rows::kRaftSnapshotSubcommands},
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::size_t kLongestName = 24;

/// A name in lower case, packed so that it is hashed and compared in three steps: the hot path of every
/// command.
struct PackedName {
  std::uint64_t words[kLongestName / 8] = {};
  std::size_t size = 0;
  friend constexpr bool operator==(const PackedName&, const PackedName&) = default;
};

/// Requires name.size() <= kLongestName.
constexpr PackedName pack(std::string_view name) {
  PackedName out;
  out.size = name.size();
  for (std::size_t i = 0; i < name.size(); ++i)
    out.words[i / 8] |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(lower(name[i]))) << (i % 8 * 8);
  return out;
}

constexpr unsigned kBucketBits = 9;
constexpr std::size_t kBuckets = std::size_t{1} << kBucketBits;
constexpr std::uint8_t kNone = 0xff;

/// Multiplicative hashing with odd constants; the top bits are the mixed ones.
constexpr std::size_t bucket_of(const PackedName& name) {
  const auto mixed = (name.words[0] * 0x9e3779b97f4a7c15u) ^ (name.words[1] * 0xc2b2ae3d27d4eb4fu) ^
                     (name.words[2] * 0x165667b19e3779f9u);
  return mixed >> (64 - kBucketBits);
}

/// Open addressing, made by the compiler.
struct NameIndex {
  std::array<std::uint8_t, kBuckets> positions{};  // in kCommands, or kNone
  std::array<PackedName, kCommands.size()> names{};
};
constexpr NameIndex kIndex = [] {
  static_assert(kCommands.size() * 4 < kBuckets && kCommands.size() < kNone);
  NameIndex index;
  index.positions.fill(kNone);
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    index.names[i] = pack(kCommands[i].name);
    auto bucket = bucket_of(index.names[i]);
    while (index.positions[bucket] != kNone) bucket = (bucket + 1) % kBuckets;
    index.positions[bucket] = static_cast<std::uint8_t>(i);
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
  const auto packed = pack(name);
  for (auto bucket = bucket_of(packed);; bucket = (bucket + 1) % kBuckets) {
    const auto position = kIndex.positions[bucket];
    if (position == kNone)
      return nullptr;
    if (kIndex.names[position] == packed)
      return &kCommands[position];
  }
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

namespace {

/// At most `room` bytes, and none from a NUL on: Redis prints C strings here.
std::string_view printable_part(std::string_view text, std::size_t room) {
  return text.substr(0, std::min(room, text.find('\0')));
}

}  // namespace

std::string unknown_command_error(const RedisCommand& command) {
  const auto& args = command.args;
  const auto* spec = find_command_name(args[0].view());
  if (spec != nullptr && spec->has_subcommands && args.size() > 1) {
    std::string text = "ERR unknown subcommand '";
    text += printable_part(args[1].view(), kQuotedBytes);
    text += "'. Try " + upper(spec->name) + " HELP.";
    return text;
  }
  std::string quoted;
  for (std::size_t i = 1; i < args.size() && quoted.size() < kQuotedBytes; ++i) {
    const auto room = kQuotedBytes - quoted.size();
    quoted += '\'';
    quoted += printable_part(args[i].view(), room);
    quoted += "' ";
  }
  std::string text = "ERR unknown command '";
  text += printable_part(args[0].view(), kQuotedBytes);
  text += "', with args beginning with: " + quoted;
  return text;
}

std::string wrong_arity_error(const CommandSpec& spec) {
  return "ERR wrong number of arguments for '" + full_name(spec) + "' command";
}

}  // namespace kiwi
