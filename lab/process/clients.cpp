#include "lab/process/clients.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kiwi::lab {

ProcessClients::~ProcessClients() {
  for (const auto& [id, c] : connections_) {
    loop_.remove(c->watch);
  }
}

void ProcessClients::connect(Id id, std::uint16_t port) {
  auto c = std::make_unique<Connection>();
  c->socket = connect_to(port);
  if (!c->socket) {
    connections_.emplace(id, std::move(c));
    loop_.at(Time{0}, [this, id] { fail(id, "connection refused"); });
    return;
  }
  c->watch =
      loop_.watch(c->socket, EPOLLIN | EPOLLOUT, [this, id](std::uint32_t events) { ready(id, events); });
  connections_.emplace(id, std::move(c));
}

void ProcessClients::send(Id id, const std::vector<std::string>& command) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& c = *found->second;
  c.out += encode_command(command);
  if (c.open) {
    write(c);
  }
}

void ProcessClients::write(Connection& c) {
  while (!c.out.empty()) {
    const auto sent = ::send(c.socket.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) {
      break;  // an error comes back as an event
    }
    c.out.erase(0, static_cast<std::size_t>(sent));
  }
  loop_.want(c.watch, c.out.empty() ? std::uint32_t{EPOLLIN} : std::uint32_t{EPOLLIN} | EPOLLOUT);
}

void ProcessClients::ready(Id id, std::uint32_t events) {
  auto& c = *connections_.at(id);
  if (!c.open) {
    if (const int code = connect_error(c.socket); code != 0) {
      fail(id, std::strerror(code));
      return;
    }
    c.open = true;
    events_.connected(id);
    if (!known(id)) {
      return;
    }
  }
  if (events & EPOLLOUT) {
    write(c);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) {
    return;
  }
  std::array<char, 64 << 10> bytes;
  const auto got = ::read(c.socket.get(), bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    fail(id, got == 0 ? "closed by the node" : std::strerror(errno));
    return;
  }
  c.reader.feed({bytes.data(), static_cast<std::size_t>(got)});
  while (auto reply = c.reader.next()) {
    events_.replied(id, *reply);
    if (!known(id)) {
      return;
    }
  }
  if (c.reader.broken()) {
    fail(id, "what came is no RESP");
  }
}

void ProcessClients::disconnect(Id id) {
  if (const auto found = connections_.find(id); found != connections_.end()) {
    loop_.remove(found->second->watch);
    connections_.erase(found);
  }
}

void ProcessClients::fail(Id id, const std::string& why) {
  if (known(id)) {
    disconnect(id);
    events_.closed(id, why);
  }
}

}  // namespace kiwi::lab
