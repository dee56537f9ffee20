#pragma once

// Redis commands as operations on single keys. Commands on several keys fall into one part for each key; that
// is sound (each part takes effect between call and return), but does not check that the parts happen at one
// moment.

#include <string_view>
#include <vector>

#include "lab/history/key_model.hpp"
#include "lab/history/operation.hpp"

namespace kiwi::lab::history {

/// What a command does to one key. The views point into the operation.
struct KeyPart {
  std::string_view key;
  Action action = Action::read;
  Seen seen = Seen::nothing;
  std::string_view value;
  std::int64_t delta = 0;
  /// Seen::value: the value; absent if `seen_absent`.
  std::string_view seen_value;
  bool seen_absent = false;
  std::int64_t seen_number = 0;
  /// The reply is an error of which the effect is not known: as if it were of unknown outcome.
  bool doubtful = false;
  /// From its effect on the key may vanish at any time.
  bool may_expire = false;
};

enum class CommandKind {
  keyed,           // all that it does is in the parts
  no_effect,       // says nothing about keys: PING, INFO, SCAN
  removes_all,     // FLUSHALL, FLUSHDB
  not_understood,  // it may do anything to the keys that it names
};

struct ParsedCommand {
  CommandKind kind = CommandKind::not_understood;
  std::vector<KeyPart> parts;
};

/// Parts carry what the reply tells only if the outcome is done.
ParsedCommand parse_command(const Operation& operation);

}  // namespace kiwi::lab::history
