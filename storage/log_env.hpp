#pragma once

// The Env of a log store: with durable names (durable_names.hpp), zeroes ahead on a real disk
// (zeroed_ahead.hpp), and an eye on how far the newest write-ahead-log file is written, which its size on the
// disk does not tell.

#include <rocksdb/env.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace kiwi::storage {

/// How far the write-ahead-log file that was made last is written. Any thread.
class NewestWal {
 public:
  using ByteCount = std::shared_ptr<std::atomic<std::uint64_t>>;
  void begin(ByteCount bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ = std::move(bytes);
  }
  std::uint64_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_ ? bytes_->load(std::memory_order_relaxed) : 0;
  }

 private:
  mutable std::mutex mutex_;
  ByteCount bytes_;
};

class LogEnv {
 public:
  /// `base` null: the real one. It must live longer.
  explicit LogEnv(rocksdb::Env* base);

  rocksdb::Env& env() const { return *top_; }
  /// ByteCount handed to the newest file named *.log that was made through this Env. Exact once a write was
  /// synced.
  std::uint64_t wal_bytes() const { return newest_->bytes(); }

 private:
  std::shared_ptr<NewestWal> newest_;  // the file system may outlive this
  std::unique_ptr<rocksdb::Env> real_;
  std::unique_ptr<rocksdb::Env> names_;
  std::unique_ptr<rocksdb::Env> top_;
};

}  // namespace kiwi::storage
