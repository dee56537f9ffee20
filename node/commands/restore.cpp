// kiwi-node restore: see statemachine/restore_directory.hpp

#include <cstdio>
#include <string>

#include "actors/snapshot_manifest_check.hpp"
#include "messages/cluster_id.hpp"
#include "node/commands/inspection.hpp"
#include "node/commands/progress.hpp"
#include "node/commands/run.hpp"
#include "node/options.hpp"
#include "node/random_number.hpp"
#include "statemachine/backup_folder.hpp"
#include "statemachine/restore_directory.hpp"

namespace kiwi {
namespace {

CommandResult<storage::Identity> identity_of(const RestoreArguments& a, const SnapshotManifest& manifest) {
  const auto address = parse_address(a.address);
  if (!address)
    return command_failed(kExitUsage, "--address: " + address.error());
  auto members = parse_cluster(a.initial_cluster);
  if (!members)
    return command_failed(kExitUsage, "--initial-cluster: " + members.error());
  storage::Identity identity;
  identity.node = NodeId(a.id);
  identity.instance = InstanceId(random_number());
  identity.address = *address;
  identity.initial_membership = membership_of(std::move(*members));
  const auto* self = identity.initial_membership.find(identity.node);
  if (self == nullptr)
    return command_failed(kExitUsage,
                          "--initial-cluster does not list this node, --id " + to_string(identity.node));
  if (self->address != identity.address)
    return command_failed(kExitUsage, "--initial-cluster says " + to_string(self->address) + " for node " +
                                          to_string(identity.node) + ", --address says " + a.address);
  identity.origin = "restored from backup " + manifest.meta.snapshot_id;
  identity.cluster = cluster_id_of(identity.initial_membership, a.cluster_token, identity.origin);
  return identity;
}

void tell(const RestoreArguments& a, const SnapshotManifest& manifest, const storage::Identity& identity,
          const DataReport& data) {
  std::printf("restored      %s, node %s of a new cluster\n", a.dir.c_str(),
              to_string(identity.node).c_str());
  std::printf("cluster       %016llx, %s\n", static_cast<unsigned long long>(identity.cluster.value),
              membership_text(identity.initial_membership).c_str());
  std::printf("from          %s, snapshot %s\n", a.from.c_str(), manifest.meta.snapshot_id.c_str());
  std::printf("as of         %s, clock %llu ms\n", to_string(manifest.meta.last_log_id).c_str(),
              static_cast<unsigned long long>(manifest.meta.timestamp_ms));
  std::printf("digest        %s, %llu keys\n", data.digest.c_str(),
              static_cast<unsigned long long>(data.keys));
  std::printf(
      "next          the same on the other nodes, from a copy of the same backup; then start each with: "
      "kiwi-node --dir DIR\n");
}

}  // namespace

CommandResult<int> run_restore(const RestoreArguments& a) {
  const auto manifest = read_backup(nullptr, a.from);
  if (!manifest)
    return command_failed(manifest.error());
  if (const auto fault = manifest_fault(*manifest))
    return command_failed(kExitDamaged, a.from + ": " + *fault);
  const auto identity = identity_of(a, *manifest);
  if (!identity)
    return tl::unexpected(identity.error());
  Progress progress("copying and verifying", 3 * manifest->bytes());
  const auto data = restore_directory({a.from, *manifest, a.dir, *identity},
                                      [&](const std::string& where, std::uint64_t bytes) {
                                        progress.add(bytes, where);
                                        return true;
                                      });
  if (!data)
    return command_failed(data.error());
  tell(a, *manifest, *identity, *data);
  return 0;
}

}  // namespace kiwi
