#pragma once

// RocksDB of one log, open, with the column families that its format has (log_format.hpp). In format 1 the
// default family holds everything, in format 2 the entries have one of their own: state, which is in every
// batch and so in every table of its family, lies between no two tables of entries then. So those do not
// overlap, move down the levels as they are, and leave as a whole when all of it is purged (log_purge.hpp).

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "messages/storage_error.hpp"
#include "storage/log_purge.hpp"
#include "storage/log_store.hpp"

namespace kiwi::storage {

class LogDatabase {
 public:
  /// A new one in a directory that has none.
  static Result<LogDatabase> create(const LogStoreOptions& options, std::uint32_t format);
  /// Refuses a database with other column families than the format has: StorageKind::corruption.
  static Result<LogDatabase> open(const LogStoreOptions& options, std::uint32_t format,
                                  std::shared_ptr<const PurgePoint> purged = nullptr);
  /// The same, and writes nothing.
  static Result<LogDatabase> open_read_only(const LogStoreOptions& options, std::uint32_t format);

  rocksdb::DB* operator->() const { return db_.get(); }
  rocksdb::DB& operator*() const { return *db_; }
  /// Of entries; all else is in the default one.
  rocksdb::ColumnFamilyHandle* entries() const { return families_.back().get(); }
  bool entries_apart() const { return families_.size() > 1; }

  /// Begins to write all that is in memory into tables: all families at once, so that no write-ahead log is
  /// kept for one of them.
  void start_flush();
  /// After so many bytes more RocksDB might take new memtables, and with them a new write-ahead log, by
  /// itself, within a write: its owner starts a flush before that.
  bool is_nearly_full(std::uint64_t bytes) const;
  /// What lies in tables that are merged next, or moved.
  std::uint64_t bytes_to_merge() const;

 private:
  enum class Mode { create, open, read_only };
  static Result<LogDatabase> open_as(Mode mode, const rocksdb::Options& options, const std::string& dir,
                                     std::uint32_t format);
  LogDatabase() = default;

  std::uint64_t entries_buffer_bytes_ = 0;  // of a memtable of entries
  std::unique_ptr<rocksdb::DB> db_;         // outlives the handles
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> families_;
};

/// The format by the families that are there, for a directory whose marker is spoilt.
std::uint32_t format_by_families(const LogStoreOptions& options);

}  // namespace kiwi::storage
