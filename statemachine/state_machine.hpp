#pragma once

// What a replicated state machine is, for Kiwi's own Redis machine and for those that applications bring.
// The operations are the source design's: applied state, apply, get snapshot builder, begin receiving,
// install, get current snapshot.
//
// Owner: the state machine actor; all calls come one after the other, on its thread, but for what
// apply_at_once() says.
// Determinism is the implementer's duty: the same entries must give the same state and replies on every node.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages/entry.hpp"
#include "messages/scrub_figures.hpp"
#include "messages/snapshot_meta.hpp"
#include "messages/storage_calls.hpp"
#include "messages/storage_error.hpp"

namespace kiwi {

/// What a finished digest says: the state as of the marker at `index` hashes to `hex`.
struct StateDigest {
  static constexpr const char* name = "StateDigest";
  Index index;
  std::string hex;
  std::uint64_t keys = 0;
  auto fields() { return std::tie(index, hex, keys); }
};

/// For INFO. Keys include those whose time has passed but whose bytes are still there.
struct StateStats {
  static constexpr const char* name = "StateStats";
  std::uint64_t keys = 0;
  std::uint64_t keys_with_expiry = 0;
  std::uint64_t expired_keys = 0;  // removed by time since start
  std::uint64_t entries_applied = 0;
  std::uint64_t batches_applied = 0;
  std::uint64_t queries = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t memory_bytes = 0;  // memtables and block cache
  Index durable_applied;           // what a crash now would come back to
  std::uint64_t keyspace_hits = 0;
  std::uint64_t keyspace_misses = 0;
  ScrubFigures scrub;
  auto fields() {
    return std::tie(keys, keys_with_expiry, expired_keys, entries_applied, batches_applied, queries,
                    disk_bytes, memory_bytes, durable_applied, keyspace_hits, keyspace_misses, scrub);
  }
};

struct ApplyResult {
  std::vector<Reply> replies;          // one per entry, in order
  std::uint64_t next_deadline_ms = 0;  // 0: nothing waits for time
};

/// What apply_at_once() and query_at_once() give.
struct AppliedAtOnce {
  ApplyResult result;
  LogId applied;
  std::uint64_t stamp_ms = 0;
  Index durable;  // as StateMachine::durable_applied()
};
struct AnsweredAtOnce {
  std::vector<StateAnswer> answers;  // one per query, in order
  Index applied;
};

/// Builds a snapshot of the state without holding up apply. Owned and run by the snapshot builder actor.
class SnapshotBuilder {
 public:
  virtual ~SnapshotBuilder() = default;
  /// Of the state as of some moment between the call and its end, in a new folder below `parent`, which is on
  /// the same file system as the data; named by the snapshot's id. Everything in it is synced.
  virtual Result<SnapshotManifest> build_snapshot(const std::string& parent) = 0;
  /// The files of the state as it lies on disk now, for a receiver that looks for what it has already: hard
  /// links in `folder` (made anew), with their checksums.
  virtual Result<std::vector<SnapshotFile>> link_current_files(const std::string& folder) = 0;

  /// Whether this machine could install it, before anything of it is fetched. Mismatch: another format.
  virtual Result<void> accepts(const SnapshotManifest& manifest) const {
    static_cast<void>(manifest);
    return {};
  }
  /// Whether the files in `folder`, all there with the right checksums, are the state that `meta` names. The
  /// old state still counts, so that an error here costs nothing but the transfer.
  virtual Result<void> check_received(const SnapshotMeta& meta, const std::string& folder) {
    static_cast<void>(meta);
    static_cast<void>(folder);
    return {};
  }
};

class StateMachine {
 public:
  virtual ~StateMachine() = default;

  /// What is applied. Right after opening: what a crash left, from where the log is applied again.
  virtual AppliedState applied_state() const = 0;

  /// Applies entries in log order, right after the last applied one. Their effects, the applied index, the
  /// applied time and the membership move together or not at all (rule 6). An error here is a failure of the
  /// storage: the node stops. A command's own error is its reply.
  virtual Result<ApplyResult> apply(const std::vector<Entry>& entries) = 0;

  /// Answers a query against the applied state; see StateAnswer for a query that needs a tick first.
  virtual Result<StateAnswer> query(const StateQuery& query) = 0;

  /// As apply() and query(), but only if that surely needs neither a disk, nor a wait for another thread, nor
  /// more than some microseconds an entry. Else nothing, and nothing has changed: then the owner is asked.
  /// Also nothing instead of an error. Unlike all else these may be called by one other thread than the
  /// owner's, and only while the owner answers no call (actors/prompt_machine_actor.hpp); background_work()
  /// and scrub() may run meanwhile.
  virtual std::optional<AppliedAtOnce> apply_at_once(const std::vector<Entry>& entries) {
    static_cast<void>(entries);
    return std::nullopt;
  }
  virtual std::optional<AnsweredAtOnce> query_at_once(const std::vector<StateQuery>& queries) {
    static_cast<void>(queries);
    return std::nullopt;
  }

  /// Makes everything applied so far survive a crash. Called at an ordered stop, and before a log purge.
  virtual Result<Index> flush() = 0;

  /// What a crash right now would come back to. The log may be purged up to there.
  virtual Index durable_applied() { return {}; }
  /// Asks for what is applied now to become durable soon, without waiting. At most one such job at a time. It
  /// may have to be asked again: what is applied is perhaps to be written by work_aside() first.
  virtual Result<void> request_flush() { return {}; }

  /// A bounded slice of background work (digests, clean-up). True: there is more to do.
  virtual Result<bool> background_work() { return false; }
  /// Work that another thread may do while this machine goes on; empty: there is none. Whether and when it is
  /// done changes nothing but the time that calls take. It may be called after the machine is gone.
  virtual std::function<void()> work_aside() { return {}; }
  /// Reads at most this much of what lies on the disk again and compares it with its checksums. True: all was
  /// read once, the next call begins anew. Damage is an error, as of apply().
  virtual Result<bool> scrub(std::uint64_t max_bytes) {
    static_cast<void>(max_bytes);
    return true;
  }
  /// The digest as of the marker entry at `index`, once background_work has finished it.
  virtual std::optional<StateDigest> digest(Index index) const {
    static_cast<void>(index);
    return std::nullopt;
  }
  /// The digest of what is applied now; walks over all data. Nothing: this machine has none. For the
  /// laboratory.
  virtual Result<std::optional<StateDigest>> digest_now() { return std::nullopt; }
  virtual StateStats stats() const { return {}; }

  // Snapshots. A machine that does not offer them answers StorageKind::unsupported.
  virtual Result<std::unique_ptr<SnapshotBuilder>> get_snapshot_builder();
  /// A folder to receive the files of a snapshot into, below DIR/snapshots/incoming.
  virtual Result<std::string> begin_receiving_snapshot(const SnapshotMeta& meta);
  /// Steps 2 and 3 of the install in docs/snapshots.md: the intent, then the swap. After an error the machine
  /// is finished and the node stops; its next start finishes the install or finds the old state.
  virtual Result<void> install_snapshot(const SnapshotMeta& meta, const std::string& folder);
  /// Step 5: the log follows the new state durably; the intent and the old state go.
  virtual Result<void> finish_install();
  virtual Result<std::optional<SnapshotMeta>> get_current_snapshot();
};

}  // namespace kiwi
