#pragma once

#include <rocksdb/env.h>

#include <string>
#include <utility>

#include "messages/storage_error.hpp"

namespace kiwi::storage {

/// Holds KIWI-LOCK of a log store's directory. RocksDB's own LOCK does not guard the read-only look before.
class DirLock {
 public:
  /// `unavailable` when it is held, by this process or another.
  static Result<DirLock> take(rocksdb::Env& env, const std::string& dir);
  DirLock(DirLock&& other) noexcept : env_(other.env_), lock_(std::exchange(other.lock_, nullptr)) {}
  DirLock& operator=(DirLock&&) = delete;
  ~DirLock();

 private:
  DirLock(rocksdb::Env& env, rocksdb::FileLock* lock) : env_(&env), lock_(lock) {}
  rocksdb::Env* env_;
  rocksdb::FileLock* lock_;
};

}  // namespace kiwi::storage
