#include "fake_backend.hpp"

#include <algorithm>

#include "lab/script/lower.hpp"

namespace kiwi::lab {
namespace {

constexpr Time kHalfWay = std::chrono::microseconds(500);

}  // namespace

FakeBackend::FakeBackend(std::size_t nodes, Listener& listener) : listener_(listener) {
  std::vector<NodeId> voters;
  for (std::uint64_t i = 1; i <= nodes; ++i) {
    voters.push_back(NodeId(i));
  }
  for (const NodeId id : voters) {
    NodeView node;
    node.id = id;
    node.up = true;
    node.life = 1;
    node.role = NodeRole::follower;
    node.voters = voters;
    views_.push_back(node);
  }
  elect(NodeId(1));
}

void FakeBackend::at(Time time, std::function<void()> what) { events_due_.emplace(time, std::move(what)); }

void FakeBackend::trace(const std::string& what) {
  hash_ = mix(hash_ ^ hash_name(what) ^ mix(static_cast<std::uint64_t>(now_.count())));
}

void FakeBackend::changed(NodeId node) {
  told_ = true;
  listener_.changed(node);
}

void FakeBackend::elect(NodeId node) {
  Term term;
  for (const NodeView& each : views_) {
    term = std::max(term, each.term);
  }
  for (NodeView& each : views_) {
    const bool hears = each.up && !each.paused && !cut_.contains({node, each.id});
    if (!hears) {
      continue;
    }
    each.term = term + 1;
    each.role = each.id == node ? NodeRole::leader : NodeRole::follower;
    each.leader = node;
    each.commit = each.applied = each.last = Index(writes_);
    changed(each.id);
  }
  trace("elect " + to_string(node));
}

void FakeBackend::depose() {
  for (NodeView& each : views_) {
    each.role = NodeRole::follower;
    each.leader = NodeId{};
    changed(each.id);
  }
}

bool FakeBackend::reaches_majority(NodeId node) const {
  std::size_t reached = 0;
  for (const NodeView& each : views_) {
    reached +=
        each.up && !each.paused && !cut_.contains({node, each.id}) && !cut_.contains({each.id, node}) ? 1 : 0;
  }
  return reached > views_.size() / 2;
}

void FakeBackend::call_election() {
  if (!may_elect) {
    return;
  }
  at(now_ + kElection, [this] {
    for (const NodeView& each : views_) {
      if (each.up && !each.paused && each.role == NodeRole::leader && reaches_majority(each.id)) {
        elect(each.id);  // goes on, and those who came back hear it
        return;
      }
    }
    for (const NodeView& each : views_) {
      if (each.up && !each.paused && reaches_majority(each.id)) {
        elect(each.id);
        return;
      }
    }
  });
}

void FakeBackend::pass_mark(NodeId node, const std::string& mark) {
  told_ = true;
  listener_.marked(node, mark);
}

void FakeBackend::send_message(NodeId from, NodeId to, const std::string& kind, std::uint64_t index) {
  if (observed_.contains("message")) {
    told_ = true;
    listener_.happened(
        {now_, from, "message", {{"kind", kind}, {"to", to_string(to)}, {"index", std::to_string(index)}}});
  }
}

void FakeBackend::end_node(NodeId node, const std::string& why) {
  view(node).up = false;
  view(node).failed = true;
  view(node).why = why;
  view(node).role = NodeRole::unknown;
  changed(node);
  call_election();
}

tl::expected<void, BrokenInvariant> FakeBackend::run_until(Time limit) {
  told_ = false;
  while (!told_) {
    if (broken_) {
      return tl::unexpected(*broken_);
    }
    const auto next = events_due_.begin();
    if (next == events_due_.end() || next->first > limit) {
      now_ = std::max(now_, limit);
      return {};
    }
    now_ = std::max(now_, next->first);
    const auto what = std::move(next->second);
    events_due_.erase(next);
    ++events_;
    what();
  }
  return {};
}

tl::expected<Applied, std::string> FakeBackend::apply(const script::Action& action) {
  const std::string text = script::lower(action);
  applied.push_back(text.substr(0, text.find("  #")));
  trace(text.substr(0, text.find(" #")));
  Applied result;
  result.effective = false;
  const auto on_each = [&](auto what) {
    for (const NodeId node : action.nodes) {
      if (what(view(node))) {
        result.effective = true;
        changed(node);
      }
    }
  };
  const auto on_links = [&](auto what) {
    for (const NodeId from : action.nodes) {
      for (const NodeView& other : views_) {
        const bool named =
            action.to.empty() || std::find(action.to.begin(), action.to.end(), other.id) != action.to.end();
        if (from == other.id || !named) {
          continue;
        }
        result.effective = what(std::pair(from, other.id)) || result.effective;
        if (action.both_ways || action.to.empty()) {
          result.effective = what(std::pair(other.id, from)) || result.effective;
        }
      }
    }
  };
  if (action.verb == "crash" || action.verb == "power-fail" || action.verb == "stop") {
    on_each([&](NodeView& node) {
      const bool was = node.up;
      node.up = false;
      node.role = NodeRole::unknown;
      std::vector<ConnectionId> lost;
      for (const auto& [connection, to] : connections_) {
        if (to == node.id) {
          lost.push_back(connection);
        }
      }
      for (const ConnectionId connection : lost) {
        connections_.erase(connection);
        listener_.closed(connection, "reset");
      }
      return was;
    });
    call_election();
  } else if (action.verb == "restart") {
    on_each([&](NodeView& node) {
      const bool was = node.up;
      node.up = true;
      node.failed = false;
      node.role = NodeRole::follower;
      node.life += was ? 0 : 1;
      return !was;
    });
    call_election();
  } else if (action.verb == "pause" || action.verb == "resume") {
    on_each(
        [&](NodeView& node) { return std::exchange(node.paused, action.verb == "pause") != node.paused; });
    call_election();
  } else if (action.verb == "cut") {
    on_links([&](auto link) { return cut_.insert(link).second; });
    call_election();
  } else if (action.verb == "heal") {
    on_links([&](auto link) { return cut_.erase(link) > 0; });
    call_election();
  } else {
    result.effective = true;
  }
  if (ineffective.contains(action.verb)) {
    result.effective = false;
  }
  return result;
}

void FakeBackend::connect(ConnectionId connection, NodeId node) {
  at(now_ + kHalfWay, [this, connection, node] {
    told_ = true;
    if (!view(node).up) {
      listener_.closed(connection, "refused");
      return;
    }
    connections_[connection] = node;
    listener_.connected(connection);
  });
}

void FakeBackend::send(ConnectionId connection, const std::vector<std::string>& command) {
  std::string text = "send";
  for (const std::string& word : command) {
    text += " " + word;
  }
  trace(text);
  at(now_ + kHalfWay, [this, connection, command] { execute(connection, command); });
}

void FakeBackend::execute(ConnectionId connection, const std::vector<std::string>& command) {
  const auto found = connections_.find(connection);
  if (found == connections_.end() || !view(found->second).up || view(found->second).paused || swallow_) {
    return;
  }
  const Reply reply = answer(found->second, command);
  at(now_ + kHalfWay, [this, connection, reply] {
    if (connections_.contains(connection)) {
      told_ = true;
      listener_.replied(connection, reply);
    }
  });
}

Reply FakeBackend::answer(NodeId node, const std::vector<std::string>& command) {
  const NodeView& self = view(node);
  if (command.front() == "READONLY") {
    return Reply::ok();
  }
  if (self.role != NodeRole::leader) {
    return self.leader ? Reply::error("MOVED 0 n" + to_string(self.leader) + ":1")
                       : Reply::error("CLUSTERDOWN no leader");
  }
  if (!reaches_majority(node)) {
    return Reply::error("CLUSTERDOWN no majority");
  }
  return store(command);
}

Reply FakeBackend::store(const std::vector<std::string>& command) {
  const std::string& verb = command.at(0);
  if (verb == "PING") {
    return Reply::simple("PONG");
  }
  const std::string& key = command.at(1);
  const auto found = data_.find(key);
  const Reply old = found == data_.end() ? Reply::nil() : Reply::bulk(found->second);
  if (verb == "GET") {
    return old;
  }
  ++writes_;
  for (NodeView& each : views_) {
    if (each.up && !each.paused && each.role != NodeRole::unknown) {
      each.commit = each.applied = each.last = Index(writes_);
    }
  }
  const bool forget = forget_ > 0 && --forget_ == 0;
  if (verb == "SET" || verb == "GETSET") {
    const bool nx = command.size() > 3 && command[3] == "NX";
    const bool xx = command.size() > 3 && command[3] == "XX";
    if ((nx && found != data_.end()) || (xx && found == data_.end())) {
      return Reply::nil();
    }
    if (!forget) {
      data_[key] = command.at(2);
    }
    return verb == "SET" ? Reply::ok() : old;
  }
  if (verb == "DEL") {
    return Reply::of(static_cast<std::int64_t>(data_.erase(key)));
  }
  const std::int64_t number =
      (found == data_.end() ? 0 : std::stoll(found->second)) + (verb == "INCR" ? 1 : -1);
  if (!forget) {
    data_[key] = std::to_string(number);
  }
  return Reply::of(number);
}

void FakeBackend::disconnect(ConnectionId connection) { connections_.erase(connection); }

bool FakeBackend::observe(std::string_view kind) {
  observed_.insert(std::string(kind));
  return kind == "message";
}

NodeId FakeBackend::node_at(std::string_view address) const {
  return NodeId(std::stoull(std::string(address.substr(1))));
}

std::string FakeBackend::digest(NodeId node) {
  return node == liar_ ? "1:bad" : std::to_string(writes_) + ":good";
}

}  // namespace kiwi::lab
