#pragma once

// Opens what one replica keeps at rest: DIR/log and DIR/data. Runs before any actor, in the caller's thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages/storage_error.hpp"
#include "raft/core.hpp"
#include "statemachine/state_machine.hpp"
#include "storage/data_directory.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

/// Opens the replica's state machine in `dir` (DIR/data). `initial`: the membership before any entry.
using MachineFactory =
    std::function<Result<std::unique_ptr<StateMachine>>(const std::string& dir, const Membership& initial)>;

struct OpenOptions {
  std::string dir;                      // made if it does not exist
  NodeId id;                            // 0: take it from the directory
  std::optional<NodeAddress> address;   // nothing: take it from the directory
  std::vector<Member> initial_cluster;  // empty: none given
  std::string cluster_token;
  InstanceId new_instance;  // drawn by the caller, used only when the directory is made
  MachineFactory make_machine;
  rocksdb::Env* env = nullptr;  // null: the real one
  bool simulated = false;
  /// With less room than this on the disk nothing is tried (StorageKind::no_space). 0, or a file system that
  /// does not say: in any case.
  std::uint64_t least_free_bytes = 0;
  /// See LogStoreOptions; 0: its default.
  std::uint64_t log_write_buffer_bytes = 0;
};

struct OpenedReplica {
  std::shared_ptr<storage::DataDirectory> directory;  // kept until both databases are closed
  storage::Identity identity;
  std::unique_ptr<storage::LogStore> log;
  std::unique_ptr<StateMachine> machine;
  raft::Restored restored;
  std::vector<PeerBinding> bindings;
  std::string dir;              // DIR
  rocksdb::Env* env = nullptr;  // of both databases; null: the real one
  bool created = false;         // the directory is new
  /// What happened that an operator should know of, for the log: an install that was finished, a data
  /// database that was set aside. Usually empty.
  std::vector<std::string> notes;
  std::uint64_t torn_bytes = 0;  // cut from the log's end
};

/// Makes the directory at first start, opens it later. An install of a snapshot that a crash interrupted is
/// finished first (docs/snapshots.md).
///
/// A data database that is damaged is set aside as DIR/data.damaged-N when the log is whole, and one that is
/// missing is made anew: then restored.applied is 0/0. If the log begins at 1 (restored.purged is 0/0), all
/// is applied again. If not, restored.applied lies below restored.purged: the node may vote, append and
/// acknowledge, for its log is whole, but it must not apply anything, nor lead, before it has installed a
/// snapshot of at least restored.purged.
///
/// A flag that contradicts what the directory says is
/// StorageKind::mismatch with both values in the text.
Result<OpenedReplica> open_replica(const OpenOptions& options);

}  // namespace kiwi
