#pragma once

// Owns DIR/snapshots of one replica (docs/snapshots.md): builds snapshots of its state machine, away from
// apply, sends them part by part to those who fetch, and receives one. A machine without snapshots gives no
// builder: then every request is answered with StorageKind::unsupported, and every fetch with "gone".
//
//   DIR/snapshots/built/<id>/      what can be fetched: snapshot_sender.hpp
//   DIR/snapshots/incoming/<id>/   what is being received: snapshot_incoming.hpp, snapshot_receiver.hpp
//   DIR/snapshots/own/             for a moment: links to the database's own files
//
// It blocks on the disk only. What takes long is done in slices, with messages to itself in between.

#include <cstdint>
#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/snapshot_receiver.hpp"
#include "actors/snapshot_sender.hpp"
#include "actors/spawn_mode.hpp"

namespace rocksdb {
class Env;
}

namespace kiwi {

struct SnapshotBuilderOptions {
  std::string dir;              // DIR/snapshots
  rocksdb::Env* env = nullptr;  // null: the system's; must outlive the actor
  /// Bytes per second to all receivers together, as they travel; at least kLeastSnapshotRate. 0: unlimited,
  /// but for the kPartsPerTick of each peer, which are 120 MiB per second.
  std::uint64_t rate = 0;
  /// The receiver's: parts asked for at a time, patience, when it gives up.
  SnapshotReceiver::Options receive;
  /// A built snapshot that nobody fetched from for so long is removed.
  std::uint64_t keep_ms = 60'000;
  /// What an unfinished transfer left is kept for so long for the next one.
  std::uint64_t keep_incoming_ms = 3'600'000;
  std::shared_ptr<spdlog::logger> log;  // null: silent
};

using PaceAtom = caf::atom_constant<caf::atom("pace")>;
using AgeAtom = caf::atom_constant<caf::atom("age")>;
using GoOnAtom = caf::atom_constant<caf::atom("goon")>;

/// What the actor implements: its interface, and what it says to itself.
using SnapshotBuilderImpl =
    SnapshotBuilderActor::extend<caf::reacts_to<PaceAtom>, caf::reacts_to<AgeAtom>, caf::reacts_to<GoOnAtom>>;

struct SnapshotBuilderState {
  using Self = SnapshotBuilderImpl::stateful_pointer<SnapshotBuilderState>;
  static constexpr const char* name = "snapshot-builder";

  explicit SnapshotBuilderState(Self actor) : self(actor) {}
  void start(std::unique_ptr<SnapshotBuilder> machine, const SnapshotBuilderOptions& given);

  caf::result<SnapshotManifest> build(const BuildSnapshot& call);
  caf::result<SnapshotReceived> receive(const ReceiveSnapshot& call);
  void receive_ended(const ReceiveEnded& m);
  void traffic(const SnapshotTraffic& m);
  SnapshotFigures figures() const;
  void pace();
  void age();
  void go_on();
  void stop(const caf::error& reason);

  /// Says and arms what the last message made necessary; the end of every handler.
  void after();
  void conclude(Result<void> outcome);
  void answer_receive(const StorageError& error);
  void report_progress();
  void remove_incoming(const char* reason);
  SnapshotProgress progress() const;
  std::uint64_t now_ms() const;

  Self self;
  SnapshotBuilderOptions options;
  std::unique_ptr<SnapshotBuilder> builder;
  std::unique_ptr<storage::SnapshotFiles> files;
  std::unique_ptr<SnapshotSender> sender;
  std::unique_ptr<SnapshotReceiver> receiver;
  SnapshotOutlet outlet;

  caf::typed_response_promise<SnapshotReceived> asker;  // of the transfer under way
  bool ready = false;   // the receive was answered: the database is being swapped, until ReceiveEnded
  std::string useless;  // the id of the last one that was whole and could not be used
  std::uint64_t useless_until_ms = 0;
  bool leftovers = false;  // something lies in incoming/ that no transfer uses
  std::uint64_t leftovers_ms = 0;
  std::uint64_t began_ms = 0;  // this transfer
  SnapshotProgress told;       // to the outlet
  std::uint32_t untold_ms = 0;
  bool pacing = false, aging = false, going_on = false;  // the message is on its way
  SnapshotFigures counts;  // the sender's and receiver's own are added when asked for
};

/// `builder` of the state machine, or why there is none.
SnapshotBuilderActor spawn_snapshot_builder(caf::actor_system& system, SpawnMode mode,
                                            Result<std::unique_ptr<SnapshotBuilder>> builder,
                                            SnapshotBuilderOptions options);

}  // namespace kiwi
