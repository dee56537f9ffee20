#include "lab/world/clients.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace kiwi::lab {

Clients::Clients(const WorldOptions& options, Agenda& agenda, Trace& trace, NodeHost& host,
                 Listener& listener, NodeOf node_of, bool& told)
    : options_(options),
      agenda_(agenda),
      trace_(trace),
      host_(host),
      listener_(listener),
      node_of_(std::move(node_of)),
      told_(told) {}

Clients::End* Clients::find(ConnectionId connection) {
  auto found = ends_.find(connection);
  return found == ends_.end() ? nullptr : &found->second;
}

Time Clients::arrival(End& end, Time& last) {
  const auto& spread = options_.client_link;
  auto delay = spread.min;
  if (host_.noisy() && spread.max > spread.min)
    delay += Time(static_cast<std::int64_t>(
        below(end.delay.next(), static_cast<std::uint64_t>((spread.max - spread.min).count()) + 1)));
  return last = std::max(last, host_.world_now() + delay);
}

void Clients::connect(ConnectionId connection, NodeId node) {
  auto& end = ends_[connection];
  end.node = node;
  end.delay = ChanceStream(options_.seed, "client " + std::to_string(connection), "delay");
  agenda_.at(arrival(end, end.last_in), [this, connection] { accept(connection); });
}

void Clients::accept(ConnectionId connection) {
  auto* end = find(connection);
  if (end == nullptr)
    return;
  auto* node = node_of_(end->node);
  if (node != nullptr && node->dark()) {
    end->dead = true;
    return;
  }
  if (node == nullptr || !node->up() || !node->serves_clients()) {
    agenda_.at(arrival(*end, end->last_out), [this, connection] { close(connection, "connection refused"); });
    return;
  }
  end->life = node->life();
  // The machine's kernel accepts, also for a paused process.
  agenda_.at(arrival(*end, end->last_out), [this, connection] {
    if (const auto* made = find(connection); made != nullptr && !made->asker) {
      told_ = true;
      listener_.connected(connection);
    }
  });
  node->deliver([this, connection](SimNode& n) {
    auto* accepted = find(connection);
    if (accepted == nullptr || !n.serves_clients())
      return;
    accepted->server = n.spawn_client(connection, *this);
    if (!accepted->early.empty())
      caf::anon_send(accepted->server, ClientBytes{std::exchange(accepted->early, {})});
  });
}

void Clients::send(ConnectionId connection, const std::vector<std::string>& command) {
  auto* end = find(connection);
  if (end == nullptr)
    return;
  ++commands_;
  if (observer() != nullptr)
    observer()->asked(connection, end->node);
  agenda_.at(arrival(*end, end->last_in),
             [this, connection, bytes = encode_command(command)] { to_server(connection, bytes); });
}

void Clients::to_server(ConnectionId connection, std::string bytes) {
  auto* end = find(connection);
  if (end == nullptr || end->dead)
    return;
  trace_.note(host_.world_now(), TraceOf::client, connection, bytes);
  auto* node = node_of_(end->node);
  if (end->life == 0 || !node->up() || node->life() != end->life)
    return;  // its end is on its way
  node->deliver([this, connection, bytes = std::move(bytes)](SimNode&) {
    auto* to = find(connection);
    if (to == nullptr)
      return;
    if (to->server)
      caf::anon_send(to->server, ClientBytes{bytes});
    else
      to->early += bytes;
  });
}

void Clients::written(ConnectionId connection, std::string_view bytes) {
  auto* end = find(connection);
  if (end == nullptr)
    return;
  agenda_.at(arrival(*end, end->last_out), [this, connection, text = std::string(bytes)] {
    auto* to = find(connection);
    if (to == nullptr)
      return;
    trace_.note(host_.world_now(), TraceOf::client, connection, text);
    if (to->server) {
      auto* node = node_of_(to->node);
      node->deliver([this, connection, size = text.size()](SimNode&) {
        if (auto* taker = find(connection); taker != nullptr && taker->server)
          caf::anon_send(taker->server, ClientTook{size});
      });
    }
    to->reader.feed(text);
    told_ = told_ || !to->asker;
    // The listener may send meanwhile, but not connect or disconnect.
    while (auto reply = to->reader.next()) {
      ++replies_;
      if (observer() != nullptr)
        observer()->replied(connection, *reply);
      if (to->asker)
        tell_asker(connection, *to, &*reply);
      else
        listener_.replied(connection, *reply);
    }
    if (to->reader.broken())
      close(connection, "the node sent no RESP");
  });
}

void Clients::submitted(ConnectionId connection, const std::vector<ClientCommand>& commands) {
  const auto* end = find(connection);
  if (observer() == nullptr || end == nullptr)
    return;
  for (const auto& command : commands) observer()->submitted(connection, end->node, command);
}

void Clients::answered(ConnectionId connection, const Answers& answers) {
  const auto* end = find(connection);
  if (observer() == nullptr || end == nullptr)
    return;
  for (const auto& answer : answers.answers) observer()->answered(connection, end->node, answer);
}

void Clients::ended(ConnectionId connection) {
  auto* end = find(connection);
  if (end == nullptr)
    return;
  end->server = nullptr;
  agenda_.at(arrival(*end, end->last_out), [this, connection] { close(connection, "closed by the node"); });
}

void Clients::close(ConnectionId connection, const std::string& why) {
  auto found = ends_.find(connection);
  if (found == ends_.end())
    return;
  if (auto server = found->second.server)
    caf::anon_send(server, caf::close_atom_v);
  const auto end = std::move(found->second);
  ends_.erase(found);
  if (observer() != nullptr)
    observer()->gone(connection);
  if (end.asker) {
    tell_asker(connection, end, nullptr);
    return;
  }
  told_ = true;
  listener_.closed(connection, why);
}

void Clients::disconnect(ConnectionId connection) {
  auto* end = find(connection);
  if (end == nullptr)
    return;
  if (auto server = end->server) {
    auto* node = node_of_(end->node);
    auto life = end->life;
    agenda_.at(arrival(*end, end->last_in), [node, life, address = server.address()] {
      if (node->up() && node->life() == life)
        node->deliver([address](SimNode&) {
          if (auto alive = caf::actor_cast<caf::actor>(address))
            caf::anon_send(alive, caf::close_atom_v);
        });
    });
  }
  ends_.erase(connection);
  if (observer() != nullptr)
    observer()->gone(connection);
}

ConnectionId Clients::ask_other(NodeId from, NodeId to, const std::vector<std::string>& command) {
  const auto connection = ++last_own_;
  connect(connection, to);
  auto& end = ends_.at(connection);
  end.asker = from;
  end.asker_life = node_of_(from)->life();
  send(connection, command);
  return connection;
}

void Clients::tell_asker(ConnectionId connection, const End& end, const Reply* reply) {
  auto* node = node_of_(end.asker);
  if (!node->up() || node->life() != end.asker_life)
    return;
  std::optional<std::string> line;
  if (reply != nullptr)
    line = (reply->is_error() ? "-" : "+") + std::string(reply->text.view());
  node->deliver([connection, line = std::move(line)](SimNode& n) { n.asked_another(connection, line); });
}

void Clients::node_ended(NodeId node, bool power) {
  std::vector<ConnectionId> asked;
  for (const auto& [connection, end] : ends_)
    if (end.asker == node)
      asked.push_back(connection);
  for (const auto connection : asked) disconnect(connection);
  for (auto& [connection, end] : ends_) {
    if (end.node != node || end.life == 0)
      continue;
    end.server = nullptr;
    if (power)
      end.dead = true;
    else
      agenda_.at(arrival(end, end.last_out),
                 [this, number = connection] { close(number, "connection reset"); });
  }
}

void Clients::node_started(NodeId node) {
  for (auto& [connection, end] : ends_)
    if (end.node == node && end.dead)
      agenda_.at(arrival(end, end.last_out),
                 [this, number = connection] { close(number, "connection reset"); });
}

}  // namespace kiwi::lab
