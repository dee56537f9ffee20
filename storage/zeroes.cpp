#include "storage/zeroes.hpp"

#include <algorithm>
#include <string>

namespace kiwi::storage {

bool Zeroes::reach(std::uint64_t end, rocksdb::FSRandomRWFile& file, const rocksdb::IOOptions& options) {
  if (end <= to_ || given_up_) {
    return true;
  }
  static const std::string kZeroes(64u << 10, '\0');
  const auto to = (end / stretch_bytes_ + 1) * stretch_bytes_;
  for (auto at = end; at < to;) {
    const auto piece = std::min<std::uint64_t>(to - at, kZeroes.size());
    if (!file.Write(at, rocksdb::Slice(kZeroes.data(), piece), options, nullptr).ok()) {
      given_up_ = true;
      to_ = 0;
      return false;
    }
    at += piece;
  }
  to_ = to;
  return true;
}

}  // namespace kiwi::storage
