#pragma once

// The bytes of a file in chunks that copies share. A copy costs a pointer per 64 KiB; whoever changes a
// shared chunk gets an own one first. Appending behind what a copy has seen needs no own chunk: a copy knows
// its size and never looks behind it. So "sync" is: the platters share the cache's chunks. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiwi::sim {

class Content {
 public:
  Content() = default;
  explicit Content(std::string_view bytes) { append(bytes); }

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void append(std::string_view bytes);
  /// Zeroes when it grows.
  void resize(std::uint64_t size);
  /// Grows when needed; what lies between the old end and `offset` reads as zeroes.
  void overwrite(std::uint64_t offset, std::string_view bytes);
  /// As overwrite(begin, other[begin, end)), sharing chunks where that is possible.
  void take(const Content& other, std::uint64_t begin, std::uint64_t end);
  /// Up to n bytes from `offset` into `to`; returns how many there were.
  std::uint64_t read(std::uint64_t offset, std::uint64_t n, char* to) const;
  std::string str(std::uint64_t offset = 0, std::uint64_t n = ~std::uint64_t{0}) const;
  void flip(std::uint64_t bit);
  std::uint64_t hash() const;
  friend bool operator==(const Content& a, const Content& b);

 private:
  struct Chunk {
    std::string bytes;
  };
  static constexpr std::uint64_t kChunkBytes = 64 * 1024;
  std::uint64_t fill_of(std::size_t chunk) const;
  Chunk& own(std::size_t chunk);

  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::uint64_t size_ = 0;
};

}  // namespace kiwi::sim
