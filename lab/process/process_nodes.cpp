// The nodes of the process backend: started, asked every 20 ms, looked after.

#include <fstream>
#include <tuple>
#include <utility>

#include "lab/process/process_impl.hpp"

namespace kiwi::lab {
namespace {

/// A sync takes about as long anyway.
constexpr Time kWorthSlowing = std::chrono::milliseconds(2);

std::int64_t milliseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

ProcessBackend::Impl::Node::Node(NodeId id, const std::filesystem::path& run_dir)
    : process(id, run_dir / ("n" + to_string(id)), run_dir / ("n" + to_string(id) + ".log")) {
  view.id = id;
}

tl::expected<void, std::string> ProcessBackend::Impl::make_nodes() {
  for (std::uint64_t id = 1; id <= options_.settings.nodes + options_.settings.spares; ++id) {
    auto node = std::make_unique<Node>(NodeId(id), dir_);
    node->fresh = id > options_.settings.nodes;
    for (auto* port : {&node->redis, &node->raft}) {
      auto reserved = reserve_port();
      if (!reserved) {
        return tl::unexpected(reserved.error());
      }
      *port = std::move(*reserved);
    }
    if (options_.means.fault_build) {
      auto listening = listen_at((dir_ / ("c" + std::to_string(id))).string());
      if (!listening) {
        return tl::unexpected(listening.error());
      }
      node->control =
          std::make_unique<ControlLink>(loop_, std::move(*listening), [this, id](const std::string& mark) {
            if (marked_.insert({NodeId(id), mark}).second || observe_marks_) {
              told_ = true;
              listener_.marked(NodeId(id), mark);
            }
          });
    }
    nodes_.push_back(std::move(node));
  }
  if (!options_.means.fault_build) {
    return {};
  }
  const auto& s = options_.settings;
  proxy_ = std::make_unique<Proxy>(
      loop_, Proxy::Weather{s.seed, s.latency, s.net == script::NetProfile::lossy, s.loss, s.duplicate});
  proxy_->on_seen([this](NodeId from, NodeId to, const CutFrame& frame) { seen(from, to, frame); });
  for (const auto& from : nodes_) {
    for (const auto& to : nodes_) {
      if (from == to) {
        continue;
      }
      const auto port = proxy_->add(from->process.id(), to->process.id(), to->raft.port);
      if (!port) {
        return tl::unexpected(port.error());
      }
      from->dial_map += (from->dial_map.empty() ? "" : ",") + to_string(to->process.id()) +
                        "=127.0.0.1:" + std::to_string(*port);
    }
  }
  return {};
}

std::string ProcessBackend::Impl::initial_cluster() const {
  std::string text;
  for (const auto& node : nodes_) {
    if (node->process.id().value > options_.settings.nodes) {
      break;
    }
    text += (text.empty() ? "" : ",") + to_string(node->process.id()) +
            "=127.0.0.1:" + std::to_string(node->redis.port) + "@" + std::to_string(node->raft.port);
  }
  return text;
}

tl::expected<void, std::string> ProcessBackend::Impl::start_node(Node& node) {
  const auto& s = options_.settings;
  std::vector<std::string> arguments = {
      "--id",
      to_string(node.process.id()),
      "--dir",
      node.process.dir().string(),
      "--address",
      "127.0.0.1:" + std::to_string(node.redis.port) + "@" + std::to_string(node.raft.port),
      "--cluster-token",
      "lab",
      "--election-timeout-ms",
      std::to_string(milliseconds(s.election.first)),
      "--heartbeat-ms",
      std::to_string(milliseconds(s.heartbeat)),
      "--request-timeout-ms",
      std::to_string(milliseconds(s.request_timeout)),
      "--log-keep",
      std::to_string(s.log_keep),
      "--log-keep-entries",
      std::to_string(s.log_entries),
      "--log-keep-age",
      std::to_string(milliseconds(s.log_age)) + "ms",
      "--log-laggard",
      std::to_string(s.log_laggard),
      "--snapshot-rate",
      std::to_string(s.snapshot_rate)};
  const auto add = [&](const char* flag, std::string value) {
    arguments.emplace_back(flag);
    arguments.push_back(std::move(value));
  };
  if (!node.fresh) {
    add("--initial-cluster", initial_cluster());
  }
  if (s.lease) {
    add("--read-mode", "lease");
  }
  add("--scrub-rate", std::to_string(s.scrub));
  add("--disk-reserve", std::to_string(s.disk_reserve));
  if (options_.means.fault_build) {
    add("--control", (dir_ / ("c" + to_string(node.process.id()))).string());
    if (!node.dial_map.empty()) {
      add("--dial-map", node.dial_map);
    }
    add("--election-max-ms", std::to_string(milliseconds(s.election.second)));
    add("--cache-bytes", std::to_string(s.cache));
    if (options_.disk_buffers) {
      arguments.emplace_back("--disk-buffers");
    }
    for (const auto& mutant : options_.mutants) {
      add("--mutant", mutant);
    }
    for (const auto& line : usual_disk()) {
      add("--at-start", line);
    }
    if (!node.crash_at.empty()) {
      add("--at-start", node.crash_at);
    }
    for (const auto* lines : {&node.clock, &node.disk}) {
      for (const auto& line : *lines) {
        add("--at-start", line);
      }
    }
  }
  if (auto started = node.process.start(options_.means.program, arguments); !started) {
    return started;
  }
  node.process.kills_itself(!node.crash_at.empty());
  node.answered = false;
  node.view.role = NodeRole::unknown;
  node.view.leader = NodeId{};
  happened(node.process.id(), "start", {{"life", std::to_string(node.process.life())}});
  changed(node);
  return {};
}

std::vector<std::string> ProcessBackend::Impl::usual_disk() const {
  const auto& [least, most] = options_.settings.sync;
  if (most < kWorthSlowing) {
    return {};
  }
  const auto us = [](Time time) { return std::to_string(time.count() / 1000); };
  return {"disk slow sync min=" + us(least) + " max=" + us(most) + " file=log"};
}

void ProcessBackend::Impl::tick() {
  for (const auto& node : nodes_) {
    if (node->process.poll()) {
      ended(*node);
    }
    look_at(*node);
    read_log(*node);
  }
  loop_.at(loop_.now() + kPoll, [this] { tick(); });
}

void ProcessBackend::Impl::look_at(Node& node) {
  if (!node.process.up() || node.process.paused() || node.polled) {
    return;
  }
  node.polled = ask(node, node.info, {"INFO", "raft"}, [this, &node](const Reply& reply) {
    node.polled = false;
    take_info(node, reply);
  });
}

bool ProcessBackend::Impl::ask(Node& node, Node::Wire& wire, const std::vector<std::string>& command,
                               std::function<void(const Reply&)> answered) {
  if (!node.process.up()) {
    return false;
  }
  if (wire.id == 0) {
    wire.id = next_own_++;
    clients_->connect(wire.id, node.redis.port);
  }
  wire.asked.push_back(std::move(answered));
  clients_->send(wire.id, command);
  return true;
}

void ProcessBackend::Impl::take_info(Node& node, const Reply& reply) {
  NodeView seen = node.view;
  if (!read_info(reply.text.view(), seen)) {
    return;
  }
  node.answered = true;
  seen.life = node.process.life();
  if (auto broken = checks_.look(seen, loop_.now() - started_); broken && !broken_) {
    broken_ = std::move(broken);
  }
  const auto figures = [](const NodeView& v) {
    return std::tie(v.role, v.term, v.leader, v.commit, v.applied, v.last, v.purged, v.voters);
  };
  if (figures(seen) != figures(node.view)) {
    if (seen.role != node.view.role || seen.term != node.view.term) {
      happened(
          seen.id, "role",
          {{"role", seen.role == NodeRole::leader ? "leader" : "other"}, {"term", to_string(seen.term)}});
    }
    node.view = std::move(seen);
    changed(node);
  }
}

void ProcessBackend::Impl::changed(Node& node) {
  auto& view = node.view;
  view.up = node.process.up();
  view.paused = node.process.paused();
  view.failed = node.process.failed();
  view.why = node.process.why();
  view.life = node.process.life();
  told_ = true;
  listener_.changed(view.id);
}

void ProcessBackend::Impl::ended(Node& node) {
  if (node.process.killed_itself()) {
    node.crash_at.clear();
  }
  if (node.process.failed()) {
    // Faults that strike a number of times: it is what they did. A new life does not have them again.
    std::erase_if(node.disk, [](const std::string& line) {
      return line.find(" count=") != std::string::npos || line.starts_with("disk lose-writes");
    });
  }
  for (auto* wire : {&node.info, &node.digests}) {
    clients_->disconnect(wire->id);
    *wire = {};
  }
  node.polled = false;
  node.view.role = NodeRole::unknown;
  node.view.leader = NodeId{};
  happened(node.process.id(),
           node.process.failed()          ? "failed"
           : node.process.killed_itself() ? "crash"
                                          : "ended",
           {{"why", node.process.why()}});
  changed(node);
}

/// What a node complains about goes into the report.
void ProcessBackend::Impl::read_log(Node& node) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(node.process.log(), ignored);
  if (ignored || size <= node.log_read) {
    return;
  }
  std::ifstream in(node.process.log(), std::ios::binary);
  in.seekg(static_cast<std::streamoff>(node.log_read));
  for (std::string line; std::getline(in, line) && !in.eof();) {
    node.log_read += line.size() + 1;
    if (line.find("level=error") != std::string::npos || line.find("level=warning") != std::string::npos) {
      happened(node.process.id(), "log", {{"text", line}});
    }
  }
}

}  // namespace kiwi::lab
