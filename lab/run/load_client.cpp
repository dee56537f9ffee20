#include "lab/run/load_client.hpp"

#include <algorithm>
#include <utility>

#include "lab/run/reply_kind.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab {
namespace {

/// Refusals in a row after which a client tries another node.
constexpr std::uint32_t kPatience = 3;
/// After a refusal or a lost connection: this long at least, drawn up to three times as long.
constexpr std::uint64_t kPauseUs = 20'000;

}  // namespace

LoadClient::LoadClient(Load& load, std::uint64_t number)
    : load_(load), number_(number), name_(load.spec_.name + "/" + std::to_string(number)) {
  const Chance& chance = load.context_.chance;
  commands_ = chance.stream(name_, "command");
  keys_ = chance.stream(name_, "key");
  nodes_ = chance.stream(name_, "node");
  pauses_ = chance.stream(name_, "pause");
  identity_ = load.context_.recorder.new_client();
}

LoadClient::~LoadClient() {
  load_.context_.timeline.cancel(wake_);
  for (const auto* queue : {&in_flight_, &waiting_}) {
    for (const Issued& issued : *queue) {
      load_.context_.timeline.cancel(issued.deadline);
    }
  }
  load_.context_.switchboard.disconnect(connection_);
}

bool LoadClient::has_room() const {
  return !leaving_ && in_flight_.size() + waiting_.size() < load_.spec_.pipeline && now() >= not_before_;
}

bool LoadClient::stays() const { return static_cast<bool>(load_.spec_.to) || !load_.spec_.stale.empty(); }

std::uint64_t LoadClient::choose_key() {
  const std::uint64_t draw = keys_.next();
  const std::vector<double>& cumulative = load_.zipf_;
  if (cumulative.empty()) {
    return below(draw, load_.spec_.keys);
  }
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), unit(draw) * cumulative.back());
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(found - cumulative.begin()),
                                 load_.spec_.keys - 1);
}

std::string LoadClient::unique_value() {
  std::string value = name_ + "." + std::to_string(++values_);
  const std::uint64_t bytes = load_.spec_.value_bytes;
  value.append(bytes > value.size() ? bytes - value.size() : 0, '.');
  return value;
}

std::vector<std::string> LoadClient::choose() {
  std::uint64_t point = below(commands_.next(), load_.weights_);
  const LoadCommand* command = nullptr;
  for (const auto& share : load_.spec_.mix) {
    command = share.command;
    if (point < share.weight) {
      break;
    }
    point -= share.weight;
  }
  const LoadSpec& spec = load_.spec_;
  const std::string& owner = spec.stale.empty() ? spec.name : spec.stale;
  std::string key = owner + ":" + command->kind + std::to_string(choose_key());
  load_.touched_.insert(key);
  return command->make(std::move(key), command->writes ? unique_value() : std::string());
}

void LoadClient::issue() {
  KIWI_ASSERT(has_room(), "the load asks before it issues");
  if (connection_ == 0) {
    connect();
  }
  LoadContext& context = load_.context_;
  Issued issued;
  issued.command = choose();
  issued.id = context.recorder.invoke(load_.spec_.name, identity_, connection_, node_, issued.command, now());
  issued.deadline = context.timeline.plan(now() + load_.spec_.timeout, [this] { timed_out(); });
  if (open_) {
    send(std::move(issued));
  } else {
    waiting_.push_back(std::move(issued));
  }
}

void LoadClient::send(Issued issued) {
  load_.context_.switchboard.send(connection_, issued.command);
  in_flight_.push_back(std::move(issued));
}

void LoadClient::connect() {
  if (!node_) {
    node_ = first_node();
  }
  connection_ = load_.context_.switchboard.connect(*this, node_);
}

NodeId LoadClient::first_node() {
  const std::vector<NodeView> nodes = load_.context_.backend.nodes();
  KIWI_ASSERT(!nodes.empty(), "a cluster has nodes");
  if (load_.spec_.to) {
    return load_.spec_.to;
  }
  if (stays()) {
    return nodes[number_ % nodes.size()].id;
  }
  return nodes[below(nodes_.next(), nodes.size())].id;
}

NodeId LoadClient::other_node() {
  if (stays()) {
    return node_;
  }
  std::vector<NodeId> others;
  for (const NodeView& view : load_.context_.backend.nodes()) {
    if (view.id != node_) {
      others.push_back(view.id);
    }
  }
  return others.empty() ? node_ : others[below(nodes_.next(), others.size())];
}

void LoadClient::on_connected(ConnectionId connection) {
  open_ = true;
  if (!load_.spec_.stale.empty()) {
    readonly_due_ = true;
    load_.context_.switchboard.send(connection, {"READONLY"});
  }
  for (Issued& issued : std::exchange(waiting_, {})) {
    send(std::move(issued));
  }
}

void LoadClient::on_reply(ConnectionId connection, const Reply& reply) {
  if (std::exchange(readonly_due_, false)) {
    return;
  }
  Recorder& recorder = load_.context_.recorder;
  if (in_flight_.empty()) {
    recorder.surplus(connection, reply, now());
    return;
  }
  const Issued issued = std::move(in_flight_.front());
  in_flight_.pop_front();
  load_.context_.timeline.cancel(issued.deadline);
  switch (kind_of(reply)) {
    case ReplyKind::result:
      refusals_ = 0;
      recorder.done(issued.id, reply, now());
      break;
    case ReplyKind::refusal:
      recorder.refused(issued.id, reply, now());
      refused(reply);
      break;
    case ReplyKind::unknown:
      recorder.unknown(issued.id, reply, now());
      lost_ = true;
      pause();
      // Somebody else from now on, who has a connection of his own.
      leave_for(node_);
      break;
  }
  after_operation();
}

void LoadClient::refused(const Reply& reply) {
  const std::string_view text = reply.text.view();
  ++refusals_;
  if (text.substr(0, 6) == "MOVED " && !stays()) {
    moved(text.substr(text.rfind(' ') + 1));
    return;
  }
  pause();
  if (refusals_ % kPatience == 0 && !leaving_) {
    leave_for(other_node());
  }
}

void LoadClient::moved(std::string_view address) {
  NodeId target = load_.context_.backend.node_at(address);
  for (const NodeView& view : load_.context_.backend.nodes()) {
    if (!target && view.id == node_) {
      target = view.leader;
    }
  }
  // Two nodes that name each other must not be asked without a pause.
  if (refusals_ >= kPatience || !target || target == node_) {
    pause();
  }
  if (target && target != node_) {
    leave_for(target);
  }
}

void LoadClient::leave_for(NodeId node) {
  if (!leaving_) {
    leaving_ = true;
    next_node_ = node;
  }
}

void LoadClient::pause() {
  const auto drawn = static_cast<std::int64_t>(kPauseUs + below(pauses_.next(), 2 * kPauseUs));
  not_before_ = std::max(not_before_, now() + std::chrono::microseconds(drawn));
}

void LoadClient::after_operation() {
  if (leaving_ && in_flight_.empty()) {
    KIWI_ASSERT(waiting_.empty(), "nothing is issued while leaving");
    load_.context_.switchboard.disconnect(std::exchange(connection_, 0));
    open_ = false;
    leaving_ = false;
    if (std::exchange(lost_, false)) {
      identity_ = load_.context_.recorder.new_client();
    }
    node_ = next_node_;
  }
  wake();
}

void LoadClient::wake() {
  if (load_.spec_.rate_per_s > 0 || !load_.running_ || load_.exhausted() || wake_ != 0 || leaving_ ||
      in_flight_.size() + waiting_.size() >= load_.spec_.pipeline) {
    return;
  }
  wake_ = load_.context_.timeline.plan(std::max(now() + load_.spec_.think, not_before_), [this] {
    wake_ = 0;
    if (load_.running_ && load_.spec_.rate_per_s == 0 && has_room()) {
      load_.issue_on(*this);
    }
    // Also without room: a pause may have begun since this was planned, and then nobody else wakes the
    // client.
    wake();
  });
}

void LoadClient::timed_out() {
  give_up(true);
  node_ = other_node();
  after_operation();
}

void LoadClient::disconnect() {
  if (connection_ != 0) {
    give_up(true);
    after_operation();
  }
}

void LoadClient::on_closed(ConnectionId, const std::string&) {
  give_up(false);
  node_ = other_node();
  pause();
  after_operation();
}

void LoadClient::give_up(bool tell_backend) {
  if (tell_backend) {
    load_.context_.switchboard.disconnect(connection_);
  }
  connection_ = 0;
  open_ = false;
  readonly_due_ = false;
  leaving_ = false;
  LoadContext& context = load_.context_;
  // A reader of stale data sees time go forward on one connection only.
  const bool somebody_else = std::exchange(lost_, false) || !in_flight_.empty() || !load_.spec_.stale.empty();
  for (const Issued& issued : std::exchange(in_flight_, {})) {
    context.timeline.cancel(issued.deadline);
    context.recorder.unknown(issued.id, std::nullopt, now());
  }
  for (const Issued& issued : std::exchange(waiting_, {})) {
    context.timeline.cancel(issued.deadline);
    context.recorder.never_sent(issued.id, now());
  }
  if (somebody_else) {
    identity_ = context.recorder.new_client();
  }
}

}  // namespace kiwi::lab
