#include "lab/run/load_client.hpp"

#include <algorithm>
#include <utility>

#include "lab/run/load_commands.hpp"
#include "lab/run/reply_kind.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab {
namespace {

/// Refusals in a row after which a client tries another node.
constexpr std::uint32_t kPatience = 3;

}  // namespace

LoadClient::LoadClient(Load& load, std::uint32_t number)
    : load_(load), name_(load.spec_.name + "/" + std::to_string(number)) {
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
  return in_flight_.size() + waiting_.size() < load_.spec_.pipeline && now() >= not_before_;
}

std::uint32_t LoadClient::choose_key() {
  const std::uint64_t draw = keys_.next();
  const auto& cumulative = load_.zipf_;
  if (cumulative.empty()) {
    return static_cast<std::uint32_t>(below(draw, load_.spec_.keys));
  }
  const double point = unit(draw) * cumulative.back();
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), point);
  return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(
      found - cumulative.begin(), static_cast<std::ptrdiff_t>(cumulative.size()) - 1));
}

LoadClient::Choice LoadClient::choose() {
  const LoadSpec& spec = load_.spec_;
  std::uint64_t total = 0;
  for (const auto& share : spec.mix) {
    total += share.weight;
  }
  std::uint64_t point = below(commands_.next(), total);
  const LoadCommand* command = nullptr;
  for (const auto& share : spec.mix) {
    command = share.command;
    if (point < share.weight) {
      break;
    }
    point -= share.weight;
  }
  const std::string& owner = spec.stale.empty() ? spec.name : spec.stale;
  std::string key = owner + ":" + command->kind + std::to_string(choose_key());
  std::string value = name_ + "." + std::to_string(++values_);
  value.append(spec.value_bytes > value.size() ? spec.value_bytes - value.size() : 0, '.');
  return {key, command->make(key, std::move(value)), command->writes};
}

void LoadClient::issue() {
  KIWI_ASSERT(has_room(), "the load asks before it issues");
  Choice choice = choose();
  if (load_.spec_.stale.empty()) {
    load_.touched_.insert(choice.key);
  }
  Issued issued;
  issued.command = std::move(choice.command);
  issued.id = load_.context_.recorder.invoke(load_.spec_, identity_, node_, issued.command, now());
  issued.deadline = load_.context_.timeline.plan(now() + load_.spec_.timeout, [this] { timed_out(); });
  if (open_ && !redirect_) {
    load_.context_.recorder.sent_to(issued.id, node_);
    load_.context_.switchboard.send(connection_, issued.command);
    in_flight_.push_back(std::move(issued));
    return;
  }
  waiting_.push_back(std::move(issued));
  if (connection_ == 0) {
    connect();
  }
}

void LoadClient::connect() {
  if (!node_) {
    if (load_.spec_.to) {
      node_ = load_.spec_.to;
    } else {
      choose_other_node();
    }
  }
  connection_ = load_.context_.switchboard.connect(*this, node_);
}

void LoadClient::choose_other_node() {
  if (load_.spec_.to) {
    return;
  }
  std::vector<NodeId> others;
  for (const NodeView& view : load_.context_.backend.nodes()) {
    if (view.id != node_) {
      others.push_back(view.id);
    }
  }
  if (!others.empty()) {
    node_ = others[below(nodes_.next(), others.size())];
  }
}

void LoadClient::on_connected(ConnectionId) {
  open_ = true;
  if (!load_.spec_.stale.empty()) {
    preamble_due_ = true;
    load_.context_.switchboard.send(connection_, {"READONLY"});
  }
  while (!waiting_.empty()) {
    Issued issued = std::move(waiting_.front());
    waiting_.pop_front();
    load_.context_.recorder.sent_to(issued.id, node_);
    load_.context_.switchboard.send(connection_, issued.command);
    in_flight_.push_back(std::move(issued));
  }
}

void LoadClient::on_reply(ConnectionId connection, const Reply& reply) {
  if (preamble_due_) {
    preamble_due_ = false;
    return;
  }
  if (in_flight_.empty()) {
    load_.context_.recorder.surplus_reply(connection, reply, now());
    return;
  }
  const Issued issued = std::move(in_flight_.front());
  in_flight_.pop_front();
  load_.context_.timeline.cancel(issued.deadline);
  Recorder& recorder = load_.context_.recorder;
  switch (kind_of(reply)) {
    case ReplyKind::result:
      refusals_ = 0;
      recorder.done(issued.id, reply, now());
      break;
    case ReplyKind::refusal:
      recorder.not_done(issued.id, reply, now());
      refused(reply);
      break;
    case ReplyKind::unknown:
      recorder.unknown(issued.id, to_text(reply), now());
      identity_ = recorder.new_client();
      pause();
      break;
  }
  after_operation();
}

void LoadClient::refused(const Reply& reply) {
  const std::string text = to_text(reply);
  if (text.rfind("MOVED ", 0) == 0) {
    const auto space = text.rfind(' ');
    moved(std::string_view(text).substr(space + 1));
    return;
  }
  pause();
  if (++refusals_ >= kPatience && !load_.spec_.to && !redirect_) {
    refusals_ = 0;
    const NodeId old = node_;
    choose_other_node();
    redirect_ = std::exchange(node_, old);
  }
}

void LoadClient::moved(std::string_view address) {
  if (load_.spec_.to || !load_.spec_.stale.empty()) {
    pause();
    return;
  }
  NodeId target = load_.context_.backend.node_at(address);
  if (!target) {
    for (const NodeView& view : load_.context_.backend.nodes()) {
      if (view.id == node_) {
        target = view.leader;
      }
    }
  }
  // Two nodes that name each other must not be asked without a pause.
  if (++refusals_ >= kPatience) {
    pause();
  }
  if (target && target != node_) {
    redirect_ = target;
  }
}

void LoadClient::pause() {
  const Time pause = std::chrono::microseconds(20'000 + below(pauses_.next(), 40'000));
  not_before_ = std::max(not_before_, now() + pause);
}

void LoadClient::after_operation() {
  if (redirect_ && in_flight_.empty()) {
    load_.context_.switchboard.disconnect(connection_);
    connection_ = 0;
    open_ = false;
    node_ = std::exchange(redirect_, NodeId{});
    if (!waiting_.empty()) {
      connect();
    }
  }
  wake();
}

void LoadClient::wake() {
  if (load_.spec_.rate_per_s > 0 || !load_.running_ || load_.exhausted() || wake_ != 0 ||
      in_flight_.size() + waiting_.size() >= load_.spec_.pipeline) {
    return;
  }
  const Time at = std::max(now() + load_.spec_.think, not_before_);
  wake_ = load_.context_.timeline.plan(at, [this] {
    wake_ = 0;
    if (load_.running_ && has_room() && load_.issue_on(*this)) {
      wake();
    }
  });
}

void LoadClient::timed_out() {
  give_up("time-out", true);
  choose_other_node();
  after_operation();
}

void LoadClient::disconnect() {
  if (connection_ != 0) {
    give_up("disconnected by the script", true);
    after_operation();
  }
}

void LoadClient::on_closed(ConnectionId, const std::string& why) {
  give_up(why, false);
  choose_other_node();
  pause();
  after_operation();
}

void LoadClient::give_up(const std::string& why, bool tell_backend) {
  if (tell_backend) {
    load_.context_.switchboard.disconnect(connection_);
  }
  connection_ = 0;
  open_ = false;
  preamble_due_ = false;
  redirect_ = NodeId{};
  Recorder& recorder = load_.context_.recorder;
  const bool some_unknown = !in_flight_.empty();
  for (Issued& issued : std::exchange(in_flight_, {})) {
    load_.context_.timeline.cancel(issued.deadline);
    recorder.unknown(issued.id, why, now());
  }
  for (Issued& issued : std::exchange(waiting_, {})) {
    load_.context_.timeline.cancel(issued.deadline);
    recorder.never_sent(issued.id, why, now());
  }
  if (some_unknown) {
    identity_ = recorder.new_client();
  }
}

}  // namespace kiwi::lab
