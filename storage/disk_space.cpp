#include "storage/disk_space.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <vector>

namespace kiwi::storage {

std::optional<std::uint64_t> free_bytes(rocksdb::Env* env, const std::string& dir) {
  const auto fs = (env == nullptr ? rocksdb::Env::Default() : env)->GetFileSystem();
  std::optional<std::uint64_t> least;
  for (const char* below : {"", "/log", "/data"}) {
    std::uint64_t bytes = 0;
    if (fs->GetFreeSpace(dir + below, {}, &bytes, nullptr).ok())
      least = std::min(least.value_or(bytes), bytes);
  }
  return least;
}

std::uint64_t file_bytes(rocksdb::Env& env, const std::string& dir) {
  std::vector<rocksdb::Env::FileAttributes> files;
  if (!env.GetChildrenFileAttributes(dir, &files).ok())
    return 0;
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.size_bytes;
  return sum;
}

}  // namespace kiwi::storage
