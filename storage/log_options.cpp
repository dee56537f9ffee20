#include "storage/log_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <memory>
#include <utility>

#include "storage/log_format.hpp"
#include "storage/no_auto_resume.hpp"
#include "storage/table_scrub.hpp"

namespace kiwi::storage {
namespace {

constexpr std::size_t kBlockCacheBytes = 8u << 20;
constexpr std::size_t kInfoLogBytes = 4u << 20;
/// Purged entries leave the disk by the table (log_purge.hpp), so tables that merge are small;
/// one of entries is moved as it was flushed.
constexpr std::size_t kTableBytes = 8u << 20;

/// Of the default family beside entries: a state of some 110 bytes per batch. A batch takes 512 bytes of the
/// write-ahead log at least, so a quarter is never full before the log is as long as a memtable may be large.
constexpr std::size_t kStatesPart = 4;
constexpr std::size_t kStatesArenaBytes = 64u << 10;

/// Swallows RocksDB's own log. In a simulation it must: a real thread would flush a real one.
class NoLog : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options common_options(const LogStoreOptions& options) {
  rocksdb::Options o;
  o.env = options.env;
  if (o.env == nullptr) {
    o.env = rocksdb::Env::Default();
  }
  o.create_if_missing = false;
  o.compression = rocksdb::kNoCompression;  // payloads are small, fresh, and gone soon
  o.bottommost_compression = rocksdb::kDisableCompressionOption;

  // Rule 5: no mode of RocksDB tells a torn tail from damage. The scan before (log_recovery.hpp) does; what
  // is left for RocksDB is to stop at the first bad record.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Rule 4: what was recovered goes into a new synced table before open() returns.
  o.avoid_flush_during_recovery = false;
  o.avoid_flush_during_shutdown = true;  // everything is in the synced log already
  o.max_bgerror_resume_count = 0;        // rule 4: the first error is the last
  o.listeners.push_back(no_auto_resume());
  o.paranoid_checks = true;
  o.use_fsync = false;  // fdatasync: writes the new file size too
  o.wal_bytes_per_sync = 0;
  o.recycle_log_file_num = 0;  // old records behind the end would look like damage
  o.allow_fallocate = false;   // zeroed_ahead.hpp does what is wanted of it
  o.write_dbid_to_manifest = true;
  o.file_checksum_gen_factory = table_checksums();

  o.max_background_jobs = 2;
  o.max_write_buffer_number = 4;
  o.target_file_size_base = kTableBytes;
  o.level0_file_num_compaction_trigger = kTablesThatMerge;
  o.level0_slowdown_writes_trigger = 40;
  o.level0_stop_writes_trigger = 80;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.skip_stats_update_on_db_open = true;
  o.max_open_files = 256;
  o.max_file_opening_threads = 1;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes, 2);
  table.block_size = 16u << 10;  // entries are read in order
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  if (options.simulated) {
    // The simulation says when jobs run; a full memtable must never switch by itself, for the moment would
    // depend on addresses. Only the size of the write-ahead log triggers a flush then (log_store.cpp).
    o.write_buffer_size = 1u << 30;
    o.arena_block_size = 64u << 10;
    o.max_write_buffer_number = 64;
    o.level0_slowdown_writes_trigger = 1000;
    o.level0_stop_writes_trigger = 2000;
  } else {
    o.write_buffer_size = options.write_buffer_bytes;
  }
  return o;
}

}  // namespace

rocksdb::Env& env_of(const LogStoreOptions& options) {
  return options.env == nullptr ? *rocksdb::Env::Default() : *options.env;
}

rocksdb::Options database_options(const LogStoreOptions& options, std::shared_ptr<const PurgePoint> purged) {
  auto o = common_options(options);
  if (purged != nullptr) {
    o.compaction_filter_factory = purge_filter(std::move(purged));
  }
  if (options.simulated) {
    o.info_log = std::make_shared<NoLog>();
  } else {
    o.keep_log_file_num = 2;
    o.max_log_file_size = kInfoLogBytes;
  }
  return o;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const rocksdb::Options& options,
                                                         std::uint32_t format) {
  rocksdb::ColumnFamilyOptions all(options);
  if (format == kOldestLogFormatVersion) {
    return {{rocksdb::kDefaultColumnFamilyName, all}};
  }
  auto states = all;
  states.write_buffer_size = all.write_buffer_size / kStatesPart;
  states.arena_block_size = kStatesArenaBytes;
  states.compaction_filter_factory = nullptr;  // nothing in it is purged
  auto entries = std::move(all);
  entries.write_buffer_size -= states.write_buffer_size;
  entries.level0_file_num_compaction_trigger = kEntryTablesThatMove;
  return {{rocksdb::kDefaultColumnFamilyName, states}, {std::string(kEntriesFamily), entries}};
}

rocksdb::Options inspection_options(const LogStoreOptions& options) {
  auto o = common_options(options);
  o.info_log = std::make_shared<NoLog>();
  return o;
}

}  // namespace kiwi::storage
