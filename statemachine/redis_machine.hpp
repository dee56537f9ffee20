#pragma once

// The replicated Redis machine: strings and keys on RocksDB. The bytes are drawn in data_format.hpp.
//
// Owner: the state machine actor. All calls on one thread, one after the other; what work_aside() gives, the
// snapshot builder, and the two calls named at_once may be used on others.
// After an error of apply(), query() or flush() the machine is finished: every later call gives that error,
// and the node stops. What a crash leaves is the state after some whole entry, from where the log is applied
// again.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "statemachine/state_machine.hpp"

namespace rocksdb {
class Env;
}

namespace kiwi {

struct RedisMachineOptions {
  std::string dir;  // DIR/data; made when missing
  rocksdb::Env* env =
      nullptr;  // null: RocksDB's default; else a simulated one, which must outlive the machine
  /// True: no background threads; nothing is flushed unless flush() is called (see run_queued_jobs).
  bool simulated = false;
  /// Of one memtable; up to three exist. A bigger one costs memory, makes each lookup slower, and a crash
  /// comes back to an older state, so that more of the log is applied again.
  std::uint64_t write_buffer_bytes = 16ull << 20;
  std::uint64_t block_cache_bytes = 32ull << 20;
  /// Small records kept decoded, for hot keys: about 120 to 700 bytes each. 0: none.
  std::size_t cached_records = 1u << 15;
  /// Changes that may gather in memory before they are written to the database, together; twice as much may
  /// be there while the ones before are being written, and those take as much again for themselves and for
  /// RocksDB's batch. What is applied again after a crash grows by it, and so does the memory taken. 0: 32
  /// MiB, or 2 KiB when simulated, where that happens often.
  std::uint64_t unwritten_bytes = 0;
  /// Simulated only: runs the jobs that the env has queued, in this thread, so that flush() can finish.
  /// Without it flush() only asks for the flush, and answers what is durable so far.
  std::function<void()> run_queued_jobs;
};

/// Expired keys whose bytes are removed while one entry is applied. A constant of the format (rule 7): the
/// removal is part of the replicated state.
inline constexpr std::uint64_t kMaxExpiredPerEntry = 16;
/// Digests that are remembered, and that may wait to be computed. The oldest is dropped.
inline constexpr std::size_t kMaxDigests = 16;

class RedisMachine final : public StateMachine {
 public:
  /// `initial` is the membership to start from while no entry is applied (index 0); later the stored one
  /// counts. Errors: mismatch (not a data directory of ours, or of an unknown version), corruption, io.
  static Result<std::unique_ptr<RedisMachine>> open(const RedisMachineOptions& options,
                                                    const Membership& initial);
  ~RedisMachine() override;

  AppliedState applied_state() const override;
  /// Requires entries right after applied_state().applied (asserted). An undecodable payload is corruption.
  Result<ApplyResult> apply(const std::vector<Entry>& entries) override;
  Result<StateAnswer> query(const StateQuery& query) override;
  /// Commands with one key whose record is in memory, while nothing else is to be done: no deadline that
  /// passes, no write-back that begins, no digest.
  std::optional<AppliedAtOnce> apply_at_once(const std::vector<Entry>& entries) override;
  std::optional<AnsweredAtOnce> query_at_once(const std::vector<StateQuery>& queries) override;
  Result<Index> flush() override;
  /// Computes the digests that markers in the log asked for.
  Result<bool> background_work() override;
  Result<bool> scrub(std::uint64_t max_bytes) override;
  /// Also nothing: the marker is older than the last kMaxDigests, or was applied before the last restart.
  std::optional<StateDigest> digest(Index index) const override;
  Result<std::optional<StateDigest>> digest_now() override;
  StateStats stats() const override;
  Index durable_applied() override;
  /// May only begin it: the flush is asked for once what is applied now is written, by a later call.
  Result<void> request_flush() override;
  /// Of what has reached the database, and not of what is still gathered: what RocksDB does by itself in a
  /// process when a memtable is full. For the simulator.
  Result<Index> flush_written();
  /// Of what flush_written() would make durable, and its index alone.
  Result<std::optional<StateDigest>> digest_written();
  Index written() const;

  std::function<void()> work_aside() override;

  /// The builder may be used in another thread, and while and after a snapshot is installed; while the
  /// machine is gone or being installed into it answers StorageKind::unavailable.
  Result<std::unique_ptr<SnapshotBuilder>> get_snapshot_builder() override;
  Result<std::string> begin_receiving_snapshot(const SnapshotMeta& meta) override;
  /// Requires `folder` to be the one that begin_receiving_snapshot names. What lies there is looked at before
  /// the first irrevocable step: an error with StorageOutcome::not_written and a kind of corruption, mismatch
  /// or invalid_request says that it is not the state that `meta` tells of; the machine goes on as it was.
  Result<void> install_snapshot(const SnapshotMeta& meta, const std::string& folder) override;
  Result<void> finish_install() override;
  /// The newest one in DIR/snapshots/built.
  Result<std::optional<SnapshotMeta>> get_current_snapshot() override;

 private:
  struct Impl;
  explicit RedisMachine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiwi
