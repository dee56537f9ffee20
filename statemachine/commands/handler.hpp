#pragma once

// What a command of the state machine is: a name, an arity, and a function of the keys. Adding a data type
// means adding files with more of these and naming them in registry.cpp.
//
// A handler must be a function of its context and command only (rule 7): no clock, no randomness, no order of
// an unordered container. A write handler must have decided to answer an error before it changes anything.

#include <cstdint>
#include <span>
#include <string_view>

#include "messages/client.hpp"
#include "statemachine/engine/key_view.hpp"
#include "statemachine/engine/overlay.hpp"

namespace kiwi {

struct ReadContext {
  KeyView& keys;
  std::uint64_t now_ms;  // for TTL and TIME
  std::uint64_t seed;    // for random choices
};

struct ApplyContext {
  Overlay& keys;
  std::uint64_t now_ms;  // the machine's clock: the stamp of the entry (rule 8)
};

using ReadHandler = Reply (*)(ReadContext&, const RedisCommand&);
using WriteHandler = Reply (*)(ApplyContext&, const RedisCommand&);

/// Exactly one of the handlers is set. Arity as COMMAND INFO tells it: the name counts, negative means at
/// least.
struct CommandHandler {
  std::string_view name;  // lower case
  int arity = 0;
  ReadHandler read = nullptr;
  WriteHandler write = nullptr;
};

std::span<const CommandHandler> string_write_commands();
std::span<const CommandHandler> string_read_commands();
std::span<const CommandHandler> number_commands();
std::span<const CommandHandler> key_write_commands();
std::span<const CommandHandler> key_read_commands();
std::span<const CommandHandler> expire_commands();

/// Case-insensitive. Null: no command of the state machine.
const CommandHandler* find_handler(std::string_view name);
bool arity_fits(const CommandHandler& handler, std::size_t argument_count);

}  // namespace kiwi
