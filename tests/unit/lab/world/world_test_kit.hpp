#pragma once

// A cluster in the simulated world, told in short sentences.

#include <gmock/gmock.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lab/world/world.hpp"

namespace kiwi::lab::test {

using namespace std::chrono_literals;

/// Remembers what it hears.
class Ear final : public Listener {
 public:
  void connected(ConnectionId c) override { open[c] = true; }
  void replied(ConnectionId c, const Reply& reply) override { replies[c].push_back(reply); }
  void closed(ConnectionId c, const std::string& why) override {
    open[c] = false;
    closed_why[c] = why;
  }
  void changed(NodeId) override { ++changes; }
  void happened(const Happening& h) override { happenings.push_back(h); }
  void marked(NodeId, std::string_view) override {}

  std::map<ConnectionId, bool> open;
  std::map<ConnectionId, std::string> closed_why;
  std::map<ConnectionId, std::deque<Reply>> replies;
  std::vector<Happening> happenings;
  std::uint64_t changes = 0;
};

WorldOptions options(std::uint64_t seed, std::uint64_t nodes);

class Cluster {
 public:
  explicit Cluster(WorldOptions o) : world(std::move(o), ear) {}
  Cluster(std::uint64_t seed, std::uint64_t nodes) : Cluster(options(seed, nodes)) {}

  /// Lets so much time pass; a broken invariant fails the test.
  void run(Time time);
  /// Until it holds; false: not within `limit`.
  bool until(Time limit, const std::function<bool()>& holds);
  /// The one that leads in the highest term, once there is one that is ready; 0: none within `limit`.
  NodeId leader(Time limit = 10s);
  NodeView view(NodeId node) const { return world.nodes().at(node.value - 1); }
  /// "cut n1 -> n2,n3", "crash n1", "fail n1 sync eio file=log": as in a lowered script.
  Applied apply(const std::string& line);
  /// The error instead.
  std::string refused(const std::string& line);
  /// One command on a fresh connection to `node`, and its reply; an error "no reply" after five seconds.
  Reply ask(NodeId node, const std::vector<std::string>& command);
  /// Asks whoever leads, again and again, until it is no error.
  Reply ask_leader(const std::vector<std::string>& command);
  bool happened(const std::string& kind, const std::string& text) const;
  std::size_t count(const std::string& kind) const;

  Ear ear;
  World world;

 private:
  tl::expected<Applied, std::string> try_apply(const std::string& line);
  ConnectionId next_ = 1;
};

}  // namespace kiwi::lab::test
