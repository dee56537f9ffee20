// kiwi-node recover --unsafe-sole-survivor: the only node that is left of a cluster becomes a cluster of one.
//
// The log gets a membership entry with this node alone, in a new term, and the directory another cluster id.
// Both are one write (LogStore::begin_new_cluster), so a crash leaves the old cluster's node or the new
// one's. With that entry this node is a majority: at its next start it leads, and commits all that its log
// holds.

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "actors/replica_storage.hpp"
#include "messages/cluster_id.hpp"
#include "node/commands/inspection.hpp"
#include "node/commands/run.hpp"
#include "node/commands/stopped_directory.hpp"
#include "node/random_number.hpp"
#include "statemachine/redis_machine.hpp"
#include "statemachine/restore_directory.hpp"

namespace kiwi {
namespace {

std::string hex(std::uint64_t x) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, x);
  return text;
}

/// Whether what lies here is enough to go on alone.
CommandResult<void> refuse_hurt(const Inspection& i) {
  if (!i.log.recovered || !i.log.identity || i.snapshots.pending)
    return command_failed(
        i.damaged() ? kExitDamaged : kExitBadDataDirectory,
        inspection_text(i) +
            (i.snapshots.pending
                 ? "kiwi-node: the install of a snapshot is not finished: start the node once, "
                   "stop it, and ask again"
                 : "kiwi-node: the log is not whole, so this node cannot become a cluster"));
  const auto purged = i.log.recovered->purged.index;
  const bool data_whole = i.data.there && i.data.state && !storage::has_damage(i.data.findings);
  if (purged && (!data_whole || i.data.state->last_log_id.index < purged))
    return command_failed(kExitDamaged,
                          inspection_text(i) +
                              "kiwi-node: the data is damaged or missing, and the log begins at " +
                              to_string(purged + 1) + ", so the state cannot be had from it");
  if (!i.log.identity->cluster)
    return command_failed(kExitBadDataDirectory, i.dir + " belongs to no cluster");
  return {};
}

std::string statement(const Inspection& i) {
  const auto& id = *i.log.identity;
  const auto last = i.log.recovered->last;
  const auto applied = i.data.state ? i.data.state->last_log_id.index : Index();
  std::string others;
  for (const auto& m : i.membership.members)
    if (m.id != id.node)
      others += "    node " + to_string(m.id) + " at " + to_string(m.address) + "\n";
  std::string text = "*** UNSAFE: node " + to_string(id.node) + " of cluster " + hex(id.cluster.value) +
                     " is about to become a cluster of one. ***\n\n" + "Its log ends with " +
                     to_string(last) + ".\n\n" +
                     "MAY BE LOST: every write that the others acknowledged without this node. If they were "
                     "a majority, that "
                     "is every\n  write behind " +
                     to_string(last) + ", and nobody can tell from here how many there were.\n";
  if (last.index > applied)
    text += "MAY COME BACK: entries " + to_string(applied + 1) + " to " + to_string(last.index) +
            " of this log. Which of them were committed is not known here; all of them\n  become committed, "
            "also writes whose clients were told that the outcome is unknown, or that others replaced.\n";
  if (i.torn())
    text +=
        "ALREADY LOST HERE: the newest write of this log is torn or damaged and will be cut (see inspect).\n";
  text += "FOR EVER: this node leaves its cluster. These can never join it again, nor it them:\n" +
          (others.empty() ? "    nobody\n" : others) +
          "  Destroy their directories. If a majority of them starts again they go on as the old cluster,\n"
          "  and clients that reach both will see two different states.\n\n";
  return text;
}

OpenOptions open_options(const std::string& dir) {
  OpenOptions open;
  open.dir = dir;
  open.make_machine = [](const std::string& data,
                         const Membership& initial) -> Result<std::unique_ptr<StateMachine>> {
    RedisMachineOptions options;
    options.dir = data;
    auto machine = RedisMachine::open(options, initial);
    if (!machine)
      return tl::unexpected(machine.error());
    return std::unique_ptr<StateMachine>(std::move(*machine));
  };
  return open;
}

CommandResult<storage::Identity> become_alone(const std::string& dir) {
  auto opened = open_replica(open_options(dir));
  if (!opened)
    return command_failed(opened.error());
  auto identity = opened->identity;
  const auto& restored = opened->restored;
  identity.initial_membership = membership_of({Member{identity.node, identity.address}});
  identity.origin = "recovered as the sole survivor of cluster " + hex(identity.cluster.value) + " at " +
                    to_string(restored.last) + " by instance " + hex(random_number());
  identity.cluster = cluster_id_of(identity.initial_membership, "", identity.origin);
  const auto step = founding_entry(restored.last, restored.vote.term, identity.node, restored.last_stamp_ms,
                                   identity.initial_membership);
  if (auto begun = opened->log->begin_new_cluster(identity, step); !begun)
    return command_failed(begun.error());
  return identity;
}

}  // namespace

CommandResult<int> run_recover(const RecoverArguments& a) {
  if (!a.sole_survivor)
    return command_failed(kExitUsage, "recover needs --unsafe-sole-survivor: it is the only way it knows");
  {
    const auto kept = StoppedDirectory::take(a.dir);
    if (!kept)
      return tl::unexpected(kept.error());
    const auto found = inspect_directory(a.dir);
    if (auto good = refuse_hurt(found); !good)
      return tl::unexpected(good.error());
    std::fputs(statement(found).c_str(), stdout);
  }
  if (!a.accept_loss) {
    std::puts("Nothing was changed. To do it, give --accept-data-loss as well.");
    return kExitNotConfirmed;
  }
  const auto identity = become_alone(a.dir);
  if (!identity)
    return tl::unexpected(identity.error());
  std::printf("Done. Node %s is cluster %s, alone. Start it with: kiwi-node --dir %s\n",
              to_string(identity->node).c_str(), hex(identity->cluster.value).c_str(), a.dir.c_str());
  return 0;
}

}  // namespace kiwi
