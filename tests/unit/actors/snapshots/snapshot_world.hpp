#pragma once

// Nodes that have nothing but a snapshot builder actor over a simulated disk, and the network between them,
// which does what the test wants with every message.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../actor_world.hpp"
#include "actors/snapshot_builder_actor.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::test {

inline constexpr const char* kDir = "/node/snapshots";
inline constexpr const char* kDataDir = "/node/data";

/// `bytes` bytes that no compression makes fewer, different for each seed.
std::string noise(std::uint64_t seed, std::size_t bytes);
/// `bytes` bytes that pack well.
std::string prose(std::uint64_t seed, std::size_t bytes);

/// What a state machine's files are, by name; shared by the node's lives.
struct FakeState {
  std::map<std::string, std::string> files;
  LogId at{Term(3), Index(100)};
  int builds = 0;
  int looks = 0;  // at the current files
  bool fails = false;
  std::uint32_t format = 1;
  bool finds_received_wrong = false;
};

SnapshotFile describe(const std::string& name, const std::string& content);
SnapshotManifest manifest_of(const FakeState& state);

class FakeBuilder : public SnapshotBuilder {
 public:
  FakeBuilder(std::shared_ptr<FakeState> state, rocksdb::Env* env) : state_(std::move(state)), env_(env) {}
  Result<SnapshotManifest> build_snapshot(const std::string& parent) override;
  Result<std::vector<SnapshotFile>> link_current_files(const std::string& folder) override;
  Result<void> accepts(const SnapshotManifest& manifest) const override;
  Result<void> check_received(const SnapshotMeta& meta, const std::string& folder) override;

 private:
  std::shared_ptr<FakeState> state_;
  rocksdb::Env* env_;
};

class SnapshotWorld;

class SnapshotNode {
 public:
  SnapshotNode(SnapshotWorld& world, NodeId id);

  NodeId id;
  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  SnapshotBuilderOptions options;

  void start();
  /// The actor is gone, what it wrote is there; starts again.
  void kill();
  /// Only what was synced is there; starts again.
  void cut_power();

  sim::SimMachine& machine() { return *machine_; }
  SnapshotBuilderActor& actor() { return actor_; }
  Stub& outlet() { return *outlet_; }
  SnapshotFigures figures();
  Question<SnapshotManifest> build(std::uint64_t at_least);
  Question<SnapshotReceived> receive(NodeId from, SnapshotManifest manifest);
  std::string content(const std::string& path) const;
  /// All files in a folder, by name.
  std::map<std::string, std::string> files_in(const std::string& folder) const;

  /// No other life follows.
  void stop();

 private:
  SnapshotWorld& world_;
  std::unique_ptr<sim::SimMachine> machine_;
  SnapshotBuilderActor actor_;
  Stub* outlet_ = nullptr;
};

class SnapshotWorld {
 public:
  SnapshotWorld() = default;
  ~SnapshotWorld();
  ActorWorld actors;
  SnapshotNode a{*this, NodeId(1)};
  SnapshotNode b{*this, NodeId(2)};
  SnapshotNode c{*this, NodeId(3)};

  struct Packet {
    NodeId from;
    NodeId to;
    PeerMessage message;
  };
  /// Asked for each packet: how many times it arrives (0: lost), and it may change it. Default: once.
  std::function<int(Packet&)> network = [](Packet&) { return 1; };
  /// Packets travel in another order than they were sent.
  bool shuffled = false;

  SnapshotNode& node(NodeId id) { return id == a.id ? a : id == b.id ? b : c; }
  /// Until nobody has anything to say; no time passes.
  void settle();
  /// Lets time pass in steps of 50 ms until `done`, at most `ms`. Returns whether it was done.
  bool run_until(const std::function<bool()>& done, std::uint64_t ms);
  void run_for(std::uint64_t ms) {
    run_until([] { return false; }, ms);
  }
  /// Of SnapshotPart data that left a sender since start.
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_parts = 0;
  std::map<NodeId, std::size_t> parts_to;
  /// All that was said to the outlets.
  std::vector<SnapshotProgress> progress;

 private:
  void deliver(SnapshotNode& node);
  std::deque<Packet> travelling_;
};

}  // namespace kiwi::test
