#include <utility>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "rocksdb/slice.h"
#include "statemachine/engine/storage_failure.hpp"
#include "statemachine/guarded.hpp"
#include "statemachine/redis_machine_impl.hpp"

namespace kiwi {

RedisMachine::Impl::Impl(std::unique_ptr<Database> opened, std::size_t cached_records,
                         std::uint64_t unwritten_bytes)
    : database(std::move(opened)), cache(cached_records), unwritten_limit(unwritten_bytes) {
  const std::lock_guard lock(database->slot()->write_back_mutex);
  database->slot()->write_back = [this] { return write_back_for_others(); };
}

RedisMachine::Impl::~Impl() {
  {
    const std::lock_guard lock(database->slot()->write_back_mutex);
    database->slot()->write_back = nullptr;
  }
  if (write_back)
    write_back->cancel();
}

void RedisMachine::Impl::begin_write_back() {
  WriteBack::Content content;
  if (!KIWI_MUTANT(applied_index_apart) || write_backs % 2 == 0)
    content.state_row = data_format::encode_state(state);
  if (membership_changed)
    content.membership_row = encode_membership(membership);
  content.applied = state.applied.index;
  content.changes = overlay->end_generation(content.old);
  write_back = std::make_shared<WriteBack>(*database, std::move(content));
  write_back_offered = false;
  membership_changed = false;
  unwritten = false;
  ++write_backs;
}

void RedisMachine::Impl::begin_write_back_if_due() {
  if (overlay->bytes() < unwritten_limit)
    return;
  if (write_back && !write_back->finished()) {
    if (overlay->bytes() < 2 * unwritten_limit)
      return;
    finish_write_back();
  }
  begin_write_back();
}

void RedisMachine::Impl::finish_write_back() {
  if (write_back)
    write_back->finish();
}

void RedisMachine::Impl::commit() {
  finish_write_back();
  if (unwritten || membership_changed)
    begin_write_back();
  finish_write_back();
}

Result<void> RedisMachine::Impl::write_back_for_others() {
  std::shared_ptr<WriteBack> mine;
  {
    const std::lock_guard lock(mutex);
    auto begun = guarded(*database, failed, [&] {
      finish_write_back();
      if (unwritten || membership_changed)
        begin_write_back();
      mine = write_back;
    });
    if (!begun)
      return begun;
  }
  try {
    if (mine)
      mine->finish();
  } catch (const StorageFailure& failure) {
    return tl::unexpected(failure.error);
  }
  return {};
}

Result<void> RedisMachine::request_flush() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    // A flush that failed is never over.
    if (auto error = impl_->database->background_error())
      throw StorageFailure(*error);
    impl_->flush_if_asked();
    if (impl_->database->flushing())
      return;
    if (!impl_->write_back || impl_->write_back->finished()) {
      if (impl_->unwritten || impl_->membership_changed)
        impl_->begin_write_back();
    }
    impl_->flush_when_written = true;
    impl_->flush_if_asked();
  });
}

void RedisMachine::Impl::flush_if_asked() {
  if (!flush_when_written || (write_back && !write_back->finished()))
    return;
  flush_when_written = false;
  if (auto asked = database->request_flush(); !asked)
    throw StorageFailure(asked.error());
}

Result<Index> RedisMachine::flush_written() {
  KIWI_ASSERT(impl_->database->slot()->options.simulated, "no other thread may write meanwhile");
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    auto flushed = impl_->database->flush();
    if (!flushed)
      throw StorageFailure(flushed.error());
    return *flushed;
  });
}

Index RedisMachine::written() const { return impl_->database->written(); }

Result<std::optional<StateDigest>> RedisMachine::digest_written() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&]() -> std::optional<StateDigest> {
    rocksdb::PinnableSlice row;
    const bool found = impl_->database->get(data_format::kStateRow, row);
    const auto written = found ? data_format::decode_state({row.data(), row.size()}) : std::nullopt;
    if (!written)
      throw StorageFailure(state_machine_error(StorageVerb::read, StorageKind::corruption, "the state row"));
    return digest_of_database(*impl_->database, *written);
  });
}

std::function<void()> RedisMachine::work_aside() {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->write_back || std::exchange(impl_->write_back_offered, true))
    return {};
  return [work = impl_->write_back] { work->run(); };
}

}  // namespace kiwi
