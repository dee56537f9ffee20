#pragma once

// XXH3-128 of a file's content, taken piece by piece: what a snapshot's manifest names its files by.

#include <cstdint>
#include <memory>
#include <string_view>

#include "messages/snapshot_meta.hpp"

namespace kiwi {

struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend auto operator<=>(const ContentHash&, const ContentHash&) = default;
};

inline ContentHash hash_of(const SnapshotFile& file) { return {file.checksum_low, file.checksum_high}; }

class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(ContentHasher&&) noexcept;
  ContentHasher& operator=(ContentHasher&&) noexcept;
  void add(std::string_view bytes);
  /// Of what was added so far; more may be added afterwards.
  ContentHash hash() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kiwi
