#include "lab/world/world.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "lab/world/message_text.hpp"
#include "lab/world/peer_actors.hpp"
#include "lab/world/session_ids.hpp"
#include "lab/world/world_impl.hpp"
#include "messages/assert.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {

thread_local World::Impl* World::Impl::current_ = nullptr;

void World::Impl::on_mark(std::size_t mark) {
  auto* world = current_;
  if (world == nullptr || world->running_ == nullptr)
    return;
  const auto node = world->running_->id();
  world->running_->passed(fault::kMarks[mark].name);
  auto told = world->marks_told_[node.value - 1].begin() + static_cast<std::ptrdiff_t>(mark);
  if (*told && !world->observe_marks_)
    return;
  *told = true;
  if (!world->told_start_) {
    world->untold_marks_.emplace_back(node, mark);
    return;
  }
  world->told_ = true;
  world->listener_.marked(node, fault::kMarks[mark].name);
}

void World::Impl::on_assertion(const char* text) {
  auto* world = current_;
  if (world == nullptr || world->running_ == nullptr)
    return;
  world->running_->assertion_failed(text);
  throw std::logic_error(text);
}

NodeRole role_of(raft::Role role) {
  constexpr std::array kRoles = {NodeRole::follower, NodeRole::pre_candidate, NodeRole::candidate,
                                 NodeRole::leader, NodeRole::learner};
  return kRoles.at(static_cast<std::size_t>(role));
}

World::Impl::Impl(WorldOptions options, Listener& listener)
    : options_(std::move(options)),
      listener_(listener),
      net_(options_, agenda_, *this),
      clients_(
          options_, agenda_, trace_, *this, listener, [this](NodeId id) { return node(id); }, told_) {
  current_ = this;
  count_sessions_anew();
  set_assertion_hook(on_assertion);
  fault::set_mark_sink(on_mark);
  const auto machines = options_.nodes + options_.spares;
  marks_told_.resize(machines, std::vector<bool>(std::size(fault::kMarks)));
  seen_.resize(machines);
  for (std::uint64_t n = 1; n <= machines; ++n)
    nodes_.push_back(std::make_unique<SimNode>(NodeId(n), options_, *this));
  for (auto& node : nodes_) start(*node);
}

World::Impl::~Impl() {
  running_ = nullptr;
  for (auto& node : nodes_)
    if (node->up())
      node->crash();
  if (current_ == this) {
    set_assertion_hook(nullptr);
    fault::set_mark_sink(nullptr);
    current_ = nullptr;
  }
}

SimNode* World::Impl::node(NodeId id) const {
  return id.value >= 1 && id.value <= nodes_.size() ? nodes_[id.value - 1].get() : nullptr;
}

tl::expected<void, BrokenInvariant> World::Impl::run_until(Time limit) {
  told_ = false;
  if (!std::exchange(told_start_, true)) {
    for (const auto& h : std::exchange(untold_, {})) listener_.happened(h);
    for (const auto& [id, mark] : std::exchange(untold_marks_, {}))
      listener_.marked(id, fault::kMarks[mark].name);
    for (auto& node : nodes_) look_at(*node);
    told_ = !nodes_.empty();
  }
  while (!told_) {
    auto where = step(limit);
    if (!where) {
      now_ = std::max(now_, limit);
      break;
    }
    if (auto* n = node(*where)) {
      if (n->struck())
        strike(*n);
      look_at(*n);
      if (!n->bug().empty()) {
        BrokenInvariant broken{0, "assertion", "n" + to_string(*where) + ": " + n->bug(), now_};
        node_over(*n);
        return tl::unexpected(std::move(broken));
      }
      if (n->ended())
        node_over(*n);
    }
    if (check_) {
      if (auto broken = check_(*where))
        return tl::unexpected(std::move(*broken));
    }
    if (options_.observer) {
      if (auto broken = options_.observer->broken()) {
        broken->at = now_;
        return tl::unexpected(std::move(*broken));
      }
    }
  }
  return {};
}

std::optional<NodeId> World::Impl::step(Time limit) {
  auto at = limit;
  SimNode* who = nullptr;
  bool timers = false;
  for (auto& n : nodes_) {
    if (!n->running())
      continue;
    if (auto run = n->next_run(); run < at)
      at = run, who = n.get(), timers = false;
    if (auto timer = n->next_timer(); timer < at)
      at = timer, who = n.get(), timers = true;
  }
  if (agenda_.next() <= at && agenda_.next() < limit) {
    now_ = std::max(now_, agenda_.next());
    running_ = nullptr;
    agenda_.take()();
    return NodeId{};
  }
  if (who == nullptr)
    return std::nullopt;
  now_ = std::max(now_, at);
  running_ = who;
  if (timers) {
    trace_.note(now_, TraceOf::timer, who->id().value, 0);
    who->fire_timers();
  } else {
    const auto& actor = who->run_one();
    trace_.note(now_, TraceOf::run, who->id().value, actor.key);
    if (options_.observer && who->up() && !who->struck())
      who->observe(actor);
  }
  running_ = nullptr;
  return who->id();
}

void World::Impl::look_at(SimNode& node) {
  Seen now;
  now.up = node.up();
  if (const auto* core = node.core()) {
    now.role = role_of(core->role());
    now.term = core->term();
    now.leader = core->leader();
    now.commit = core->commit();
    now.applied = core->applied();
    now.last = core->last_log_id().index;
    now.purged = core->log().purged().index;
  }
  auto& seen = seen_[node.id().value - 1];
  if (now == seen)
    return;
  if (now.up && now.role != NodeRole::unknown &&
      (now.role != seen.role || now.term != seen.term || now.leader != seen.leader)) {
    constexpr std::array kNames = {"unknown", "follower", "pre-candidate", "candidate", "leader", "learner"};
    happened(node.id(), "role",
             {{"role", kNames.at(static_cast<std::size_t>(now.role))},
              {"term", to_string(now.term)},
              {"leader", to_string(now.leader)}});
  }
  seen = now;
  told_ = true;
  listener_.changed(node.id());
}

/// The moment of a `crash-at` has come: the disk froze there, and here the process is gone.
void World::Impl::strike(SimNode& n) {
  const auto point = *n.struck();
  clients_.node_ended(n.id(), point.power);
  std::map<std::string, std::string> fields{{"at", point.mark}};
  if (point.power)
    fields["kept"] = sim::to_string(n.power_fail(std::nullopt, point.torn));
  else
    n.crash();
  happened(n.id(), point.power ? "power-fail" : "crash", std::move(fields));
}

void World::Impl::node_over(SimNode& node) {
  trace_.note(now_, TraceOf::end, node.id().value, node.why());
  clients_.node_ended(node.id(), false);
  node.bury();
  look_at(node);
}

NodeView World::Impl::view(const SimNode& node) const {
  NodeView v;
  v.id = node.id();
  v.up = node.up();
  v.paused = node.paused();
  v.failed = node.failed();
  v.why = node.why();
  v.life = node.life();
  if (const auto* core = node.core()) {
    v.role = role_of(core->role());
    v.term = core->term();
    v.leader = core->leader();
    v.commit = core->commit();
    v.applied = core->applied();
    v.last = core->last_log_id().index;
    v.purged = core->log().purged().index;
    v.voters = core->membership().voters;
    v.outgoing = core->membership().outgoing_voters;
    v.learners = core->membership().learners;
    if (v.role == NodeRole::follower && core->membership().is_learner(node.id()))
      v.role = NodeRole::learner;
  }
  return v;
}

std::uint64_t World::Impl::life_of(NodeId id) const {
  const auto* n = node(id);
  return n != nullptr && n->up() ? n->life() : 0;
}

bool World::Impl::dark(NodeId id) const {
  const auto* n = node(id);
  return n == nullptr || n->dark();
}

bool World::Impl::opened(NodeId id, NodeId peer, std::uint64_t connection) {
  return node(id)->deliver([peer, connection](SimNode& n) {
    if (n.acceptor())
      caf::anon_send(n.acceptor(), NetOpened{connection, peer});
  });
}

bool World::Impl::arrived(NodeId id, NodeId peer, bool acceptor, std::uint64_t connection, std::uint8_t lane,
                          const std::string& bytes) {
  trace_.note(now_, TraceOf::frame, id.value << 8 | peer.value, bytes);
  return node(id)->deliver([peer, acceptor, connection, lane, bytes](SimNode& n) {
    if (acceptor && n.acceptor())
      caf::anon_send(n.acceptor(), NetBytes{connection, lane, bytes});
    for (const auto& to : acceptor ? std::vector<caf::actor>() : n.peers(peer))
      caf::anon_send(to, NetBytes{connection, lane, bytes});
  });
}

void World::Impl::closed(NodeId id, NodeId peer, bool acceptor, std::uint64_t connection,
                         const std::string& why) {
  node(id)->deliver([peer, acceptor, connection, why](SimNode& n) {
    if (acceptor && n.acceptor())
      caf::anon_send(n.acceptor(), NetClosed{connection, why});
    for (const auto& to : acceptor ? std::vector<caf::actor>() : n.peers(peer))
      caf::anon_send(to, NetClosed{connection, why});
  });
}

void World::Impl::packet(const Parcel& parcel, NodeId from, NodeId to, bool arrives) {
  if (options_.observer && !arrives)
    show_message(*options_.observer, parcel.kind, from, to, parcel.bytes);
  if (!observe_messages_ || arrives || parcel.kind == "hello")
    return;
  auto fields = message_fields(parcel.bytes);
  fields["kind"] = parcel.kind;
  fields["to"] = to_string(to);
  told_ = true;
  listener_.happened({now_, from, "message", std::move(fields)});
}

void World::Impl::disk_operation(NodeId id, const std::string& text) {
  const auto space = text.find(' ');
  const auto path = text.substr(space + 1, text.rfind(' ') - space - 1);
  auto op = text.substr(0, space);
  if (op == "append")
    op = "write";
  else if (op == "sync_dir")
    op = "sync-dir";
  told_ = true;
  listener_.happened(
      {now_, id, "disk", {{"op", op}, {"class", to_string(sim::class_of(path))}, {"path", path}}});
}

void World::Impl::happened(NodeId id, std::string kind, std::map<std::string, std::string> fields) {
  trace_.note(now_, TraceOf::happening, id.value, kind);
  for (const auto& [key, value] : fields) trace_.fold(Trace::hash_bytes(key) ^ Trace::hash_bytes(value));
  Happening h{now_, id, std::move(kind), std::move(fields)};
  if (told_start_)
    listener_.happened(h);
  else
    untold_.push_back(std::move(h));
}

std::uint64_t World::Impl::hash() const {
  auto all = trace_;
  for (const auto& n : nodes_) all.fold(n->disk_trace());
  return all.value();
}

std::map<std::string, std::uint64_t> World::Impl::figures() const {
  const auto& c = net_.counts();
  std::map<std::string, std::uint64_t> f = {
      {"events", trace_.events()},
      {"faults", faults_},
      {"messages", c.frames},
      {"message-bytes", c.bytes},
      {"messages-dropped", c.dropped},
      {"messages-stalled", c.stalled},
      {"messages-duplicated", c.duplicated},
      {"messages-reordered", c.reordered},
      {"messages-corrupted", c.corrupted},
      {"messages-held", c.held},
      {"messages-replayed", c.replayed},
      {"offers-made-newer", c.newer},
      {"connections-lost", c.resets},
      {"commands", clients_.commands()},
      {"replies", clients_.replies()},
  };
  for (const auto& n : nodes_) {
    f["syncs"] += n->syncs();
    f["disk-operations"] += n->disk_operations();
    f["starts"] += n->life();
    for (const auto& [name, count] : n->hardware().fs->faults().fired()) f["disk-fault " + name] += count;
  }
  return f;
}

// --- World

World::World(WorldOptions options, Listener& listener)
    : impl_(std::make_unique<Impl>(std::move(options), listener)) {}
World::~World() = default;

Time World::now() const { return impl_->now_; }
tl::expected<void, BrokenInvariant> World::run_until(Time limit) { return impl_->run_until(limit); }
tl::expected<Applied, std::string> World::apply(const script::Action& action) { return impl_->apply(action); }

std::vector<NodeView> World::nodes() const {
  std::vector<NodeView> views;
  for (const auto& node : impl_->nodes_) views.push_back(impl_->view(*node));
  return views;
}

void World::connect(ConnectionId connection, NodeId node) { impl_->clients_.connect(connection, node); }
void World::send(ConnectionId connection, const std::vector<std::string>& command) {
  impl_->clients_.send(connection, command);
}
void World::disconnect(ConnectionId connection) { impl_->clients_.disconnect(connection); }

bool World::observe(std::string_view kind) {
  if (kind == "message")
    impl_->observe_messages_ = true;
  else if (kind == "disk")
    impl_->observe_disk_ = true;
  else if (kind == "mark")
    impl_->observe_marks_ = true;
  else
    return false;
  for (auto& node : impl_->nodes_) node->watch_disk();
  return true;
}

NodeId World::node_at(std::string_view address) const { return impl_->node_at(address); }

std::string World::address_of(NodeId node) const { return to_string(lab::address_of(node)); }

NodeId World::Impl::node_at(std::string_view address) const {
  for (const auto& node : nodes_) {
    const auto a = lab::address_of(node->id());
    if (address == a.host + ":" + std::to_string(a.redis_port))
      return node->id();
  }
  return {};
}

std::map<std::string, std::string> World::logs() const {
  std::map<std::string, std::string> all;
  for (const auto& node : impl_->nodes_) all["n" + to_string(node->id()) + ".log"] = node->log();
  return all;
}

std::string World::digest(NodeId id) {
  auto* node = impl_->node(id);
  if (node == nullptr || node->machine() == nullptr)
    return {};
  auto digest = node->machine()->digest_now();
  return digest && *digest ? to_string((*digest)->index) + ":" + (*digest)->hex : std::string();
}

std::uint64_t World::trace_hash() const { return impl_->hash(); }
std::map<std::string, std::uint64_t> World::figures() const { return impl_->figures(); }
void World::on_step(StepCheck check) { impl_->check_ = std::move(check); }
const WorldOptions& World::options() const { return impl_->options_; }

const raft::Core* World::core(NodeId id) const {
  const auto* node = impl_->node(id);
  return node != nullptr ? node->core() : nullptr;
}
const sim::SimDisk& World::disk(NodeId id) const {
  KIWI_ASSERT(impl_->node(id) != nullptr, "a disk is asked for of a node that exists");
  return impl_->node(id)->hardware().disk;
}
std::uint64_t World::incarnation(NodeId id) const {
  const auto* node = impl_->node(id);
  return node != nullptr ? node->life() : 0;
}

}  // namespace kiwi::lab
