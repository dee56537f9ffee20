#pragma once

// One core, driven by hand with forged messages. Its disk completes a write when told to.

#include <deque>
#include <string>
#include <vector>

#include "raft/core.hpp"

namespace kiwi::raft {

inline Membership voters(std::size_t count) {
  std::vector<Member> members;
  for (std::size_t i = 1; i <= count; ++i) members.push_back({NodeId(i), {}});
  return membership_of(members);
}

inline LogId at(std::uint64_t term, std::uint64_t index) { return {Term(term), Index(index)}; }

inline Entry entry(std::uint64_t term, std::uint64_t index) {
  Entry e;
  e.id = at(term, index);
  e.kind = EntryKind::command;
  e.payload = Bytes::copy_of("t" + std::to_string(term) + "i" + std::to_string(index));
  return e;
}

/// The state of a node whose log has entries of these terms, all durable, none known as committed.
inline Restored restored(const std::vector<std::uint64_t>& terms, Vote vote, Membership members) {
  Restored r;
  r.vote = vote;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (r.runs.empty() || r.runs.back().term != Term(terms[i]))
      r.runs.push_back({Term(terms[i]), Index(i + 1)});
    r.last = at(terms[i], i + 1);
  }
  r.memberships = {{LogId{}, std::move(members)}};
  return r;
}

/// Of a message that the core sends: all of those carry one.
inline Term term_of(const PeerMessage& message) {
  return std::visit(
      [](const auto& m) {
        if constexpr (requires { m.term; })
          return m.term;
        else
          return Term{};
      },
      message);
}

class Lone {
 public:
  Lone(std::uint64_t id, std::size_t cluster, const std::vector<std::uint64_t>& terms, std::uint64_t term,
       std::uint64_t voted_for = 0)
      : Lone(options(id), restored(terms, {Term(term), NodeId(voted_for)}, voters(cluster))) {}
  Lone(Options o, Restored r) : core(o, std::move(r)), written(core.last_log_id()) { take(); }

  static Options options(std::uint64_t id) {
    Options o;
    o.id = NodeId(id);
    return o;
  }

  /// A forged answer to a pre-vote that names no round answers the last one.
  void step(std::uint64_t from, PeerMessage m) {
    if (auto* vote = std::get_if<VoteResponse>(&m); vote != nullptr && vote->round == 0)
      vote->round = pre_vote_round;
    core.step(NodeId(from), std::move(m));
    take();
  }
  void tick(int count = 1) {
    for (; count > 0; --count) {
      core.tick();
      take();
    }
  }
  /// The disk completes the oldest `count` writes, one by one.
  void sync(std::size_t count = 1000) {
    for (; count > 0 && !writes.empty(); --count) {
      const auto [number, last] = writes.front();
      writes.pop_front();
      core.persisted(number, last);
      take();
    }
  }
  void take() {
    Output out = core.take_output();
    if (out.write != 0) {
      if (out.reset_to != LogId{})
        written = out.reset_to;
      if (!out.entries.empty())
        written = out.entries.back().id;
      writes.emplace_back(out.write, written);
      last_write = out;
    }
    for (Outgoing& m : out.messages) {
      if (const auto* vote = std::get_if<VoteRequest>(&m.message))
        pre_vote_round = vote->round;
      sent.push_back(std::move(m));
    }
    for (Entry& e : out.apply) applied.push_back(e);
    for (ReadyRead& r : out.reads) reads.push_back(r);
    for (Fetch& f : out.fetches) fetches.push_back(f);
    for (std::uint64_t t : out.failed_reads) failed.push_back(t);
    lost_leadership = lost_leadership || out.lost_leadership;
  }
  /// Messages of one kind that were sent to `to` (0: anybody) since the last forget().
  template <class M>
  std::vector<M> got(std::uint64_t to = 0) const {
    std::vector<M> all;
    for (const Outgoing& o : sent)
      if (const M* m = std::get_if<M>(&o.message); m != nullptr && (to == 0 || o.to == NodeId(to)))
        all.push_back(*m);
    return all;
  }
  void forget() { sent.clear(); }

  /// Wins an election of the next term with the vote of node `by`.
  void win(std::uint64_t by) {
    while (core.role() != Role::pre_candidate) tick();
    VoteResponse yes;
    yes.granted = true;
    yes.pre_vote = true;
    yes.term = core.term() + 1;
    step(by, yes);
    sync();
    yes.pre_vote = false;
    yes.term = core.term();
    step(by, yes);
  }
  /// Node `from` says that everything up to `match` is durable there.
  void ack(std::uint64_t from, std::uint64_t match) {
    AppendResponse m;
    m.term = core.term();
    m.success = true;
    m.match = Index(match);
    for (const auto& a : got<AppendRequest>(from)) m.sequence = a.sequence;
    for (const auto& a : got<AppendRequest>(from)) m.round = std::max(m.round, a.round);
    step(from, m);
  }
  void beat(std::uint64_t from, std::uint64_t round) {
    HeartbeatResponse m;
    m.term = core.term();
    m.round = round;
    m.formats = kKnownFormats;
    step(from, m);
  }

  Core core;
  LogId written;  // the end of the log on disk once all writes are done
  std::deque<std::pair<std::uint64_t, LogId>> writes;
  Output last_write;
  std::vector<Outgoing> sent;
  std::vector<Entry> applied;
  std::vector<ReadyRead> reads;
  std::vector<Fetch> fetches;
  std::vector<std::uint64_t> failed;
  bool lost_leadership = false;
  std::uint64_t pre_vote_round = 0;
};

inline AppendRequest append(std::uint64_t term, LogId previous, std::vector<Entry> entries,
                            std::uint64_t commit = 0, std::uint64_t sequence = 1) {
  AppendRequest m;
  m.term = Term(term);
  m.previous = previous;
  m.entries = std::move(entries);
  m.commit = Index(commit);
  m.sequence = sequence;
  return m;
}

inline VoteRequest vote_request(std::uint64_t term, LogId last, bool pre_vote = false,
                                bool transfer = false) {
  VoteRequest m;
  m.term = Term(term);
  m.last_log_id = last;
  m.pre_vote = pre_vote;
  m.transfer = transfer;
  return m;
}

inline VoteResponse vote_response(std::uint64_t term, bool granted, bool pre_vote) {
  VoteResponse m;
  m.term = Term(term);
  m.granted = granted;
  m.pre_vote = pre_vote;
  return m;
}

inline HeartbeatRequest heartbeat(std::uint64_t term, std::uint64_t commit = 0, std::uint64_t round = 0) {
  HeartbeatRequest m;
  m.term = Term(term);
  m.commit = Index(commit);
  m.round = round;
  return m;
}

}  // namespace kiwi::raft
