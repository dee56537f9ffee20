#pragma once

// The runner's own events: arrivals of load, time-outs of operations, lines of the script, deadlines of
// expectations. Events of the same time fire in the order in which they were planned.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "lab/time.hpp"

namespace kiwi::lab {

class Timeline {
 public:
  using Id = std::uint64_t;  // never 0

  /// `at` may lie in the past: it then fires next.
  Id plan(Time at, std::function<void()> what) {
    const Id id = ++last_id_;
    events_.emplace(std::pair(at, id), std::move(what));
    times_.emplace(id, at);
    return id;
  }
  /// Of no effect when it fired already, or for id 0.
  void cancel(Id id) {
    if (const auto found = times_.find(id); found != times_.end()) {
      events_.erase(std::pair(found->second, id));
      times_.erase(found);
    }
  }
  std::optional<Time> next() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first.first);
  }
  /// Fires the first event that is due at `now`, which may plan others. False: none is due.
  bool fire_one(Time now) {
    if (events_.empty() || events_.begin()->first.first > now) {
      return false;
    }
    auto node = events_.extract(events_.begin());
    times_.erase(node.key().second);
    node.mapped()();
    return true;
  }

 private:
  std::map<std::pair<Time, Id>, std::function<void()>> events_;
  std::unordered_map<Id, Time> times_;  // looked up only
  Id last_id_ = 0;
};

}  // namespace kiwi::lab
