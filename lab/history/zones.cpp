#include "lab/history/zones.hpp"

#include <algorithm>
#include <optional>

namespace kiwi::lab::history {
namespace {

/// A reading set, or SETNX that found nothing: its value follows directly on the one that it replaced.
bool is_link(const KeyOperation& o) {
  return (o.action == Action::set && o.seen == Seen::value) ||
         (o.action == Action::set_if_absent && !is_observer(o) && o.seen != Seen::nothing);
}
bool is_set(const KeyOperation& o) {
  return o.action == Action::set || (o.action == Action::set_if_absent && is_link(o));
}
ValueId replaced(const KeyOperation& o) { return o.seen == Seen::value ? o.seen_value : kAbsent; }

constexpr Place kBefore = -1;  // before the first event
constexpr std::uint32_t kNone = UINT32_MAX;

/// All operations with one value, or all of a chain of values: the register holds it from some moment before
/// `first_end` to some moment after `last_begin`.
struct Zone {
  Place first_end = kNever;
  Place last_begin = kBefore - 1;
  Place write_call = kNever;
  std::uint32_t writer = kNone;
  std::uint32_t next = kNone;  // zone that must follow
  bool has_previous = false;
  std::uint32_t chain = kNone;

  void include(const KeyOperation& o) {
    first_end = std::min(first_end, o.ret);
    last_begin = std::max(last_begin, o.call);
  }
};

class Zones {
 public:
  explicit Zones(const std::vector<KeyOperation>& operations) : operations_(operations) {}

  KeyVerdict run() {
    collect();
    if (broken_)
      return *broken_;
    for (std::uint32_t v = 0; v < zones_.size() && !broken_; ++v)
      if (!zones_[v].has_previous)
        chain_from(v);
    if (!broken_)
      for (std::uint32_t v = 0; v < zones_.size() && !broken_; ++v)
        if (zones_[v].chain == kNone)
          blame_ring(v);
    if (!broken_)
      compare_chains();
    return broken_ ? *broken_ : KeyVerdict{};
  }

 private:
  void collect() {
    ValueId most = 0;
    for (const auto& o : operations_) most = std::max({most, o.value, o.seen_value});
    zones_.resize(most + 1);
    // As if absence had been written before everything else.
    zones_[kAbsent].first_end = kBefore;
    zones_[kAbsent].last_begin = zones_[kAbsent].write_call = kBefore - 1;
    for (std::uint32_t i = 0; i < operations_.size(); ++i) {
      const auto& o = operations_[i];
      auto& zone = zones_[is_set(o) ? o.value : o.seen_value];
      zone.include(o);
      if (is_set(o)) {
        zone.write_call = o.call;
        zone.writer = i;
      }
    }
    for (const auto& o : operations_)
      if (is_link(o))
        link(o);
    for (ValueId v = 0; v < zones_.size() && !broken_; ++v)
      // Read before it was written, or never written.
      if (zones_[v].first_end < zones_[v].write_call)
        blame({v});
  }

  void link(const KeyOperation& o) {
    auto& before = zones_[replaced(o)];
    if (broken_)
      return;
    if (before.next != kNone)  // two operations replaced the same value
      return blame({replaced(o), before.next, o.value});
    if (replaced(o) != kAbsent && before.writer == kNone)
      return blame({replaced(o), o.value});
    before.next = o.value;
    zones_[o.value].has_previous = true;
  }

  void chain_from(ValueId first) {
    const auto number = static_cast<std::uint32_t>(chains_.size());
    std::vector<ValueId> members;
    for (auto v = first; v != kNone; v = zones_[v].next) {
      zones_[v].chain = number;
      members.push_back(v);
    }
    Zone whole;
    // No operation of a later member may return before one of an earlier member is called.
    for (auto v = members.rbegin(); v != members.rend(); ++v) {
      const auto& zone = zones_[*v];
      if (whole.first_end < zone.last_begin)
        return blame(members);
      whole.first_end = std::min(whole.first_end, zone.first_end);
      whole.last_begin = std::max(whole.last_begin, zone.last_begin);
    }
    whole.next = first;
    chains_.push_back(whole);
  }

  /// Values that replaced each other in a ring.
  void blame_ring(ValueId start) {
    std::vector<ValueId> ring{start};
    for (auto v = zones_[start].next; v != start; v = zones_[v].next) ring.push_back(v);
    blame(ring);
  }

  void compare_chains() {
    std::vector<Zone> forward;
    std::vector<Zone> backward;
    for (const auto& chain : chains_) {
      if (chain.first_end == kNever)  // an unknown write that nobody saw may as well not have happened
        continue;
      (chain.first_end < chain.last_begin ? forward : backward).push_back(chain);
    }
    std::sort(forward.begin(), forward.end(),
              [](const Zone& a, const Zone& b) { return a.first_end < b.first_end; });
    // Two forward zones must not overlap, and a backward zone must not lie inside a forward one.
    for (std::size_t i = 1; i < forward.size(); ++i)
      if (forward[i].first_end < forward[i - 1].last_begin)
        return blame_chains(forward[i - 1], forward[i]);
    for (const auto& zone : backward) {
      const auto after = std::upper_bound(forward.begin(), forward.end(), zone.last_begin,
                                          [](Place place, const Zone& f) { return place < f.first_end; });
      if (after != forward.begin() && zone.first_end < std::prev(after)->last_begin)
        return blame_chains(*std::prev(after), zone);
    }
  }

  void blame_chains(const Zone& a, const Zone& b) {
    std::vector<ValueId> values;
    for (const auto first : {a.next, b.next})
      for (auto v = first; v != kNone; v = zones_[v].next) values.push_back(v);
    blame(values);
  }

  void blame(const std::vector<ValueId>& values) {
    std::vector<bool> blamed(zones_.size());
    for (const auto v : values) blamed[v] = true;
    KeyVerdict verdict{KeyVerdict::Is::bad, {}};
    for (std::uint32_t i = 0; i < operations_.size(); ++i)
      if (blamed[is_set(operations_[i]) ? operations_[i].value : operations_[i].seen_value])
        verdict.suspects.push_back(i);
    broken_ = verdict;
  }

  const std::vector<KeyOperation>& operations_;
  std::vector<Zone> zones_;   // by value
  std::vector<Zone> chains_;  // `next` is the first member
  std::optional<KeyVerdict> broken_;
};

}  // namespace

bool zones_apply(const std::vector<KeyOperation>& operations) {
  std::vector<ValueId> written;
  for (const auto& o : operations) {
    const bool reads = o.action == Action::read && o.seen == Seen::value;
    const bool plain = o.action == Action::set && (o.seen == Seen::nothing || o.seen == Seen::value);
    const bool first = is_link(o) && (o.seen == Seen::success || o.seen == Seen::value);
    if (!reads && !plain && !first)
      return false;
    if (is_set(o))
      written.push_back(o.value);
  }
  std::sort(written.begin(), written.end());
  return std::adjacent_find(written.begin(), written.end()) == written.end();
}

KeyVerdict zones(const std::vector<KeyOperation>& operations) { return Zones(operations).run(); }

}  // namespace kiwi::lab::history
