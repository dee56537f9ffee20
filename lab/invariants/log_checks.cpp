#include "lab/invariants/log_checks.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "lab/invariants/texts.hpp"

namespace kiwi::lab::invariants {

namespace {
std::string text_of(const Vote& vote) {
  return "term " + to_string(vote.term) + " (vote " + (vote.voted_for ? name_of(vote.voted_for) : "none") +
         ")";
}

/// The term of an entry as the store will hold it when all that it was given is done.
std::optional<Term> given_term_at(const DiskLog& disk, Index index) {
  for (const auto* steps : {&disk.put_aside, &disk.uncertain}) {
    for (auto step = steps->rbegin(); step != steps->rend(); ++step) {
      if (!step->terms.empty() && index >= step->first && index < step->first + step->terms.size())
        return step->terms[index - step->first];
      if (step->truncate_from && index >= step->truncate_from)
        return std::nullopt;
      if (step->reset_to.index)
        return index == step->reset_to.index ? std::optional(step->reset_to.term) : std::nullopt;
    }
  }
  return index == disk.purged ? std::optional(disk.purged_term) : disk.term_at(index);
}
}  // namespace

// --- Starts

bool LogChecks::matches(const DiskLog& disk, const raft::Restored& found,
                        const std::vector<Term>& terms) const {
  if (disk.vote != found.vote)
    return false;
  if (disk.purged == found.purged.index)
    return disk.terms == terms;
  // A start that finds an interrupted install lets the log follow the snapshot.
  const auto at = found.purged.index;
  const auto* committed = ledger_.committed_at(at);
  if (at < disk.purged || found.applied.index != at || committed == nullptr ||
      committed->term != found.purged.term)
    return false;
  if (disk.term_at(at) != found.purged.term)
    return terms.empty();
  return std::ranges::equal(std::span(disk.terms).subspan(at - disk.purged), terms);
}

void LogChecks::started(NodeId node, std::uint64_t life, const raft::Restored& found, InstanceId instance) {
  auto& store = stores_[node];
  auto& disk = ledger_.disk(node);
  const auto terms = terms_of(found);
  if (disk.started && !disk.harmed) {
    if (store.instance && store.instance != instance)
      findings_.add(Check::bound_instance, name_of(node) + " was instance " + to_string(store.instance) +
                                               " and restarts as " + to_string(instance));
    // What was synced, and of what was not any number of calls from the first on.
    const auto surely =
        text_of(disk.vote) + ", last " + invariants::text_of(disk.term_at(disk.last()), disk.last());
    auto perhaps = std::exchange(disk.uncertain, {});
    for (auto& step : std::exchange(disk.put_aside, {})) perhaps.push_back(std::move(step));
    bool legal = matches(disk, found, terms);
    while (!legal && !perhaps.empty()) {
      settle(node, perhaps.front());
      perhaps.pop_front();
      legal = matches(disk, found, terms);
    }
    if (!legal)
      findings_.add(Check::legal_recovery, name_of(node) + " recovered " + text_of(found.vote) + ", last " +
                                               to_string(found.last) + "; synced was " + surely +
                                               ", and no number of the later writes leads there");
  }
  // Of a spoilt log only the very last batch may be missing: that cannot be told from a torn one.
  if (disk.started && disk.harmed && found.last.index < disk.before_last)
    findings_.add(Check::damage_stalls, name_of(node) + " recovered a damaged log up to " +
                                            to_string(found.last) + " only; it had synced up to " +
                                            to_string(disk.last()));
  ledger_.reset_disk(node, found.vote, found.purged, terms);
  disk.before_last = disk.last();
  disk.started = true;
  instances_[node].insert(instance);
  const auto bound = disk.harmed ? std::map<NodeId, InstanceId>{} : store.bound;
  store = {};
  store.life = life;
  store.instance = instance;
  store.bound = bound;
}

void LogChecks::harmed(NodeId node, std::string_view verb) {
  if (verb == "wipe" || verb == "clone-disk") {
    ledger_.clear_disk(node);
    stores_[node] = {};
  }
  ledger_.disk(node).harmed = true;
}

// --- Calls

void LogChecks::call(NodeId node, std::uint64_t epoch, const LogWrite& call) {
  auto& store = stores_[node];
  auto& disk = ledger_.disk(node);
  if (call.stamp.epoch != epoch || epoch != store.life)
    findings_.add(Check::old_epochs, name_of(node) + "'s log store, epoch " + std::to_string(epoch) +
                                         " in life " + std::to_string(store.life) +
                                         ", takes a call of epoch " + std::to_string(call.stamp.epoch));
  if (call.stamp.sequence <= store.sequence)
    findings_.add(Check::one_owner, name_of(node) + "'s log store takes call " +
                                        std::to_string(call.stamp.sequence) + " after call " +
                                        std::to_string(store.sequence));
  store.sequence = call.stamp.sequence;
  if (call.write != 0) {
    if (call.write != store.write + 1)
      findings_.add(Check::one_owner, name_of(node) + "'s log store takes write " +
                                          std::to_string(call.write) + " of the core after write " +
                                          std::to_string(store.write));
    store.write = call.write;
  }
  if (call.has_binding) {
    const auto [at, is_new] = store.bound.try_emplace(call.binding.node, call.binding.instance);
    if (!is_new && at->second != call.binding.instance)
      findings_.add(Check::bound_instance, name_of(node) + " had bound " + name_of(call.binding.node) +
                                               " to instance " + to_string(at->second) + " and binds it to " +
                                               to_string(call.binding.instance));
    const auto known = instances_.find(call.binding.node);
    if (known != instances_.end() && !known->second.contains(call.binding.instance))
      findings_.add(Check::bound_instance, name_of(node) + " binds " + name_of(call.binding.node) +
                                               " to instance " + to_string(call.binding.instance) +
                                               ", which that node never was");
  }
  check_gone(node, call);
  LogStep step;
  step.has_vote = call.has_vote;
  step.vote = call.vote;
  step.truncate_from = call.truncate_from;
  step.reset_to = call.reset_to;
  step.purge_to = call.purge_to;
  if (!call.entries.empty()) {
    step.first = call.entries.front().id.index;
    const auto before = step.first - 1;
    auto previous = given_term_at(disk, before).value_or(Term{});
    std::uint64_t stamp = 0;
    if (const auto* known = ledger_.find(before, previous))
      stamp = known->stamp_ms;
    for (const auto& entry : call.entries) {
      bool is_new = false;
      const auto& record = ledger_.record(entry, previous, is_new);
      if (!is_new && (record.hash != hash_of(entry) || record.previous != previous))
        findings_.add(Check::log_matching,
                      name_of(node) + " takes entry " + to_string(entry.id) + " after one of term " +
                          to_string(previous) + " with hash " + std::to_string(hash_of(entry)) +
                          ", but it was known after one of term " + to_string(record.previous) +
                          " with hash " + std::to_string(record.hash));
      if (entry.stamp_ms < stamp)
        findings_.add(Check::time_in_log, name_of(node) + " takes entry " + to_string(entry.id) +
                                              " of time " + std::to_string(entry.stamp_ms) +
                                              " after one of time " + std::to_string(stamp));
      step.terms.push_back(entry.id.term);
      previous = entry.id.term;
      stamp = entry.stamp_ms;
    }
  }
  disk.put_aside.push_back(std::move(step));
}

/// What leaves the log must be in the data database, for good.
void LogChecks::check_gone(NodeId node, const LogWrite& call) {
  const auto& disk = ledger_.disk(node);
  if (call.purge_to > disk.data_durable)
    findings_.add(Check::purged_is_durable,
                  name_of(node) + " purges its log up to " + to_string(call.purge_to) +
                      ", but a crash would come back to applied index " + to_string(disk.data_durable));
  if (call.reset_to.index && call.reset_to.index != disk.data_durable)
    findings_.add(Check::purged_is_durable,
                  name_of(node) + " begins its log anew behind " + to_string(call.reset_to) +
                      ", but a crash would come back to applied index " + to_string(disk.data_durable));
}

void LogChecks::settle(NodeId node, const LogStep& step) {
  if (step.has_vote) {
    const auto& before = ledger_.disk(node).vote;
    if (step.vote.term < before.term)
      findings_.add(Check::nothing_goes_back, name_of(node) + "'s durable term goes back from " +
                                                  to_string(before.term) + " to " +
                                                  to_string(step.vote.term));
    if (!ledger_.note_vote(node, step.vote))
      findings_.add(Check::one_vote, name_of(node) + " voted durably for " +
                                         name_of(ledger_.vote_of(node, step.vote.term)) + " in term " +
                                         to_string(step.vote.term) + " and now for " +
                                         name_of(step.vote.voted_for));
  }
  ledger_.settle(node, step);
}

void LogChecks::flushed(NodeId node, const LogStoreSeen& seen) {
  auto& store = stores_[node];
  auto& disk = ledger_.disk(node);
  for (auto& step : std::exchange(disk.put_aside, {})) disk.uncertain.push_back(std::move(step));
  const bool failed_before = store.failed;
  store.failed |= seen.failed_syncs > 0;
  if (seen.poisoned)
    return;
  if (store.failed)
    findings_.add(Check::failed_sync, name_of(node) + "'s log store goes on " +
                                          (failed_before ? "after a sync failed" : "though its sync failed") +
                                          ", and says that its log ends with " + to_string(seen.last) +
                                          "; surely synced is " + to_string(disk.last()));
  if (seen.unsynced != 0 || store.failed)
    return;
  disk.before_last = disk.last();
  for (auto& step : std::exchange(disk.uncertain, {})) {
    settle(node, step);
    disk.before_last = std::min(disk.before_last, disk.last());
  }
  const auto last = disk.term_at(disk.last());
  if (last && seen.last != LogId{*last, disk.last()})
    findings_.add(Check::log_matching, name_of(node) + "'s log store says that its log ends with " +
                                           to_string(seen.last) + ", but it was given " +
                                           invariants::text_of(last, disk.last()));
}

// --- Promises

void LogChecks::leaving(NodeId from, NodeId to, const PeerMessage& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message)) {
    leaves(from, to, *request);
  } else if (const auto* vote = std::get_if<VoteResponse>(&message)) {
    leaves(from, to, *vote);
  } else if (const auto* ack = std::get_if<AppendResponse>(&message)) {
    leaves(from, to, *ack);
  } else if (const auto* install = std::get_if<InstallSnapshotResponse>(&message)) {
    leaves(from, to, *install);
  } else if (const auto* beat = std::get_if<HeartbeatResponse>(&message)) {
    // Without a clock it answers a message of a lower term and promises nothing.
    if (beat->clock_ms != 0)
      check_term(from, beat->term, "answers a heartbeat");
  }
}

void LogChecks::check_term(NodeId from, Term term, const char* what) {
  const auto durable = ledger_.disk(from).vote.term;
  if (durable < term)
    findings_.add(Check::term_is_durable, name_of(from) + " " + what + " in term " + to_string(term) +
                                              ", but term " + to_string(durable) + " is durable");
}

void LogChecks::leaves(NodeId from, NodeId to, const VoteRequest& m) {
  const auto& voter = ledger_.disk(to);
  const LogId voter_last{voter.term_at(voter.last()).value_or(Term{}), voter.last()};
  (m.pre_vote ? pre_votes_asked_ : votes_asked_)[{from, to}] = {m.pre_vote ? m.round : m.term.value,
                                                                m.last_log_id, voter_last};
  // It may have been overtaken by a truncation since it was made: then the entry was synced once.
  const auto last = m.last_log_id;
  const auto* entry = ledger_.find(last.index, last.term);
  if (last.index > ledger_.disk(from).purged && (entry == nullptr || (entry->ever & bit(from)) == 0))
    findings_.add(Check::durable_claim,
                  name_of(from) + " asks for votes in term " + to_string(m.term) + " with last entry " +
                      to_string(last) + "; its synced log ends at " + to_string(ledger_.disk(from).last()));
  if (!m.pre_vote && ledger_.vote_of(from, m.term) != from)
    findings_.add(Check::one_vote, name_of(from) + " asks for votes in term " + to_string(m.term) +
                                       ", but its own vote is not durable: that is " +
                                       text_of(ledger_.disk(from).vote));
}

void LogChecks::leaves(NodeId from, NodeId to, const VoteResponse& m) {
  if (!m.granted)
    return;
  if (m.pre_vote) {
    check_granted(from, to, m.round, pre_votes_asked_, Check::pre_vote_by_log, "a pre-vote");
    // A grant for a term that the node has entered would be a vote of that term.
    if (cores_.vote(from).term == m.term && cores_.vote(from).voted_for == to &&
        ledger_.vote_of(to, m.term) != to)
      findings_.add(Check::pre_vote_changes_nothing, name_of(from) + " grants " + name_of(to) +
                                                         " a pre-vote of term " + to_string(m.term) +
                                                         " and has voted for it in earnest");
    return;
  }
  if (ledger_.vote_of(from, m.term) != to)
    findings_.add(Check::one_vote, name_of(from) + " grants " + name_of(to) + " its vote of term " +
                                       to_string(m.term) + ", but durable is " +
                                       text_of(ledger_.disk(from).vote));
  ledger_.note_grant(from, to, m.term);
  check_granted(from, to, m.term.value, votes_asked_, Check::vote_by_log, "its vote");
}

/// Raft 5.4.1. The voter's synced log when it was asked is compared, as far as it still has it.
void LogChecks::check_granted(NodeId from, NodeId to, std::uint64_t round, Asked& all, Check check,
                              const char* what) {
  const auto& asked = all[{to, from}];
  if (round == asked.round && asked.last < asked.voter_last &&
      cores_.term_at(from, asked.voter_last.index) == asked.voter_last.term)
    findings_.add(check, name_of(from) + " grants " + name_of(to) + " " + what +
                             " for a log that ends with " + to_string(asked.last) + "; its own has " +
                             to_string(asked.voter_last) + " already");
}

void LogChecks::leaves(NodeId from, NodeId to, const AppendResponse& m) {
  if (!m.success)
    return;
  check_term(from, m.term, "acknowledges an append");
  ledger_.note_ack(from, to, m.term, m.match);
  // Which entry this is, the leader's log says, as long as it still leads.
  if (!cores_.leads(to, m.term) || m.match <= ledger_.disk(from).purged)
    return;
  auto term = cores_.term_at(to, m.match);
  if (const auto* committed = ledger_.committed_at(m.match); !term && committed != nullptr)
    term = committed->term;  // the leader has purged it since
  const auto* entry = term ? ledger_.find(m.match, *term) : nullptr;
  if (entry == nullptr || (entry->ever & bit(from)) == 0)
    findings_.add(Check::acknowledged_is_synced,
                  name_of(from) + " acknowledges " + invariants::text_of(term, m.match) + " to " +
                      name_of(to) + ", the leader of term " + to_string(m.term) +
                      "; its synced log ends at " + to_string(ledger_.disk(from).last()));
}

/// "I have it" counts as the acknowledgement of an append.
void LogChecks::leaves(NodeId from, NodeId to, const InstallSnapshotResponse& m) {
  if (m.clock_ms != 0)
    check_term(from, m.term, "answers the offer of a snapshot");
  if (m.state != InstallState::not_needed)
    return;
  ledger_.note_ack(from, to, m.term, m.match.index);
  const auto* entry = ledger_.find(m.match.index, m.match.term);
  if (m.match.index && (entry == nullptr || (entry->ever & bit(from)) == 0))
    findings_.add(Check::acknowledged_is_synced, name_of(from) + " needs no snapshot, for it has " +
                                                     to_string(m.match) + "; its synced log ends at " +
                                                     to_string(ledger_.disk(from).last()));
}

}  // namespace kiwi::lab::invariants
