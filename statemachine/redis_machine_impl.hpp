#pragma once

// Private to redis_machine*.cpp.

#include <memory>
#include <optional>

#include "messages/client.hpp"
#include "statemachine/data_format.hpp"
#include "statemachine/digest.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/engine/overlay.hpp"
#include "statemachine/engine/read_view.hpp"
#include "statemachine/redis_machine.hpp"

namespace kiwi {

struct RedisMachine::Impl {
  Impl(std::unique_ptr<Database> opened, std::size_t cached_records)
      : database(std::move(opened)), cache(cached_records) {}

  /// Reads what the database holds, or makes a new one of it. Throws StorageFailure.
  void load(const Membership& initial);
  /// Steps 2 and 3 of an install (docs/snapshots.md). Throws StorageFailure.
  void install(const SnapshotMeta& meta);
  /// Whether that will work, as far as it can be known while the old state is there.
  Result<void> check_install(const SnapshotMeta& meta, const std::string& folder) const;
  /// DIR, of which the database is DIR/data.
  std::string directory() const;

  Reply apply_entry(const Entry& entry);
  Reply apply_command(const Entry& entry);
  Reply answer(const RedisCommand& command, ReadView& view, std::uint64_t seed);
  /// Everything applied so far goes to the database, with the applied state, as one batch.
  void commit();

  // The order matters: what reads the database goes before it does.
  std::unique_ptr<Database> database;
  RecordCache cache;
  data_format::SystemState state;
  Membership membership;
  bool membership_changed = false;
  // Both hold on to the database while it is open: there from load() until install().
  std::optional<Overlay> overlay;
  std::optional<Digests> digests;
  ReadView::Counts counts;
  StateStats totals;  // the counters in it only
  std::optional<StorageError> failed;
};

}  // namespace kiwi
