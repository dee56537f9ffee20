#pragma once

// One simulated node: a Core, a disk that forgets everything unsynced, a state machine that is just an index.
// It is a driver in the sense of core.hpp, and tells the checker everything.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "raft/core.hpp"
#include "tests/unit/raft/checker.hpp"

namespace kiwi::raft {

class SimNode {
 public:
  SimNode(Options options, Membership initial, Checker& checker);

  NodeId id() const { return options_.id; }
  bool up() const { return core_.has_value(); }
  Core& core() { return *core_; }
  const Core& core() const { return *core_; }
  Disk& disk() { return disk_; }
  Options& options() { return options_; }  // for the next start

  void start();
  /// Of the writes on their way the first `survive` reach the disk all the same.
  void crash(std::size_t survive = 0);

  // --- Inputs; each is followed by handling the output.
  void tick();
  void step(NodeId from, PeerMessage message);
  std::optional<Index> propose(const std::string& text);
  bool read(std::uint64_t token, Index at_least = Index(0));
  void unreachable(NodeId peer);
  void set_clock(std::uint64_t ms, std::uint64_t steady_us);
  /// Several inputs, one output.
  void turn(const std::function<void(Core&)>& inputs);

  // --- Storage works when told to.
  std::size_t writes_waiting() const { return writes_.size(); }
  /// Syncs `count` writes as one group; tells the core of each of them, or only of the last.
  void persist(std::size_t count, bool tell_each = true);
  std::size_t apply_waiting() const { return to_apply_.size(); }
  /// Applies up to `count` entries, and answers the reads between them.
  void apply(std::size_t count);
  std::size_t fetches_waiting() const { return fetches_.size(); }
  void answer_fetch(std::size_t which, bool fail = false);
  /// Writes down how far the state machine is, and tells the core.
  void save_applied();
  /// The state machine's data is gone from the disk. Only while down.
  void lose_data() {
    disk_.applied = Index(0);
    disk_.applied_stamp_ms = 0;
    disk_.applied_membership = {};
  }

  // --- Snapshots. The state is the applied index, so a snapshot is its meta only.
  /// Who needs one of at least which index, as the core said.
  std::vector<SnapshotWanted> take_wanted() { return std::exchange(wanted_, {}); }
  /// What is durable here, as a snapshot for `peer`; or none.
  void offer_snapshot(const SnapshotWanted& wanted);
  /// What is offered to this node; the last offer counts.
  std::optional<SnapshotMeta> take_offer() { return std::exchange(offer_, std::nullopt); }
  /// It begins to come.
  void receiving(const SnapshotMeta& meta);
  /// All of it came, or not.
  void received(const SnapshotMeta& meta, bool whole);
  std::uint64_t purges() const { return purges_; }
  std::uint64_t installs() const { return installs_; }
  std::uint64_t resets() const { return resets_; }
  bool storage_busy() const {
    return !writes_.empty() || !to_apply_.empty() || !fetches_.empty() || to_install_.has_value();
  }
  bool install_waiting() const { return to_install_.has_value(); }

  // --- What came out
  std::vector<Outgoing> take_messages();
  struct Served {
    std::uint64_t token = 0;
    Index at;
    std::uint64_t now_ms = 0;
  };
  std::vector<Served> served;              // reads, in order
  std::vector<std::uint64_t> failed;       // reads
  std::vector<std::string> applied_texts;  // since the last start
  std::vector<Entry> log;                  // the log as the core has it in memory
  std::uint64_t lost_leadership = 0;
  std::vector<TransferEnd> transfers_ended;
  Index machine() const { return machine_; }

 private:
  struct AskedRead {
    Index floor;
    Index p;
    Index at_least;
  };
  void handle();
  void serve_reads();
  void install();
  void finish_install_at_start();
  void check_membership(const std::vector<Entry>& appended);
  Checker::Named newest_in_log(Index below) const;

  Options options_;
  Checker& checker_;
  Disk disk_;
  std::optional<Core> core_;
  std::deque<Output> writes_;  // the durable parts
  std::deque<Entry> to_apply_;
  std::deque<ReadyRead> reads_;
  std::vector<Fetch> fetches_;
  std::vector<Outgoing> messages_;
  std::map<std::uint64_t, AskedRead> asked_;
  std::map<Index, Term> proposed_;
  LogId purged_;  // of `log`
  std::vector<SnapshotWanted> wanted_;
  std::optional<SnapshotMeta> offer_;
  std::optional<SnapshotMeta> to_install_;  // behind what is to be applied
  std::uint64_t purges_ = 0, installs_ = 0, resets_ = 0;
  Index machine_;  // applied, in memory
  std::uint64_t machine_stamp_ms_ = 0;
  Checker::Named machine_membership_;
  Membership membership_before_;  // after the last turn
  Index handed_;
  Index commit_;
  Term term_;
  Role role_ = Role::follower;
};

}  // namespace kiwi::raft
