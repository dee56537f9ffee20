#include "actors/replica_storage.hpp"

#include <algorithm>
#include <utility>

#include "messages/cluster_id.hpp"
#include "messages/fault_points.hpp"
#include "storage/snapshot_install.hpp"

namespace kiwi {

namespace {

tl::unexpected<StorageError> mismatch(std::string text) {
  return tl::unexpected(StorageError{StorageSubject::identity, StorageVerb::open, StorageKind::mismatch,
                                     std::move(text), StorageOutcome::not_written});
}

std::string describe(const Membership& m) {
  std::string text;
  for (const auto& x : m.members)
    text += (text.empty() ? "" : ",") + to_string(x.id) + "=" + to_string(x.address);
  return text.empty() ? "none" : text;
}

Result<storage::Identity> identity_for_new(const OpenOptions& o) {
  if (!o.id)
    return mismatch("a new data directory needs a node id");
  if (!o.address)
    return mismatch("a new data directory needs an address");
  storage::Identity identity;
  identity.node = o.id;
  identity.instance = o.new_instance;
  identity.address = *o.address;
  if (o.initial_cluster.empty())
    return identity;
  identity.initial_membership = membership_of(o.initial_cluster);
  identity.cluster = cluster_id_of(identity.initial_membership, o.cluster_token);
  const auto* self = identity.initial_membership.find(o.id);
  if (self == nullptr)
    return mismatch("node id " + to_string(o.id) + " is not in the initial cluster " +
                    describe(identity.initial_membership));
  if (self->address != *o.address)
    return mismatch("the initial cluster says " + to_string(self->address) + " for node " + to_string(o.id) +
                    ", but its address is given as " + to_string(*o.address));
  return identity;
}

Result<void> check_flags(const OpenOptions& o, const storage::Identity& found) {
  if (o.id && o.id != found.node)
    return mismatch("the data directory " + o.dir + " belongs to node " + to_string(found.node) +
                    ", not to node " + to_string(o.id));
  if (o.address && *o.address != found.address)
    return mismatch("the data directory " + o.dir + " says the address " + to_string(found.address) +
                    ", the command line says " + to_string(*o.address));
  if (!o.initial_cluster.empty()) {
    auto given = membership_of(o.initial_cluster);
    if (cluster_id_of(given, o.cluster_token, found.origin) != found.cluster)
      return mismatch("the data directory " + o.dir + " was made for the initial cluster " +
                      describe(found.initial_membership) + ", the command line says " + describe(given) +
                      " (the cluster token counts too)" +
                      (found.origin.empty() ? "" : "; it was " + found.origin));
  }
  return {};
}

/// Steps 3 and 4 of an install that a crash interrupted; 5 comes when both databases are open.
Result<void> resume_install(const OpenOptions& o, OpenedReplica& opened, storage::LogStoreOptions& log) {
  auto pending = storage::pending_install(o.env, o.dir);
  if (!pending)
    return tl::unexpected(pending.error());
  if (!*pending)
    return {};
  const auto& meta = **pending;
  KIWI_MARK("install.resumed");
  if (auto swapped = storage::swap_data(o.env, o.dir, meta); !swapped)
    return swapped;
  if (!KIWI_MUTANT(install_log_kept))
    log.installed = meta.last_log_id;
  log.installed_membership_id = meta.membership_id;
  log.installed_membership = meta.membership;
  opened.notes.push_back("finished the install of snapshot " + meta.snapshot_id +
                         ", which ended before it was done");
  return {};
}

/// Sets the damaged data aside and makes an empty state.
Result<std::unique_ptr<StateMachine>> start_without_data(const OpenOptions& o, OpenedReplica& opened,
                                                         const StorageError& damage) {
  const auto name = storage::set_data_aside(o.env, o.dir);
  if (!name)
    return tl::unexpected(name.error());
  KIWI_MARK("data.set_aside");
  opened.notes.push_back("the data database is damaged and was set aside as " + o.dir + "/" + *name + " (" +
                         damage.cause + ")");
  return o.make_machine(o.dir + "/data", Membership{});
}

}  // namespace

Result<OpenedReplica> open_replica(const OpenOptions& o) {
  OpenedReplica opened;
  auto directory = storage::DataDirectory::open(o.dir, o.env);
  if (!directory)
    return tl::unexpected(directory.error());
  opened.directory = std::move(*directory);
  if (const auto room = opened.directory->free_bytes(); room && *room < o.least_free_bytes)
    return tl::unexpected(StorageError{StorageSubject::identity, StorageVerb::open, StorageKind::no_space,
                                       o.dir + ": " + std::to_string(*room) + " bytes are free, and " +
                                           std::to_string(o.least_free_bytes) + " are needed",
                                       StorageOutcome::not_written});
  opened.dir = o.dir;
  opened.env = o.env;
  storage::LogStoreOptions log;
  log.dir = o.dir + "/log";
  log.env = o.env;
  log.simulated = o.simulated;
  if (o.log_write_buffer_bytes > 0)
    log.write_buffer_bytes = o.log_write_buffer_bytes;
  if (!storage::LogStore::exists(log)) {
    // Before a log is made: the next start must not take that for the log that the snapshot was for.
    auto pending = storage::pending_install(o.env, o.dir);
    if (!pending)
      return tl::unexpected(pending.error());
    if (*pending)
      return mismatch(o.dir + " has lost its log while snapshot " + (*pending)->snapshot_id +
                      " was being installed");
    auto identity = identity_for_new(o);
    if (!identity)
      return tl::unexpected(identity.error());
    if (auto made = storage::LogStore::create(log, *identity); !made)
      return tl::unexpected(made.error());
    opened.created = true;
  }

  auto pending = resume_install(o, opened, log);
  if (!pending)
    return tl::unexpected(pending.error());

  // The data first: what it applied durably is what the log must reach (rule 5).
  const bool had_data = storage::has_data(o.env, o.dir);
  auto machine = o.make_machine(o.dir + "/data", Membership{});
  storage::Recovered recovered;
  Result<std::unique_ptr<storage::LogStore>> store;
  if (machine) {
    log.durable_applied = (*machine)->applied_state().applied.index;
    store = storage::LogStore::open(log, recovered);
  } else if (machine.error().kind == StorageKind::corruption && !opened.created) {
    // How far the log must reach cannot be known then; that it is whole otherwise is seen before the data is
    // given up.
    const auto damage = machine.error();
    store = storage::LogStore::open(log, recovered);
    // An install that was under way ends first: the log follows it, and its intent would look for its data.
    if (auto finished = store ? storage::finish_install(o.env, o.dir) : Result<void>{}; !finished)
      return tl::unexpected(finished.error());
    if (store)
      machine = start_without_data(o, opened, damage);
  }
  if (!store)
    return tl::unexpected(store.error());
  if (!machine)
    return tl::unexpected(machine.error());
  opened.machine = std::move(*machine);
  const auto applied = opened.machine->applied_state();
  if (applied.applied.index < recovered.purged.index)
    opened.notes.push_back((had_data ? "" : o.dir + "/data is missing; ") +
                           std::string("the log begins at ") + to_string(recovered.purged.index + 1) +
                           ", so this node applies nothing before it has a snapshot from its peers");
  if (auto finished = storage::finish_install(o.env, o.dir); !finished)
    return tl::unexpected(finished.error());
  opened.log = std::move(*store);
  if (auto checked = check_flags(o, recovered.identity); !checked)
    return tl::unexpected(checked.error());
  opened.identity = recovered.identity;
  opened.bindings = recovered.bindings;
  opened.torn_bytes = recovered.torn_bytes;

  auto& r = opened.restored;
  r.vote = recovered.vote;
  r.purged = recovered.purged;
  r.runs = recovered.runs;
  r.last = recovered.last;
  r.applied = applied.applied;
  r.marks = recovered.marks;
  r.entry_bytes = recovered.entry_bytes;
  r.last_stamp_ms = std::max(recovered.last_stamp_ms, applied.stamp_ms);
  // The newer of two: a data database that was put back from an older copy knows less than the log's base.
  const bool base_is_newer =
      recovered.base_membership && recovered.base_membership->first.index > applied.membership_id.index;
  if (!applied.membership.members.empty() && !base_is_newer)
    r.memberships.emplace_back(applied.membership_id, applied.membership);
  else if (recovered.base_membership)  // the applied state that knew it is lost
    r.memberships.push_back(std::move(*recovered.base_membership));
  else if (!recovered.identity.initial_membership.members.empty())
    r.memberships.emplace_back(LogId{}, recovered.identity.initial_membership);
  for (auto& [id, membership] : recovered.memberships)
    if (id.index > applied.applied.index)
      r.memberships.emplace_back(id, std::move(membership));
  return opened;
}

}  // namespace kiwi
