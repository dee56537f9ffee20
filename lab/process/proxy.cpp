#include "lab/process/proxy.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace kiwi::lab {

struct Proxy::Port {
  NodeId from, to;
  std::uint16_t target = 0;
  Listening listening;
  Loop::Id watch = 0;
};

struct Proxy::Connection {
  enum class Phase { waiting, dialing, open };
  std::uint64_t id = 0;
  Port* port = nullptr;
  Phase phase = Phase::waiting;
  Fd dialer, acceptor;
  Loop::Id dialer_watch = 0, acceptor_watch = 0, no_route = 0;
  std::unique_ptr<Pipe> out, back;  // out: what the dialer sends
  bool out_blocked = false, back_blocked = false;
  bool half_open = false;
};

namespace {
/// Below this the proxy itself is slow enough.
constexpr Time kWorthDelaying = std::chrono::milliseconds(2);
}  // namespace

Proxy::Proxy(Loop& loop, const Weather& weather) : loop_(loop), weather_(weather) {
  if (weather_.latency.second < kWorthDelaying) {
    weather_.latency = {};
  }
}

Proxy::~Proxy() {
  while (!connections_.empty()) {
    reset(connections_.begin()->first);
  }
  for (const auto& port : ports_) {
    loop_.remove(port->watch);
  }
}

ProxyLink& Proxy::link(NodeId from, NodeId to) {
  auto& link = links_[{from, to}];
  if (!link) {
    link = std::make_unique<ProxyLink>(weather_.seed, from, to);
    link->latency = weather_.latency;
    link->lossy = weather_.lossy;
    link->loss = weather_.lossy ? weather_.loss : 0;
    link->double_odds = weather_.lossy ? weather_.duplicate : 0;
  }
  return *link;
}

tl::expected<std::uint16_t, std::string> Proxy::add(NodeId from, NodeId to, std::uint16_t raft_port) {
  auto listening = listen_on_loopback();
  if (!listening) {
    return tl::unexpected(listening.error());
  }
  auto port = std::make_unique<Port>();
  port->from = from;
  port->to = to;
  port->target = raft_port;
  port->listening = std::move(*listening);
  port->watch = loop_.watch(port->listening.socket, EPOLLIN,
                            [this, where = port.get()](std::uint32_t) { accept(*where); });
  ports_.push_back(std::move(port));
  return ports_.back()->listening.port;
}

void Proxy::accept(Port& port) {
  while (Fd socket = accept_from(port.listening.socket)) {
    const auto id = next_++;
    auto c = std::make_unique<Connection>();
    c->id = id;
    c->port = &port;
    c->dialer = std::move(socket);
    const auto pipe = [&](NodeId from, NodeId to, bool to_acceptor) {
      Pipe::Host host;
      host.seen = [this](const ProxyLink& on, const CutFrame& frame) {
        if (seen_ && frame.kind != "hello" && frame.kind != "bytes") {
          seen_(on.from, on.to, frame);
        }
      };
      // Not from inside the pipe.
      host.give_up = [this, id](const char*) { loop_.at(Time{0}, [this, id] { reset(id); }); };
      host.drained = [this, id] { loop_.at(Time{0}, [this, id] { reset(id); }); };
      auto made = std::make_unique<Pipe>(loop_, link(from, to), counts_, std::move(host));
      made->wake = [this, id, to_acceptor] { pump(id, to_acceptor); };
      return made;
    };
    c->out = pipe(port.from, port.to, true);
    c->back = pipe(port.to, port.from, false);
    c->dialer_watch = loop_.watch(c->dialer, EPOLLIN, [this, id](std::uint32_t events) {
      if (events & EPOLLOUT) {
        pump(id, false);
      }
      if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) {
        readable(id, true);
      }
    });
    c->no_route = loop_.at(loop_.now() + Pipe::kStall, [this, id] { reset(id); });
    connections_.emplace(id, std::move(c));
    try_dial(id);
  }
}

/// A connection comes about only when packets pass both ways.
void Proxy::try_dial(std::uint64_t id) {
  auto& c = *connections_.at(id);
  if (c.phase != Connection::Phase::waiting || c.out->link().faults.stopped() ||
      c.back->link().faults.stopped()) {
    return;
  }
  c.phase = Connection::Phase::dialing;
  c.acceptor = connect_to(c.port->target);
  if (!c.acceptor) {
    reset(id);
    return;
  }
  c.acceptor_watch = loop_.watch(c.acceptor, EPOLLOUT, [this, id](std::uint32_t events) {
    const auto found = connections_.find(id);
    if (found->second->phase == Connection::Phase::dialing) {
      dialed(id);
      return;
    }
    if (events & EPOLLOUT) {
      pump(id, true);
    }
    if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) {
      readable(id, false);
    }
  });
}

void Proxy::dialed(std::uint64_t id) {
  auto& c = *connections_.at(id);
  if (connect_error(c.acceptor) != 0) {
    reset(id);
    return;
  }
  loop_.cancel(c.no_route);
  c.phase = Connection::Phase::open;
  c.out->open(c.acceptor);
  c.back->open(c.dialer);
  pump(id, true);
}

void Proxy::readable(std::uint64_t id, bool of_dialer) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& c = *found->second;
  auto& pipe = of_dialer ? *c.out : *c.back;
  std::array<char, 64 << 10> bytes;
  const auto got = ::read((of_dialer ? c.dialer : c.acceptor).get(), bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got > 0) {
    pipe.feed({bytes.data(), static_cast<std::size_t>(got)});
  } else {
    loop_.remove(std::exchange(of_dialer ? c.dialer_watch : c.acceptor_watch, 0));
    pipe.end();
    if (c.half_open || c.phase != Connection::Phase::open) {
      reset(id);
      return;
    }
  }
  if (hold_back_) {
    loop_.at(Time{0}, [this, id, of_dialer] { pump(id, of_dialer); });
    interest(c);
  } else {
    pump(id, of_dialer);
  }
}

void Proxy::pump(std::uint64_t id, bool to_acceptor) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& c = *found->second;
  (to_acceptor ? c.out_blocked : c.back_blocked) = (to_acceptor ? c.out : c.back)->pump();
  interest(c);
}

void Proxy::interest(Connection& c) {
  const auto events = [](const Pipe& reads_for, bool blocked) {
    std::uint32_t wanted = 0;
    wanted |= reads_for.full() ? 0u : std::uint32_t{EPOLLIN};
    wanted |= blocked ? std::uint32_t{EPOLLOUT} : 0u;
    return wanted;
  };
  loop_.want(c.dialer_watch, events(*c.out, c.back_blocked));
  if (c.phase == Connection::Phase::open) {
    loop_.want(c.acceptor_watch, events(*c.back, c.out_blocked));
  }
}

void Proxy::reset(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) {
    return;
  }
  auto& c = *found->second;
  loop_.cancel(c.no_route);
  loop_.remove(c.dialer_watch);
  loop_.remove(c.acceptor_watch);
  close_hard(c.dialer);
  close_hard(c.acceptor);
  ++counts_.resets;
  connections_.erase(found);
}

void Proxy::wake(const ProxyLink& link) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, c] : connections_) {
    if (&c->out->link() == &link || &c->back->link() == &link) {
      ids.push_back(id);
    }
  }
  for (const auto id : ids) {
    try_dial(id);
    pump(id, true);
    pump(id, false);
  }
}

std::size_t Proxy::release(const ProxyLink& link, std::string_view kind) {
  std::size_t released = 0;
  for (const auto& [id, c] : connections_) {
    for (auto* pipe : {c->out.get(), c->back.get()}) {
      released += &pipe->link() == &link ? pipe->release(kind) : 0;
    }
  }
  return released;
}

std::size_t Proxy::replay(ProxyLink& link, std::string_view kind, std::uint64_t count) {
  std::vector<const ProxyLink::Old*> old;
  for (const auto& frame : link.passed) {
    if (kind == "any" || frame.kind == kind) {
      old.push_back(&frame);
    }
  }
  for (auto i = connections_.rbegin(); i != connections_.rend() && !old.empty(); ++i) {
    auto& c = *i->second;
    if (&c.out->link() != &link || c.phase != Connection::Phase::open || c.half_open) {
      continue;
    }
    const auto copies = [&] {
      std::vector<ProxyLink::Old> drawn;
      for (std::uint64_t n = 0; n < count; ++n) {
        drawn.push_back(*old[below(link.replay.next(), old.size())]);
      }
      return drawn;
    }();
    for (const auto& frame : copies) {
      c.out->push_again(frame.kind, frame.bytes);
    }
    counts_.replayed += count;
    return count;
  }
  return 0;
}

std::size_t Proxy::reset_all(const ProxyLink& link) {
  std::vector<std::uint64_t> hit;
  for (const auto& [id, c] : connections_) {
    if (&c->out->link() == &link && c->phase == Connection::Phase::open) {
      hit.push_back(id);
    }
  }
  for (const auto id : hit) {
    reset(id);
  }
  return hit.size();
}

std::size_t Proxy::half_open(const ProxyLink& link) {
  std::size_t hit = 0;
  for (const auto& [id, c] : connections_) {
    if (&c->out->link() != &link || c->phase != Connection::Phase::open || c->half_open) {
      continue;
    }
    c->half_open = true;
    loop_.remove(std::exchange(c->acceptor_watch, 0));
    close_hard(c->acceptor);
    c->out->swallow();
    c->back->swallow();
    ++hit;
  }
  return hit;
}

}  // namespace kiwi::lab
