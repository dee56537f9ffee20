#include "lab/invariants/state_checks.hpp"

#include "lab/chance.hpp"
#include "lab/invariants/texts.hpp"

namespace kiwi::lab::invariants {

void StateChecks::started(NodeId node, Index applied, const std::string& digest) {
  auto& machine = machines_[node];
  if (applied && !machine.harmed && !machine.flushed.contains(applied)) {
    std::string flushed = "never";
    if (!machine.flushed.empty())
      flushed = "last at " + to_string(*machine.flushed.rbegin());
    findings_.add(Check::data_with_index, name_of(node) + " restarts with applied index " +
                                              to_string(applied) + ", a state that it never made durable (" +
                                              flushed + ")");
  }
  machine.applied = applied;
  if (!digest.empty() && !machine.harmed)
    compare(node, applied, digest, Check::data_with_index);
  // What would have followed is applied again; only up to here is anything durable.
  machine.flushed.erase(machine.flushed.upper_bound(applied), machine.flushed.end());
}

void StateChecks::harmed(NodeId node, std::string_view verb) {
  machines_[node].harmed = true;
  if (verb == "wipe" || verb == "clone-disk")
    machines_[node].flushed.clear();
}

void StateChecks::applied(NodeId node, const std::vector<Entry>& entries) {
  auto& machine = machines_[node];
  for (const auto& entry : entries) {
    const auto index = entry.id.index;
    if (index != machine.applied + 1)
      findings_.add(Check::applied_in_order, name_of(node) + " applies " + to_string(entry.id) +
                                                 " after index " + to_string(machine.applied));
    machine.applied = index;
    const auto* committed = ledger_.committed_at(index);
    if (committed == nullptr) {
      findings_.add(Check::applied_in_order, name_of(node) + " applies " + to_string(entry.id) +
                                                 ", but only " + to_string(ledger_.committed()) +
                                                 " entries are committed anywhere");
      continue;
    }
    const auto* record = ledger_.find(index, committed->term);
    if (committed->term != entry.id.term || (record != nullptr && record->hash != hash_of(entry)))
      findings_.add(Check::applied_in_order,
                    name_of(node) + " applies " + to_string(entry.id) + " with hash " +
                        std::to_string(hash_of(entry)) + ", but committed is " +
                        to_string(LogId{committed->term, index}) + " with hash " +
                        (record == nullptr ? "unknown" : std::to_string(record->hash)));
    if (record != nullptr && (record->durable & bit(node)) == 0 && index > ledger_.disk(node).purged)
      findings_.add(Check::applied_in_order, name_of(node) + " applies " + to_string(entry.id) +
                                                 ", but its own synced log ends at " +
                                                 to_string(ledger_.disk(node).last()));
  }
}

void StateChecks::installing(NodeId node, LogId snapshot) { machines_[node].flushed.insert(snapshot.index); }

void StateChecks::installed(NodeId node, LogId snapshot) {
  auto& machine = machines_[node];
  machine.applied = snapshot.index;
  machine.harmed = false;  // nothing is left of what was spoilt
  const auto* committed = ledger_.committed_at(snapshot.index);
  if (committed == nullptr || committed->term != snapshot.term)
    findings_.add(
        Check::applied_in_order,
        name_of(node) + " installs a snapshot of " + to_string(snapshot) + ", but " +
            (committed == nullptr ? "only " + to_string(ledger_.committed()) + " entries are committed"
                                  : "committed is " + to_string(LogId{committed->term, snapshot.index})));
  machine.flushed.erase(machine.flushed.upper_bound(snapshot.index), machine.flushed.end());
}

bool StateChecks::wants_digest(Index applied) { return mix(applied.value) % 64 == 0; }

void StateChecks::digest(NodeId node, const StateDigest& digest, bool flushing) {
  auto& machine = machines_[node];
  if (flushing)
    machine.flushed.insert(digest.index);
  if (!digest.hex.empty() && !machine.harmed)
    compare(node, digest.index, digest.hex, Check::same_state);
}

void StateChecks::compare(NodeId node, Index index, const std::string& hex, Check check) {
  const auto [at, is_new] = digests_.try_emplace(index, KnownDigest{hex, node});
  if (!is_new && at->second.hex != hex)
    findings_.add(check, name_of(node) + " at applied index " + to_string(index) + " has the state " + hex +
                             ", " + name_of(at->second.of) + " had " + at->second.hex + " there");
}

}  // namespace kiwi::lab::invariants
