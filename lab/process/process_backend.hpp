#pragma once

// A cluster of kiwi-node processes on loopback: fresh ports, a fresh directory, one thread, real time. Nodes
// are looked at through INFO every 20 ms; what they say to each other goes through the proxy (fault build
// only).
//
// Time 0 is when all nodes answer. Everything dies with this object, and with its process.

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "lab/process/process_options.hpp"
#include "lab/run/backend.hpp"

namespace kiwi::lab {

class ProcessBackend final : public Backend {
 public:
  /// Starts the nodes and waits until they answer. The error says what this machine lacks.
  static tl::expected<std::unique_ptr<Backend>, std::string> start(const ProcessOptions& options,
                                                                   Listener& listener);
  ~ProcessBackend() override;

  std::string_view name() const override { return "process"; }
  Time now() const override;
  tl::expected<void, BrokenInvariant> run_until(Time limit) override;
  /// May take some milliseconds of real time: it waits until the node has done it.
  tl::expected<Applied, std::string> apply(const script::Action& action) override;
  std::vector<NodeView> nodes() const override;
  void connect(ConnectionId connection, NodeId node) override;
  void send(ConnectionId connection, const std::vector<std::string>& command) override;
  void disconnect(ConnectionId connection) override;
  bool observe(std::string_view kind) override;
  NodeId node_at(std::string_view address) const override;
  std::string address_of(NodeId node) const override;
  std::map<std::string, std::string> logs() const override;
  /// Asks for one when there is none yet; ask again.
  std::string digest(NodeId node) override;
  std::uint64_t trace_hash() const override { return 0; }
  std::map<std::string, std::uint64_t> figures() const override;
  double slowness() const override;

 private:
  class Impl;
  explicit ProcessBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiwi::lab
