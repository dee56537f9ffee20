#pragma once

// The runner's own events: arrivals of load, time-outs of operations, lines of the script, deadlines of
// expectations. Events of the same time: first those of the script, then those of the loads; within these in
// the order in which they were planned. So a replay, which plans all its actions at the start, meets the same
// order.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "lab/time.hpp"

namespace kiwi::lab {

class Timeline {
 public:
  using Id = std::uint64_t;  // never 0
  enum class Lane : std::uint8_t { script, load };

  /// `at` may lie in the past: it then fires next.
  Id plan(Time at, std::function<void()> what, Lane lane = Lane::load) {
    const Id id = ++last_id_;
    const Key key(at, lane, id);
    events_.emplace(key, std::move(what));
    keys_.emplace(id, key);
    return id;
  }
  /// Of no effect when it fired already, or for id 0.
  void cancel(Id id) {
    if (const auto found = keys_.find(id); found != keys_.end()) {
      events_.erase(found->second);
      keys_.erase(found);
    }
  }
  std::optional<Time> next() const {
    return events_.empty() ? std::nullopt : std::optional(std::get<Time>(events_.begin()->first));
  }
  /// Fires the first event that is due at `now`, which may plan others. False: none is due.
  bool fire_one(Time now) {
    if (events_.empty() || std::get<Time>(events_.begin()->first) > now) {
      return false;
    }
    auto node = events_.extract(events_.begin());
    keys_.erase(std::get<Id>(node.key()));
    node.mapped()();
    return true;
  }

 private:
  using Key = std::tuple<Time, Lane, Id>;

  std::map<Key, std::function<void()>> events_;
  std::unordered_map<Id, Key> keys_;  // looked up only
  Id last_id_ = 0;
};

}  // namespace kiwi::lab
