#pragma once

// The zeroes ahead of one write-ahead-log file (zeroed_ahead.hpp).

#include <rocksdb/file_system.h>

#include <cstdint>

namespace kiwi::storage {

class Zeroes {
 public:
  explicit Zeroes(std::uint64_t stretch_bytes) : stretch_bytes_(stretch_bytes) {}

  /// Before an append that ends at `end`: zeroes behind it, if there are none left. False: they cannot be
  /// written. Then the caller cuts the file to what was appended, and none are tried any more.
  bool reach(std::uint64_t end, rocksdb::FSRandomRWFile& file, const rocksdb::IOOptions& options);

  bool lie_behind(std::uint64_t end) const { return to_ > end; }
  /// The file was cut, or made longer: it ends here.
  void file_ends_at(std::uint64_t size) { to_ = size; }

 private:
  std::uint64_t stretch_bytes_;
  std::uint64_t to_ = 0;
  bool given_up_ = false;
};

}  // namespace kiwi::storage
