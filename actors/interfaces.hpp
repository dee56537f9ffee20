#pragma once

// The table of contents of the program: who can be told and asked what. One alias per actor.
// All of these messages stay inside one actor_system; between nodes there are only frames of bytes.

#include <caf/all.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "actors/inspect.hpp"
#include "messages/client.hpp"
#include "messages/client_calls.hpp"
#include "messages/peer_messages.hpp"
#include "messages/snapshot_meta.hpp"
#include "messages/storage_calls.hpp"
#include "server/admin_call.hpp"
#include "server/node_status.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

struct LogStatsRequest {
  static constexpr const char* name = "LogStatsRequest";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};

/// How much may still be written to the disk; 0 and not `known` when the file system does not say.
struct DiskSpaceRequest {
  static constexpr const char* name = "DiskSpaceRequest";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
struct DiskSpace {
  static constexpr const char* name = "DiskSpace";
  bool known = false;
  std::uint64_t free_bytes = 0;
  /// What the log's database may yet take of it for what is written already: flushes and compactions write
  /// before they give room back.
  std::uint64_t pending_bytes = 0;
  auto fields() { return std::tie(known, free_bytes, pending_bytes); }
};

/// Turns a directory without a cluster into one of this cluster; answered when that is durable.
struct AdoptCluster {
  static constexpr const char* name = "AdoptCluster";
  ClusterId cluster;
  Membership initial;
  auto fields() { return std::tie(cluster, initial); }
};

/// Calls that came together, in their order, and their answers in the same order.
struct LogWriteGroup {
  static constexpr const char* name = "LogWriteGroup";
  std::vector<LogWrite> writes;
};
struct LogWrittenGroup {
  static constexpr const char* name = "LogWrittenGroup";
  std::vector<LogWritten> written;
};

// --- log store: owns the log database; its own thread. Failures are caf::error of category StorageError,
// see actors/storage_errors.hpp.
using LogCalls = caf::typed_actor<
    // Makes one step of the durable stream durable. Answers in order, when it is synced (rule 2).
    caf::replies_to<LogWrite>::with<LogWritten>,
    // Reads entries back.
    caf::replies_to<LogRead>::with<LogEntries>,
    // Figures for INFO.
    caf::replies_to<LogStatsRequest>::with<LogStoreFigures>,
    // How much room its disk has.
    caf::replies_to<DiskSpaceRequest>::with<DiskSpace>,
    // RAFT.CLUSTER INIT.
    caf::replies_to<AdoptCluster>::with<ClusterId>>;
/// Also takes writes by the group, and answers by the group: one message each way per sync. Either all of a
/// group is written or nothing of it is known to be.
using LogStoreActor = LogCalls::extend<caf::replies_to<LogWriteGroup>::with<LogWrittenGroup>>;

// --- state machine: owns the data database; its own thread.
struct DigestRequest {
  static constexpr const char* name = "DigestRequest";
  Index index;
  auto fields() { return std::tie(index); }
};
struct DigestAnswer {
  static constexpr const char* name = "DigestAnswer";
  bool found = false;
  StateDigest digest;
  auto fields() { return std::tie(found, digest); }
};
struct StatsRequest {
  static constexpr const char* name = "StatsRequest";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
/// The log follows the installed snapshot durably: the intent and the old state go (install, step 5).
struct FinishInstall {
  static constexpr const char* name = "FinishInstall";
  CallStamp stamp;
  auto fields() { return std::tie(stamp); }
};
struct ReceiveEnded {
  static constexpr const char* name = "ReceiveEnded";
  std::string snapshot_id;
  auto fields() { return std::tie(snapshot_id); }
};
using StateMachineActor = caf::typed_actor<
    // Applies entries in log order; answers with their replies.
    caf::replies_to<ApplyBatch>::with<Applied>,
    // Answers queries against what is applied at that moment, between two batches.
    caf::replies_to<StateQueryBatch>::with<StateAnswers>,
    // The digest as of a marker, when it is ready.
    caf::replies_to<DigestRequest>::with<DigestAnswer>,
    // Figures for INFO.
    caf::replies_to<StatsRequest>::with<StateStats>,
    // What is applied becomes durable soon, so that the log can be purged.
    caf::replies_to<FlushState>::with<StateFlushing>,
    // A received snapshot becomes the state; and the end of that, once the log follows.
    caf::replies_to<InstallSnapshot>::with<SnapshotInstalled>, caf::replies_to<FinishInstall>::with<Index>>;

// --- beside the state machine: what it can leave to another thread (StateMachine::work_aside).
struct WorkAside {
  static constexpr const char* name = "WorkAside";
  std::function<void()> work;
};
using AsideActor = caf::typed_actor<caf::reacts_to<WorkAside>>;

/// What the raft actor sees of storage: the union, with one error type (the adaptor).
using StorageActor = LogCalls::extend_with<StateMachineActor>;

// --- snapshot builder: owns DIR/snapshots: builds, sends, receives; its own thread. It never speaks to the
// network itself: what it says to other nodes goes through the raft actor.
/// Builds a snapshot of a state of at least this index (the raft actor puts what is applied for 0), or takes
/// the one there is. Kept until it has not been asked for anything for a while.
struct BuildSnapshot {
  static constexpr const char* name = "BuildSnapshot";
  Index at_least;
  auto fields() { return std::tie(at_least); }
};
/// Receives a snapshot; answered when all of it is there, verified and synced. Another one that is being
/// received is given up (its files stay for reuse), and its question answered with an error.
struct ReceiveSnapshot {
  static constexpr const char* name = "ReceiveSnapshot";
  NodeId from;
  SnapshotManifest manifest;
  auto fields() { return std::tie(from, manifest); }
};
struct SnapshotReceived {
  static constexpr const char* name = "SnapshotReceived";
  SnapshotMeta meta;
  std::string folder;
  auto fields() { return std::tie(meta, folder); }
};
/// SnapshotFetch and SnapshotPart: from a peer to the builder, and from the builder to a peer.
struct SnapshotTraffic {
  static constexpr const char* name = "SnapshotTraffic";
  NodeId peer;
  std::vector<PeerMessage> messages;
};
struct SnapshotFiguresRequest {
  static constexpr const char* name = "SnapshotFiguresRequest";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
/// Where the builder's words for peers and its progress go: the raft actor, which says who it is.
using SnapshotOutlet = caf::typed_actor<caf::reacts_to<SnapshotTraffic>, caf::reacts_to<SnapshotProgress>>;
struct ConnectOutlet {
  static constexpr const char* name = "ConnectOutlet";
  SnapshotOutlet outlet;
};
using SnapshotBuilderActor = caf::typed_actor<
    caf::reacts_to<ConnectOutlet>, caf::replies_to<BuildSnapshot>::with<SnapshotManifest>,
    caf::replies_to<ReceiveSnapshot>::with<SnapshotReceived>, caf::reacts_to<SnapshotTraffic>,
    // The received snapshot is installed, or given up: its folder is not looked at any more.
    caf::reacts_to<ReceiveEnded>, caf::replies_to<SnapshotFiguresRequest>::with<SnapshotFigures>>;

// --- client's side of a connection: gets the answers to what it submitted, in any order.
using ClientPort = caf::typed_actor<caf::reacts_to<Answers>>;

/// A batch of commands of one connection, in the order the client sent them (rule 13). `client` is unique
/// per connection within this node.
struct Submit {
  static constexpr const char* name = "Submit";
  std::uint64_t client = 0;
  ClientPort port;
  std::vector<ClientCommand> commands;
  std::uint64_t sent_us = 0;  // as in Answers
};

// --- embedding: one write or read, answered by a promise.
struct Propose {
  static constexpr const char* name = "Propose";
  Bytes payload;
  auto fields() { return std::tie(payload); }
};
struct Query {
  static constexpr const char* name = "Query";
  Bytes payload;
  bool stale = false;
  auto fields() { return std::tie(payload, stale); }
};

// --- peers
struct FromPeer {
  static constexpr const char* name = "FromPeer";
  NodeId from;
  std::vector<PeerMessage> messages;
};
/// What was queued for this peer is lost: link down, or queue full.
struct PeerUnreachable {
  static constexpr const char* name = "PeerUnreachable";
  NodeId peer;
  auto fields() { return std::tie(peer); }
};
/// Its process ended, by all that can be seen from here: the link was up and broke, and since then somebody
/// answered at its address that nobody listens there. Once per loss of the link.
struct PeerGone {
  static constexpr const char* name = "PeerGone";
  NodeId peer;
  auto fields() { return std::tie(peer); }
};
/// Both lanes to this peer are up: what is sent from now on leaves.
struct PeerUp {
  static constexpr const char* name = "PeerUp";
  NodeId peer;
  auto fields() { return std::tie(peer); }
};
/// A peer refused this node because the cluster removed it.
struct ToldRemoved {
  static constexpr const char* name = "ToldRemoved";
  NodeId by;
  auto fields() { return std::tie(by); }
};
/// May the sender of this Hello speak to us? Answered once its instance is durably bound (rule 11).
struct HelloQuestion {
  static constexpr const char* name = "HelloQuestion";
  Hello hello;
  auto fields() { return std::tie(hello); }
};
struct HelloVerdict {
  static constexpr const char* name = "HelloVerdict";
  std::string refusal;  // empty: welcome
  Hello own;            // what to answer with
  auto fields() { return std::tie(refusal, own); }
};
struct ToPeer {
  static constexpr const char* name = "ToPeer";
  std::vector<PeerMessage> messages;
};
/// The peer called this node and was welcomed, so it is there: no long pause before the next attempt to call
/// it.
struct PeerCalled {
  static constexpr const char* name = "PeerCalled";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
/// One per other node: owns the outgoing connections to it (a control lane and a bulk lane) and their bounded
/// queues. Never blocks; drops and reports PeerUnreachable instead.
using PeerActor = caf::typed_actor<caf::reacts_to<ToPeer>, caf::reacts_to<PeerCalled>>;

struct Bootstrap {
  static constexpr const char* name = "Bootstrap";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
struct DigestMarker {
  static constexpr const char* name = "DigestMarker";
  std::uint8_t unused = 0;
  auto fields() { return std::tie(unused); }
};
struct StatusRequest {
  static constexpr const char* name = "StatusRequest";
  bool with_stats = false;  // also ask storage for its figures (INFO)
  auto fields() { return std::tie(with_stats); }
};
using StatusPtr = std::shared_ptr<const NodeStatus>;

// --- the raft actor: owns the core. The handle to a replica.
using ReplicaActor = caf::typed_actor<
    // Commands of a connection; answers go to its port.
    caf::reacts_to<Submit>,
    // A write: answered when applied here. A linearizable (or stale) read.
    caf::replies_to<Propose>::with<ClientResponse>, caf::replies_to<Query>::with<ClientResponse>,
    // From the network.
    caf::reacts_to<FromPeer>, caf::reacts_to<PeerUnreachable>, caf::reacts_to<PeerGone>,
    caf::reacts_to<PeerUp>, caf::reacts_to<ToldRemoved>, caf::replies_to<HelloQuestion>::with<HelloVerdict>,
    // Role, term, members, followers, counters.
    caf::replies_to<StatusRequest>::with<StatusPtr>,
    // Puts a digest marker into the log; answered with its index when applied here.
    caf::replies_to<DigestMarker>::with<Index>, caf::replies_to<DigestRequest>::with<DigestAnswer>,
    // RAFT.CLUSTER INIT.
    caf::replies_to<Bootstrap>::with<ClusterId>,
    // RAFT.NODE, RAFT.TRANSFER_LEADER, RAFT.CLUSTER JOIN, and leaving before a stop.
    caf::replies_to<AdminCall>::with<AdminAnswer>,
    // From the snapshot builder.
    caf::reacts_to<SnapshotTraffic>, caf::reacts_to<SnapshotProgress>,
    // RAFT.SNAPSHOT and RAFT.SNAPSHOT LIST.
    caf::replies_to<BuildSnapshot>::with<SnapshotManifest>,
    caf::replies_to<SnapshotFiguresRequest>::with<SnapshotFigures>>;

}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::LogWriteGroup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::LogWrittenGroup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::WorkAside)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::Submit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::AdminCall)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::SnapshotTraffic)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::ConnectOutlet)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::FromPeer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::ToPeer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::StatusPtr)
