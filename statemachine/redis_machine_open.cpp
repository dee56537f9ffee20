#include "messages/codec.hpp"
#include "rocksdb/write_batch.h"
#include "statemachine/engine/storage_failure.hpp"
#include "statemachine/redis_machine_impl.hpp"

namespace kiwi {

using namespace data_format;

namespace {

[[noreturn]] void refuse(StorageKind kind, std::string cause) {
  throw StorageFailure(state_machine_error(StorageVerb::open, kind, std::move(cause)));
}

std::uint64_t unwritten_bytes(const RedisMachineOptions& options) {
  if (options.unwritten_bytes != 0)
    return options.unwritten_bytes;
  return options.simulated ? 2u << 10 : 32u << 20;
}

void check_format(std::string_view row, const std::string& dir) {
  const auto version = decode_format(row);
  if (!version)
    refuse(StorageKind::mismatch, dir + " is not a data directory of kiwi");
  if (*version != kFormatVersion)
    refuse(StorageKind::mismatch, dir + " has data format " + std::to_string(*version) +
                                      "; this program knows only " + std::to_string(kFormatVersion));
}

}  // namespace

void RedisMachine::Impl::load(const Membership& initial) {
  overlay.emplace(*database, cache, state, [this] { finish_write_back(); });
  digests.emplace(*database, kMaxDigests);
  rocksdb::PinnableSlice value;
  const auto row = [&](std::string_view name) {
    if (!database->get(name, value))
      refuse(StorageKind::corruption, database->dir() + " lacks the row " + std::string(name));
    return std::string_view(value.data(), value.size());
  };
  if (!database->get(kFormatRow, value)) {
    if (!database->empty())
      refuse(StorageKind::mismatch, database->dir() + " is a RocksDB database, but not one of kiwi");
    membership = initial;
    membership_changed = true;
    rocksdb::WriteBatch batch;
    batch.Put(rocksdb::Slice(kFormatRow), encode_format());
    database->write(batch, Index(0));
    commit();
    if (auto flushed = database->flush(); !flushed)
      throw StorageFailure(flushed.error());
    return;
  }
  check_format({value.data(), value.size()}, database->dir());
  const auto stored = decode_state(row(kStateRow));
  if (!stored)
    refuse(StorageKind::corruption, database->dir() + ": the applied state cannot be decoded");
  state = *stored;
  auto members = decode_membership(row(kMembershipRow));
  if (!members)
    refuse(StorageKind::corruption,
           database->dir() + ": the membership cannot be decoded: " + members.error().what);
  membership = std::move(*members);
  if (state.membership_id == LogId{} && !initial.members.empty()) {
    membership_changed = membership_changed || !(membership == initial);
    membership = initial;
  }
  database->set_durable(state.applied.index);
  overlay->load_first_deadline();
}

Result<std::unique_ptr<RedisMachine>> RedisMachine::open(const RedisMachineOptions& options,
                                                         const Membership& initial) {
  DatabaseOptions database_options;
  database_options.dir = options.dir;
  database_options.env = options.env;
  database_options.simulated = options.simulated;
  database_options.write_buffer_bytes = options.write_buffer_bytes;
  database_options.block_cache_bytes = options.block_cache_bytes;
  database_options.run_queued_jobs = options.run_queued_jobs;
  auto database = Database::open(database_options);
  if (!database)
    return tl::unexpected(database.error());
  auto impl = std::make_unique<Impl>(std::move(*database), options.cached_records, unwritten_bytes(options));
  try {
    impl->load(initial);
  } catch (const StorageFailure& failure) {
    return tl::unexpected(failure.error);
  }
  return std::unique_ptr<RedisMachine>(new RedisMachine(std::move(impl)));
}

}  // namespace kiwi
