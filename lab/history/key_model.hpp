#pragma once

// One key of the store as a sequential object: absent or a string. What an operation may see and do to it.
// Semantics: Redis 7.0, the string commands.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kiwi::lab::history {

/// A place in the order of all calls and returns of a history.
using Place = std::int64_t;
/// The return of an operation that never returned: it may take effect at any time after its call, or never.
inline constexpr Place kNever = std::numeric_limits<Place>::max();

/// A value of a key, by number; see Values. States are values.
using ValueId = std::uint32_t;
inline constexpr ValueId kAbsent = 0;

/// The strings that occur on one key. Equal strings have equal numbers, given in the order of asking.
class Values {
 public:
  Values() { texts_.emplace_back(); }
  ValueId intern(std::string_view text);
  std::string_view text(ValueId id) const { return texts_[id]; }
  /// As Redis reads integers: no spaces, no leading zeros or '+', within 64 bits. Absent counts as 0.
  std::optional<std::int64_t> integer(ValueId id) const;
  std::size_t size() const { return texts_.size(); }
  /// Of all strings together.
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, ValueId> ids_;  // never iterated
  std::size_t bytes_ = 0;
};

enum class Action : std::uint8_t {
  read,           // GET, EXISTS, STRLEN: no effect
  set,            // SET, MSET, GETSET
  set_if_absent,  // SET NX, SETNX
  set_if_there,   // SET XX
  remove,         // DEL, GETDEL
  add,            // INCR and its relatives
  append,         // APPEND
};

/// What the reply told about the moment at which the operation took effect.
enum class Seen : std::uint8_t {
  nothing,      // no reply that tells; with an unknown outcome always
  value,        // the value before it: `seen_value`, or absent
  existence,    // whether there was a value before it: `seen_number`
  success,      // of set_if_*: whether it was set: `seen_number`
  length,       // read: of the value before; append: of the value after it
  number,       // add: the value after it
  not_integer,  // add: refused because the value is not an integer
  overflow,     // add: refused because the sum leaves 64 bits
  impossible,   // a reply that this command cannot give
};

struct KeyOperation {
  Action action = Action::read;
  Seen seen = Seen::nothing;
  ValueId value = kAbsent;  // set*, append: the argument
  std::int64_t delta = 0;   // add
  ValueId seen_value = kAbsent;
  std::int64_t seen_number = 0;
  Place call = 0;
  Place ret = kNever;
  std::uint32_t origin = 0;  // position in History::operations()

  bool unknown() const { return ret == kNever; }
};

/// May it take effect in `state`, and what is the state after it? Empty: its reply contradicts the state.
std::optional<ValueId> take_effect(const KeyOperation& operation, ValueId state, Values& values);

/// It changes nothing in any state in which its reply is right.
bool is_observer(const KeyOperation& operation);

/// The same operation with its outcome forgotten: allowed whatever the original allows, and more.
KeyOperation forgotten(KeyOperation operation);

/// All that happened to one key. `operations` ascend by call; reads of unknown outcome are left out.
struct KeyHistory {
  std::string key;
  Values values;
  std::vector<KeyOperation> operations;
  /// Refused ones that would have had an effect, as if of unknown outcome: for telling what went wrong.
  std::vector<KeyOperation> refused;
  bool expires = false;
  bool not_understood = false;
};

}  // namespace kiwi::lab::history
