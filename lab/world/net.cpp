#include "lab/world/net.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "lab/formats/newer_offer.hpp"

namespace kiwi::lab {

namespace {
bool take_one(LinkFaults::Counts& counts, std::string_view kind) {
  for (auto key : {kind, std::string_view("any")}) {
    auto found = counts.find(key);
    if (found == counts.end())
      continue;
    if (--found->second == 0)
      counts.erase(found);
    return true;
  }
  return false;
}
}  // namespace

std::string_view kind_of(const PeerMessage& message) {
  if (auto* vote = std::get_if<VoteRequest>(&message))
    return vote->pre_vote ? "pre-vote" : "vote";
  if (auto* vote = std::get_if<VoteResponse>(&message))
    return vote->pre_vote ? "pre-vote-reply" : "vote-reply";
  static constexpr std::array<std::string_view, 11> kKinds = {
      "vote",     "vote-reply",     "append",      "append-reply",   "heartbeat",    "heartbeat-reply",
      "snapshot", "snapshot-reply", "timeout-now", "snapshot-fetch", "snapshot-part"};
  static_assert(kKinds.size() == std::variant_size_v<PeerMessage>);
  return kKinds[message.index()];
}

Net::Net(const WorldOptions& options, Agenda& agenda, NetHost& host)
    : options_(options), agenda_(agenda), host_(host) {}

Link& Net::link(NodeId from, NodeId to) {
  for (auto& link : links_)
    if (link->from == from && link->to == to)
      return *link;
  links_.push_back(std::make_unique<Link>(options_.seed, from, to));
  return *links_.back();
}

Net::Connection* Net::find(std::uint64_t number) {
  auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : &found->second;
}

Link& Net::link_of(const Connection& c, bool to_acceptor) {
  return to_acceptor ? link(c.dialer, c.acceptor) : link(c.acceptor, c.dialer);
}

Time Net::draw(ChanceStream& stream, const Spread& spread) const {
  const auto width = (spread.max - spread.min).count();
  if (width <= 0 || !host_.noisy())
    return spread.min;
  return spread.min +
         Time(static_cast<std::int64_t>(below(stream.next(), static_cast<std::uint64_t>(width) + 1)));
}

Time Net::delay(Link& l, std::string_view kind) {
  auto time = draw(l.usual_delay, options_.link) + draw(l.extra_delay, l.faults.jitter);
  if (l.faults.delay_kind == "any" || l.faults.delay_kind == kind)
    time += draw(l.extra_delay, l.faults.delay);
  return time;
}

std::uint64_t Net::open(NodeId from, NodeId to) {
  const auto number = next_++;
  auto& c = connections_[number];
  c.dialer = from;
  c.acceptor = to;
  c.dialer_life = host_.life_of(from);
  auto& l = link(from, to);
  l.connection = number;
  if (l.faults.cut || l.faults.clogged || link(to, from).faults.cut || host_.dark(to)) {
    reset_after(kStall, number, "no route");
    return number;
  }
  const auto opens = host_.world_now() + delay(l, "hello");
  // Nothing on the connection arrives before the connection itself.
  for (auto& lane : direction(c, true).lanes) lane.last = opens;
  agenda_.at(opens, [this, number] {
    auto* opened = find(number);
    if (opened == nullptr)
      return;
    opened->acceptor_life = host_.life_of(opened->acceptor);
    if (opened->acceptor_life == 0)
      reset_after(delay(link_of(*opened, false), "hello"), number, kRefused);
    else if (!host_.opened(opened->acceptor, opened->dialer, number))
      reset_after(kStall, number, "no answer");
  });
  return number;
}

bool Net::send(std::uint64_t connection, bool by_dialer, std::uint8_t lane, std::string_view kind,
               std::string bytes) {
  auto* c = find(connection);
  if (c == nullptr)
    return true;
  auto& on_the_way = direction(*c, by_dialer).lanes[lane].on_the_way;
  if (on_the_way != 0 && on_the_way + bytes.size() > (lane == 0 ? kControlBytes : kBulkBytes))
    return false;
  on_the_way += bytes.size();
  ++counts_.frames;
  counts_.bytes += bytes.size();
  transmit(link_of(*c, by_dialer), Parcel{connection, by_dialer, lane, kind, std::move(bytes)}, false);
  return true;
}

void Net::transmit(Link& l, Parcel parcel, bool again) {
  auto* c = find(parcel.connection);
  if (c == nullptr)
    return;
  auto& f = l.faults;
  if (!again) {
    host_.packet(parcel, l.from, l.to, false);
    if (take_one(f.drop_next, parcel.kind) ||
        (f.drop.concern(parcel.kind) && happens(l.drop.next(), f.drop.p)) ||
        (options_.transport == Transport::lossy && options_.loss > 0 && parcel.kind != "hello" &&
         happens(l.drop.next(), options_.loss))) {
      lose(*c, parcel);
      return;
    }
    if (!f.hold.empty() && take_one(f.hold, parcel.kind)) {
      ++counts_.held;
      l.held.push_back(std::move(parcel));
      return;
    }
  }
  if (direction(*c, parcel.to_acceptor).broken)
    return;
  if (f.cut || f.clogged || c->half_open || host_.dark(l.to)) {
    stall(l, *c, std::move(parcel));
    return;
  }
  if (f.newer_offers && parcel.kind == "snapshot") {
    if (auto newer = newer_offer(parcel.bytes)) {
      // What is on the way is counted by what was sent.
      parcel.bytes = std::move(*newer);
      ++counts_.newer;
    }
  }
  if (f.corrupt.concern(parcel.kind) && happens(l.corrupt.next(), f.corrupt.p) && !parcel.bytes.empty()) {
    ++counts_.corrupted;
    const auto bit = below(l.corrupt.next(), parcel.bytes.size() * 8);
    parcel.bytes[bit / 8] = static_cast<char>(parcel.bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  const bool twice = parcel.kind != "hello" &&
                     (take_one(f.duplicate_next, parcel.kind) ||
                      (f.duplicate.concern(parcel.kind) && happens(l.duplicate.next(), f.duplicate.p)) ||
                      (options_.duplicate > 0 && happens(l.duplicate.next(), options_.duplicate)));
  if (twice) {
    ++counts_.duplicated;
    direction(*c, parcel.to_acceptor).lanes[parcel.lane].on_the_way += parcel.bytes.size();
    travel(l, *c, parcel);
  }
  travel(l, *c, std::move(parcel));
}

void Net::travel(Link& l, Connection& c, Parcel parcel) {
  auto& f = l.faults;
  auto& lane = direction(c, parcel.to_acceptor).lanes[parcel.lane];
  const auto now = host_.world_now();
  auto leaves = now;
  if (f.bandwidth > 0) {
    leaves = l.busy_until =
        std::max(now, l.busy_until) +
        Time(static_cast<std::int64_t>(parcel.bytes.size() * 1'000'000'000 / f.bandwidth));
  }
  auto at = leaves + delay(l, parcel.kind);
  if (f.reorder.concern(parcel.kind) && parcel.kind != "hello" && happens(l.reorder.next(), f.reorder.p)) {
    ++counts_.reordered;
    at += Time(static_cast<std::int64_t>(below(l.reorder.next(), 8))) * options_.link.max.count();
  } else if (options_.transport == Transport::stream || parcel.kind == "hello") {
    at = lane.last = std::max(at, lane.last);
  }
  // A piece of a frame is of use only when the rest follows in order.
  if (f.slice > 0 && f.reorder.p == 0 && options_.transport == Transport::stream) {
    while (parcel.bytes.size() > f.slice) {
      const auto size = 1 + below(l.slice.next(), f.slice);
      Parcel piece = parcel;
      piece.piece = parcel.piece = true;
      piece.bytes = parcel.bytes.substr(0, size);
      parcel.bytes.erase(0, size);
      agenda_.at(at, [this, piece = std::move(piece)] { arrive(piece); });
      at = lane.last = at + std::chrono::microseconds(10);
    }
  }
  agenda_.at(at, [this, parcel = std::move(parcel)] { arrive(parcel); });
}

void Net::stall(Link& l, Connection& c, Parcel parcel) {
  if (options_.transport == Transport::lossy && !l.faults.clogged) {
    lose(c, parcel);
    return;
  }
  ++counts_.stalled;
  auto& d = direction(c, parcel.to_acceptor);
  const auto number = parcel.connection;
  const bool to_acceptor = parcel.to_acceptor;
  if (d.stalled_since == Time::max()) {
    d.stalled_since = host_.world_now();
    agenda_.at(host_.world_now() + kStall, [this, number, to_acceptor, since = d.stalled_since] {
      auto* stalled = find(number);
      if (stalled != nullptr && direction(*stalled, to_acceptor).stalled_since == since)
        drop(number, "no progress");
    });
  }
  l.parked.push_back(std::move(parcel));
}

void Net::lose(Connection& c, const Parcel& parcel) {
  ++counts_.dropped;
  auto& d = direction(c, parcel.to_acceptor);
  d.lanes[parcel.lane].on_the_way -=
      std::min<std::uint64_t>(d.lanes[parcel.lane].on_the_way, parcel.bytes.size());
  if (options_.transport == Transport::lossy || d.broken)
    return;
  d.broken = true;
  reset_after(kGiveUp, parcel.connection, "a frame was lost");
}

void Net::arrive(const Parcel& parcel) {
  auto* c = find(parcel.connection);
  if (c == nullptr)
    return;
  auto& d = direction(*c, parcel.to_acceptor);
  auto& lane = d.lanes[parcel.lane];
  lane.on_the_way -= std::min<std::uint64_t>(lane.on_the_way, parcel.bytes.size());
  if (d.broken)
    return;
  const auto to = parcel.to_acceptor ? c->acceptor : c->dialer;
  const auto from = parcel.to_acceptor ? c->dialer : c->acceptor;
  const auto life = parcel.to_acceptor ? c->acceptor_life : c->dialer_life;
  if (host_.life_of(to) != life || c->half_open) {
    // The next life of a process knows nothing of its connections, and says so, whatever frames may be lost.
    if (!host_.dark(to) && !c->half_open)
      drop(parcel.connection, "reset");
    return;
  }
  host_.packet(parcel, from, to, true);
  if (parcel.kind != "hello" && !parcel.piece) {
    auto& l = link(from, to);
    l.passed.push_back(parcel);
    if (l.passed.size() > Link::kRemembered)
      l.passed.pop_front();
  }
  if (!host_.arrived(to, from, parcel.to_acceptor, parcel.connection, parcel.lane, parcel.bytes))
    lose(*c, parcel);
}

void Net::reset_after(Time pause, std::uint64_t number, const std::string& why) {
  agenda_.at(host_.world_now() + pause, [this, number, why] { drop(number, why); });
}

void Net::drop(std::uint64_t number, const std::string& why) {
  auto found = connections_.find(number);
  if (found == connections_.end())
    return;
  const auto c = std::move(found->second);
  connections_.erase(found);
  ++counts_.resets;
  if (c.dialer_life != 0 && host_.life_of(c.dialer) == c.dialer_life)
    host_.closed(c.dialer, c.acceptor, false, number, why);
  if (c.acceptor_life != 0 && !c.half_open && host_.life_of(c.acceptor) == c.acceptor_life)
    host_.closed(c.acceptor, c.dialer, true, number, why);
}

void Net::close(std::uint64_t connection, bool by_dialer, const std::string& why) {
  auto* c = find(connection);
  if (c == nullptr)
    return;
  (by_dialer ? c->dialer_life : c->acceptor_life) = 0;
  auto& l = link_of(*c, by_dialer);
  // The news is lost on a cut link; the other end finds out when it sends.
  if (!l.faults.cut && !l.faults.clogged)
    reset_after(delay(l, "close"), connection, why);
  else
    reset_after(kStall, connection, why);
}

std::size_t Net::let_go(Link& l) {
  auto parked = std::exchange(l.parked, {});
  for (auto& parcel : parked) {
    if (auto* c = find(parcel.connection))
      direction(*c, parcel.to_acceptor).stalled_since = Time::max();
    transmit(l, parcel, true);
  }
  return parked.size();
}

std::size_t Net::release(Link& l, std::string_view kind, std::uint64_t count) {
  std::size_t released = 0;
  for (auto i = l.held.begin(); i != l.held.end() && released < count;) {
    if (kind != "any" && i->kind != kind) {
      ++i;
      continue;
    }
    auto parcel = std::move(*i);
    i = l.held.erase(i);
    transmit(l, std::move(parcel), true);
    ++released;
  }
  return released;
}

std::size_t Net::replay(Link& l, std::string_view kind, std::uint64_t count) {
  std::vector<const Parcel*> old;
  for (const auto& parcel : l.passed)
    if (kind == "any" || parcel.kind == kind)
      old.push_back(&parcel);
  if (old.empty() || find(l.connection) == nullptr)
    return 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto parcel = *old[below(l.replay.next(), old.size())];
    parcel.connection = l.connection;
    ++counts_.replayed;
    transmit(l, std::move(parcel), true);
  }
  return count;
}

std::size_t Net::reset(const Link& l) {
  std::vector<std::uint64_t> hit;
  for (const auto& [number, c] : connections_)
    if (c.dialer == l.from && c.acceptor == l.to && c.acceptor_life != 0)
      hit.push_back(number);
  for (auto number : hit) drop(number, "reset");
  return hit.size();
}

std::size_t Net::half_open(const Link& l) {
  std::size_t hit = 0;
  for (auto& [number, c] : connections_) {
    if (c.dialer != l.from || c.acceptor != l.to || c.acceptor_life == 0 || c.half_open)
      continue;
    if (host_.life_of(c.acceptor) == c.acceptor_life)
      host_.closed(c.acceptor, c.dialer, true, number, "half open");
    c.half_open = true;
    ++hit;
  }
  return hit;
}

void Net::node_ended(NodeId node, bool power) {
  for (auto& [number, c] : connections_) {
    const bool dialed = c.dialer == node;
    if (!dialed && c.acceptor != node)
      continue;
    auto& life = dialed ? c.dialer_life : c.acceptor_life;
    if (life == 0)
      continue;
    if (!power) {
      close(number, dialed, "connection reset");
    } else if (dialed) {
      // Nobody tells the acceptor; it finds out by keep-alives.
      life = 0;
      reset_after(kStall, number, "keep-alive");
    }
  }
}

}  // namespace kiwi::lab
