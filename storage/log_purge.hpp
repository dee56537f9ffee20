#pragma once

// How the bytes of purged entries leave the disk. A purge itself only moves the purge point, which is in the
// log's state: no tombstones, so that neither writing nor reading gets slower by it. What lies at or below
// the purge point is not part of the log any more, and goes
//
//   - when RocksDB writes a table anyway (flush, compaction): a filter drops it;
//   - by whole tables below the first level (log_options.hpp), in a job of the Env's low-priority pool,
//   whenever 8 MiB were written since the last time.
//
// Safe because the purge point is durable before either hears of it, and never goes back: an index at or
// below it is never written again.

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "messages/ids.hpp"

namespace kiwi::storage {

/// Shared by the store and the filters of its database, which run in RocksDB's threads.
using PurgePoint = std::atomic<std::uint64_t>;

/// Drops entries at or below the point from every table that is written.
std::shared_ptr<rocksdb::CompactionFilterFactory> purge_filter(std::shared_ptr<const PurgePoint> point);

/// Removes whole tables of purged entries, in the background. One thread calls it.
class PurgeJob {
 public:
  /// `entries`: the column family of entries.
  PurgeJob(rocksdb::Env& env, rocksdb::DB& db, rocksdb::ColumnFamilyHandle* entries);
  /// Waits for the job that runs, takes back the one that waits.
  ~PurgeJob();
  PurgeJob(const PurgeJob&) = delete;
  PurgeJob& operator=(const PurgeJob&) = delete;

  /// Entries up to here are purged, durably. Never waits; while a job is under way, the next one does more.
  void purged_to(Index index);

 private:
  struct Shared;
  static void run(void* argument);
  static void take_back(void* argument);

  rocksdb::Env& env_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace kiwi::storage
