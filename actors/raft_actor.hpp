#pragma once

// The driver of the core: the one owner of term, vote, role, log index and membership (rule 1). It is met
// three times by each write, which are Raft's three facts: proposed (clients), durable (persisted), applied.
//
//   raft_actor.cpp    the driver loop and the behaviour
//   raft_clients.cpp  commands in, answers out: who waits for what
//   raft_peers.cpp    who may speak to us
//   raft_links.cpp    to whom we speak: links are made and ended as the membership says
//   raft_admin.cpp    changes of membership, transfers of leadership, joining
//   raft_snapshots.cpp  who gets one, and the install of one
//   raft_room.cpp     how full the disk is
//   raft_status.cpp   what INFO and CLUSTER are made from

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/replica_options.hpp"
#include "actors/room_watch.hpp"
#include "raft/core.hpp"

namespace kiwi {

using ReplicaImpl = ReplicaActor::extend<caf::reacts_to<caf::tick_atom>, caf::reacts_to<caf::flush_atom>>;

/// A reply slot of a connection.
struct ClientSlot {
  ClientPort port;
  std::uint64_t client = 0;
  std::uint64_t slot = 0;
  bool write = false;  // counted in RaftState::writers until it is answered
};

/// A tick of the leader's own (rule 8).
struct OwnTick {};

/// Who gets the answer. monostate: nobody any more.
using Origin = std::variant<std::monostate, OwnTick, ClientSlot, caf::typed_response_promise<ClientResponse>,
                            caf::typed_response_promise<Index>, caf::typed_response_promise<AdminAnswer>>;

struct RaftState {
  using Self = ReplicaImpl::stateful_pointer<RaftState>;
  static constexpr const char* name = "raft";

  explicit RaftState(Self actor) : self(actor) {}
  ~RaftState() {
    if (joining)
      caf::anon_send_exit(joining, caf::exit_reason::user_shutdown);
  }

  /// A proposal, until it is applied or given up.
  struct Waiting {
    Index index;
    Term term;
    std::uint64_t since_tick = 0;
    Origin origin;
  };
  /// A read, until it is answered.
  struct Reading {
    std::uint64_t since_tick = 0;
    Origin origin;
    Bytes payload;
  };
  /// A stale read (see stale_read_for), in `reading` by its token.
  struct StaleRead {
    std::uint64_t token = 0;
    std::uint64_t since_tick = 0;
    Index at;
  };
  /// Entries handed to the state machine: how many, and who waits for which of them.
  struct Applying {
    std::vector<std::pair<std::size_t, Waiting>> waiting;
    Index last;
    std::uint64_t handed_us = 0;
  };
  /// A write of this leader that is not committed yet.
  struct Replicating {
    Index last;
    std::uint64_t handed_us = 0;
  };
  /// A reply that must wait until an entry with this stamp is applied (rule 8).
  struct Held {
    std::uint64_t stamp_ms = 0;
    std::uint64_t since_tick = 0;  // when the read came
    Origin origin;
    ClientResponse response;
  };
  /// A question that storage has to answer first, and what its asker hears if the replica ends before that.
  struct Owed {
    caf::response_promise promise;
    AnswerKind at_the_end = AnswerKind::stopping;
  };
  struct Outbox {
    ClientPort port;
    std::vector<Answer> answers;
  };
  /// About an entry of `peers`.
  struct Link {
    NodeAddress address;
    std::uint64_t used_tick = 0;    // when it was last needed
    std::uint64_t member_tick = 0;  // when the peer was last a member; before: when the link was made
    bool tells_removal = false;     // it was made to say so
  };
  struct ClientWrites {
    Index last;
    std::uint32_t in_flight = 0;
  };

  // --- raft_actor.cpp
  void start();
  void tick();
  /// Takes what the core wants and does it, in the order that safety needs.
  void drive();
  /// Before each input that came from outside, and after it came: a lease is judged by this (docs/reads.md).
  void read_clocks();
  void schedule_drive();
  void write_log(raft::Output& out);
  bool may_write_at_once();
  /// Of options.stages; 0 without.
  std::uint64_t now_us() const { return options.stages ? options.stages->now() : 0; }
  void note_stage(Stage stage, std::uint64_t since_us) const {
    if (options.stages)
      options.stages->record_since(stage, since_us);
  }
  void note_commits();
  void send_messages(std::vector<raft::Outgoing> messages);
  void fetch(const raft::Fetch& fetch);
  void hand_out(std::vector<Entry> entries, const std::vector<raft::ReadyRead>& reads);
  void apply(std::vector<Entry> entries);
  void applied(Applied& result);
  void role_changed();
  void membership_changed();
  /// Asks for the disk's room now and then (option disk_reserve_bytes).
  void ask_for_room();
  void disk_space(const DiskSpace& space);
  /// A storage failure: everybody waiting hears "unknown", then the replica stops with the reason.
  void fail(const caf::error& reason, StorageSubject subject, StorageVerb verb);
  void stop(const caf::error& reason);
  /// CAF drops a promise with the actor that holds it; what is owed is answered at the end (rule 12).
  std::uint64_t owe(caf::response_promise promise, AnswerKind at_the_end);
  caf::response_promise settle(std::uint64_t debt);

  // --- raft_clients.cpp
  void submit(Submit& m);
  caf::result<ClientResponse> propose(Propose& m);
  caf::result<ClientResponse> query(Query& m);
  caf::result<Index> digest_marker();
  void propose_for(Origin origin, EntryKind kind, Bytes payload);
  void read_for(Origin origin, Bytes payload);
  /// Served from what is applied here. On a node that follows a leader it waits, three ticks at the most, for
  /// what this node's log holds already: a client that was told of its write and asks here then mostly sees
  /// it.
  void stale_read_for(Origin origin, Bytes payload);
  void release_stale_reads();
  /// Requires an index that the core just gave this leader.
  void wait_for(Index index, Origin origin);
  void propose_tick();
  enum class QueryKind { linearizable, stale };
  void run_queries(std::vector<StateQuery> queries, QueryKind kind);
  void queries_answered(StateAnswers& m);
  void release_held(std::uint64_t stamp_ms);
  void write_ended(const ClientSlot& slot);
  Outbox& outbox_for(const ClientSlot& slot);
  void answer(Origin& origin, ClientResponse response);
  void refuse(Origin& origin, AnswerKind kind);
  AnswerKind refusal_of(raft::Refusal refusal) const;
  AnswerKind not_serving() const;
  void give_up_old();
  void lost_leadership();
  void give_up_all(AnswerKind writes, AnswerKind reads);
  /// Sends the answers gathered in this turn, one message per connection.
  void deliver_answers();
  NodeAddress leader_address() const;

  // --- raft_peers.cpp
  void from_peer(FromPeer& m);
  void peer_up(NodeId peer);
  void peer_down(NodeId peer);
  void peer_gone(NodeId peer);
  /// It introduced itself and is welcome.
  void called_by(NodeId peer);
  caf::result<HelloVerdict> hello(const HelloQuestion& m);
  Hello own_hello() const;
  caf::result<ClusterId> bootstrap();
  /// A fresh node becomes one of this cluster, whose member called it.
  void accept_invitation(const Hello& from);

  // --- raft_links.cpp
  /// A link to each member of the newest membership, committed or not.
  void follow_membership();
  void make_link(const Member& peer);
  void end_link(NodeId peer);
  void end_unused_links();
  /// A node of this cluster that the membership here does not know, as when it lags behind, calls. Empty: it
  /// is answered at the address it gives.
  std::string meet_stranger(const Hello& hello);
  void heard_from(NodeId peer);
  void told_removed(NodeId by);
  /// It was removed, and that is committed.
  bool gone(NodeId node) const;

  // --- raft_admin.cpp
  caf::result<AdminAnswer> admin(AdminCall& m);
  caf::result<AdminAnswer> change_members(const AdminCall& m);
  std::optional<AdminAnswer> judge_applicant(const AdminCall& m) const;
  caf::result<AdminAnswer> change_begun(const tl::expected<Index, raft::ChangeRefusal>& begun,
                                        const char* what);
  caf::result<AdminAnswer> hand_over(const AdminCall& m);
  void transfer_ended(const raft::TransferEnd& end);
  caf::result<AdminAnswer> join(AdminCall& m);
  AdminAnswer not_for_this_node() const;

  // --- raft_snapshots.cpp
  void snapshot_wanted(const raft::SnapshotWanted& wanted);
  void snapshot_offered(raft::SnapshotOffered& offered);
  void snapshot_received(SnapshotReceived& m);
  void install_finished();
  void receive_ended(const std::string& snapshot_id);
  void flush_state();
  void snapshot_traffic_out(SnapshotTraffic& m);
  void snapshot_progress(const SnapshotProgress& m);
  /// True: it was for the snapshot builder.
  bool take_snapshot_traffic(NodeId from, PeerMessage& message);
  caf::result<SnapshotManifest> build_snapshot(BuildSnapshot& m);
  caf::result<SnapshotFigures> snapshot_figures();

  // --- raft_status.cpp
  caf::result<StatusPtr> status(const StatusRequest& m);
  NodeStatus status_without_figures() const;

  Self self;
  ReplicaOptions options;
  std::unique_ptr<raft::Core> core;
  StorageActor storage;
  SnapshotBuilderActor snapshots;  // null: this replica has none
  std::map<NodeId, PeerActor> peers;
  std::map<NodeId, Link> links;                   // same keys as `peers`
  std::map<NodeId, NodeAddress> strangers;        // see meet_stranger
  std::map<NodeId, InstanceId> bindings;          // durable
  std::map<NodeId, InstanceId> pending_bindings;  // on their way to the disk
  std::vector<NodeId> connected;                  // sorted
  std::set<NodeId> unasked;                       // a request for a vote met a link that was down

  bool drive_scheduled = false;
  std::uint64_t commands_since_write = 0;  // of clients, since the last write of the log
  std::uint64_t taken_us = 0;           // when the first command since the last drive was taken up; 0: none
  std::deque<Replicating> replicating;  // in index order; only while options.stages
  bool stopping = false;
  bool bootstrapping = false;
  std::uint64_t removed_since_tick = 0;  // not 0: this node knows that it was removed
  std::vector<std::uint64_t> transfers;  // debts to who asked for the one under way
  JoinActor joining;                     // null: it does not ask to join
  std::set<NodeId> snapshot_questions;   // for whom the builder is asked
  bool receiving_snapshot = false;       // from the question to the builder until ReceiveEnded
  bool flushing = false;                 // a FlushState is on its way
  std::string installing_id;
  std::pair<LogId, Membership> installed_membership;  // of that snapshot
  RoomWatch room;
  bool asking_for_room = false;
  std::uint64_t room_asked_ticks = 0;  // 0: not yet
  Index room_asked_at;                 // the log's last entry then
  std::uint64_t disk_free_bytes = 0;   // as it was said last
  std::uint64_t now_ticks = 0;
  raft::Role last_role = raft::Role::follower;
  std::uint64_t led_until_tick = 0;  // 0: never led
  Term last_term;
  NodeId last_leader;

  /// In index order. Invariant: holds only proposals made while this node led in `Waiting::term`.
  std::deque<Waiting> waiting;
  std::deque<Applying> applying;
  std::map<std::uint64_t, Reading> reading;  // by token; tokens grow
  std::deque<StaleRead> stale_reads;
  std::uint64_t queries_out = 0;  // batches of linearizable reads that the state machine has not answered
  std::vector<Held> held;
  std::map<std::uint64_t, Owed> owed;
  std::uint64_t next_token = 1;
  std::unordered_map<std::uint64_t, ClientWrites> writers;  // never iterated
  bool tick_in_flight = false;
  std::uint64_t applied_stamp_ms = 0;
  std::uint64_t next_deadline_ms = 0;

  std::vector<Outbox> outbox;
  std::unordered_map<std::uint64_t, std::size_t> outbox_of;  // client -> position; never iterated
};

struct ReplicaStart {
  ReplicaOptions options;
  raft::Restored restored;
  std::vector<PeerBinding> bindings;
  StorageActor storage;
  SnapshotBuilderActor snapshots;  // may be null
};

ReplicaActor spawn_raft(caf::actor_system& system, ReplicaStart start);

}  // namespace kiwi
