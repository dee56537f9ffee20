#include "lab/process/process_backend.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "lab/process/process_impl.hpp"

namespace kiwi::lab {
namespace {

/// Until all nodes answer; times the slowness.
constexpr Time kStartPatience = std::chrono::seconds(15);
/// The loop itself is late by so much only on a machine that is too busy.
constexpr Time kLate = std::chrono::milliseconds(100);

}  // namespace

ProcessBackend::Impl::Impl(const ProcessOptions& options, Listener& listener)
    : options_(options),
      listener_(listener),
      digests_([this](NodeId id, const std::vector<std::string>& command, Digests::Answered answered) {
        auto* asked = node(id);
        return asked != nullptr && ask(*asked, asked->digests, command, std::move(answered));
      }),
      chance_(options.settings.seed, "process", "power-fail") {}

ProcessBackend::Impl::~Impl() {
  for (const auto& node : nodes_) {
    node->process.kill();
  }
  clients_.reset();
  proxy_.reset();
  nodes_.clear();
  if (!dir_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
}

tl::expected<void, std::string> ProcessBackend::Impl::start() {
  std::string pattern = (options_.scratch / "kiwi-fault-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return tl::unexpected(pattern + ": " + std::strerror(errno));
  }
  dir_ = pattern;
  slowness_ = measure_slowness(dir_);
  ProcessClients::Events events;
  events.connected = [this](ProcessClients::Id id) {
    if (id < kOwn) {
      told_ = true;
      listener_.connected(id);
    }
  };
  events.replied = [this](ProcessClients::Id id, const Reply& reply) {
    if (id < kOwn) {
      told_ = true;
      listener_.replied(id, reply);
      return;
    }
    for (const auto& node : nodes_) {
      for (auto* wire : {&node->info, &node->digests}) {
        if (wire->id == id && !wire->asked.empty()) {
          const auto answered = std::move(wire->asked.front());
          wire->asked.pop_front();
          answered(reply);
          return;
        }
      }
    }
  };
  events.closed = [this](ProcessClients::Id id, const std::string& why) {
    if (id < kOwn) {
      told_ = true;
      listener_.closed(id, why);
      return;
    }
    for (const auto& node : nodes_) {
      for (auto* wire : {&node->info, &node->digests}) {
        if (wire->id == id) {
          *wire = {};
          node->polled = node->polled && wire != &node->info;
        }
      }
    }
  };
  clients_ = std::make_unique<ProcessClients>(loop_, std::move(events));
  if (auto made = make_nodes(); !made) {
    return made;
  }
  for (const auto& node : nodes_) {
    if (auto started = start_node(*node); !started) {
      return started;
    }
  }
  tick();
  const Time until =
      Time(static_cast<Time::rep>(static_cast<double>(kStartPatience.count()) * slowness_.factor()));
  const auto ready = [this] {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [](const auto& node) { return node->answered || !node->process.up(); });
  };
  while (!ready()) {
    loop_.step(loop_.now() + kPoll);
    for (const auto& node : nodes_) {
      // Any other end is for the checks: a node that fails as soon as it runs is what the laboratory looks
      // for.
      if (!node->process.up() && node->process.refused()) {
        return tl::unexpected("n" + to_string(node->process.id()) +
                              " does not start: " + node->process.why());
      }
    }
    if (loop_.now() > until) {
      return tl::unexpected(std::string("the nodes do not answer"));
    }
  }
  // Timers keep their times: the clock goes on, and the run begins at a moment of it.
  started_ = loop_.now();
  loop_.take_lateness();
  loop_.forgive();
  return {};
}

void ProcessBackend::Impl::happened(NodeId node, std::string kind,
                                    std::map<std::string, std::string> fields) {
  listener_.happened(Happening{loop_.now() - started_, node, std::move(kind), std::move(fields)});
}

void ProcessBackend::Impl::seen(NodeId from, NodeId to, const CutFrame& frame) {
  if (!observe_messages_) {
    return;
  }
  std::map<std::string, std::string> fields;
  if (options_.message_fields) {
    fields = options_.message_fields(frame.bytes);
  }
  fields["kind"] = frame.kind;
  fields["to"] = to_string(to);
  told_ = told_ || options_.waits_for_messages;
  happened(from, "message", std::move(fields));
}

ProcessBackend::Impl::Node* ProcessBackend::Impl::node(NodeId id) const {
  return id.value >= 1 && id.value <= nodes_.size() ? nodes_[id.value - 1].get() : nullptr;
}

tl::expected<void, BrokenInvariant> ProcessBackend::Impl::run_until(Time limit) {
  told_ = false;
  do {
    loop_.step(limit + started_);
    if (broken_) {
      return tl::unexpected(*broken_);
    }
  } while (!told_ && loop_.now() < limit + started_);
  if (const Time late = loop_.take_lateness(); late > kLate) {
    slowness_.wake =
        std::max(slowness_.wake, static_cast<double>(late.count()) / static_cast<double>(kLate.count()));
  }
  return {};
}

// --- Backend

ProcessBackend::ProcessBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcessBackend::~ProcessBackend() = default;

tl::expected<std::unique_ptr<Backend>, std::string> ProcessBackend::start(const ProcessOptions& options,
                                                                          Listener& listener) {
  auto impl = std::make_unique<Impl>(options, listener);
  if (auto started = impl->start(); !started) {
    return tl::unexpected(started.error());
  }
  return std::unique_ptr<Backend>(new ProcessBackend(std::move(impl)));
}

Time ProcessBackend::now() const { return impl_->now(); }
tl::expected<void, BrokenInvariant> ProcessBackend::run_until(Time limit) { return impl_->run_until(limit); }
tl::expected<Applied, std::string> ProcessBackend::apply(const script::Action& action) {
  return impl_->apply(action);
}

std::vector<NodeView> ProcessBackend::nodes() const {
  std::vector<NodeView> views;
  for (const auto& node : impl_->nodes_) {
    views.push_back(node->view);
  }
  return views;
}

void ProcessBackend::connect(ConnectionId connection, NodeId node) {
  const auto* to = impl_->node(node);
  impl_->clients_->connect(connection, to == nullptr ? std::uint16_t{0} : to->redis.port);
}
void ProcessBackend::send(ConnectionId connection, const std::vector<std::string>& command) {
  impl_->clients_->send(connection, command);
}
void ProcessBackend::disconnect(ConnectionId connection) { impl_->clients_->disconnect(connection); }

bool ProcessBackend::observe(std::string_view kind) {
  if (kind == "mark") {
    impl_->observe_marks_ = true;
  } else if (kind == "message" && impl_->proxy_) {
    impl_->observe_messages_ = true;
    // Whoever waits for a message acts before it is delivered. For the report alone nothing is held back.
    impl_->proxy_->hold_back(impl_->options_.waits_for_messages);
  } else {
    return false;
  }
  return impl_->options_.means.fault_build;
}

NodeId ProcessBackend::node_at(std::string_view address) const {
  for (const auto& node : impl_->nodes_) {
    if (address == "127.0.0.1:" + std::to_string(node->redis.port)) {
      return node->view.id;
    }
  }
  return {};
}

std::string ProcessBackend::address_of(NodeId id) const {
  const auto* node = impl_->node(id);
  return node == nullptr
             ? std::string()
             : "127.0.0.1:" + std::to_string(node->redis.port) + "@" + std::to_string(node->raft.port);
}

std::map<std::string, std::string> ProcessBackend::logs() const {
  std::map<std::string, std::string> logs;
  for (const auto& node : impl_->nodes_) {
    std::ifstream in(node->process.log(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    logs[node->process.log().filename().string()] = text.str();
  }
  return logs;
}

std::string ProcessBackend::digest(NodeId node) {
  NodeId leader;
  Term term;
  for (const auto& other : impl_->nodes_) {
    const auto& view = other->view;
    if (view.up && !view.paused && view.role == NodeRole::leader && view.term > term) {
      leader = view.id;
      term = view.term;
    }
  }
  return impl_->digests_.of(node, leader, now());
}

std::map<std::string, std::uint64_t> ProcessBackend::figures() const {
  auto figures = impl_->figures_;
  const auto percent = [](double factor) { return static_cast<std::uint64_t>(factor * 100); };
  figures["slowness percent"] = percent(slowness());
  figures["slowness percent, cpu"] = percent(impl_->slowness_.cpu);
  figures["slowness percent, disk"] = percent(impl_->slowness_.disk);
  figures["slowness percent, wake-up"] = percent(impl_->slowness_.wake);
  if (impl_->proxy_) {
    const auto& counts = impl_->proxy_->counts();
    figures["messages"] = counts.frames;
    figures["message bytes"] = counts.bytes;
    figures["messages dropped"] = counts.dropped;
    figures["messages duplicated"] = counts.duplicated;
    figures["messages reordered"] = counts.reordered;
    figures["messages corrupted"] = counts.corrupted;
    figures["messages held"] = counts.held;
    figures["connections ended"] = counts.resets;
  }
  for (const auto& node : impl_->nodes_) {
    figures["node starts"] += node->process.life();
  }
  return figures;
}

double ProcessBackend::slowness() const { return impl_->slowness_.factor(); }

}  // namespace kiwi::lab
