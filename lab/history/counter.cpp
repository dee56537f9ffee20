#include "lab/history/counter.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace kiwi::lab::history {
namespace {

bool is_read(const KeyOperation& o) { return o.action == Action::read && o.seen == Seen::value; }

// Wider than a reply, so that sums of wrong replies cannot overflow. No standard C++.
__extension__ typedef __int128 Wide;

/// A counter that counts down is one that counts up, seen in a mirror.
Wide mirrored(std::int64_t number, bool down) { return down ? -static_cast<Wide>(number) : number; }

struct Item {
  Wide after = 0;  // the value of the counter after it
  Wide delta = 0;  // 0: a read
  Place call = 0;
  Place ret = 0;
  std::uint32_t operation = 0;
};

}  // namespace

bool counter_applies(const std::vector<KeyOperation>& operations) {
  std::optional<std::int64_t> of_unknown;
  bool up = false;
  bool down = false;
  for (const auto& o : operations) {
    if (is_read(o))
      continue;
    if (o.action != Action::add || o.delta == 0 || (o.seen != Seen::number && !o.unknown()))
      return false;
    (o.delta > 0 ? up : down) = true;
    if (o.unknown()) {
      if (of_unknown && *of_unknown != o.delta)
        return false;
      of_unknown = o.delta;
    }
  }
  return up != down;
}

KeyVerdict counter(const std::vector<KeyOperation>& operations, const Values& values) {
  const auto bad = [](std::vector<std::uint32_t> suspects) {
    return KeyVerdict{KeyVerdict::Is::bad, std::move(suspects)};
  };
  const bool down = std::any_of(operations.begin(), operations.end(),
                                [](const KeyOperation& o) { return o.action == Action::add && o.delta < 0; });
  std::vector<Item> items;
  std::vector<Place> spare;  // calls of unknown increments, ascending like all operations
  Wide step = 0;
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    const auto& o = operations[i];
    if (is_read(o)) {
      // A counter holds an integer that some increment wrote; before the first one nothing.
      const auto number = values.integer(o.seen_value);
      if (!number)
        return bad({i});
      if (o.seen_value != kAbsent && mirrored(*number, down) <= 0)
        return bad({i});
      items.push_back({mirrored(*number, down), 0, o.call, o.ret, i});
    } else if (o.unknown()) {
      spare.push_back(o.call);
      step = mirrored(o.delta, down);
    } else {
      items.push_back({mirrored(o.seen_number, down), mirrored(o.delta, down), o.call, o.ret, i});
    }
  }
  // In the order of the values; of one value first the increment that gave it, then its reads by call.
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tuple(a.after, a.delta == 0, a.call) < std::tuple(b.after, b.delta == 0, b.call);
  });
  // Everything as early as it can be: nothing else could make room for what comes after.
  Place now = -1;
  std::uint32_t forced_by = UINT32_MAX;
  std::uint32_t last = UINT32_MAX;
  std::size_t used = 0;
  Wide value = 0;
  // First the two that disagree.
  const auto with = [&](std::uint32_t i, bool in_time = false) {
    std::vector<std::uint32_t> suspects{i};
    for (const auto other : {in_time ? forced_by : last, in_time ? last : forced_by})
      if (other != UINT32_MAX)
        suspects.push_back(other);
    return suspects;
  };
  for (const auto& item : items) {
    const auto gap = item.after - item.delta - value;
    if (gap < 0 || (gap > 0 && (step == 0 || gap % step != 0)))
      return bad(with(item.operation));
    const auto needed = gap > 0 ? gap / step : 0;
    if (needed > static_cast<Wide>(spare.size() - used))
      return bad(with(item.operation));
    if (needed > 0) {
      used += static_cast<std::size_t>(needed);
      now = std::max(now, spare[used - 1]);
    }
    if (item.ret < now)
      return bad(with(item.operation, true));
    if (item.call > now) {
      now = item.call;
      forced_by = item.operation;
    }
    last = item.operation;
    value = item.after;
  }
  return {};
}

}  // namespace kiwi::lab::history
