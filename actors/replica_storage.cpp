#include "actors/replica_storage.hpp"

#include <algorithm>
#include <utility>

#include "messages/cluster_id.hpp"

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
    if (cluster_id_of(given, o.cluster_token) != found.cluster)
      return mismatch("the data directory " + o.dir + " was made for the initial cluster " +
                      describe(found.initial_membership) + ", the command line says " + describe(given) +
                      " (the cluster token counts too)");
  }
  return {};
}

}  // namespace

Result<OpenedReplica> open_replica(const OpenOptions& o) {
  OpenedReplica opened;
  auto directory = storage::DataDirectory::open(o.dir, o.env);
  if (!directory)
    return tl::unexpected(directory.error());
  opened.directory = std::move(*directory);
  opened.dir = o.dir;
  opened.env = o.env;
  storage::LogStoreOptions log;
  log.dir = o.dir + "/log";
  log.env = o.env;
  log.simulated = o.simulated;
  if (!storage::LogStore::exists(log)) {
    auto identity = identity_for_new(o);
    if (!identity)
      return tl::unexpected(identity.error());
    if (auto made = storage::LogStore::create(log, *identity); !made)
      return tl::unexpected(made.error());
    opened.created = true;
  }

  // The data first: what it applied durably is what the log must reach (rule 5).
  auto machine = o.make_machine(o.dir + "/data", Membership{});
  if (!machine)
    return tl::unexpected(machine.error());
  opened.machine = std::move(*machine);
  auto applied = opened.machine->applied_state();
  log.durable_applied = applied.applied.index;

  storage::Recovered recovered;
  auto store = storage::LogStore::open(log, recovered);
  if (!store)
    return tl::unexpected(store.error());
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
  r.last_stamp_ms = std::max(recovered.last_stamp_ms, applied.stamp_ms);
  if (!applied.membership.members.empty())
    r.memberships.emplace_back(applied.membership_id, applied.membership);
  else if (!recovered.identity.initial_membership.members.empty())
    r.memberships.emplace_back(LogId{}, recovered.identity.initial_membership);
  for (auto& [id, membership] : recovered.memberships)
    if (id.index > applied.applied.index)
      r.memberships.emplace_back(id, std::move(membership));
  return opened;
}

}  // namespace kiwi
