#include "statemachine/restore_directory.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "rocksdb/env.h"
#include "statemachine/backup_folder.hpp"
#include "storage/data_directory.hpp"
#include "storage/durable_dir.hpp"
#include "storage/snapshot_files.hpp"

namespace kiwi {
namespace {

tl::unexpected<StorageError> failed(StorageKind kind, std::string cause) {
  return tl::unexpected(StorageError{StorageSubject::identity, StorageVerb::write, kind, std::move(cause),
                                     StorageOutcome::not_written});
}

Result<void> checked(const rocksdb::Status& status, const std::string& path) {
  if (!status.ok())
    return failed(status.IsNoSpace() ? StorageKind::no_space : StorageKind::io,
                  path + ": " + status.ToString());
  return {};
}

class Restore {
 public:
  explicit Restore(const RestorePlan& plan)
      : plan_(plan),
        env_(plan.env == nullptr ? *rocksdb::Env::Default() : *plan.env),
        files_(storage::snapshot_files(&env_)) {}
  ~Restore() {
    if (lock_ != nullptr)
      env_.UnlockFile(lock_).PermitUncheckedError();
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

  Result<DataReport> run(const storage::VerifyPiece& piece) {
    if (auto begun = begin(); !begun)
      return tl::unexpected(begun.error());
    auto data = unpack_backup(&env_, plan_.from, plan_.manifest, plan_.dir + "/data", piece);
    if (!data)
      return abandoned(data.error());
    if (auto log = make_log(); !log)
      return abandoned(log.error());
    if (auto done = remove_mark(); !done)
      return tl::unexpected(done.error());
    return data;
  }

 private:
  Result<void> begin() {
    const auto& dir = plan_.dir;
    if (auto free = refuse_used(); !free)
      return free;
    if (auto made = checked(storage::make_dir_durably(env_, dir), dir); !made)
      return made;
    if (auto marked = checked(storage::write_file_durably(env_, dir, std::string(storage::kRestoringFile),
                                                          "a backup is being restored here\n"),
                              dir);
        !marked)
      return marked;
    if (auto status = env_.LockFile(dir + "/LOCK", &lock_); !status.ok())
      return failed(StorageKind::unavailable, dir + " is in use: " + status.ToString());
    return clear();
  }

  Result<void> refuse_used() {
    const auto names = files_->list(plan_.dir);
    if (!names)
      return tl::unexpected(names.error());
    const auto mark = std::string(storage::kRestoringFile);
    // A crash may have left the mark under the name that it is written with first, and nothing else.
    const bool begun = names->files.contains(mark) || (names->folders.empty() && names->files.size() == 1 &&
                                                       names->files.contains(mark + ".tmp"));
    if (begun || (names->files.empty() && names->folders.empty()))
      return {};
    const auto& holds = names->files.empty() ? names->folders.front() : names->files.begin()->first;
    return failed(StorageKind::invalid_request, plan_.dir + " is neither new nor empty: it holds " + holds);
  }

  /// All but the mark and the lock.
  Result<void> clear() {
    const auto names = files_->list(plan_.dir);
    if (!names)
      return tl::unexpected(names.error());
    for (const auto& inner : names->folders)
      if (auto removed = files_->remove_folder(plan_.dir + "/" + inner); !removed)
        return removed;
    return {};
  }

  Result<void> remove_mark() {
    return checked(storage::remove_file_durably(env_, plan_.dir, std::string(storage::kRestoringFile)),
                   plan_.dir);
  }

  tl::unexpected<StorageError> abandoned(StorageError why) {
    if (clear()) {
      env_.DeleteFile(plan_.dir + "/LOCK").PermitUncheckedError();
      static_cast<void>(remove_mark());
    }
    return tl::unexpected(std::move(why));
  }

  Result<void> make_log() {
    storage::LogStoreOptions log;
    log.dir = plan_.dir + "/log";
    log.env = &env_;
    log.simulated = plan_.simulated;
    if (auto made = storage::LogStore::create(log, plan_.identity); !made)
      return made;
    const auto& meta = plan_.manifest.meta;
    log.installed = meta.last_log_id;
    storage::Recovered recovered;
    auto store = storage::LogStore::open(log, recovered);
    if (!store)
      return tl::unexpected(store.error());
    const auto step = founding_entry(meta.last_log_id, meta.last_log_id.term, NodeId(), meta.timestamp_ms,
                                     plan_.identity.initial_membership);
    if (auto written = (*store)->write({step}); !written)
      return tl::unexpected(written.error());
    return checked(storage::sync_dir(env_, plan_.dir), plan_.dir);
  }

  const RestorePlan& plan_;
  rocksdb::Env& env_;
  std::unique_ptr<storage::SnapshotFiles> files_;
  rocksdb::FileLock* lock_ = nullptr;
};

}  // namespace

Result<DataReport> restore_directory(const RestorePlan& plan, const storage::VerifyPiece& piece) {
  return Restore(plan).run(piece);
}

LogWrite founding_entry(LogId last, Term newest_term, NodeId vote, std::uint64_t stamp_ms,
                        const Membership& membership) {
  Entry entry;
  entry.id = {std::max(newest_term, last.term) + 1, last.index + 1};
  entry.kind = EntryKind::membership;
  entry.stamp_ms = stamp_ms;
  entry.payload = Bytes(encode_membership(membership));
  LogWrite step;
  step.has_vote = true;
  step.vote = {entry.id.term, vote};
  step.entries.push_back(std::move(entry));
  return step;
}

}  // namespace kiwi
