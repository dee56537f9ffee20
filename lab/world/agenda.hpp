#pragma once

// What the world will do at which time, besides running actors and their timers: packets, client events, ends
// of faults. Things of the same moment happen in the order in which they were put in.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "lab/time.hpp"

namespace kiwi::lab {

class Agenda {
 public:
  using Thing = std::function<void()>;

  void at(Time when, Thing thing) {
    heap_.push_back({when, next_++, std::move(thing)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  /// Time::max() when there is nothing.
  Time next() const { return heap_.empty() ? Time::max() : heap_.front().when; }
  Thing take() {
    std::pop_heap(heap_.begin(), heap_.end());
    auto thing = std::move(heap_.back().thing);
    heap_.pop_back();
    return thing;
  }

 private:
  struct Item {
    Time when;
    std::uint64_t number;
    Thing thing;
    bool operator<(const Item& x) const { return when != x.when ? when > x.when : number > x.number; }
  };
  std::vector<Item> heap_;
  std::uint64_t next_ = 0;
};

}  // namespace kiwi::lab
