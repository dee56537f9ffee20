#pragma once

// The data database: RocksDB as this folder needs it. Every failing call throws StorageFailure, except where
// a Result is returned. One owner, one thread, but for write() and flushing().

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "messages/ids.hpp"
#include "messages/storage_error.hpp"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "storage/table_scrub.hpp"

namespace kiwi {

struct DatabaseOptions {
  std::string dir;
  rocksdb::Env* env = nullptr;  // null: RocksDB's default. Must outlive the database
  bool simulated = false;       // true: no thread is started, a flush happens only when it is asked for
  std::uint64_t write_buffer_bytes = 0;
  std::uint64_t block_cache_bytes = 0;
  /// Simulated only: runs what the env has queued, in this thread. Without it a flush is asked for only.
  std::function<void()> run_queued_jobs;
};

/// The open database as the snapshot builder's thread may use it, too: it holds the mutex meanwhile, and
/// Database holds it while it closes and opens.
struct DatabaseSlot {
  std::mutex mutex;
  rocksdb::DB* db = nullptr;  // null: closed
  /// Counts openings: a table's name says nothing about its content from one to the next.
  std::uint64_t generation = 0;
  DatabaseOptions options;            // constant
  std::shared_ptr<rocksdb::Env> env;  // constant; the one that `db` uses
  /// Brings what is applied to the database; to be called without `mutex`. Empty once the machine is gone.
  std::mutex write_back_mutex;
  std::function<Result<void>()> write_back;
};

class Database {
 public:
  /// Makes the directory if there is none.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  ~Database();

  /// False: no such row.
  bool get(std::string_view row, rocksdb::PinnableSlice& value);
  /// As get(), but never reads the disk. Nothing: that would be needed, or the lookup failed.
  std::optional<bool> get_in_memory(std::string_view row, rocksdb::PinnableSlice& value);
  /// Not durable before a flush. `applied` is what the batch brings the state to. Any thread, one at a time.
  void write(rocksdb::WriteBatch& batch, Index applied);
  /// Rows in [lower, upper), read as they are now or as of `snapshot`. The two bounds must outlive the
  /// iterator.
  std::unique_ptr<rocksdb::Iterator> iterate(const rocksdb::Slice* lower, const rocksdb::Slice* upper,
                                             const rocksdb::Snapshot* snapshot = nullptr);
  const rocksdb::Snapshot* pin() { return db_->GetSnapshot(); }
  void unpin(const rocksdb::Snapshot* snapshot) { db_->ReleaseSnapshot(snapshot); }

  /// For install: between the two nothing else may be called, and no iterator or pinned snapshot may be left.
  void close();
  Result<void> reopen();
  const std::shared_ptr<DatabaseSlot>& slot() const { return slot_; }

  /// Everything written so far survives a crash once this returns without error. Gives durable().
  Result<Index> flush();
  /// Asks for the same in the background, at most one such job at a time. Simulated: as flush().
  Result<void> request_flush();
  /// A flush that was asked for is not over yet.
  bool flushing() const;
  /// The applied index that a crash right now would come back to.
  Index durable();
  void set_durable(Index index);
  /// What a flush would make durable now.
  Index written() const;
  /// The first failure of a background job, if there was one.
  std::optional<StorageError> background_error();

  /// Leaves a file that makes every later open() a refusal with StorageKind::corruption and this cause.
  void mark_damaged(const std::string& cause);

  /// Of all tables, see TableScrub.
  Result<bool> scrub(std::uint64_t max_bytes);
  ScrubFigures scrub_figures() const { return scrub_ ? scrub_->figures() : ScrubFigures{}; }

  std::uint64_t disk_bytes() const;
  std::uint64_t memory_bytes() const;
  bool empty();
  const std::string& dir() const { return options_.dir; }

 private:
  class Listener;
  void forget_durable_marks();  // requires marks_mutex_
  explicit Database(DatabaseOptions options);

  DatabaseOptions options_;
  std::shared_ptr<rocksdb::Env> env_;  // outlives the database
  std::shared_ptr<DatabaseSlot> slot_ = std::make_shared<DatabaseSlot>();
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::optional<storage::TableScrub> scrub_;
  rocksdb::WriteOptions write_options_;
  rocksdb::ReadOptions read_options_;
  mutable std::mutex marks_mutex_;  // of the next two: writes come from another thread than the rest
  /// (sequence number of RocksDB, applied index after it), oldest first, not yet known to be durable. Thinned
  /// out when long: durable() may then be a little low, never high.
  std::deque<std::pair<std::uint64_t, Index>> written_;
  Index durable_;
  std::uint64_t asked_sequence_ = 0;  // what the last request_flush() is to make durable
};

/// How a database of this kind is opened; `read_only`: to look at, without any file of its own.
rocksdb::Options rocksdb_options(const DatabaseOptions& options, const std::shared_ptr<rocksdb::Cache>& cache,
                                 bool read_only = false);

/// The file that says so.
inline constexpr const char* kDamagedFile = "KIWI-DAMAGED";
/// Writes into the folder of a data database that it is damaged, and why: the next start does not trust it.
void mark_data_damaged(rocksdb::Env& env, const std::string& dir, const std::string& cause);

}  // namespace kiwi
