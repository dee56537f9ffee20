#pragma once

// The Raft protocol as a value: no threads, no clock, no I/O, no randomness but a seed. Put inputs in, call
// take_output(), do what it says. Copyable, so that a test can fork it.
//
// Sources: "Raft" is Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended
// version); "thesis" is Ongaro's dissertation; "rule N" is docs/architecture.md, safety rules.
//
// Owner: the raft actor, and nobody else (rule 1).

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/peer_messages.hpp"
#include "messages/term_run.hpp"
#include "messages/vote.hpp"
#include "raft/clock_median.hpp"
#include "raft/core_options.hpp"
#include "raft/core_output.hpp"
#include "raft/leader_lease.hpp"
#include "raft/log_sizes.hpp"
#include "raft/log_view.hpp"
#include "raft/membership_change.hpp"
#include "raft/membership_history.hpp"
#include "raft/progress.hpp"
#include "raft/promotion.hpp"
#include "raft/read_queue.hpp"
#include "raft/stall_watch.hpp"
#include "raft/write_stream.hpp"

namespace kiwi::raft {

enum class Refusal : std::uint8_t {
  not_leader,        // see leader()
  overloaded,        // a limit of Options is reached
  too_large,         // the payload is above kMaxRequestBytes
  no_space,          // the own disk, or those of a majority, are nearly full
  handing_over,      // leadership is being transferred; ask again soon, here or at the next leader
  not_known_to_all,  // a member does not know this kind of entry yet, or has not said (rolling upgrade)
};

/// For INFO and metrics. Counts since the core was made.
struct Counters {
  std::uint64_t elections_started = 0;
  std::uint64_t elections_won = 0;
  std::uint64_t pre_votes_started = 0;
  std::uint64_t votes_granted = 0;
  std::uint64_t step_downs = 0;
  std::uint64_t check_quorum_failures = 0;
  std::uint64_t proposals = 0;
  std::uint64_t proposals_refused = 0;
  std::uint64_t reads = 0;
  std::uint64_t read_rounds = 0;
  std::uint64_t append_mismatches = 0;
  std::uint64_t purges = 0;
  std::uint64_t snapshots_installed = 0;
  std::uint64_t step_downs_own_disk = 0;  // both are among step_downs
  std::uint64_t step_downs_no_commit = 0;
  std::uint64_t membership_changes = 0;  // begun here
  std::uint64_t transfers = 0;           // begun here, for whatever reason
  std::uint64_t transfers_aborted = 0;
  std::uint64_t handovers = 0;        // transfers for want of room on the own disk
  std::uint64_t lease_reads = 0;      // among reads: confirmed by a lease, without a round
  std::uint64_t early_pre_votes = 0;  // among pre_votes_started: the leader's process was gone
};

struct FollowerStatus {
  NodeId id;
  Index match;
  Index next;
  ProgressState state = ProgressState::probe;
  std::uint64_t inflight_appends = 0;
  std::uint64_t inflight_bytes = 0;
  bool recently_active = false;
  bool voter = false;
  bool leaving = false;                 // not a member any more; it is told so
  std::uint32_t formats = 0;            // as it says; 0: it has not
  std::uint64_t snapshot_bytes = 0;     // of the snapshot on offer
  std::uint64_t snapshot_received = 0;  // of them, as it says
  DiskRoom room = DiskRoom::enough;     // as it says
};

class Core {
 public:
  Core(Options options, Restored restored);

  // --- Inputs. None of them may be called while an Output is being handled by somebody else.
  /// The local clock, Unix milliseconds; call before inputs whenever it moved. It may jump: only stamps and
  /// replies to heartbeats use it, never a time-out.
  void set_clock(std::uint64_t unix_ms);
  /// The same, and the steady clock, which counts also while the process, or its machine, sleeps: leases and
  /// promises are measured with it (Options::lease). Read both after the input came, not before: a read is
  /// true for some moment after that. A steady time that goes back counts as one that stands still.
  void set_clock(std::uint64_t unix_ms, std::uint64_t steady_us);
  /// One unit of logical time.
  void tick();
  /// A message from a peer. Messages from nodes outside the membership are answered only where Raft's safety
  /// asks for it.
  void step(NodeId from, PeerMessage message);
  /// Appends to the leader's log. The returned index is where it will be if it commits in this term.
  tl::expected<Index, Refusal> propose(EntryKind kind, Bytes payload);
  /// A linearizable read; `token` comes back in Output::reads or failed_reads. It will be served at an
  /// applied index of at least `at_least` (the asker's own last write), and before anything that is proposed
  /// after this call (rule 13, see read_queue.hpp).
  tl::expected<void, Refusal> read(std::uint64_t token, Index at_least);
  /// Write `number` and all before it are durable. `last` is what the log store says its log ends with after
  /// that write; it must agree with what the core wrote (asserted).
  void persisted(std::uint64_t number, LogId last);
  /// Everything up to `index` is applied to the state machine.
  void applied(Index index);
  /// Somebody waits for what is committed: it is handed out although little has gathered (Options::
  /// follower_apply_entries).
  void apply_promptly() { apply_due_ = commit_; }
  /// Whether reads that were given out are still being answered. Meanwhile no round of its own begins for
  /// those that came later: they would wait for the state machine anyway, and so share fewer rounds.
  void serving_reads(bool serving) { serving_reads_ = serving; }
  /// A round waits for those answers: once they are there, take_output() has something to send.
  bool round_waits() const;
  void entries_read(std::uint64_t fetch_number, std::vector<Entry> entries);
  void read_failed(std::uint64_t fetch_number);
  /// The transport lost what it had queued for `peer` (link down, queue full): in-flight appends to it count
  /// as lost and it is probed again.
  void unreachable(NodeId peer);
  /// The link to `peer` is up. `unasked`: a vote request to it did not leave while it was down; it is sent
  /// once more if the vote is still asked for and not given.
  void reachable(NodeId peer, bool unasked);
  /// The process of `peer` ended, as far as the transport can tell. True: it was the leader, and this node
  /// stands early (raft/lost_leader.cpp), at most once for each call.
  bool gone(NodeId peer);
  /// A crash now would come back to this applied index (rule 6): the log may go up to there.
  void data_durable(Index index);
  /// Leader: a snapshot for `peer`, as snapshots_wanted asked for. Ignored when it is not wanted any more.
  void offer_snapshot(NodeId peer, std::shared_ptr<const SnapshotManifest> manifest);
  /// None can be had now; asked again later.
  void no_snapshot(NodeId peer);
  /// Follower: so many bytes of this snapshot are here. Empty: none is being received.
  void snapshot_progress(const std::string& snapshot_id, std::uint64_t received);
  /// A received snapshot is whole. True: install it, behind everything that was handed out, and call
  /// installed(). Until then nothing is handed out, and this node does not campaign. False: it is of no use
  /// any more.
  bool begin_install(const SnapshotMeta& meta);
  /// The state machine is the snapshot's state, durably.
  void installed(const SnapshotMeta& meta);
  bool installing() const { return installing_.has_value(); }
  /// The state machine lost its state, and the log does not reach back to its beginning: nothing is applied,
  /// and this node does not campaign, before a snapshot is installed.
  bool needs_snapshot() const { return applied_ < log_.purged().index; }

  /// How much room the own disk has left (docs/architecture.md, full disks).
  void set_room(DiskRoom room);
  DiskRoom room() const { return room_; }
  /// Leader: commands of clients are proposed: the own disk and those of a majority have room.
  bool takes_commands() const { return takes_commands_; }

  /// A cluster of one: makes this node, which belongs to no cluster, its only voter (RAFT.CLUSTER INIT).
  /// Requires has_cluster() to be false.
  void bootstrap(Membership membership);

  // --- Membership and leadership (membership_change.hpp says what happens, and what is refused)
  /// Begins a change. Returns the index of its first membership entry, which is the number of the new
  /// configuration; the change is done when change_status() says so, not before.
  tl::expected<Index, ChangeRefusal> change_membership(const MembershipChange& change);
  /// Ends a change whose node has not caught up yet; it stays a learner. Returns as change_membership does.
  tl::expected<Index, ChangeRefusal> cancel_change();
  /// Hands leadership to voter `target`, or to the best one (0). See Output::transfer_ended.
  tl::expected<void, ChangeRefusal> transfer_leadership(NodeId target);
  /// A peer that knows a committed membership says that this node was removed (a refused handshake, say).
  void told_removed();

  Output take_output();

  // --- Reading the state
  ChangeStatus change_status() const;
  bool transferring() const { return role_ == Role::leader && transfer_.has_value(); }
  /// This node was a member and was removed for good: it stands in no election any more.
  bool removed() const;
  /// Whom a connection is needed to: the members, and on a leader those that are told of their removal.
  std::vector<Member> peers() const;
  /// Leader: every member has said that it knows these formats (messages/known_formats.hpp).
  bool everyone_knows(std::uint32_t formats) const;
  Role role() const;
  Term term() const;
  /// 0: not known.
  NodeId leader() const;
  Vote vote() const;
  Index commit() const;
  /// Entries of this leader wait for its disk before they leave (Options::hold_back_bytes).
  bool holds_back() const { return role_ == Role::leader && let_go_ < log_.last().index; }
  Index durable() const;
  Index applied() const;
  /// Handed out to be applied, the last one.
  Index handed_out() const { return handed_; }
  LogId last_log_id() const;
  const LogView& log() const { return log_; }
  /// Weight of the log on disk, about.
  std::uint64_t log_bytes() const { return sizes_.bytes(); }
  bool has_cluster() const;
  const Membership& membership() const;
  /// Leader: the no-op of its term is committed, so reads can be served.
  bool leader_ready() const;
  /// Leader, Options::lease: a read that comes now needs no round, by the clock of the last set_clock().
  bool lease_holds() const;
  /// The leader's time: max(last stamp, median of the voters' clocks) (rule 8). Elsewhere: the last stamp.
  /// While this node leads it never goes below what it said with an entry's stamp or a ReadyRead: a tick that
  /// is proposed after a read has a stamp of at least that read's now_ms, whatever the clocks do meanwhile.
  std::uint64_t agreed_time_ms() const;
  /// Followers: everything that the leader had committed when it was first heard is applied (for -LOADING).
  bool caught_up_once() const;
  /// Weight of the entries above the commit index, as far as they are in memory.
  std::uint64_t uncommitted_bytes() const;
  std::uint64_t log_bytes_in_memory() const;
  std::vector<FollowerStatus> followers() const;  // leader only; else empty
  const Counters& counters() const;
  const Options& options() const;

 private:
  enum class FetchFor : std::uint8_t { apply, follower };
  struct OpenFetch {
    std::uint64_t number = 0;
    FetchFor purpose = FetchFor::apply;
    NodeId follower;  // of a fetch for a follower
    Index first;
    Index last;
  };
  /// An acknowledgement that waits for its entries to become durable here.
  struct HeldAck {
    Index match;
    std::uint64_t round = 0;
    std::uint64_t sequence = 0;
  };
  struct Handed {
    Index last;
    std::uint64_t bytes = 0;
  };
  /// A former member that is still sent the log, until it knows.
  struct Leaving {
    Member member;
    Index left_at;                  // the entry without it
    std::uint64_t since_ticks = 0;  // since when that is committed
    std::uint64_t told_ticks = 0;   // when it was first told so; 0: not yet
  };
  struct Transfer {
    NodeId target;
    Term term;
    std::uint64_t since_ticks = 0;
    std::uint64_t asked_ticks = 0;  // when it was last asked to stand; 0: not yet
    bool requested = false;         // by transfer_leadership: Output::transfer_ended is owed
  };

  // raft/core.cpp: construction, messages in, reading the state
  template <class Message>
  void send(NodeId to, Message message) {
    out_.messages.push_back({to, PeerMessage(std::move(message))});
  }
  void check() const;
  std::uint64_t random();
  void membership_changed();
  void append_entry(Entry entry);
  std::uint32_t unanswered_ticks() const;

  // raft/election.cpp (Raft 5.2, 5.4.1; thesis 4.2.3, 6.2, 9.6)
  bool promotable() const;
  bool alone() const;
  bool hears_leader() const;
  bool disk_is_late() const;
  void reset_election_timer();
  void tick_election();
  void follow(Term term, NodeId leader);
  void adopt(Term term);
  void set_idle_role();
  void stop_leading();
  void step_down(StepDown why);
  void pre_campaign();
  void campaign(bool transfer);
  VoteRequest vote_request() const;
  void request_votes();
  bool asks_first(NodeId other, const VoteRequest& m) const;
  bool stands() const;
  void count_votes();
  void become_leader();
  LogId durable_log_id() const;
  void handle(NodeId from, const VoteRequest& m);
  void handle(NodeId from, const VoteResponse& m);
  void handle(NodeId from, const TimeoutNowRequest& m);

  // raft/lost_leader.cpp: standing early
  bool hurries() const;
  void forget_loss();

  // raft/lease.cpp: reads without a round
  std::uint64_t promise_us() const;
  void promise();
  bool promised() const;
  std::uint64_t lease_clock_us() const;
  void begin_round();
  void confirm_by_lease();

  // raft/room.cpp: nearly full disks
  bool has_room(NodeId id) const;
  void weigh_room();
  void hand_over_for_room();
  bool no_room_for(const AppendRequest& m) const;
  bool waits_for_room(const Progress& p) const;
  bool majority_takes_entries() const;
  /// A message of the leader of `term`: false when that is over.
  bool heard_leader(NodeId from, Term term);

  // raft/membership_change.cpp: Raft 6, thesis 4
  std::optional<ChangeRefusal> not_now() const;
  tl::expected<Membership, ChangeRefusal> planned(const MembershipChange& change) const;
  std::optional<ChangeRefusal> lacks_quorum(const Membership& next) const;
  Index append_membership(Membership membership);
  void advance_membership();
  void tick_membership();
  void promote();
  void note_leaving();
  bool asked_as_voter() const;

  // raft/transfer.cpp: thesis 3.10
  bool may_lead(const Progress& p) const;
  NodeId best_successor() const;
  void hand_over(NodeId target, bool requested);
  void advance_transfer();
  void tick_transfer();
  void end_transfer(TransferEnd::Outcome outcome);

  // raft/replication.cpp (Raft 5.3): the follower's side
  void handle(NodeId from, AppendRequest& m);
  void handle(NodeId from, const HeartbeatRequest& m);
  void truncate_from(Index from);
  void raise_commit(Index commit);
  void release_held();

  // raft/followers.cpp: the leader's side
  void handle(NodeId from, const AppendResponse& m);
  void handle(NodeId from, const HeartbeatResponse& m);
  void tick_leader();
  bool in_the_way();
  bool hand_over_log();
  Index quorum_on_disk() const;
  Progress* progress_of(NodeId id);
  const Progress* progress_of(NodeId id) const;
  Progress* response_from(NodeId from, Term term, std::uint64_t round, std::uint64_t clock_ms);
  Index next_after_rejection(Index previous, LogId hint) const;
  void rebuild_progress();
  void send_heartbeat(Progress& p);
  void broadcast_heartbeat();
  void replicate_to(Progress& p);
  void send_append(Progress& p, Index last);
  void send_entries(Progress& p, std::vector<Entry> entries, std::uint64_t bytes);
  bool hold_for_batch(const Progress& p, Index last) const;
  void advance_commit();
  void check_rounds();
  void refresh_agreed_clock();

  // raft/snapshots.cpp: Raft 7, and compaction
  void handle(NodeId from, InstallSnapshotRequest& m);
  void handle(NodeId from, const InstallSnapshotResponse& m);
  void handle(NodeId, const SnapshotFetch&) {}  // not for the core
  void handle(NodeId, const SnapshotPart&) {}
  void answer_offer(InstallState state, std::string reason);
  void refuse_offer(NodeId from, const InstallSnapshotRequest& m, std::string reason);
  Index least_for(const Progress& p) const;
  void want_snapshot(Progress& p);
  void offer(Progress& p);
  void tick_snapshots();
  Index purge_limit() const;
  void compact();
  void finish_install();

  // raft/output.cpp: what leaves
  void let_go();
  void emit_write();
  void hand_out();
  void emit_reads(Index handed_before);
  std::uint64_t time_of_read(Index at);
  bool fetch(FetchFor purpose, NodeId follower, Index first, Index last, std::uint64_t max_bytes);
  bool fetching(FetchFor purpose, NodeId follower) const;
  void drop_follower_fetches();
  void evict();
  void check_caught_up();

  Options options_;
  Counters counters_;
  std::uint64_t random_state_ = 0;

  // --- Raft figure 2. vote_ is the newest one; writes_ knows which one is durable.
  Vote vote_;
  LogView log_;
  MembershipHistory memberships_;
  WriteStream writes_;
  std::uint64_t last_stamp_ms_ = 0;  // the largest stamp ever seen in this log; never goes back

  // Invariant: purged <= applied_ <= handed_ <= min(commit_, durable) <= last. Each never goes back.
  Index commit_;
  Index handed_;
  Index applied_;
  Index data_durable_;  // <= applied_
  LogSizes sizes_;
  std::uint64_t compaction_ticks_ = 0;  // when it was last looked at

  // --- A snapshot on its way in. The log as it was counts until the snapshot is in both databases.
  std::string receiving_;  // the id; empty: none
  std::uint64_t received_bytes_ = 0;
  std::optional<SnapshotMeta> installing_;  // from begin_install until the log follows
  bool snapshot_in_place_ = false;  // the state machine is the snapshot's state: installed() was called

  DiskRoom room_ = DiskRoom::enough;

  // --- Role
  Role role_ = Role::follower;
  NodeId leader_;          // believed to lead now; 0: not known
  NodeId leader_of_term_;  // once known for vote_.term; there is never a second one (Raft 5.2)
  std::uint64_t now_ticks_ = 0;
  std::uint64_t timer_started_ticks_ = 0;
  std::uint64_t leader_heard_ticks_ = 0;
  std::uint32_t timeout_ticks_ = 0;
  std::uint64_t stand_back_until_ticks_ = 0;
  NodeId lost_leader_;             // its process is gone; 0: none is. Says something while it is leader_
  std::uint64_t early_ticks_ = 0;  // when to stand for that reason; 0: this was done
  std::vector<NodeId> grants_;     // who voted for this node in vote_.term; empty: it does not ask
  std::uint64_t pre_vote_round_ = 0;
  std::vector<NodeId> pre_grants_;   // pre-candidate: who would vote for it in the next term
  bool vote_requests_held_ = false;  // candidate: they wait until the own vote is durable
  bool campaign_is_transfer_ = false;

  // --- Leases (raft/lease.cpp)
  std::uint64_t steady_us_ = 0;          // of the last set_clock()
  std::uint64_t promised_until_us_ = 0;  // no vote before, but in a transfer
  bool promise_unknown_ = false;         // restarted, and the clock was not read yet
  LeaderLease lease_;                    // of this term's leadership

  // --- Promises that wait for the disk (rule 2); all belong to vote_.term.
  NodeId held_grant_;
  std::optional<std::uint64_t> held_heartbeat_round_;
  std::optional<AppendResponse> held_rejection_;
  std::deque<HeldAck> held_acks_;

  // --- Membership and leadership
  bool told_removed_ = false;
  std::uint64_t asked_as_voter_until_ticks_ = 0;  // see asked_as_voter()
  std::vector<Leaving> leaving_;                  // leader: by node id
  Promotion promotion_;                           // leader: of membership().joining
  /// Leader: a transfer under way. After it ceased to lead, until it is known who leads.
  std::optional<Transfer> transfer_;

  // --- Leader
  std::vector<Progress> progress_;  // by node id; without the own one
  Index noop_;                      // the first entry of the own term
  Index let_go_;                    // entries up to here may leave: to the own disk, and to followers
  std::uint64_t heartbeat_sent_ticks_ = 0;
  std::uint64_t handed_over_ticks_ = 0;  // for want of room; 0: not in this term
  bool takes_commands_ = true;
  StallWatch stall_watch_;
  ReadQueue reads_;
  bool serving_reads_ = false;  // of whatever term
  ClockMedian clocks_;
  std::uint64_t agreed_clock_ms_ = 0;  // clocks_.agreed() of now
  std::uint64_t told_ms_ = 0;          // the largest now_ms of this term's reads
  Index told_at_;                      // the position of the last read of this term

  // --- Applying
  std::deque<Handed> applying_;  // handed out and not reported applied, oldest first
  std::uint64_t applying_bytes_ = 0;
  Index apply_due_;  // committed at the last tick, or asked for: does not wait for more entries to be handed
                     // out with
  std::vector<Entry> fetched_;  // to be handed out next; read back from the log store
  std::vector<OpenFetch> open_fetches_;
  std::uint64_t next_fetch_ = 1;
  bool fetch_failed_ = false;  // no new fetches until the next tick
  std::optional<Index> catch_up_to_;
  bool caught_up_ = false;

  Output out_;
};

}  // namespace kiwi::raft
