#include "storage/log_database.hpp"

#include <algorithm>
#include <utility>

#include "storage/log_format.hpp"
#include "storage/log_options.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {
namespace {

constexpr Doing kOpening{StorageSubject::log, StorageVerb::open, StorageOutcome::not_written};

/// Nothing: they are those that the format has, or the MANIFEST cannot be read, which opening says better.
std::string foreign_families(const rocksdb::Options& options, const std::string& dir, std::uint32_t format) {
  std::vector<std::string> found;
  if (!rocksdb::DB::ListColumnFamilies(options, dir, &found).ok()) {
    return {};
  }
  std::vector<std::string> wanted;
  for (const auto& family : families_of(options, format)) {
    wanted.push_back(family.name);
  }
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  if (found == wanted) {
    return {};
  }
  std::string names;
  for (const auto& name : found) {
    names += (names.empty() ? "" : ", ") + name;
  }
  return "its column families are not those of format " + std::to_string(format) + ": " + names;
}

}  // namespace

Result<LogDatabase> LogDatabase::open_as(Mode mode, const rocksdb::Options& options, const std::string& dir,
                                         std::uint32_t format) {
  if (mode != Mode::create) {
    if (const auto why = foreign_families(options, dir, format); !why.empty()) {
      return tl::unexpected(make_error(kOpening, StorageKind::corruption, dir + ": " + why));
    }
  }
  rocksdb::DBOptions db_options(options);
  db_options.create_if_missing = mode == Mode::create;
  db_options.create_missing_column_families = mode == Mode::create;
  db_options.error_if_exists = mode == Mode::create;
  const auto families = families_of(options, format);
  db_options.atomic_flush = families.size() > 1;
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto status = mode == Mode::read_only
                          ? rocksdb::DB::OpenForReadOnly(db_options, dir, families, &handles, &raw)
                          : rocksdb::DB::Open(db_options, dir, families, &handles, &raw);
  LogDatabase opened;
  opened.entries_buffer_bytes_ = families.back().options.write_buffer_size;
  opened.db_.reset(raw);
  if (!status.ok()) {
    return tl::unexpected(to_open_error(status, kOpening, dir));
  }
  for (auto* handle : handles) {
    opened.families_.emplace_back(handle);
  }
  if (opened.entries()->GetID() != family_of_entries(format)) {
    return tl::unexpected(make_error(kOpening, StorageKind::corruption,
                                     dir + ": the column family of entries has number " +
                                         std::to_string(opened.entries()->GetID()) +
                                         ", which is not that of format " + std::to_string(format)));
  }
  return opened;
}

Result<LogDatabase> LogDatabase::create(const LogStoreOptions& options, std::uint32_t format) {
  return open_as(Mode::create, database_options(options), options.dir, format);
}

Result<LogDatabase> LogDatabase::open(const LogStoreOptions& options, std::uint32_t format,
                                      std::shared_ptr<const PurgePoint> purged) {
  return open_as(Mode::open, database_options(options, std::move(purged)), options.dir, format);
}

Result<LogDatabase> LogDatabase::open_read_only(const LogStoreOptions& options, std::uint32_t format) {
  return open_as(Mode::read_only, inspection_options(options), options.dir, format);
}

void LogDatabase::start_flush() {
  rocksdb::FlushOptions flush;
  flush.wait = false;
  flush.allow_write_stall = true;
  std::vector<rocksdb::ColumnFamilyHandle*> all;
  for (const auto& family : families_) {
    all.push_back(family.get());
  }
  // A flush that fails makes a later write fail, which poisons the store; nothing is acknowledged by it.
  db_->Flush(flush, all).PermitUncheckedError();
}

bool LogDatabase::is_nearly_full(std::uint64_t bytes) const {
  std::uint64_t used = 0;
  db_->GetIntProperty(entries(), rocksdb::DB::Properties::kCurSizeActiveMemTable, &used);
  return used + bytes > entries_buffer_bytes_ - entries_buffer_bytes_ / 8;
}

std::uint64_t LogDatabase::bytes_to_merge() const {
  std::uint64_t bytes = 0;
  for (const auto& family : families_) {
    rocksdb::ColumnFamilyMetaData meta;
    db_->GetColumnFamilyMetaData(family.get(), &meta);
    const auto& first = meta.levels.front();
    // As long as they are fewer the tables stay as they are, also when nobody writes any more.
    const auto enough =
        entries_apart() && family == families_.back() ? kEntryTablesThatMove : kTablesThatMerge;
    bytes += first.files.size() >= enough ? first.size : 0;
  }
  return bytes;
}

std::uint32_t format_by_families(const LogStoreOptions& options) {
  std::vector<std::string> names;
  rocksdb::DB::ListColumnFamilies(inspection_options(options), options.dir, &names).PermitUncheckedError();
  return std::find(names.begin(), names.end(), kEntriesFamily) != names.end() ? kLogFormatVersion
                                                                              : kOldestLogFormatVersion;
}

}  // namespace kiwi::storage
