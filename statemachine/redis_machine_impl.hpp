#pragma once

// Private to redis_machine*.cpp.

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "messages/client.hpp"
#include "messages/codec.hpp"
#include "statemachine/data_format.hpp"
#include "statemachine/digest.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/engine/overlay.hpp"
#include "statemachine/engine/read_view.hpp"
#include "statemachine/engine/write_back.hpp"
#include "statemachine/redis_machine.hpp"

namespace kiwi {

struct RedisMachine::Impl {
  Impl(std::unique_ptr<Database> opened, std::size_t cached_records, std::uint64_t unwritten_bytes);
  ~Impl();

  /// Reads what the database holds, or makes a new one of it. Throws StorageFailure.
  void load(const Membership& initial);
  /// Steps 2 and 3 of an install (docs/snapshots.md). Throws StorageFailure.
  void install(const SnapshotMeta& meta);
  /// Whether that will work, as far as it can be known while the old state is there.
  Result<void> check_install(const SnapshotMeta& meta, const std::string& folder) const;
  /// DIR, of which the database is DIR/data.
  std::string directory() const;

  /// `request`: what a command's payload holds. begin_write_back_if_due(), or a commit for a digest, is the
  /// caller's.
  Reply apply_entry(const Entry& entry, const Decoded<ClientRequest>& request);
  Reply apply_command(const Entry& entry, const Decoded<ClientRequest>& request);
  StateAnswer answer(const StateQuery& query, const Decoded<ClientRequest>& request);
  Reply answer(const RedisCommand& command, ReadView& view, std::uint64_t seed);
  /// Its one key is at hand, and what it may give is small.
  bool is_prompt(const Decoded<ClientRequest>& request);
  /// After each was found prompt: they still are, all together.
  bool all_in_reach(const std::vector<Decoded<ClientRequest>>& requests) const;
  /// The machine's own business does not come in between.
  bool is_quiet() const;
  /// Everything applied so far is in the database when this returns.
  void commit();
  /// Ends the overlay's generation; a WriteBack takes it and the applied state to the database, as one batch.
  /// Requires that the one before is finished.
  void begin_write_back();
  /// Between two entries: begins one when enough has gathered.
  void begin_write_back_if_due();
  /// Waits for the one that is on its way; throws its failure.
  void finish_write_back();
  /// Asks RocksDB for the flush that request_flush() wanted, once what it is about is written.
  void flush_if_asked();
  /// For the snapshot builder's thread.
  Result<void> write_back_for_others();

  // The order matters: what reads the database goes before it does.
  std::unique_ptr<Database> database;
  RecordCache cache;
  data_format::SystemState state;
  Membership membership;
  bool membership_changed = false;
  bool unwritten = false;  // something was applied that no WriteBack has
  // Both hold on to the database while it is open: there from load() until install().
  std::optional<Overlay> overlay;
  std::optional<Digests> digests;
  ReadView::Counts counts;
  StateStats totals;  // the counters in it only
  std::optional<StorageError> failed;
  std::shared_ptr<WriteBack> write_back;  // null or over: nothing is on its way
  bool write_back_offered = false;        // it was handed out by RedisMachine::work_aside
  bool flush_when_written = false;        // somebody waits for a flush of what is on its way
  std::uint64_t write_backs = 0;
  const std::uint64_t unwritten_limit;
  /// Held by every call of the machine that changes or waits; the snapshot builder's thread comes in by
  /// write_back_for_others.
  mutable std::mutex mutex;
};

}  // namespace kiwi
