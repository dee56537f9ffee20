#pragma once

// Owns the log database of one replica. Group commit without a timer: each write is put aside, and a message
// to itself, which queues behind all writes that are already waiting, makes them durable together.

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/log_group.hpp"
#include "actors/open_log.hpp"
#include "actors/scrub_pace.hpp"
#include "actors/spawn_mode.hpp"
#include "messages/stage_times.hpp"

namespace kiwi {

/// What the actor implements: its interface, and what it says to itself.
using LogStoreImpl = LogStoreActor::extend<caf::reacts_to<caf::flush_atom>, caf::reacts_to<ScrubSlice>>;

struct LogStoreState {
  using Self = LogStoreImpl::stateful_pointer<LogStoreState>;
  static constexpr const char* name = "log-store";

  explicit LogStoreState(Self actor) : self(actor) {}

  caf::result<LogWritten> write(LogWrite& call);
  caf::result<LogWrittenGroup> write_group(LogWriteGroup& call);
  void flush();
  caf::result<LogEntries> read(const LogRead& call);
  caf::result<ClusterId> adopt(const AdoptCluster& call);
  LogStoreFigures figures() const;
  DiskSpace space() const;
  /// Reads a slice and asks for the next. Damage ends the actor.
  void scrub();
  /// Answers what is still put aside (rule 12), then ends. Nothing of it was handed to the disk.
  void stop(const caf::error& reason);

  Self self;
  std::shared_ptr<OpenLog> log;
  std::uint64_t epoch = 0;
  ScrubPace pace;
  std::shared_ptr<StageTimes> stages;  // may be null
  LogGroup group;

  storage::LogStore& store() const { return *log->store; }
};

/// `epoch` names this life of the actor; calls with another one are refused (rule 3).
LogStoreActor spawn_log_store(caf::actor_system& system, SpawnMode mode, std::shared_ptr<OpenLog> log,
                              std::uint64_t epoch, std::uint64_t scrub_bytes_per_second = 0,
                              std::shared_ptr<StageTimes> stages = nullptr);

}  // namespace kiwi
