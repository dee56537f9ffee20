#include "lab/history/judge.hpp"

#include <algorithm>

#include "lab/history/counter.hpp"
#include "lab/history/search.hpp"

namespace kiwi::lab::history {

std::string_view to_string(Checker checker) {
  return checker == Checker::zones ? "zones" : checker == Checker::counter ? "counter" : "search";
}

Checker cheapest(const std::vector<KeyOperation>& operations) {
  if (zones_apply(operations))
    return Checker::zones;
  return counter_applies(operations) ? Checker::counter : Checker::search;
}

KeyVerdict judge(const std::vector<KeyOperation>& operations, Values& values, std::uint64_t& budget) {
  switch (cheapest(operations)) {
    case Checker::zones:
      return zones(operations);
    case Checker::counter:
      return counter(operations, values);
    case Checker::search:
      break;
  }
  auto needed = operations;
  drop_unseen_writes(needed);
  return search(needed, values, budget);
}

bool is_foreseen(const std::vector<KeyOperation>& operations) {
  return std::none_of(operations.begin(), operations.end(), [](const KeyOperation& o) {
    return o.action == Action::add || o.action == Action::append;
  });
}

bool writes(const KeyOperation& o) { return o.action != Action::read && !is_observer(o); }

std::size_t drop_unseen_writes(std::vector<KeyOperation>& operations) {
  ValueId most = kAbsent;
  for (const auto& o : operations) {
    const bool whole = o.action == Action::read || o.action == Action::set || o.action == Action::remove;
    if (!whole || (o.seen != Seen::nothing && o.seen != Seen::value))
      return 0;
    most = std::max({most, o.value, o.seen_value});
  }
  std::vector<bool> seen(most + 1);
  for (const auto& o : operations)
    if (o.seen == Seen::value)
      seen[o.seen_value] = true;
  return std::erase_if(operations, [&](const KeyOperation& o) {
    return o.unknown() && o.action == Action::set && !seen[o.value];
  });
}

}  // namespace kiwi::lab::history
