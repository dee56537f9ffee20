#include "tests/unit/raft/checker.hpp"

#include "messages/codec.hpp"
#include "tests/unit/raft/broken_invariant.hpp"

namespace kiwi::raft {

Restored Disk::restored() const {
  Restored r;
  r.vote = vote;
  r.purged = purged;
  r.last = last_id();
  for (const Entry& e : log) {
    if (r.runs.empty() || r.runs.back().term != e.id.term)
      r.runs.push_back({e.id.term, e.id.index});
    r.last_stamp_ms = std::max(r.last_stamp_ms, e.stamp_ms);
  }
  std::pair<LogId, Membership> base{LogId{}, initial};
  for (const auto* known : {&applied_membership, &kept})
    if (!known->second.members.empty() && known->first.index >= base.first.index)
      base = *known;
  if (!base.second.members.empty())
    r.memberships.push_back(base);
  for (const Entry& e : log)
    if (e.kind == EntryKind::membership && e.id.index > base.first.index)
      r.memberships.emplace_back(e.id, *decode_membership(e.payload.view()));
  r.last_stamp_ms = std::max(r.last_stamp_ms, applied_stamp_ms);
  if (applied)
    r.applied = applied == purged.index ? purged : find(applied)->id;
  for (const Entry& e : log) {
    r.entry_bytes += weight_bytes(e);
    r.marks.push_back({e.id.index, r.entry_bytes, e.stamp_ms});
  }
  return r;
}

void Checker::fail(const std::string& what) const { throw BrokenInvariant(what); }

void Checker::appended(NodeId node, const std::vector<Entry>& entries, Term previous) {
  for (const Entry& e : entries) {
    const auto [it, is_new] =
        seen_.try_emplace({e.id.index, e.id.term}, Seen{previous, e.payload.str(), e.stamp_ms});
    expect(is_new || (it->second.previous == previous && it->second.payload == e.payload.view() &&
                      it->second.stamp_ms == e.stamp_ms),
           "log matching (Raft 5.3): node " + to_string(node) + " has another entry " + to_string(e.id));
    previous = e.id.term;
  }
}

void Checker::vote_saved(NodeId node, Vote before, Vote now) {
  expect(now.term >= before.term, "the durable term of node " + to_string(node) + " goes back");
  if (!now.voted_for)
    return;
  const auto [it, is_new] = votes_.try_emplace({node, now.term}, now.voted_for);
  expect(is_new || it->second == now.voted_for,
         "node " + to_string(node) + " votes twice in term " + to_string(now.term));
}

bool Checker::leads(NodeId node, Term term, LogId purged, const std::vector<Entry>& log) {
  const auto [it, is_new] = leaders_.try_emplace(term, node);
  expect(it->second == node, "election safety (Raft 5.2): two leaders in term " + to_string(term));
  if (!is_new)
    return false;
  for (std::size_t i = 0; i < committed_.size(); ++i) {
    if (committed_in_term_[i] >= term)
      continue;
    if (i < purged.index.value)
      continue;
    const std::size_t at = i - purged.index.value;
    expect(at < log.size() && log[at].id == committed_[i].id,
           "leader completeness (Raft 5.4): leader of term " + to_string(term) + " lacks committed entry " +
               to_string(committed_[i].id));
  }
  return true;
}

void Checker::purged(NodeId node, LogId to) const {
  expect(to.index.value <= committed_.size() && committed_[to.index.value - 1].id == to,
         "node " + to_string(node) + " gives up entries up to " + to_string(to) + ", which is not committed");
}

void Checker::committed(NodeId node, Term node_term, Index commit, LogId purged,
                        const std::vector<Entry>& log, const Membership& before, const Membership& now) {
  const std::size_t gone = purged.index.value;
  expect(commit.value <= gone + log.size(), "node " + to_string(node) + " commits what it does not have");
  if (commit.value <= gone)
    return;
  const auto leader = leaders_.find(node_term);
  if (leader != leaders_.end() && leader->second == node)
    expect(log[commit.value - gone - 1].id.term == node_term,
           "the leader of term " + to_string(node_term) +
               " commits an entry of an earlier term by counting (Raft 5.4.2)");
  const std::size_t known = std::min<std::size_t>(commit.value, committed_.size());
  for (std::size_t i = known; i-- > gone && i + 64 > known;)
    expect(log[i - gone] == committed_[i], "state machine safety (Raft 5.4.3): node " + to_string(node) +
                                               " commits another entry than " + to_string(committed_[i].id));
  for (std::size_t i = committed_.size(); i < commit.value; ++i) {
    const Entry& entry = log[i - gone];
    const auto has = [&](NodeId id) {
      const Entry* e = disks_.at(id)->find(entry.id.index);
      return (e != nullptr && *e == entry) || disks_.at(id)->purged.index >= entry.id.index;
    };
    // The membership may have changed within the turn, after the commit or before it.
    expect(majority_of(before, has) || majority_of(now, has),
           "entry " + to_string(entry.id) + " is committed without a majority of durable logs");
    expect(i == 0 || committed_.back().stamp_ms <= log[i - gone].stamp_ms,
           "stamps go back along the log (rule 8)");
    committed_.push_back(log[i - gone]);
    committed_in_term_.push_back(node_term);
    committed_at_.push_back(now_);
    if (entry.kind == EntryKind::membership)
      memberships_[entry.id.index] = {entry.id, *decode_membership(entry.payload.view())};
  }
}

void Checker::leaves(NodeId from, const Outgoing& out) const {
  const Disk& disk = *disks_.at(from);
  if (const auto* vote = std::get_if<VoteResponse>(&out.message)) {
    if (vote->granted && !vote->pre_vote)
      expect(disk.vote == Vote{vote->term, out.to}, "a vote leaves before it is durable (rule 2)");
  } else if (const auto* request = std::get_if<VoteRequest>(&out.message)) {
    const Entry* last = disk.find(request->last_log_id.index);
    expect(!request->last_log_id.index || request->last_log_id == disk.purged ||
               (last != nullptr && last->id == request->last_log_id),
           "a candidate boasts of entries that are not durable (T08)");
    if (!request->pre_vote)
      expect(disk.vote == Vote{request->term, from},
             "a candidate asks before its own vote is durable (rule 2)");
  } else if (const auto* ack = std::get_if<AppendResponse>(&out.message)) {
    if (!ack->success)
      return;
    expect(disk.vote.term == ack->term, "an acknowledgement leaves before its term is durable (rule 2)");
    expect(disk.last() >= ack->match, "an acknowledgement leaves before its entries are durable (rule 2)");
    const auto leader = leaders_.find(ack->term);
    expect(leader != leaders_.end() && leader->second == out.to,
           "an acknowledgement to somebody who never led");
  } else if (const auto* beat = std::get_if<HeartbeatResponse>(&out.message)) {
    // Without a clock it is the answer to a message of a lower term: it promises nothing.
    if (beat->clock_ms != 0)
      expect(disk.vote.term == beat->term, "a heartbeat is answered before the term is durable (rule 2)");
  }
}

void Checker::applied(NodeId node, const Entry& entry) const {
  const Index i = entry.id.index;
  expect(
      i.value <= committed_.size() && committed_[i.value - 1] == entry,
      "node " + to_string(node) + " applies " + to_string(entry.id) + ", which is not the committed entry");
  const Entry* here = disks_.at(node)->find(i);
  expect(here != nullptr && *here == entry,
         "node " + to_string(node) + " applies what is not durable in its own log (rule 6)");
}

}  // namespace kiwi::raft
