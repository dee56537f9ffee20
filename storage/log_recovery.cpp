#include "storage/log_recovery.hpp"

#include <memory>
#include <string>
#include <utility>

#include "messages/fault_points.hpp"
#include "storage/durable_dir.hpp"
#include "storage/log_database.hpp"
#include "storage/log_options.hpp"
#include "storage/storage_status.hpp"
#include "storage/torn_manifest.hpp"
#include "storage/wal_scan.hpp"

namespace kiwi::storage {
namespace {

constexpr Doing kRecovering{StorageSubject::log, StorageVerb::open, StorageOutcome::not_written};

tl::unexpected<StorageError> damaged(const std::string& cause) {
  return tl::unexpected(make_error(kRecovering, StorageKind::corruption, cause));
}
tl::unexpected<StorageError> damaged_from(Index first_bad, const std::string& cause) {
  return damaged("log damaged, first bad index " + to_string(first_bad) + ": " + cause);
}

/// Reads all keys in order and checks each.
class Reader {
 public:
  explicit Reader(const LogState& state) { contents_.state = state; }

  Result<Contents> read(const LogDatabase& db, Index durable_applied) {
    expected_ = contents_.state.purged.index + 1;
    if (db.entries_apart()) {
      if (auto all = read_family(db, db->DefaultColumnFamily(), Keys::others); !all) {
        return tl::unexpected(all.error());
      }
    }
    if (auto all = read_family(db, db.entries(), db.entries_apart() ? Keys::entries : Keys::all); !all) {
      return tl::unexpected(all.error());
    }
    return finish(durable_applied);
  }

 private:
  /// That a column family may hold.
  enum class Keys { all, entries, others };

  Result<void> read_family(const LogDatabase& db, rocksdb::ColumnFamilyHandle* family, Keys keys) {
    rocksdb::ReadOptions read_options;
    read_options.fill_cache = false;
    read_options.readahead_size = 1u << 20;
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(read_options, family));
    const auto first_kept = entry_key(expected_);
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const bool is_entry = is_entry_key(it->key().ToStringView());
      if (keys != Keys::all && is_entry != (keys == Keys::entries)) {
        return damaged(is_entry ? "an entry outside the column family of entries"
                                : "a key among the entries that is not that of an entry");
      }
      // What was purged may lie there still (log_purge.hpp), in any number and any order of leaving.
      if (is_entry && it->key().ToStringView() < first_kept) {
        it->Seek(first_kept);
        if (!it->Valid()) {
          break;
        }
      }
      if (auto taken = take(it->key().ToStringView(), it->value().ToStringView()); !taken) {
        return taken;
      }
    }
    if (!it->status().ok()) {
      auto error = to_open_error(it->status(), kRecovering, "reading the log");
      if (error.kind == StorageKind::corruption) {
        return damaged_from(expected_, error.cause);
      }
      return tl::unexpected(std::move(error));
    }
    return {};
  }

  Result<void> take(std::string_view key, std::string_view value) {
    if (is_entry_key(key)) {
      return take_entry(index_of_entry_key(key), value);
    }
    if (is_binding_key(key)) {
      const auto binding = decode_binding(key, value);
      if (!binding) {
        return damaged("a peer binding is damaged: " + binding.error().what);
      }
      contents_.recovered.bindings.push_back(*binding);
      return {};
    }
    if (key == kIdentityKey) {
      auto identity = decode_identity(value);
      if (!identity) {
        return damaged("the identity is damaged: " + identity.error().what);
      }
      has_identity_ = true;
      contents_.recovered.identity = std::move(*identity);
      return {};
    }
    if (key == kMembersKey) {
      auto members = decode_members(value);
      if (!members) {
        return damaged("the membership as of the purge point is damaged: " + members.error().what);
      }
      contents_.recovered.base_membership = std::move(*members);
      return {};
    }
    return key == kStateKey ? Result<void>() : damaged("unknown key in the log database");
  }

  Result<void> take_entry(Index index, std::string_view value) {
    if (index != expected_) {
      return damaged_from(
          std::min(index, expected_),
          "index " + to_string(expected_) + " should follow, index " + to_string(index) + " does");
    }
    // The window has no owner: it is used before the iterator moves on, and copied by nobody.
    const auto entry = decode_entry(Bytes(nullptr, value));
    if (!entry) {
      return damaged_from(index, entry.error().what);
    }
    if (entry->id.index != index) {
      return damaged_from(index, "the entry under this index is that of index " + to_string(entry->id.index));
    }
    auto& out = contents_.recovered;
    if (out.runs.empty() || out.runs.back().term != entry->id.term) {
      out.runs.push_back({entry->id.term, index});
    }
    if (entry->kind == EntryKind::membership) {
      auto membership = decode_membership(entry->payload.view());
      if (!membership) {
        return damaged_from(index, "a membership that cannot be read: " + membership.error().what);
      }
      out.memberships.emplace_back(entry->id, std::move(*membership));
    }
    out.last_stamp_ms = entry->stamp_ms;
    last_ = entry->id;
    ++out.entries;
    out.entry_bytes += weight_bytes(*entry);
    ++entries_since_mark_;
    if (out.entry_bytes - mark_bytes_ >= kLogMarkBytes || entries_since_mark_ >= kLogMarkEntries) {
      out.marks.push_back({index, out.entry_bytes, entry->stamp_ms});
      mark_bytes_ = out.entry_bytes;
      entries_since_mark_ = 0;
    }
    ++expected_;
    return {};
  }

  Result<Contents> finish(Index durable_applied) {
    const auto& state = contents_.state;
    auto& out = contents_.recovered;
    const auto last = out.entries == 0 ? state.purged : last_;
    if (last != state.last) {
      return damaged_from(
          std::min(expected_, state.last.index + 1),
          "the log ends with " + to_string(last) + " and must end with " + to_string(state.last));
    }
    if (!has_identity_) {
      return damaged("the identity is missing");
    }
    if (out.identity.instance != state.instance) {
      return damaged("the identity is that of another instance");
    }
    if (out.bindings.size() != state.bindings) {
      return damaged("there are " + std::to_string(out.bindings.size()) + " peer bindings and must be " +
                     std::to_string(state.bindings));
    }
    if (last.index < durable_applied) {
      return damaged_from(expected_, "the log ends with index " + to_string(last.index) +
                                         ", but the state machine has applied index " +
                                         to_string(durable_applied));
    }
    out.vote = state.vote;
    out.purged = state.purged;
    out.last = state.last;
    return std::move(contents_);
  }

  Contents contents_;
  Index expected_;
  LogId last_;
  std::uint64_t mark_bytes_ = 0;  // at the last mark
  std::uint64_t entries_since_mark_ = 0;
  bool has_identity_ = false;
};

}  // namespace

void forget_purged(Recovered& recovered, const LogShape& shape) {
  const auto purged = shape.state.purged;
  const auto first = purged.index + 1;
  recovered.purged = purged;
  recovered.last = shape.state.last;
  recovered.runs = shape.runs;
  recovered.entries = recovered.last.index.value - purged.index.value;
  recovered.base_membership = shape.members.base;
  std::erase_if(recovered.memberships, [&](const auto& m) { return m.first.index < first; });
  std::erase_if(recovered.marks, [&](const auto& mark) { return mark.index < first; });
  if (recovered.entries == 0) {
    recovered.memberships.clear();
    recovered.marks.clear();
    recovered.last_stamp_ms = 0;
    recovered.entry_bytes = 0;
  }
}

Result<LogState> read_state(rocksdb::DB& db) {
  std::string value;
  const auto status = db.Get({}, rocksdb::Slice(kStateKey.data(), kStateKey.size()), &value);
  if (!status.ok()) {
    return tl::unexpected(to_open_error(status, kRecovering, "the log's state"));
  }
  const auto state = decode_state(value);
  if (!state) {
    return damaged("the log's state is damaged: " + state.error().what);
  }
  return *state;
}

Result<Contents> inspect_as_it_is(const LogStoreOptions& options, const LogMarker& marker) {
  const auto db = LogDatabase::open_read_only(options, marker.format);
  if (!db) {
    return tl::unexpected(db.error());
  }
  std::uint64_t oldest = 0;
  if (!(*db)->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &oldest)) {
    return damaged("RocksDB does not say which of its write-ahead logs matter");
  }
  WalScan scan;
  if (auto status = scan_wals(env_of(options), options.dir, oldest, marker, scan); !status.ok()) {
    return tl::unexpected(to_error(status, kRecovering, "scanning the write-ahead log"));
  }
  const auto state = read_state(**db);
  if (scan.damage) {
    KIWI_MARK("log.damage_refused");
    const auto& good = scan.last_state ? scan.last_state : state ? std::optional(*state) : std::nullopt;
    const auto cause =
        scan.damage->file + " at offset " + std::to_string(scan.damage->offset) + ": " + scan.damage->why;
    return good ? damaged_from(good->last.index + 1, cause) : damaged("log damaged: " + cause);
  }
  if (!state) {
    return tl::unexpected(state.error());
  }
  if (state->instance != marker.instance) {
    return damaged("the log is that of another instance than its marker file");
  }
  // RocksDB must have read just as far as the scan, or one of the two is wrong about where the log ends.
  if (scan.last_state && *scan.last_state != *state) {
    return damaged_from(std::min(scan.last_state->last.index, state->last.index) + 1,
                        "RocksDB reads its write-ahead log only up to serial " +
                            std::to_string(state->serial) + ", the scan up to " +
                            std::to_string(scan.last_state->serial));
  }
  // Behind an installed snapshot the log may rightly be shorter than what is applied.
  const auto durable_applied = options.installed == LogId{} ? options.durable_applied : Index();
  auto contents = Reader(*state).read(*db, durable_applied);
  if (contents) {
    contents->recovered.torn_bytes = scan.torn_bytes;
  }
  if (contents && contents->recovered.entries > 0) {
    KIWI_MARK("log.rewriting");  // whoever looks opens it in earnest now
  }
  return contents;
}

Result<Contents> inspect(const LogStoreOptions& options, const LogMarker& marker) {
  auto contents = inspect_as_it_is(options, marker);
  if (contents || contents.error().kind != StorageKind::corruption) {
    return contents;
  }
  auto& env = env_of(options);
  TornManifest torn;
  if (auto status = find_torn_manifest(env, options.dir, torn); !status.ok() || !torn.found) {
    return contents;
  }
  if (auto status = write_file_durably(env, options.dir, torn.name, torn.good); !status.ok()) {
    return tl::unexpected(to_error(status, kRecovering, options.dir + "/" + torn.name));
  }
  auto without_tail = inspect_as_it_is(options, marker);
  if (!without_tail) {
    // It was not the tail, or not only: put everything back as it was found.
    if (auto status = write_file_durably(env, options.dir, torn.name, torn.original); !status.ok()) {
      return tl::unexpected(to_error(status, kRecovering, options.dir + "/" + torn.name));
    }
    return contents;
  }
  return without_tail;
}

}  // namespace kiwi::storage
