#include "tests/unit/raft/sim_node.hpp"

#include <algorithm>

#include "messages/codec.hpp"

namespace kiwi::raft {

SimNode::SimNode(Options options, Membership initial, Checker& checker)
    : options_(options), checker_(checker) {
  disk_.initial = std::move(initial);
  disk_.applied_membership.second = disk_.initial;
  checker_.add(options_.id, &disk_);
}

/// Steps 3 to 5 of an install that a crash interrupted (docs/snapshots.md).
void SimNode::finish_install_at_start() {
  if (!disk_.installing)
    return;
  const LogId to = *disk_.installing;
  disk_.installing.reset();
  if (disk_.applied < to.index)  // the data was lost, and the staged snapshot brings it again
    disk_.applied_membership = disk_.installing_membership;
  disk_.applied = std::max(disk_.applied, to.index);
  if (to.index <= disk_.purged.index)
    return;
  const Entry* there = disk_.find(to.index);
  disk_.kept = disk_.installing_membership;
  if (there != nullptr && there->id == to)
    disk_.log.erase(disk_.log.begin(),
                    disk_.log.begin() + static_cast<std::ptrdiff_t>(to.index - disk_.purged.index));
  else
    disk_.log.clear();
  disk_.purged = to;
}

void SimNode::start() {
  finish_install_at_start();
  log = disk_.log;
  purged_ = disk_.purged;
  machine_ = disk_.applied;
  machine_stamp_ms_ = disk_.applied_stamp_ms;
  if (disk_.applied_membership.second.members.empty())
    disk_.applied_membership = {LogId{}, disk_.initial};
  machine_membership_ = disk_.applied_membership;
  handed_ = machine_;
  commit_ = machine_;
  term_ = disk_.vote.term;
  role_ = Role::follower;
  core_.emplace(options_, disk_.restored());
  membership_before_ = core_->membership();
  handle();
}

void SimNode::crash(std::size_t survive) {
  core_.reset();  // first: nobody is told any more
  persist(std::min(survive, writes_.size()), false);
  writes_.clear();
  to_apply_.clear();
  to_install_.reset();
  offer_.reset();
  wanted_.clear();
  reads_.clear();
  fetches_.clear();
  messages_.clear();
  asked_.clear();
  proposed_.clear();
  applied_texts.clear();
}

void SimNode::tick() {
  core_->tick();
  handle();
}

void SimNode::step(NodeId from, PeerMessage message) {
  core_->step(from, std::move(message));
  handle();
}

std::optional<Index> SimNode::propose(const std::string& text) {
  const auto index = core_->propose(EntryKind::command, Bytes::copy_of(text));
  if (index)
    proposed_[*index] = core_->term();
  handle();
  return index ? std::optional<Index>(*index) : std::nullopt;
}

bool SimNode::read(std::uint64_t token, Index at_least) {
  const AskedRead asked{checker_.floor(), core_->last_log_id().index, at_least};
  const bool ok = core_->read(token, at_least).has_value();
  if (ok)
    asked_[token] = asked;
  handle();
  return ok;
}

void SimNode::unreachable(NodeId peer) {
  core_->unreachable(peer);
  handle();
}

void SimNode::set_clock(std::uint64_t ms, std::uint64_t steady_us) {
  core_->set_clock(ms, steady_us);
  handle();
}

void SimNode::turn(const std::function<void(Core&)>& inputs) {
  inputs(*core_);
  handle();
}

void SimNode::persist(std::size_t count, bool tell_each) {
  std::vector<std::pair<std::uint64_t, LogId>> done;
  for (; count > 0 && !writes_.empty(); --count) {
    Output& w = writes_.front();
    if (w.vote) {
      checker_.vote_saved(id(), disk_.vote, *w.vote);
      disk_.vote = *w.vote;
    }
    if (w.reset_to.index) {
      ++resets_;
      checker_.expect(disk_.installing == w.reset_to, "the log is reset without an installed snapshot");
      disk_.log.clear();
      disk_.purged = w.reset_to;
      disk_.kept = disk_.installing_membership;
    }
    if (w.truncate_from)
      disk_.log.resize(std::min<std::size_t>(disk_.log.size(), w.truncate_from - disk_.purged.index - 1));
    for (Entry& e : w.entries) {
      checker_.expect(e.id.index == disk_.last() + 1, "the durable stream has a hole");
      disk_.log.push_back(std::move(e));
    }
    if (w.purge_to > disk_.purged.index) {
      ++purges_;
      checker_.expect(w.purge_to <= disk_.applied, "the log is purged beyond what the data has (rule 6)");
      const LogId to = disk_.find(w.purge_to)->id;
      for (const Entry& e : disk_.log)
        if (e.kind == EntryKind::membership && e.id.index <= to.index)
          disk_.kept = {e.id, *decode_membership(e.payload.view())};
      checker_.purged(id(), to);
      disk_.log.erase(disk_.log.begin(),
                      disk_.log.begin() + static_cast<std::ptrdiff_t>(to.index - disk_.purged.index));
      disk_.purged = to;
    }
    done.emplace_back(w.write, disk_.last_id());
    writes_.pop_front();
  }
  if (!core_ || done.empty())
    return;
  if (tell_each)
    for (const auto& [number, last] : done) core_->persisted(number, last);
  else
    core_->persisted(done.back().first, done.back().second);
  handle();
}

void SimNode::apply(std::size_t count) {
  for (; count > 0 && !to_apply_.empty(); --count) {
    serve_reads();
    const Entry e = std::move(to_apply_.front());
    to_apply_.pop_front();
    checker_.expect(e.id.index == machine_ + 1, "entries are applied out of order");
    checker_.applied(id(), e);
    machine_ = e.id.index;
    machine_stamp_ms_ = std::max(machine_stamp_ms_, e.stamp_ms);
    if (e.kind == EntryKind::command)
      applied_texts.push_back(e.payload.str());
    if (e.kind == EntryKind::membership)
      machine_membership_ = {e.id, *decode_membership(e.payload.view())};
    const auto own = proposed_.find(machine_);
    if (own != proposed_.end()) {
      if (own->second == e.id.term)
        checker_.answered(machine_);
      proposed_.erase(own);
    }
  }
  serve_reads();
  if (core_ && machine_ > core_->applied()) {
    core_->applied(machine_);
    handle();
  }
  install();
}

/// In its turn: behind everything handed out before.
void SimNode::install() {
  if (!core_ || !to_install_ || !to_apply_.empty())
    return;
  const SnapshotMeta meta = *std::exchange(to_install_, std::nullopt);
  checker_.expect(meta.last_log_id.index > machine_, "a snapshot takes the state back");
  ++installs_;
  disk_.installing = meta.last_log_id;
  disk_.installing_membership = {meta.membership_id, meta.membership};
  disk_.applied = machine_ = handed_ = meta.last_log_id.index;
  disk_.applied_stamp_ms = machine_stamp_ms_ = meta.timestamp_ms;
  disk_.applied_membership = machine_membership_ = {meta.membership_id, meta.membership};
  core_->installed(meta);
  handle();
}

void SimNode::offer_snapshot(const SnapshotWanted& wanted) {
  if (disk_.applied < wanted.at_least || !disk_.applied) {
    core_->no_snapshot(wanted.peer);
    handle();
    return;
  }
  auto manifest = std::make_shared<SnapshotManifest>();
  manifest->meta.last_log_id = checker_.history()[disk_.applied.value - 1].id;
  manifest->meta.snapshot_id = to_string(manifest->meta.last_log_id);
  manifest->meta.timestamp_ms = checker_.history()[disk_.applied.value - 1].stamp_ms;
  manifest->meta.membership = disk_.applied_membership.second;
  manifest->meta.membership_id = disk_.applied_membership.first;
  core_->offer_snapshot(wanted.peer, std::move(manifest));
  handle();
}

void SimNode::receiving(const SnapshotMeta& meta) {
  core_->snapshot_progress(meta.snapshot_id, 1);
  handle();
}

void SimNode::received(const SnapshotMeta& meta, bool whole) {
  if (whole && core_->begin_install(meta))
    to_install_ = meta;
  else
    core_->snapshot_progress("", 0);
  handle();
  install();
}

void SimNode::serve_reads() {
  while (!reads_.empty() && reads_.front().at <= machine_) {
    const ReadyRead r = reads_.front();
    reads_.pop_front();
    const AskedRead asked = asked_.at(r.token);
    asked_.erase(r.token);
    checker_.expect(r.at == machine_, "entries after a read's position were applied before it (rule 13)");
    checker_.expect(r.at <= asked.p, "a read shows what was proposed after it (rule 13)");
    checker_.expect(r.at >= asked.at_least, "a read misses its asker's own write (rule 13)");
    checker_.expect(r.at >= asked.floor, "a stale read: something newer was answered before it was asked");
    checker_.answered(r.at);
    served.push_back({r.token, r.at, r.now_ms});
  }
}

void SimNode::answer_fetch(std::size_t which, bool fail) {
  const Fetch f = fetches_[which];
  fetches_.erase(fetches_.begin() + static_cast<std::ptrdiff_t>(which));
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  for (Index i = f.first; i <= f.last && disk_.find(i) != nullptr; ++i) {
    bytes += weight_bytes(*disk_.find(i));
    if (!entries.empty() && bytes > f.max_bytes)
      break;
    entries.push_back(*disk_.find(i));
  }
  if (fail || entries.empty())
    core_->read_failed(f.number);
  else
    core_->entries_read(f.number, std::move(entries));
  handle();
}

void SimNode::save_applied() {
  if (machine_ >= disk_.applied)
    disk_.applied_membership = machine_membership_;
  disk_.applied = std::max(disk_.applied, machine_);
  disk_.applied_stamp_ms = std::max(disk_.applied_stamp_ms, machine_stamp_ms_);
  core_->data_durable(disk_.applied);
}

std::vector<Outgoing> SimNode::take_messages() { return std::exchange(messages_, {}); }

/// The newest membership entry below `below` in the log as the core has it, or what lies before the log.
Checker::Named SimNode::newest_in_log(Index below) const {
  for (auto e = log.rbegin(); e != log.rend(); ++e)
    if (e->kind == EntryKind::membership && e->id.index < below)
      return {e->id, *decode_membership(e->payload.view())};
  Checker::Named committed = checker_.membership_at(purged_.index);
  return committed.first.index ? committed : Checker::Named{LogId{}, disk_.initial};
}

void SimNode::check_membership(const std::vector<Entry>& appended) {
  const Checker::Named newest = newest_in_log(core_->last_log_id().index + 1);
  // A joining node may know nobody before it has the first entry that names it.
  if (!core_->needs_snapshot() && !core_->installing() && !newest.second.members.empty())
    checker_.expect(core_->membership() == newest.second,
                    "node " + to_string(id()) + " counts by another membership than its log has, that of " +
                        to_string(core_->change_status().configuration) + " and not of " +
                        to_string(newest.first));
  for (const Entry& e : appended)
    if (e.kind == EntryKind::membership && role_ == Role::leader && e.id.term == term_)
      checker_.membership_appended(
          id(), newest_in_log(e.id.index), {e.id, *decode_membership(e.payload.view())}, core_->commit(),
          core_->commit() ? core_->log().term_at(core_->commit()).value_or(Term(0)) : Term(0));
}

void SimNode::handle() {
  Output out = core_->take_output();
  checker_.expect(core_->term() >= term_, "the term goes back");
  const bool led = role_ == Role::leader && term_ == core_->term();
  term_ = core_->term();
  role_ = core_->role();

  if (out.truncate_from) {
    checker_.expect(!led, "a leader truncates its log (Raft 5.3, leader append-only)");
    checker_.expect(out.truncate_from > commit_, "a committed entry is truncated");
  }
  if (out.install_finished) {
    disk_.installing.reset();
    const LogId to = core_->log().purged();
    checker_.purged(id(), to);
    const bool keeps = to == purged_ || (to.index > purged_.index && to.index - purged_.index <= log.size() &&
                                         log[to.index - purged_.index - 1].id == to);
    if (keeps)
      log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(to.index - purged_.index));
    else
      log.clear();
    purged_ = to;
    proposed_.clear();
  } else if (core_->log().purged().index > purged_.index) {
    const LogId to = core_->log().purged();
    log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(to.index - purged_.index));
    purged_ = to;
  }
  // What was truncated before it was ever issued shows only as entries that come again.
  const Index keep = out.truncate_from      ? out.truncate_from - 1
                     : !out.entries.empty() ? out.entries.front().id.index - 1
                                            : purged_.index + log.size();
  log.resize(keep - purged_.index);
  const Term before = log.empty() ? purged_.term : log.back().id.term;
  checker_.appended(id(), out.entries, before);
  log.insert(log.end(), out.entries.begin(), out.entries.end());
  const LogId end = log.empty() ? purged_ : log.back().id;
  // A leader may hold back the newest entries, while its disk is busy.
  const bool held_back = core_->role() == Role::leader && core_->options().hold_back_bytes > 0 &&
                         end.index < core_->last_log_id().index &&
                         core_->log().term_at(end.index) == end.term && core_->durable() < end.index;
  checker_.expect(end == core_->last_log_id() || held_back,
                  "the log and its output differ: " + to_string(log.empty() ? purged_ : log.back().id) +
                      " and " + to_string(core_->last_log_id()) + " behind " + to_string(purged_) +
                      ", write " + std::to_string(out.write) + " reset " + to_string(out.reset_to) +
                      " truncate " + to_string(out.truncate_from) + " finished " +
                      std::to_string(out.install_finished));
  if (role_ == Role::leader && checker_.leads(id(), term_, purged_, log))
    checker_.won(id(), term_, core_->membership());
  if (!out.entries.empty() || out.truncate_from || out.install_finished)
    check_membership(out.entries);

  const Index commit = core_->commit();
  checker_.expect(commit >= commit_, "the commit index goes back");
  if (commit > commit_)
    checker_.committed(id(), term_, commit, purged_, log, membership_before_, core_->membership());
  commit_ = commit;
  membership_before_ = core_->membership();
  for (const Outgoing& m : out.messages) {
    checker_.leaves(id(), m);
    if (const auto* vote = std::get_if<VoteResponse>(&m.message); vote != nullptr && vote->granted)
      checker_.votes_for(id(), m.to, commit_);
    if (std::holds_alternative<VoteRequest>(m.message))
      checker_.expect(!core_->removed(), "a node that knows that it was removed asks for votes");
  }
  if (out.transfer_ended)
    transfers_ended.push_back(*out.transfer_ended);

  messages_.insert(messages_.end(), std::make_move_iterator(out.messages.begin()),
                   std::make_move_iterator(out.messages.end()));
  fetches_.insert(fetches_.end(), out.fetches.begin(), out.fetches.end());
  wanted_.insert(wanted_.end(), out.snapshots_wanted.begin(), out.snapshots_wanted.end());
  for (auto& o : out.snapshots_offered) offer_ = std::move(o.manifest.meta);
  for (const Entry& e : out.apply) {
    checker_.expect(e.id.index == handed_ + 1, "entries are handed out in order, once");
    handed_ = e.id.index;
    to_apply_.push_back(e);
  }
  for (const ReadyRead& r : out.reads) {
    checker_.expect(r.at <= handed_, "a read waits for an entry that is not handed out");
    checker_.expect(reads_.empty() || reads_.back().at <= r.at, "reads are not sorted by position");
    reads_.push_back(r);
  }
  for (std::uint64_t token : out.failed_reads) {
    asked_.erase(token);
    failed.push_back(token);
  }
  lost_leadership += out.lost_leadership ? 1 : 0;
  if (out.lost_leadership)
    proposed_.clear();
  if (out.write != 0) {
    out.messages.clear();
    writes_.push_back(std::move(out));
  }
  serve_reads();
}

}  // namespace kiwi::raft
