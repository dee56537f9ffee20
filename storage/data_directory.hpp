#pragma once

// DIR itself: that it is Kiwi's, and that no other process has it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "messages/storage_error.hpp"

namespace rocksdb {
class Env;
class FileLock;
}  // namespace rocksdb

namespace kiwi::storage {

/// In DIR from the first to the last moment of a restore (node/commands/restore.cpp): with it, DIR is no
/// node's.
inline constexpr std::string_view kRestoringFile = "KIWI-RESTORING";

/// Holds DIR/LOCK for as long as it lives.
class DataDirectory {
 public:
  /// Makes `dir` if it is missing, durably. Fails with StorageKind::mismatch when `dir` is no directory,
  /// holds names that are not Kiwi's or a restore that is not finished (nothing is touched then), or is in
  /// use by another process. `env` null: the system's.
  static Result<std::unique_ptr<DataDirectory>> open(const std::string& dir, rocksdb::Env* env);
  ~DataDirectory();
  /// See disk_space.hpp.
  std::optional<std::uint64_t> free_bytes() const;
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

 private:
  DataDirectory(rocksdb::Env* env, rocksdb::FileLock* lock, std::string dir)
      : env_(env), lock_(lock), dir_(std::move(dir)) {}
  rocksdb::Env* env_;
  rocksdb::FileLock* lock_;
  std::string dir_;
};

}  // namespace kiwi::storage
