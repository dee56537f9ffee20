#pragma once

// What the last few keys that were touched hold, so that hot keys cost no lookup in RocksDB: whether a key is
// there must be known even for a blind SET, to count keys and deadlines. Only a memory of the database: it
// always says what a lookup would say, and results never depend on what is in it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "statemachine/data_format.hpp"

namespace kiwi {

class RecordCache {
 public:
  struct Line {
    bool known = false;
    bool present = false;  // there is a row
    std::uint64_t hash = 0;
    std::string key;
    data_format::Record record;  // with a payload of its own
  };

  /// Takes about 120 bytes a line at the first use, and up to 2 * kMaxItemBytes more for each. 0 lines:
  /// caches nothing.
  explicit RecordCache(std::size_t lines) : limit_(lines) {}

  /// Null: ask the database. Valid until the next change.
  const Line* find(std::uint64_t hash, std::string_view key) const {
    if (lines_.empty())
      return nullptr;
    const auto& line = lines_[hash % lines_.size()];
    return line.known && line.hash == hash && line.key == key ? &line : nullptr;
  }
  void put(std::uint64_t hash, std::string_view key, const data_format::Meta& meta, std::string_view payload);
  void put_absent(std::uint64_t hash, std::string_view key);
  /// The key has changed, or will.
  void forget(std::uint64_t hash, std::string_view key) { line_for(hash, key, false); }
  void clear();

 private:
  static constexpr std::size_t kMaxItemBytes = 256;  // of a key, and of a payload

  /// The line where the key belongs, emptied of anything that contradicts; null when it is not to be kept.
  Line* line_for(std::uint64_t hash, std::string_view key, bool keep);

  std::size_t limit_;
  std::vector<Line> lines_;  // each hash has one line: the newest key wins
};

}  // namespace kiwi
