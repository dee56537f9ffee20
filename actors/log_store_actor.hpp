#pragma once

// Owns the log database of one replica. Group commit without a timer: each write is put aside, and a message
// to itself, which queues behind all writes that are already waiting, makes them durable together.

#include <memory>
#include <variant>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/scrub_pace.hpp"
#include "actors/spawn_mode.hpp"
#include "messages/stage_times.hpp"
#include "storage/data_directory.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

/// What the actor implements: its interface, and what it says to itself.
using LogStoreImpl = LogStoreActor::extend<caf::reacts_to<caf::flush_atom>, caf::reacts_to<ScrubSlice>>;

struct LogStoreState {
  using Self = LogStoreImpl::stateful_pointer<LogStoreState>;
  static constexpr const char* name = "log-store";

  explicit LogStoreState(Self actor) : self(actor) {}

  /// Who waits for `writes` of the group's writes.
  struct Caller {
    std::size_t writes = 0;
    std::variant<caf::typed_response_promise<LogWritten>, caf::typed_response_promise<LogWrittenGroup>>
        promise;
  };

  caf::result<LogWritten> write(LogWrite& call);
  caf::result<LogWrittenGroup> write_group(LogWriteGroup& call);
  void flush();
  void answer(Caller& caller, std::vector<LogWritten> written);
  static void fail(Caller& caller, const caf::error& error);
  caf::result<LogEntries> read(const LogRead& call);
  caf::result<ClusterId> adopt(const AdoptCluster& call);
  LogStoreFigures figures() const;
  DiskSpace space() const;
  /// Reads a slice and asks for the next. Damage ends the actor.
  void scrub();
  /// Answers what is still put aside (rule 12), then ends. Nothing of it was handed to the disk.
  void stop(const caf::error& reason);

  Self self;
  /// Destroyed after the store: nobody else may open the directory while this store is open.
  std::shared_ptr<storage::DataDirectory> directory;
  std::unique_ptr<storage::LogStore> store;
  std::uint64_t epoch = 0;
  ScrubPace pace;
  std::shared_ptr<StageTimes> stages;  // may be null
  std::vector<LogWrite> group;
  std::vector<Caller> callers;  // in the order of `group`, and for all of it
};

/// `epoch` names this life of the actor; calls with another one are refused (rule 3).
LogStoreActor spawn_log_store(caf::actor_system& system, SpawnMode mode,
                              std::unique_ptr<storage::LogStore> store, std::uint64_t epoch,
                              std::shared_ptr<storage::DataDirectory> directory = nullptr,
                              std::uint64_t scrub_bytes_per_second = 0,
                              std::shared_ptr<StageTimes> stages = nullptr);

}  // namespace kiwi
