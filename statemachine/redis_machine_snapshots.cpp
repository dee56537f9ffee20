#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "rocksdb/env.h"
#include "statemachine/checkpoint.hpp"
#include "statemachine/engine/storage_failure.hpp"
#include "statemachine/guarded.hpp"
#include "statemachine/redis_machine_impl.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/snapshot_install.hpp"

namespace kiwi {
namespace {

StorageError refusal(StorageKind kind, std::string cause) {
  return {StorageSubject::snapshot, StorageVerb::write, kind, std::move(cause), StorageOutcome::not_written};
}

template <class T>
void must(const Result<T>& result) {
  if (!result)
    throw StorageFailure(result.error());
}

}  // namespace

std::string RedisMachine::Impl::directory() const {
  const auto& data = database->dir();
  const auto cut = data.rfind('/');
  return cut == std::string::npos ? "." : data.substr(0, cut);
}

Result<void> RedisMachine::Impl::check_install(const SnapshotMeta& meta, const std::string& folder) const {
  const auto dir = directory();
  if (database->dir() != storage::data_folder(dir) ||
      folder != storage::incoming_folder(dir, meta.snapshot_id))
    return tl::unexpected(refusal(StorageKind::invalid_request, folder + " is not where a snapshot for " +
                                                                    database->dir() + " is received"));
  return check_checkpoint(database->slot()->options, *database->slot()->env, meta, folder);
}

void RedisMachine::Impl::install(const SnapshotMeta& meta) {
  const auto dir = directory();
  auto* const env = database->slot()->env.get();
  must(storage::begin_install(env, dir, meta));
  if (write_back)
    write_back->cancel();
  write_back.reset();
  digests.reset();
  overlay.reset();
  cache.clear();
  database->close();
  must(storage::swap_data(env, dir, meta));
  must(database->reopen());
  membership_changed = false;
  unwritten = false;
  flush_when_written = false;
  load(Membership{});
  KIWI_ASSERT(state.applied == meta.last_log_id, "the installed state was checked before");
  KIWI_MARK("install.opened");
}

Result<std::unique_ptr<SnapshotBuilder>> RedisMachine::get_snapshot_builder() {
  return std::make_unique<CheckpointBuilder>(impl_->database->slot());
}

Result<std::string> RedisMachine::begin_receiving_snapshot(const SnapshotMeta& meta) {
  auto folder = storage::incoming_folder(impl_->directory(), meta.snapshot_id);
  if (auto made = storage::snapshot_files(impl_->database->slot()->env.get())->make_folder(folder); !made)
    return tl::unexpected(made.error());
  return folder;
}

Result<void> RedisMachine::install_snapshot(const SnapshotMeta& meta, const std::string& folder) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->failed)
    return tl::unexpected(*impl_->failed);
  if (auto checked = impl_->check_install(meta, folder); !checked)
    return checked;
  return guarded(*impl_->database, impl_->failed, [&] { impl_->install(meta); });
}

Result<void> RedisMachine::finish_install() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    must(storage::finish_install(impl_->database->slot()->env.get(), impl_->directory()));
  });
}

Result<std::optional<SnapshotMeta>> RedisMachine::get_current_snapshot() {
  const auto& slot = *impl_->database->slot();
  const auto built = storage::built_folder(impl_->directory());
  const auto names = storage::snapshot_files(slot.env.get())->list(built);
  if (!names)
    return tl::unexpected(names.error());
  std::optional<SnapshotMeta> newest;
  for (const auto& name : names->folders) {
    auto meta = read_checkpoint(slot.options, *slot.env, built + "/" + name);
    if (!meta || (newest && meta->last_log_id < newest->last_log_id))
      continue;  // half built, or older
    newest = std::move(*meta);
    newest->snapshot_id = name;
  }
  return newest;
}

}  // namespace kiwi
