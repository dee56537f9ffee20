#pragma once

// What is known about each Redis command without running it: one row a command. Feeds arity checks, routing,
// key extraction (MOVED slots, COMMAND GETKEYS) and COMMAND / COMMAND DOCS. No CAF, no RocksDB.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/client.hpp"

namespace kiwi {

enum class CommandPlace : std::uint8_t {
  connection,  // answered by the connection itself: PING, HELLO, CLIENT, ...
  node,        // answered from the node's status: INFO, CLUSTER, RAFT.*, CONFIG GET
  read,        // a query of the state machine
  write,       // replicated, executed when applied
};

struct CommandSpec {
  std::string_view name = {};       // lower case
  std::string_view container = {};  // "client" for "client|list"; empty for top-level commands
  /// As COMMAND INFO: positive: exactly; negative: at least; the name counts.
  int arity = 0;
  CommandPlace place = CommandPlace::connection;
  int first_key = 0;
  int last_key = 0;  // negative: counted from the end
  int key_step = 0;
  std::uint32_t flags = 0;           // CommandFlag bits
  std::string_view categories = {};  // "@read @string @fast"
  std::string_view summary = {};
  std::string_view since = {};
  std::string_view group = {};
  std::string_view complexity = {};
  std::string_view arguments = {};  // in the notation that command_arguments.hpp explains; for COMMAND DOCS
  /// Access flags of the keys ("RW access update"); with ';' between them, one set for each key of its own.
  std::string_view key_flags = {};
  std::string_view tips = {};              // "nondeterministic_output ...", separated by blanks
  std::string_view deprecated_since = {};  // empty: not deprecated
  std::string_view replaced_by = {};
  bool has_subcommands = false;
};

enum CommandFlag : std::uint32_t {
  kFlagWrite = 1u << 0,
  kFlagReadonly = 1u << 1,
  kFlagDenyoom = 1u << 2,
  kFlagAdmin = 1u << 3,
  kFlagFast = 1u << 4,
  kFlagLoading = 1u << 5,
  kFlagStale = 1u << 6,
  kFlagNoAuth = 1u << 7,
  kFlagMovableKeys = 1u << 8,
  kFlagNoscript = 1u << 9,
  kFlagAllowBusy = 1u << 10,
};

/// All top-level commands, sorted by name.
std::span<const CommandSpec> all_commands();
/// Subcommands of a container, sorted by name.
std::span<const CommandSpec> subcommands_of(std::string_view container);
/// Case-insensitive; looks at args[0], and at args[1] for containers. Null: unknown. Requires a name.
const CommandSpec* find_command(const RedisCommand& command);
const CommandSpec* find_command_name(std::string_view name);
/// As clients write it in COMMAND INFO: "get", "client|list". Case-insensitive. Null: unknown.
const CommandSpec* find_full_name(std::string_view name);
/// "get", "client|list".
std::string full_name(const CommandSpec& spec);
/// The keys of a command whose arity is right (positions in args).
std::vector<std::size_t> key_positions(const CommandSpec& spec, const RedisCommand& command);
/// True when the number of arguments fits.
bool arity_fits(const CommandSpec& spec, std::size_t argument_count);
/// Redis' own texts, without the leading '-': "ERR unknown command 'foo', with args beginning with: 'a' 'b'
/// ", "ERR wrong number of arguments for 'get' command", "ERR unknown subcommand 'x'. Try CLIENT HELP.".
std::string unknown_command_error(const RedisCommand& command);
std::string wrong_arity_error(const CommandSpec& spec);

}  // namespace kiwi
