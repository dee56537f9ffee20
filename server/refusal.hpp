#pragma once

// The words for everything that ends without the command's own reply. docs/errors.md says for each code which
// of the three kinds of no it is (rule 9).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/client_calls.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/reply.hpp"
#include "messages/snapshot_meta.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

/// The error reply for an answer that is not `done`. `leader` and `slot` are used for not_leader only.
/// Requires kind != done.
Reply refusal(AnswerKind kind, const NodeAddress& leader, std::uint16_t slot);

/// RAFT.CLUSTER INIT. An empty `problem` is success.
Reply init_cluster_reply(const std::string& problem);
/// RAFT.CLUSTER INIT on a node that has a cluster already.
Reply already_in_cluster();
/// RAFT.DIGEST: the index of the marker, to ask RAFT.DIGEST GET for on any node.
Reply digest_marker_reply(Index index);
/// RAFT.DIGEST GET: a map of index, digest and keys; nil while this node has not finished it.
Reply digest_reply(const std::optional<StateDigest>& digest);
/// RAFT.SNAPSHOT: a map of id, index, term, bytes and files.
Reply snapshot_reply(const SnapshotManifest& manifest);
/// RAFT.SNAPSHOT LIST: an array of those.
Reply snapshot_list_reply(const std::vector<SnapshotManifest>& built);
/// RAFT.SNAPSHOT that failed.
Reply snapshot_failed(const std::string& problem);
/// The text of a client that came when the limit of clients was reached; the connection closes after it.
Reply too_many_clients();

}  // namespace kiwi
