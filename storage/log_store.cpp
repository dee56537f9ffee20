#include "storage/log_store.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "storage/dir_lock.hpp"
#include "storage/disk_space.hpp"
#include "storage/durable_dir.hpp"
#include "storage/log_database.hpp"
#include "storage/log_env.hpp"
#include "storage/log_format.hpp"
#include "storage/log_marker.hpp"
#include "storage/log_options.hpp"
#include "storage/log_purge.hpp"
#include "storage/log_recovery.hpp"
#include "storage/log_shape.hpp"
#include "storage/storage_status.hpp"
#include "storage/table_scrub.hpp"
#include "storage/zeroed_ahead.hpp"

namespace kiwi::storage {
namespace {

constexpr Doing kOpening{StorageSubject::log, StorageVerb::open, StorageOutcome::not_written};
constexpr Doing kReading{StorageSubject::log, StorageVerb::read, StorageOutcome::not_written};
constexpr Doing kWriting{StorageSubject::log, StorageVerb::write, StorageOutcome::unknown};
constexpr Doing kIdentifying{StorageSubject::identity, StorageVerb::write, StorageOutcome::not_written};

rocksdb::WriteOptions synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

/// Tables of purged entries are looked for whenever this much was purged.
constexpr std::uint64_t kPurgeStepBytes = 8u << 20;

/// Where the log must begin once a snapshot that ends with `installed` is the state. Nothing to do when it
/// begins there, or behind it already.
std::optional<LogWrite> step_to_follow(const LogStoreOptions& options, const LogShape& shape) {
  const auto installed = options.installed;
  if (installed.index < shape.state.purged.index || installed == shape.state.purged) {
    return std::nullopt;
  }
  LogWrite step;
  if (shape.holds(installed)) {
    step.purge_to = installed.index;
  } else {
    step.reset_to = installed;
    step.reset_membership_id = options.installed_membership_id;
    step.reset_membership = options.installed_membership;
  }
  return step;
}

/// Closed again when this returns.
Result<void> make_database(const LogStoreOptions& options, const Identity& identity) {
  auto db = LogDatabase::create(options, options.format);
  if (!db) {
    return tl::unexpected(db.error());
  }
  LogState state;
  state.instance = identity.instance;
  state.serial = 1;
  rocksdb::WriteBatch batch;
  put_state(batch, state);
  put_identity(batch, identity);
  if (auto status = (*db)->Write(synced(), &batch); !status.ok()) {
    return tl::unexpected(to_error(status, kWriting, options.dir));
  }
  return {};
}

}  // namespace

struct LogStore::Impl {
  Impl(const LogStoreOptions& o, LogEnv e, DirLock held, std::shared_ptr<PurgePoint> point,
       LogDatabase database)
      : log_env(std::move(e)),
        options(o),
        env(log_env.env()),
        lock(std::move(held)),
        purge_point(std::move(point)),
        db(std::move(database)),
        purge_job(env, *db, db.entries()),
        table_scrub(env, *db, StorageSubject::log) {}

  LogEnv log_env;  // outlives all that uses it; options.env is this one
  LogStoreOptions options;
  rocksdb::Env& env;
  DirLock lock;                             // outlives the database
  std::shared_ptr<PurgePoint> purge_point;  // of `shape`, for RocksDB's threads
  LogDatabase db;
  PurgeJob purge_job;
  TableScrub table_scrub;
  LogShape shape;  // as it is durable
  Identity identity;
  LogStoreStats stats;
  mutable std::optional<StorageError> poison;  // set once, never cleared (rule 4)

  StorageError poisoned_with(StorageError error) const {
    if (!poison) {
      poison = error;
      // Later calls do not reach the disk any more.
      poison->outcome = StorageOutcome::not_written;
    }
    return error;
  }
  /// Writes `batch`, whose first operation is next.state, and syncs it. Then `next` is what is durable.
  /// Without `may_wait` a write that RocksDB would hold up is not done: an error, and no poison.
  Result<void> write_synced(rocksdb::WriteBatch& batch, LogShape next, bool may_wait = true);
  void start_flush_if_large(std::uint64_t wal_bytes);
  void give_back_purged(Index before);

  /// Written since open(), and how much of it was when the last job was asked for.
  std::uint64_t written_bytes = 0;
  std::uint64_t written_at_purge = 0;
};

bool LogStore::exists(const LogStoreOptions& options) {
  const auto kind = kind_of_dir(env_of(options), options.dir);
  // When it cannot be told, say yes: open() names the error, create() would be the wrong answer.
  return !kind || *kind == DirKind::made || *kind == DirKind::foreign;
}

Result<void> LogStore::create(const LogStoreOptions& given, const Identity& identity) {
  const LogEnv log_env(given.env);
  auto options = given;
  options.env = &log_env.env();
  auto& env = *options.env;
  const auto kind = kind_of_dir(env, options.dir);
  if (!kind) {
    return tl::unexpected(kind.error());
  }
  if (*kind == DirKind::made) {
    return tl::unexpected(
        make_error(kIdentifying, StorageKind::invalid_request, options.dir + " holds a log store already"));
  }
  if (*kind == DirKind::foreign || *kind == DirKind::not_a_directory) {
    return require_made(options.dir, kind);
  }
  if (auto begun = begin_creation(env, options.dir); !begun) {
    return begun;
  }
  if (auto made = make_database(options, identity); !made) {
    return made;
  }
  return finish_creation(env, options.dir, {options.format, identity.instance});
}

Result<std::unique_ptr<LogStore>> LogStore::open(const LogStoreOptions& given, Recovered& recovered) {
  LogEnv log_env(given.env);
  auto options = given;
  options.env = &log_env.env();
  auto& env = *options.env;
  if (auto made = require_made(options.dir, kind_of_dir(env, options.dir)); !made) {
    return tl::unexpected(made.error());
  }
  const auto marker = read_marker(env, options.dir);
  if (!marker) {
    return tl::unexpected(marker.error());
  }
  auto lock = DirLock::take(env, options.dir);
  if (!lock) {
    return tl::unexpected(lock.error());
  }
  if (auto status = remove_file_durably(env, options.dir, kCreatingFile); !status.ok()) {
    return tl::unexpected(to_error(status, kOpening, options.dir));
  }
  auto contents = inspect(options, *marker);
  if (!contents) {
    return tl::unexpected(contents.error());
  }
  auto purge_point = std::make_shared<PurgePoint>(contents->state.purged.index.value);
  auto db = LogDatabase::open(options, marker->format, purge_point);
  if (!db) {
    return tl::unexpected(db.error());
  }
  const auto state = read_state(**db);
  if (!state) {
    return tl::unexpected(state.error());
  }
  if (*state != contents->state) {
    return tl::unexpected(make_error(kOpening, StorageKind::corruption,
                                     options.dir + ": RocksDB opened another state than the one inspected"));
  }
  auto impl = std::make_unique<Impl>(options, std::move(log_env), std::move(*lock), std::move(purge_point),
                                     std::move(*db));
  impl->identity = contents->recovered.identity;
  impl->shape = {contents->state, contents->recovered.runs, {}, {}};
  impl->shape.members = {contents->recovered.base_membership, contents->recovered.memberships};
  for (const auto& binding : contents->recovered.bindings) {
    impl->shape.bound.insert(binding.node);
  }
  if (contents->recovered.torn_bytes > 0) {
    KIWI_MARK("log.torn_tail_cut");
  }
  if (contents->recovered.entries > 0) {
    KIWI_MARK("log.rewritten");
  }
  // The recovered tail lies in a synced table now (rule 4). One more batch, so that the new write-ahead log
  // is never empty and always says how long the log must be.
  auto opened = impl->shape;
  ++opened.state.serial;
  rocksdb::WriteBatch batch;
  if (const auto step = step_to_follow(options, opened)) {
    opened.apply(*step);
    put_steps(batch, impl->db.entries(), impl->shape.state, opened.state, {*step});
    put_members(batch, impl->shape, opened);
    forget_purged(contents->recovered, opened);
  } else {
    put_state(batch, opened.state);
  }
  if (auto written = impl->write_synced(batch, std::move(opened)); !written) {
    return tl::unexpected(written.error());
  }
  impl->stats = {};
  recovered = std::move(contents->recovered);
  return std::unique_ptr<LogStore>(new LogStore(std::move(impl)));
}

LogStore::LogStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogStore::~LogStore() = default;

Result<void> LogStore::Impl::write_synced(rocksdb::WriteBatch& batch, LogShape next, bool may_wait) {
  const auto offset = log_env.wal_bytes();
  fill_sector(batch, offset);
  const auto started_us = env.NowMicros();
  auto how = KIWI_MUTANT(log_sync_skipped) ? rocksdb::WriteOptions() : synced();
  how.no_slowdown = !may_wait;
  auto status = db->Write(how, &batch);
  if (!may_wait && status.IsIncomplete()) {
    return tl::unexpected(make_error(kWriting, StorageKind::unavailable, "RocksDB holds writers up"));
  }
  if (!status.ok() && KIWI_MUTANT(failed_sync_trusted)) {
    db->Write(synced(), &batch).PermitUncheckedError();
    status = rocksdb::Status::OK();
  }
  if (!status.ok()) {
    KIWI_MARK("log.poisoned");
    return tl::unexpected(poisoned_with(to_error(status, kWriting, options.dir)));
  }
  const auto finished_us = env.NowMicros();
  const auto took_us = finished_us > started_us ? finished_us - started_us : 0;
  stats.syncs += 1;
  stats.sync_total_us += took_us;
  stats.sync_max_us = std::max(stats.sync_max_us, took_us);
  stats.last_sync_us = took_us;
  const auto purged_before = shape.state.purged.index;
  shape = std::move(next);
  written_bytes += batch.GetDataSize();
  if (shape.state.purged.index > purged_before) {
    give_back_purged(purged_before);
  }
  start_flush_if_large(offset);
  return {};
}

/// Only after the purge point is durable.
void LogStore::Impl::give_back_purged(Index before) {
  purge_point->store(shape.state.purged.index.value);
  // A table holds entries that were written together: about as much as was written since can be removed. The
  // first purge after an opening may find more, and so may one of many entries.
  const bool many = shape.state.purged.index.value - before.value >= kLogMarkEntries;
  if (!many && written_at_purge != 0 && written_bytes - written_at_purge < kPurgeStepBytes) {
    return;
  }
  written_at_purge = written_bytes;
  purge_job.purged_to(shape.state.purged.index);
}

/// Fillers and votes take room in the write-ahead log that a memtable does not count, and the log is what
/// recovery has to scan.
void LogStore::Impl::start_flush_if_large(std::uint64_t wal_bytes) {
  if (wal_bytes >= options.write_buffer_bytes || db.is_nearly_full(0)) {
    db.start_flush();
  }
}

Result<LogId> LogStore::write(const std::vector<LogWrite>& group) { return *write_group(group, true); }

std::optional<Result<LogId>> LogStore::write_at_once(const std::vector<LogWrite>& group) {
  return write_group(group, false);
}

bool LogStore::is_plain(std::uint64_t bytes) const {
  constexpr std::uint64_t kAtMostBesides = 8u << 10;  // the state, headers, a filler
  const auto begin = impl_->log_env.wal_bytes();
  const auto end = begin + bytes + kAtMostBesides;
  return begin > 0 && begin / kZeroedAheadBytes == end / kZeroedAheadBytes &&
         end < impl_->options.write_buffer_bytes && !impl_->db.is_nearly_full(end - begin);
}

std::optional<Result<LogId>> LogStore::write_group(const std::vector<LogWrite>& group, bool may_wait) {
  auto& impl = *impl_;
  if (impl.poison) {
    return tl::unexpected(*impl.poison);
  }
  if (group.empty()) {
    return impl.shape.state.last;
  }
  auto next = impl.shape;
  ++next.state.serial;
  if (group.size() > 1) {
    KIWI_MARK("log.group_of_many");
  }
  std::uint64_t entries = 0, payload_bytes = 0;
  for (const auto& step : group) {
    next.apply(step);
    entries += step.entries.size();
    for (const auto& entry : step.entries) {
      payload_bytes += entry.payload.size();
    }
  }
  rocksdb::WriteBatch batch(payload_bytes + entries * kEntryOverheadBytes + kSectorBytes);
  put_steps(batch, impl.db.entries(), impl.shape.state, next.state, group);
  put_members(batch, impl.shape, next);
  if (auto written = impl.write_synced(batch, std::move(next), may_wait); !written) {
    if (!impl.poison) {
      return std::nullopt;
    }
    return tl::unexpected(written.error());
  }
  impl.stats.entries_written += entries;
  impl.stats.bytes_written += payload_bytes;
  return impl.shape.state.last;
}

Result<void> LogStore::adopt_cluster(ClusterId cluster, const Membership& initial) {
  auto& impl = *impl_;
  if (impl.poison) {
    return tl::unexpected(*impl.poison);
  }
  if (impl.identity.cluster) {
    return tl::unexpected(
        make_error(kIdentifying, StorageKind::invalid_request,
                   "this directory belongs to cluster " + to_string(impl.identity.cluster)));
  }
  auto identity = impl.identity;
  identity.cluster = cluster;
  identity.initial_membership = initial;
  auto next = impl.shape;
  ++next.state.serial;
  rocksdb::WriteBatch batch;
  put_state(batch, next.state);
  put_identity(batch, identity);
  if (auto written = impl.write_synced(batch, std::move(next)); !written) {
    return written;
  }
  impl.identity = std::move(identity);
  return {};
}

Result<void> LogStore::begin_new_cluster(const Identity& identity, const LogWrite& step) {
  auto& impl = *impl_;
  if (impl.poison) {
    return tl::unexpected(*impl.poison);
  }
  KIWI_ASSERT(identity.node == impl.identity.node && identity.instance == impl.identity.instance &&
                  identity.address == impl.identity.address,
              "a directory stays that of its node");
  auto next = impl.shape;
  ++next.state.serial;
  const auto forgotten = std::exchange(next.bound, {});
  next.state.bindings = 0;
  next.apply(step);
  rocksdb::WriteBatch batch;
  put_steps(batch, impl.db.entries(), impl.shape.state, next.state, {step});
  put_members(batch, impl.shape, next);
  put_identity(batch, identity);
  for (const auto node : forgotten) {
    if (!next.bound.contains(node)) {
      remove_binding(batch, node);
    }
  }
  if (auto written = impl.write_synced(batch, std::move(next)); !written) {
    return written;
  }
  impl.identity = identity;
  return {};
}

Result<std::vector<Entry>> LogStore::read(Index first, Index last, std::uint64_t max_bytes) const {
  const auto& impl = *impl_;
  if (impl.poison) {
    return tl::unexpected(*impl.poison);
  }
  const auto& state = impl.shape.state;
  if (first <= state.purged.index || last > state.last.index || first > last) {
    return tl::unexpected(make_error(kReading, StorageKind::invalid_request,
                                     "entries " + to_string(first) + " to " + to_string(last) +
                                         " of a log that holds " + to_string(state.purged.index + 1) +
                                         " to " + to_string(state.last.index)));
  }
  const auto damaged = [&impl](Index index, const std::string& why) {
    return tl::unexpected(impl.poisoned_with(make_error(
        kReading, StorageKind::corruption, "log damaged at index " + to_string(index) + ": " + why)));
  };
  const auto upper = entry_key(last + 1);
  const rocksdb::Slice upper_bound(upper);
  rocksdb::ReadOptions read_options;
  read_options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> it(impl.db->NewIterator(read_options, impl.db.entries()));
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  auto expected = first;
  for (it->Seek(entry_key(first)); it->Valid() && expected <= last; it->Next(), ++expected) {
    if (it->key().ToStringView() != entry_key(expected)) {
      return damaged(expected, "the entry is missing");
    }
    // The weight without its copy: a last entry that does not fit is not worth copying.
    if (!entries.empty() && bytes + it->value().size() > max_bytes) {
      return entries;
    }
    auto entry = decode_entry(Bytes::copy_of(it->value().ToStringView()));
    if (!entry) {
      return damaged(expected, entry.error().what);
    }
    if (entry->id.index != expected) {
      return damaged(expected, "the entry there is that of index " + to_string(entry->id.index));
    }
    bytes += weight_bytes(*entry);
    if (!entries.empty() && bytes > max_bytes) {
      return entries;
    }
    entries.push_back(std::move(*entry));
  }
  if (!it->status().ok()) {
    return tl::unexpected(
        impl.poisoned_with(to_error(it->status(), kReading, "index " + to_string(expected))));
  }
  if (expected <= last) {
    return damaged(expected, "the entry is missing");
  }
  return entries;
}

Result<bool> LogStore::scrub(std::uint64_t max_bytes) {
  auto& impl = *impl_;
  if (impl.poison) {
    return tl::unexpected(*impl.poison);
  }
  auto done = impl.table_scrub.step(max_bytes);
  if (!done)
    return tl::unexpected(impl.poisoned_with(done.error()));
  if (*done) {
    const auto state = read_state(*impl.db);
    if (!state) {
      return tl::unexpected(impl.poisoned_with(state.error()));
    }
    if (*state != impl.shape.state) {
      return tl::unexpected(impl.poisoned_with(
          make_error(kReading, StorageKind::corruption,
                     "scrub: " + impl.options.dir + ": another vote or state than was written")));
    }
  }
  return done;
}

const ScrubFigures& LogStore::scrub_figures() const { return impl_->table_scrub.figures(); }

LogId LogStore::last() const { return impl_->shape.state.last; }
LogId LogStore::purged() const { return impl_->shape.state.purged; }
bool LogStore::poisoned() const { return impl_->poison.has_value(); }
const LogStoreStats& LogStore::stats() const { return impl_->stats; }

std::uint64_t LogStore::disk_bytes() const { return file_bytes(impl_->env, impl_->options.dir); }

std::uint64_t LogStore::pending_bytes() const {
  const auto& impl = *impl_;
  // In a simulation the memtables' size depends on the skip lists' heights, which are not replayed.
  std::uint64_t unwritten = impl.log_env.wal_bytes();
  if (!impl.options.simulated) {
    impl.db->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &unwritten);
  }
  return unwritten + impl.db.bytes_to_merge();
}

}  // namespace kiwi::storage
