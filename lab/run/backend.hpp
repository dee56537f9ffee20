#pragma once

// What a scenario is run on: the simulated world (lab/world) or real processes (lab/process). The runner
// (lab/run) owns the script, the loads, the expectations and the history; a backend owns nodes, links, disks
// and client connections, and the passing of time. One thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "lab/script/action.hpp"
#include "lab/time.hpp"
#include "messages/ids.hpp"
#include "messages/reply.hpp"

namespace kiwi::lab {

/// A client connection; numbers are given by the runner and never used twice in a run.
using ConnectionId = std::uint64_t;

enum class NodeRole : std::uint8_t { unknown, follower, pre_candidate, candidate, leader, learner };

/// What can be seen of a node from outside. With processes this is as old as the last poll.
struct NodeView {
  NodeId id;
  bool up = false;      // the process exists
  bool paused = false;  // stopped by SIGSTOP or its like
  bool failed = false;  // it ended by itself (storage failure, assertion); `why` says how
  std::string why;
  std::uint64_t life = 0;      // counts starts; in the simulator also how often the data was opened again
  std::uint64_t reopened = 0;  // processes: that, within this life
  NodeRole role = NodeRole::unknown;
  Term term;
  NodeId leader;
  Index commit;
  Index applied;
  Index last;
  Index purged;  // up to here the log is gone
  // The newest membership that it has; empty: it belongs to no cluster, or cannot be asked.
  std::vector<NodeId> voters;
  std::vector<NodeId> outgoing;  // the old voters of a joint membership; else empty
  std::vector<NodeId> learners;
};

/// Something worth a place in the report: a change of role, a crash, a log line, a mark, a message.
struct Happening {
  Time at{0};
  NodeId node;  // 0: nobody
  std::string kind;
  std::map<std::string, std::string> fields;  // sorted: the trace hash runs over it
};

/// Hears what happens, from inside Backend::run_until or Backend::apply. Must not call the backend back,
/// except send().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void connected(ConnectionId) = 0;
  /// Replies come in the order of the commands sent on the connection.
  virtual void replied(ConnectionId, const Reply&) = 0;
  /// Closed by the node, reset, or never established. Nothing more comes from it.
  virtual void closed(ConnectionId, const std::string& why) = 0;
  /// A NodeView changed (role, term, leader, up, ...; commit and applied too).
  virtual void changed(NodeId) = 0;
  /// Those of kinds "message" and "disk" only after Backend::observe() asked for them.
  virtual void happened(const Happening&) = 0;
  /// An instrumented point of the code was passed (messages/fault_points.hpp). Before
  /// Backend::observe("mark") only the first time on each node.
  virtual void marked(NodeId, std::string_view mark) = 0;
};

/// A broken invariant, found while the world ran. The run is over.
struct BrokenInvariant {
  int number = 0;  // the list in docs/lab.md
  std::string name;
  std::string what;
  Time at{0};
};

struct Applied {
  /// False: the action changed nothing (a link that was cut already): the script tested less than it says.
  bool effective = true;
  /// For the report and the lowered script: what was decided inside ("kept sectors 0,1 of write 3181").
  std::map<std::string, std::string> details;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;  // "sim" or "process"
  virtual Time now() const = 0;
  /// Lets time pass up to `limit`. Returns as soon as the listener was told something (connected, replied,
  /// closed, changed, marked, or an observed kind of happening), at the latest at `limit`. An error ends the
  /// run.
  virtual tl::expected<void, BrokenInvariant> run_until(Time limit) = 0;
  /// Does it now (`action.at` is not looked at). The error says why this cannot be done, for instance that a
  /// node to be killed is not up: a fault of the script or of chance, not of the product.
  virtual tl::expected<Applied, std::string> apply(const script::Action& action) = 0;
  /// In order of node ids; one for each node that was ever started.
  virtual std::vector<NodeView> nodes() const = 0;

  virtual void connect(ConnectionId connection, NodeId node) = 0;
  /// One command; encoded as RESP and pipelined as it comes.
  virtual void send(ConnectionId connection, const std::vector<std::string>& command) = 0;
  /// Closes it from the client's side. No closed() follows.
  virtual void disconnect(ConnectionId connection) = 0;

  /// From now on happenings of this kind go to the listener at the moment they occur, and run_until() returns
  /// after the step they occurred in (so that `when msg ...` acts before the message is delivered). False:
  /// this backend has none. Kinds:
  ///   "message"  node: the sender; fields: kind (append, append-reply, vote, ...), to, term, index, ... in
  ///   decimal "disk"     node: whose disk; fields: op (write, sync, read, ...), class (log, vote, data,
  ///   ...), path
  virtual bool observe(std::string_view /*kind*/) { return false; }
  /// Which node serves clients at "host:port", as MOVED names it. NodeId{0}: unknown; the runner then
  /// believes the `leader` in the NodeView of the node that answered.
  virtual NodeId node_at(std::string_view /*address*/) const { return {}; }
  /// "host:redisport@raftport" of a node, as RAFT.NODE ADD wants it. Empty: not known.
  virtual std::string address_of(NodeId /*node*/) const { return {}; }
  /// Everything the nodes logged, by file name ("n1.log"). For the folder of a failed run.
  virtual std::map<std::string, std::string> logs() const { return {}; }

  /// Digest of the state machine of a node that is up, as "index:hash"; empty: not to be had now.
  virtual std::string digest(NodeId node) = 0;
  /// The same run again gives the same number. 0 where runs do not repeat (processes).
  virtual std::uint64_t trace_hash() const = 0;
  /// What times of expectations are multiplied by: 1 where time is virtual; with processes, how much slower
  /// this machine is than the one scenarios are written for. May rise during a run.
  virtual double slowness() const { return 1; }
  /// Figures of the run by name ("events", "messages", "syncs", ...).
  virtual std::map<std::string, std::uint64_t> figures() const = 0;
};

}  // namespace kiwi::lab
