#pragma once

// A story of writes with everything in it, and what it promises.

#include <string>
#include <vector>

#include "sim_node.hpp"

namespace kiwi::storage {

/// What a story of writes has been promised so far, and what the write under way may add.
struct Promise {
  std::vector<Entry> entries;  // from index purged + 1
  LogId purged;
  Vote vote;
  std::size_t bindings = 0;
  ClusterId cluster{9};

  void apply(const LogWrite& step) {
    if (step.reset_to != LogId{}) {
      entries.clear();
      purged = step.reset_to;
    }
    if (step.truncate_from) {
      entries.resize(step.truncate_from - purged.index - 1);
    }
    entries.insert(entries.end(), step.entries.begin(), step.entries.end());
    if (step.has_vote) {
      vote = step.vote;
    }
    bindings += step.has_binding ? 1 : 0;
    if (step.purge_to > purged.index) {
      const auto gone = step.purge_to - purged.index;
      purged = entries[gone - 1].id;
      entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(gone));
    }
  }
};

/// Empty when the store holds exactly what was promised.
inline std::string difference(Node& node, const Promise& promise) {
  const auto& found = node.found();
  const auto last = promise.entries.empty() ? promise.purged : promise.entries.back().id;
  if (found.vote != promise.vote) {
    return "vote of term " + to_string(found.vote.term) + ", promised " + to_string(promise.vote.term);
  }
  if (found.purged != promise.purged || found.last != last) {
    return "log " + to_string(found.purged) + ".." + to_string(found.last) + ", promised " +
           to_string(promise.purged) + ".." + to_string(last);
  }
  if (found.bindings.size() != promise.bindings) {
    return "another number of bindings";
  }
  if (promise.entries.empty()) {
    return {};
  }
  const auto read = node.store().read(promise.purged.index + 1, last.index, ~std::uint64_t{0});
  if (!read) {
    return why(read);
  }
  return *read == promise.entries ? "" : "other entries";
}

/// A story with everything in it: growing, truncating, overwriting, voting, binding, purging, resetting, and
/// enough bytes for write-ahead logs to be changed and tables to be written.
inline std::vector<std::vector<LogWrite>> story() {
  return {
      {vote(1, 1), append(1, 3)},
      {append(4, 4)},
      {append({entry(5, 1, std::string(3000, 'x')), entry(6)})},
      {bind(2, 22), append(7, 7)},
      {truncate(6), append(6, 8, 2), vote(2, 3)},
      {append({entry(9, 2, std::string(70'000, 'y'))})},
      {append(10, 12, 2)},
      {purge(5)},
      {truncate(11), append(11, 11, 3), append(12, 13, 3), vote(3, 0)},
      {append({entry(14, 3, std::string(3000, 'z'))})},
      {bind(3, 33)},
      {vote(4, 1)},
      {purge(14)},
      {append(15, 16, 4)},
      {reset(5, 40), append(41, 42, 5)},  // a snapshot far ahead
      {append({entry(43, 5, std::string(5000, 'u'))})},
      {append(44, 47, 5), purge(42)},
      {vote(6, 2), reset(6, 45)},  // one that conflicts with entries behind it
      {append(46, 46, 6)},
      {append({entry(47, 6, std::string(5000, 'w'))})},
      {purge(46), append(48, 48, 6)},
  };
}

}  // namespace kiwi::storage
