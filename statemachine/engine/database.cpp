#include "statemachine/engine/database.hpp"

#include <algorithm>
#include <vector>

#include "messages/fault_points.hpp"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/listener.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "statemachine/engine/storage_failure.hpp"
#include "storage/durable_dir.hpp"
#include "storage/durable_names.hpp"
#include "storage/no_auto_resume.hpp"
#include "storage/torn_manifest.hpp"

namespace kiwi {
namespace {

constexpr std::size_t kMaxWriteMarks = 4096;

/// RocksDB's own log would be written by a thread of its own, and real time is in it.
struct SilentLogger : rocksdb::Logger {
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// A directory that RocksDB would take over although it is not one of ours, or not whole any more.
/// A power failure may leave the MANIFEST's last, un-synced record with its length but not its bytes, and
/// RocksDB refuses that. The flush it told of was not acknowledged: cut it. Anything else is put back as it
/// was.
rocksdb::Status open_or_cut_manifest(const rocksdb::Options& o, const std::string& dir, rocksdb::DB** db) {
  const auto status = rocksdb::DB::Open(o, dir, db);
  storage::TornManifest torn;
  if (!status.IsCorruption() || !storage::find_torn_manifest(*o.env, dir, torn).ok() || !torn.found)
    return status;
  if (auto cut = storage::write_file_durably(*o.env, dir, torn.name, torn.good); !cut.ok())
    return cut;
  if (rocksdb::DB::Open(o, dir, db).ok())
    return rocksdb::Status::OK();
  if (auto restored = storage::write_file_durably(*o.env, dir, torn.name, torn.original); !restored.ok())
    return restored;
  return status;
}

std::optional<StorageError> refuse_directory(rocksdb::Env* env, const std::string& dir) {
  std::vector<std::string> files;
  if (!env->GetChildren(dir, &files).ok())
    return std::nullopt;  // not there yet
  bool current = false, damaged = false;
  std::string table, foreign;
  for (const auto& file : files) {
    const std::string_view name = file;
    if (name == "CURRENT")
      current = true;
    else if (name.ends_with(".sst"))
      table = file;
    else if (name == kDamagedFile || name == std::string(kDamagedFile) + ".tmp")
      damaged = true;
    else if (name != "." && name != ".." && name != "LOCK" && name != "IDENTITY" && name != "lost" &&
             !name.starts_with("LOG") && !name.starts_with("MANIFEST-") && !name.starts_with("OPTIONS-") &&
             !name.ends_with(".dbtmp") && !name.ends_with(".log") && !name.ends_with(".trash"))
      foreign = file;
  }
  if (!foreign.empty())
    return state_machine_error(StorageVerb::open, StorageKind::mismatch,
                               dir + " is not a data directory of kiwi: it holds " + foreign);
  if (damaged) {
    std::string cause;
    rocksdb::ReadFileToString(env, dir + "/" + kDamagedFile, &cause).PermitUncheckedError();
    return state_machine_error(StorageVerb::open, StorageKind::corruption,
                               dir + " was found damaged before: " + cause);
  }
  if (!current && !table.empty())
    return state_machine_error(StorageVerb::open, StorageKind::corruption,
                               dir + " is damaged: CURRENT is missing but " + table + " is there");
  return std::nullopt;
}

}  // namespace

rocksdb::Options rocksdb_options(const DatabaseOptions& options, const std::shared_ptr<rocksdb::Cache>& cache,
                                 bool read_only) {
  rocksdb::Options o;
  if (options.env != nullptr)
    o.env = options.env;
  o.create_if_missing = true;
  o.max_background_jobs = 2;
  o.max_open_files = 256;  // counted in the reserve of node/descriptors.hpp
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.max_bgerror_resume_count = 0;  // a failed flush is final: the node stops and the log is applied again
  o.avoid_flush_during_shutdown = true;  // flush() reports its failure, a destructor cannot
  o.skip_stats_update_on_db_open = true;
  o.file_checksum_gen_factory = storage::table_checksums();
  o.allow_concurrent_memtable_write = false;  // there is one writer
  o.enable_write_thread_adaptive_yield = false;
  o.memtable_whole_key_filtering = true;
  o.memtable_prefix_bloom_size_ratio = 0.02;
  o.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (options.simulated) {
    o.info_log = std::make_shared<SilentLogger>();
    o.compression = rocksdb::kNoCompression;
    o.write_buffer_size =
        1u << 30;  // how full a memtable is depends on the address space: never flush by size
    o.max_write_buffer_number = 64;  // a stalled writer would wait for ever in the only thread
    o.level0_slowdown_writes_trigger = 1000;
    o.level0_stop_writes_trigger = 2000;
    o.max_file_opening_threads = 1;
    o.memtable_prefix_bloom_size_ratio = 0;
  } else {
    o.info_log_level = rocksdb::WARN_LEVEL;
    o.keep_log_file_num = 2;
    o.max_log_file_size = 1u << 20;
    o.compression = rocksdb::kLZ4Compression;
    o.write_buffer_size = options.write_buffer_bytes;
    o.max_write_buffer_number = 3;
    o.bytes_per_sync = 1u << 20;
  }
  if (read_only) {
    o.create_if_missing = false;
    o.max_file_opening_threads = 1;
    o.info_log = std::make_shared<SilentLogger>();
  }
  return o;
}

StorageError state_machine_error(StorageVerb verb, StorageKind kind, std::string cause) {
  const bool wrote = verb == StorageVerb::write || verb == StorageVerb::sync || verb == StorageVerb::remove;
  return {StorageSubject::state_machine, verb, kind, std::move(cause),
          wrote ? StorageOutcome::unknown : StorageOutcome::not_written};
}

StorageError state_machine_error(StorageVerb verb, const rocksdb::Status& status, const std::string& what) {
  auto kind = StorageKind::io;
  if (status.IsCorruption())
    kind = StorageKind::corruption;
  else if (status.IsNoSpace())
    kind = StorageKind::no_space;
  else if (status.IsInvalidArgument() && verb == StorageVerb::open)
    kind = StorageKind::mismatch;
  return state_machine_error(verb, kind, what + ": " + status.ToString());
}

/// Called by RocksDB, from its background threads too.
class Database::Listener : public rocksdb::EventListener {
 public:
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    auto seen = flushed.load();
    while (seen < info.largest_seqno && !flushed.compare_exchange_weak(seen, info.largest_seqno)) {
    }
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex);
    if (!error)
      error = state_machine_error(StorageVerb::sync, *status, "background job");
    failed = true;
  }

  std::atomic<std::uint64_t> flushed{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::optional<StorageError> error;
};

Database::Database(DatabaseOptions options) : options_(std::move(options)) {
  write_options_.disableWAL = true;
}

Database::~Database() { close(); }

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database(options));
  database->env_ = storage::with_durable_names(options.env);
  database->slot_->options = options;
  database->slot_->env = database->env_;
  if (auto opened = database->reopen(); !opened)
    return tl::unexpected(opened.error());
  return database;
}

void Database::close() {
  const std::lock_guard lock(slot_->mutex);
  slot_->db = nullptr;
  scrub_.reset();
  db_.reset();
  written_.clear();
}

Result<void> Database::reopen() {
  const std::lock_guard lock(slot_->mutex);
  if (auto error = refuse_directory(env_.get(), options_.dir))
    return tl::unexpected(*error);
  listener_ = std::make_shared<Listener>();
  cache_ = rocksdb::NewLRUCache(options_.block_cache_bytes, 4);
  durable_ = Index();
  asked_sequence_ = 0;
  auto o = rocksdb_options(options_, cache_);
  o.env = env_.get();
  o.listeners = {listener_, storage::no_auto_resume()};
  rocksdb::DB* db = nullptr;
  if (auto status = storage::make_dir_durably(*env_, options_.dir); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::open, status, options_.dir));
  if (auto status = open_or_cut_manifest(o, options_.dir, &db); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::open, status, options_.dir));
  db_.reset(db);
  scrub_.emplace(*env_, *db_, StorageSubject::state_machine);
  slot_->db = db;
  ++slot_->generation;
  return {};
}

bool Database::get(std::string_view row, rocksdb::PinnableSlice& value) {
  value.Reset();
  auto status = db_->Get(read_options_, db_->DefaultColumnFamily(), {row.data(), row.size()}, &value);
  if (status.ok())
    return true;
  if (status.IsNotFound())
    return false;
  throw StorageFailure(state_machine_error(StorageVerb::read, status, options_.dir));
}

std::optional<bool> Database::get_in_memory(std::string_view row, rocksdb::PinnableSlice& value) {
  value.Reset();
  auto options = read_options_;
  options.read_tier = rocksdb::kBlockCacheTier;
  const auto status = db_->Get(options, db_->DefaultColumnFamily(), {row.data(), row.size()}, &value);
  // RocksDB 7.8 says OK, with an empty value, when the table itself is not open; no row is empty.
  if (status.ok() && value.empty())
    return std::nullopt;
  return status.ok() || status.IsNotFound() ? std::optional(status.ok()) : std::nullopt;
}

void Database::write(rocksdb::WriteBatch& batch, Index applied) {
  if (auto error = background_error())
    throw StorageFailure(*error);
  if (auto status = db_->Write(write_options_, &batch); !status.ok())
    throw StorageFailure(state_machine_error(StorageVerb::write, status, options_.dir));
  const std::lock_guard lock(marks_mutex_);
  written_.emplace_back(db_->GetLatestSequenceNumber(), applied);
  if (written_.size() < kMaxWriteMarks)
    return;
  forget_durable_marks();
  std::size_t kept = 0;
  for (std::size_t i = 1; i < written_.size(); i += 2) written_[kept++] = written_[i];
  written_.resize(kept);
}

std::unique_ptr<rocksdb::Iterator> Database::iterate(const rocksdb::Slice* lower, const rocksdb::Slice* upper,
                                                     const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = lower;
  options.iterate_upper_bound = upper;
  options.snapshot = snapshot;
  options.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options));
}

Result<Index> Database::flush() {
  rocksdb::FlushOptions flush_options;
  // In a simulation the only thread there is must not wait for a job that it runs itself.
  flush_options.wait = !options_.simulated;
  if (auto status = db_->Flush(flush_options); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::sync, status, options_.dir));
  if (options_.simulated && options_.run_queued_jobs)
    options_.run_queued_jobs();
  if (auto error = background_error())
    return tl::unexpected(*error);
  KIWI_MARK("data.flushed");
  if (const std::lock_guard lock(marks_mutex_); !options_.simulated && !written_.empty()) {
    durable_ = written_.back().second;  // the listener may not have heard yet
    written_.clear();
  }
  return durable();
}

bool Database::flushing() const { return listener_->flushed.load() < asked_sequence_; }

Result<void> Database::request_flush() {
  if (options_.simulated) {
    if (auto flushed = flush(); !flushed)
      return tl::unexpected(flushed.error());
    return {};
  }
  if (auto error = background_error())
    return tl::unexpected(*error);
  durable();
  std::uint64_t newest = 0;
  if (const std::lock_guard lock(marks_mutex_); !written_.empty())
    newest = written_.back().first;
  if (newest == 0 || flushing())
    return {};
  rocksdb::FlushOptions flush_options;
  flush_options.wait = false;
  flush_options.allow_write_stall = true;  // else the call itself waits until a flush would not stall
  if (auto status = db_->Flush(flush_options); !status.ok())
    return tl::unexpected(state_machine_error(StorageVerb::sync, status, options_.dir));
  asked_sequence_ = newest;
  return {};
}

void Database::forget_durable_marks() {
  const auto flushed = listener_->flushed.load();
  while (!written_.empty() && written_.front().first <= flushed) {
    durable_ = written_.front().second;
    written_.pop_front();
  }
}

Index Database::durable() {
  const std::lock_guard lock(marks_mutex_);
  forget_durable_marks();
  return durable_;
}

Index Database::written() const {
  const std::lock_guard lock(marks_mutex_);
  return written_.empty() ? durable_ : written_.back().second;
}

void Database::set_durable(Index index) {
  const std::lock_guard lock(marks_mutex_);
  durable_ = index;
}

std::optional<StorageError> Database::background_error() {
  if (!listener_->failed)
    return std::nullopt;
  const std::lock_guard lock(listener_->mutex);
  return listener_->error;
}

void Database::mark_damaged(const std::string& cause) { mark_data_damaged(*env_, options_.dir, cause); }

void mark_data_damaged(rocksdb::Env& env, const std::string& dir, const std::string& cause) {
  storage::write_file_durably(env, dir, kDamagedFile, cause).PermitUncheckedError();
}

Result<bool> Database::scrub(std::uint64_t max_bytes) { return scrub_->step(max_bytes); }

std::uint64_t Database::disk_bytes() const {
  std::uint64_t bytes = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

std::uint64_t Database::memory_bytes() const {
  std::uint64_t bytes = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &bytes);
  return bytes + cache_->GetUsage();
}

bool Database::empty() {
  auto all = iterate(nullptr, nullptr);
  all->SeekToFirst();
  if (!all->status().ok())
    throw StorageFailure(state_machine_error(StorageVerb::read, all->status(), options_.dir));
  return !all->Valid();
}

}  // namespace kiwi
