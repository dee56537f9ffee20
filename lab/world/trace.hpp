#pragma once

// The hash over everything that happened in a run: equal for equal runs, on every machine. Times, node ids,
// counters and bytes go in; addresses, handles and contents of RocksDB tables do not.

#include <cstdint>
#include <string_view>

#include "lab/chance.hpp"
#include "lab/time.hpp"

namespace kiwi::lab {

enum class TraceOf : std::uint64_t { run = 1, frame, client, timer, start, end, action, happening };

class Trace {
 public:
  void note(Time at, TraceOf what, std::uint64_t who, std::uint64_t detail) {
    value_ = mix(value_ ^ static_cast<std::uint64_t>(at.count())) ^
             mix(static_cast<std::uint64_t>(what) << 56 ^ who << 40 ^ detail);
    ++events_;
  }
  void note(Time at, TraceOf what, std::uint64_t who, std::string_view text) {
    note(at, what, who, hash_bytes(text));
  }
  void fold(std::uint64_t other) { value_ = mix(value_ ^ other); }
  std::uint64_t value() const { return value_; }
  std::uint64_t events() const { return events_; }

  /// Eight bytes at a time: quicker than hash_name, and as machine-independent.
  static std::uint64_t hash_bytes(std::string_view text) {
    std::uint64_t h = text.size();
    std::uint64_t word = 0;
    std::size_t i = 0;
    for (const char c : text) {
      word = word << 8 | static_cast<unsigned char>(c);
      if (++i % 8 == 0)
        h = (h ^ word) * 0x9e3779b97f4a7c15ULL, h ^= h >> 29, word = 0;
    }
    return mix(h ^ word);
  }

 private:
  std::uint64_t value_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace kiwi::lab
