#include "lab/history/key_model.hpp"

#include <charconv>

namespace kiwi::lab::history {

ValueId Values::intern(std::string_view text) {
  const auto [at, added] = ids_.try_emplace(std::string(text), static_cast<ValueId>(texts_.size()));
  if (added) {
    texts_.emplace_back(text);
    bytes_ += text.size();
  }
  return at->second;
}

std::optional<std::int64_t> Values::integer(ValueId id) const {
  if (id == kAbsent)
    return 0;
  const auto text = this->text(id);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  // "007" and "-0" are text to Redis.
  if (std::to_string(number) != text)
    return std::nullopt;
  return number;
}

namespace {

std::optional<ValueId> take_add(const KeyOperation& operation, ValueId state, Values& values) {
  const auto before = values.integer(state);
  if (!before) {
    const bool fits = operation.seen == Seen::nothing || operation.seen == Seen::not_integer;
    return fits ? std::optional(state) : std::nullopt;
  }
  std::int64_t after = 0;
  if (__builtin_add_overflow(*before, operation.delta, &after)) {
    const bool fits = operation.seen == Seen::nothing || operation.seen == Seen::overflow;
    return fits ? std::optional(state) : std::nullopt;
  }
  if (operation.seen != Seen::nothing && (operation.seen != Seen::number || operation.seen_number != after))
    return std::nullopt;
  return values.intern(std::to_string(after));
}

std::optional<ValueId> take_append(const KeyOperation& operation, ValueId state, Values& values) {
  const auto before = values.text(state);
  const auto tail = values.text(operation.value);
  if (operation.seen == Seen::length &&
      operation.seen_number != static_cast<std::int64_t>(before.size() + tail.size()))
    return std::nullopt;
  std::string after(before);
  after += tail;
  return values.intern(after);
}

bool saw_rightly(const KeyOperation& operation, ValueId state, const Values& values) {
  switch (operation.seen) {
    case Seen::value:
      return operation.seen_value == state;
    case Seen::existence:
      return (operation.seen_number != 0) == (state != kAbsent);
    case Seen::length:
      return operation.seen_number == static_cast<std::int64_t>(values.text(state).size());
    case Seen::success:
      return (operation.seen_number != 0) ==
             (operation.action == Action::set_if_absent ? state == kAbsent : state != kAbsent);
    case Seen::nothing:
      return true;
    case Seen::number:
    case Seen::not_integer:
    case Seen::overflow:
    case Seen::impossible:
      return false;
  }
  return false;
}

}  // namespace

std::optional<ValueId> take_effect(const KeyOperation& operation, ValueId state, Values& values) {
  if (operation.seen == Seen::impossible)
    return std::nullopt;
  if (operation.action == Action::add)
    return take_add(operation, state, values);
  if (operation.action == Action::append)
    return take_append(operation, state, values);
  if (!saw_rightly(operation, state, values))
    return std::nullopt;
  switch (operation.action) {
    case Action::set:
      return operation.value;
    case Action::set_if_absent:
      return state == kAbsent ? operation.value : state;
    case Action::set_if_there:
      return state == kAbsent ? state : operation.value;
    case Action::remove:
      return kAbsent;
    case Action::read:
    case Action::add:
    case Action::append:
      break;
  }
  return state;
}

bool is_observer(const KeyOperation& operation) {
  switch (operation.action) {
    case Action::read:
      return true;
    case Action::set_if_absent:
      return (operation.seen == Seen::success && operation.seen_number == 0) ||
             (operation.seen == Seen::value && operation.seen_value != kAbsent);
    case Action::set_if_there:
      return (operation.seen == Seen::success && operation.seen_number == 0) ||
             (operation.seen == Seen::value && operation.seen_value == kAbsent);
    case Action::remove:
      return (operation.seen == Seen::existence && operation.seen_number == 0) ||
             (operation.seen == Seen::value && operation.seen_value == kAbsent);
    case Action::add:
      return operation.seen == Seen::not_integer || operation.seen == Seen::overflow;
    case Action::set:
    case Action::append:
      break;
  }
  return operation.seen == Seen::impossible;
}

KeyOperation forgotten(KeyOperation operation) {
  operation.seen = Seen::nothing;
  operation.seen_value = kAbsent;
  operation.seen_number = 0;
  operation.ret = kNever;
  return operation;
}

}  // namespace kiwi::lab::history
