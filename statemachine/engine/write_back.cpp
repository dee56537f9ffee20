#include "statemachine/engine/write_back.hpp"

#include "rocksdb/write_batch.h"
#include "statemachine/data_format.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {

void WriteBack::write() {
  content_.old.reset();  // before the batch takes as much memory again
  rocksdb::WriteBatch batch(content_.changes->bytes);
  content_.changes->collect(batch);
  if (content_.membership_row)
    batch.Put(rocksdb::Slice(data_format::kMembershipRow), *content_.membership_row);
  if (!content_.state_row.empty())
    batch.Put(rocksdb::Slice(data_format::kStateRow), content_.state_row);
  database_.write(batch, content_.applied);
}

void WriteBack::run() {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::waiting)
      return;
    phase_ = Phase::running;
  }
  std::optional<StorageError> error;
  try {
    try {
      write();
    } catch (const StorageFailure& failure) {
      error = failure.error;
    }
  } catch (...) {
    // No memory, most likely, so that this text is short. Who waits must hear of it, and nothing may be
    // written behind what is missing.
    error = state_machine_error(StorageVerb::write, StorageKind::io, "no memory");
  }
  content_.changes.reset();
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  phase_ = Phase::over;
  over_.notify_all();
}

void WriteBack::finish() {
  run();
  std::unique_lock lock(mutex_);
  over_.wait(lock, [this] { return phase_ == Phase::over; });
  if (error_)
    throw StorageFailure(*error_);
}

void WriteBack::cancel() {
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::waiting)
    phase_ = Phase::over;
  over_.wait(lock, [this] { return phase_ == Phase::over; });
}

bool WriteBack::finished() {
  const std::lock_guard lock(mutex_);
  if (error_)
    throw StorageFailure(*error_);
  return phase_ == Phase::over;
}

}  // namespace kiwi
