#include "server/refusal.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

namespace kiwi {

Reply refusal(AnswerKind kind, const NodeAddress& leader, std::uint16_t slot) {
  switch (kind) {
    case AnswerKind::done:
      break;
    case AnswerKind::not_leader:
      return Reply::error("MOVED " + std::to_string(slot) + " " + leader.host + ":" +
                          std::to_string(leader.redis_port));
    case AnswerKind::no_leader:
      return Reply::error("CLUSTERDOWN The cluster is down: no leader is known");
    case AnswerKind::no_cluster:
      return Reply::error(
          "NOCLUSTER this node belongs to no cluster yet; use RAFT.CLUSTER INIT or RAFT.CLUSTER JOIN");
    case AnswerKind::overloaded:
      return Reply::error("TRYAGAIN this node has too much work in flight; the command was not done");
    case AnswerKind::too_large:
      return Reply::error("ERR the command is larger than " + std::to_string(kMaxRequestBytes) +
                          " bytes; it was not done");
    case AnswerKind::loading:
      return Reply::error("LOADING this node has not yet caught up with its cluster");
    case AnswerKind::stopping:
      return Reply::error("CLUSTERDOWN this node is shutting down");
    case AnswerKind::handing_over:
      return Reply::error("TRYAGAIN leadership is being handed over; the command was not done");
    case AnswerKind::removed:
      return Reply::error("CLUSTERDOWN this node was removed from its cluster; ask another node");
    case AnswerKind::no_space:
      return Reply::error(
          "MISCONF No space left on device: the disks of this node or of most nodes are nearly full; the "
          "write "
          "was not done");
    case AnswerKind::out_of_service:
      return Reply::error("CLUSTERDOWN this node is out of service and opens its data again by itself");
    case AnswerKind::unknown:
      return Reply::error(
          "TIMEOUT the outcome of the command is unknown: it may have been applied or may still be");
  }
  KIWI_ASSERT(false, "an answer that is done carries its reply");
  return {};
}

Reply init_cluster_reply(const std::string& problem) {
  return problem.empty() ? Reply::ok() : Reply::error("ERR " + problem);
}

Reply already_in_cluster() { return init_cluster_reply("this node belongs to a cluster already"); }

Reply digest_marker_reply(Index index) { return Reply::of(static_cast<std::int64_t>(index.value)); }

Reply digest_reply(const std::optional<StateDigest>& digest) {
  if (!digest)
    return Reply::nil();
  return Reply::map({Reply::bulk(std::string("index")), digest_marker_reply(digest->index),
                     Reply::bulk(std::string("digest")), Reply::bulk(std::string(digest->hex)),
                     Reply::bulk(std::string("keys")), Reply::of(static_cast<std::int64_t>(digest->keys))});
}

Reply snapshot_reply(const SnapshotManifest& manifest) {
  const auto text = [](std::string value) { return Reply::bulk(std::move(value)); };
  const auto number = [](std::uint64_t value) { return Reply::of(static_cast<std::int64_t>(value)); };
  const auto& meta = manifest.meta;
  return Reply::map({text("id"), text(meta.snapshot_id), text("index"), number(meta.last_log_id.index.value),
                     text("term"), number(meta.last_log_id.term.value), text("bytes"),
                     number(manifest.bytes()), text("files"), number(manifest.files.size())});
}

Reply snapshot_list_reply(const std::vector<SnapshotManifest>& built) {
  std::vector<Reply> all;
  for (const auto& manifest : built) all.push_back(snapshot_reply(manifest));
  return Reply::array(std::move(all));
}

Reply snapshot_failed(const std::string& problem) { return Reply::error("ERR no snapshot: " + problem); }

Reply too_many_clients() { return Reply::error("ERR max number of clients reached"); }

}  // namespace kiwi
