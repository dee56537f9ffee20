#include "lab/history/search.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace kiwi::lab::history {
namespace {

std::uint64_t scramble(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// Set of 128-bit hashes, open addressing. (0, 0) marks an empty slot.
class Visited {
 public:
  bool insert(std::uint64_t a, std::uint64_t b) {
    if (2 * (count_ + 1) > slots_.size())
      grow();
    if (!put(a | 1, b))
      return false;
    ++count_;
    return true;
  }

 private:
  using Slot = std::array<std::uint64_t, 2>;
  bool put(std::uint64_t a, std::uint64_t b) {
    auto at = b & (slots_.size() - 1);
    for (; slots_[at][0] != 0; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at] == Slot{a, b})
        return false;
    slots_[at] = {a, b};
    return true;
  }
  void grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(64, 2 * slots_.size())));
    for (const auto& slot : old)
      if (slot[0] != 0)
        put(slot[0], slot[1]);
  }
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

constexpr std::uint32_t kNone = UINT32_MAX;

class Search {
 public:
  Search(const std::vector<KeyOperation>& operations, Values& values, std::uint64_t& budget)
      : ops_(operations),
        values_(values),
        budget_(budget),
        done_(operations.size()),
        twin_(operations.size(), kNone) {
    link_events();
    find_twins();
    count_values();
  }

  KeyVerdict::Is run() {
    auto at = nodes_[0].next;
    while (happened_ < must_happen_) {
      const auto& node = nodes_[at];
      if (at != 0 && node.is_call) {
        if (budget_ == 0)
          return KeyVerdict::Is::undecided;
        --budget_;
        if (try_next(at)) {
          at = nodes_[0].next;
          continue;
        }
        at = node.next;
        continue;
      }
      // A return whose operation is still to come: everything that could happen before it has been tried.
      for (;;) {
        if (path_.empty())
          return KeyVerdict::Is::bad;
        const auto step = path_.back();
        undo();
        // An observer in its state needs no alternative: where it could wait, it could also have come now.
        if (!observer_[nodes_[step.node].op]) {
          at = nodes_[step.node].next;
          break;
        }
      }
    }
    return KeyVerdict::Is::good;
  }

 private:
  struct Node {
    std::uint32_t next = 0, prev = 0, op = kNone, match = 0;
    bool is_call = false;
  };
  struct Step {
    std::uint32_t node;
    ValueId state_before;
  };

  /// Calls and returns in the order of time, a ring; node 0 is its head and tail.
  void link_events() {
    struct Event {
      Place place;
      bool is_call;
      std::uint32_t op;
    };
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      events.push_back({ops_[i].call, true, i});
      if (!ops_[i].unknown()) {
        events.push_back({ops_[i].ret, false, i});
        ++must_happen_;
      }
    }
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::tuple(a.place, !a.is_call, a.op) < std::tuple(b.place, !b.is_call, b.op);
    });
    nodes_.resize(events.size() + 1);
    std::vector<std::uint32_t> call_node(ops_.size());
    const auto count = static_cast<std::uint32_t>(nodes_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      nodes_[i].next = (i + 1) % count;
      nodes_[nodes_[i].next].prev = i;
      if (i == 0)
        continue;
      const auto& event = events[i - 1];
      nodes_[i].op = event.op;
      nodes_[i].is_call = event.is_call;
      if (event.is_call)
        call_node[event.op] = i;
      else
        nodes_[call_node[event.op]].match = i;
    }
  }

  /// Unknown operations that do the same are tried in the order of their calls only.
  void find_twins() {
    using What = std::tuple<Action, ValueId, std::int64_t>;
    std::map<What, std::uint32_t> last;
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      observer_.push_back(is_observer(ops_[i]));
      if (!ops_[i].unknown())
        continue;
      const auto [at, first] = last.try_emplace(What{ops_[i].action, ops_[i].value, ops_[i].delta}, i);
      if (!first)
        twin_[i] = std::exchange(at->second, i);
    }
  }

  /// The value that it must find, if its reply says so.
  static std::uint32_t wanted(const KeyOperation& o) {
    if (o.seen == Seen::value)
      return o.seen_value;
    if (o.seen == Seen::existence && o.seen_number == 0)
      return kAbsent;
    if (o.seen == Seen::success && (o.action == Action::set_if_absent) == (o.seen_number != 0))
      return kAbsent;
    return kNone;
  }
  static std::uint32_t given(const KeyOperation& o) {
    return o.action == Action::read ? kNone : o.action == Action::remove ? kAbsent : o.value;
  }

  /// Where values come from operations' words alone, a value that is still wanted and that nobody will write
  /// again must not be replaced.
  void count_values() {
    foreseen_ = std::none_of(ops_.begin(), ops_.end(), [](const KeyOperation& o) {
      return o.action == Action::add || o.action == Action::append;
    });
    wanted_.resize(values_.size());
    given_.resize(values_.size());
    for (const auto& o : ops_) count(o, 1);
  }
  void count(const KeyOperation& o, int by) {
    if (!foreseen_)
      return;
    if (const auto v = wanted(o); v != kNone)
      wanted_[v] += by;
    if (const auto v = given(o); v != kNone)
      given_[v] += by;
  }

  bool try_next(std::uint32_t at) {
    const auto i = nodes_[at].op;
    const auto& op = ops_[i];
    if (twin_[i] != kNone && !done_[twin_[i]])
      return false;
    const auto after = take_effect(op, state_, values_);
    if (!after)
      return false;
    if (op.unknown() && *after == state_)  // as good as later, or never
      return false;
    if (op.action == Action::append)
      budget_ -= std::min<std::uint64_t>(budget_, values_.text(*after).size() / 64);
    count(op, -1);
    if (foreseen_ && *after != state_ && wanted_[state_] > 0 && given_[state_] == 0) {
      count(op, 1);
      return false;
    }
    toggle(i);
    const auto mixed = scramble(*after);
    if (!visited_.insert(set_a_ ^ mixed, set_b_ + scramble(mixed))) {
      toggle(i);
      count(op, 1);
      return false;
    }
    done_[i] = true;
    path_.push_back({at, state_});
    state_ = *after;
    happened_ += nodes_[at].match != 0 ? 1 : 0;
    unlink(at);
    return true;
  }

  void undo() {
    const auto [at, before] = path_.back();
    path_.pop_back();
    relink(at);
    const auto i = nodes_[at].op;
    toggle(i);
    count(ops_[i], 1);
    done_[i] = false;
    happened_ -= nodes_[at].match != 0 ? 1 : 0;
    state_ = before;
  }

  void toggle(std::uint32_t i) {
    set_a_ ^= scramble(2 * std::uint64_t{i} + 1);
    set_b_ ^= scramble(~std::uint64_t{i});
  }
  void cut(std::uint32_t i) {
    nodes_[nodes_[i].prev].next = nodes_[i].next;
    nodes_[nodes_[i].next].prev = nodes_[i].prev;
  }
  void paste(std::uint32_t i) { nodes_[nodes_[i].prev].next = nodes_[nodes_[i].next].prev = i; }
  void unlink(std::uint32_t call) {
    cut(call);
    if (nodes_[call].match != 0)
      cut(nodes_[call].match);
  }
  void relink(std::uint32_t call) {
    if (nodes_[call].match != 0)
      paste(nodes_[call].match);
    paste(call);
  }

  const std::vector<KeyOperation>& ops_;
  Values& values_;
  std::uint64_t& budget_;
  std::vector<Node> nodes_;
  std::vector<bool> done_;
  std::vector<bool> observer_;
  std::vector<std::uint32_t> twin_;  // the one before it that does the same
  std::vector<std::int64_t> wanted_;
  std::vector<std::int64_t> given_;
  bool foreseen_ = false;
  std::size_t must_happen_ = 0;
  std::size_t happened_ = 0;
  ValueId state_ = kAbsent;
  std::uint64_t set_a_ = 0;
  std::uint64_t set_b_ = 0;
  Visited visited_;
  std::vector<Step> path_;
};

}  // namespace

KeyVerdict search(const std::vector<KeyOperation>& operations, Values& values, std::uint64_t& budget) {
  return {Search(operations, values, budget).run(), {}};
}

}  // namespace kiwi::lab::history
