#include "tests/unit/raft/random_world.hpp"

#include <algorithm>

namespace kiwi::raft {

namespace {
constexpr std::uint64_t kTickUnits = 10;
// Microseconds of a steady clock in a unit of time: 15, 16 or 17 hundred. The slowest makes 15/17 of the
// fastest, which is more than 7/8.
constexpr std::uint64_t kSteadyUnit = 1600;
constexpr std::uint64_t kHangs = 1'000'000;
constexpr std::uint64_t kEpochMs = 1'700'000'000'000;
}  // namespace

RandomWorld::RandomWorld(std::uint64_t seed, std::size_t initial, std::size_t spares, bool leases)
    : rng_(seed * 0x9e3779b97f4a7c15u + initial + 1000 * spares), initial_(initial) {
  leases_ = leases;
  const std::size_t count = initial + spares;
  std::vector<Member> members;
  for (std::size_t i = 0; i < initial; ++i) members.push_back({NodeId(i + 1), {}});
  first_ = membership_of(members);
  for (std::size_t i = 0; i < count; ++i) {
    Options o;
    o.id = NodeId(i + 1);
    o.seed = seed;
    o.lease = leases;
    o.tick_us = kTickUnits * kSteadyUnit;
    // Small limits, so that every one of them is met.
    o.max_append_bytes = 70 + random(600);
    o.max_inflight_appends = 1 + static_cast<std::uint32_t>(random(8));
    o.max_inflight_bytes = 300 + random(3000);
    o.max_applying_bytes = 100 + random(1000);
    o.max_cached_bytes = random(3) == 0 ? 1 << 20 : random(2000);
    o.max_uncommitted_bytes = 500 + random(5000);
    o.hold_back_bytes = seed % 3 == 0 ? 0 : 100 + seed % 2000;
    if (random(3) != 0) {
      o.compaction.keep_entries = 10 + random(100);
      o.compaction.keep_bytes = random(2) == 0 ? 1 << 20 : 1000 + random(10'000);
      o.compaction.laggard_bytes = random(2) == 0 ? 0 : random(20'000);
      o.live_ticks = 10 + static_cast<std::uint32_t>(random(40));
    }
    nodes_.push_back(std::make_unique<SimNode>(o, i < initial ? first_ : Membership{}, checker_));
  }
  lives_.assign(count, 0);
  clock_offset_.assign(count, 0);
  disk_delay_.assign(count, 4);
  disk_busy_.assign(count, 0);
  apply_busy_ = fetch_busy_ = receive_busy_ = disk_busy_;
  for (std::size_t i = 0; i < initial; ++i) start(i);
  if (spares > 0)
    schedule(300, What::admin, 0);
  schedule(5, What::client, 0);
  schedule(50, What::fault, 0);
}

std::uint64_t RandomWorld::random(std::uint64_t below) {
  std::uint64_t z = (rng_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % below;
}

void RandomWorld::schedule(std::uint64_t in, What what, std::size_t node) {
  events_.push(event(in, what, node));
}

RandomWorld::Event RandomWorld::event(std::uint64_t in, What what, std::size_t node) {
  Event e;
  e.at = now_ + in;
  e.order = ++order_;
  e.what = what;
  e.node = node;
  e.life = lives_[node];
  return e;
}

/// Only where a peer can give it back: no two nodes at a time.
void RandomWorld::maybe_lose_data(std::size_t node) {
  if (members().voters.size() < 3 || members().joint() || random(4) != 0)
    return;
  for (const auto& other : nodes_)
    if (other->id() != nodes_[node]->id() && (other->disk().applied < other->disk().purged.index ||
                                              (other->up() && other->core().needs_snapshot())))
      return;
  ++figures_.lost_data;
  nodes_[node]->lose_data();
}

void RandomWorld::start(std::size_t node) {
  ++lives_[node];
  disk_busy_[node] = apply_busy_[node] = fetch_busy_[node] = receive_busy_[node] = 0;
  nodes_[node]->options().seed += 1;
  nodes_[node]->start();
  schedule(random(kTickUnits), What::tick, node);
  schedule(50 + random(100), What::save, node);
  after_input(node);
}

void RandomWorld::send(std::size_t from, Outgoing out) {
  const std::size_t to = out.to.value - 1;
  const auto message = std::make_shared<PeerMessage>(std::move(out.message));
  const std::uint64_t copies = storm_ && chance(duplicate_) ? 2 : 1;
  for (std::uint64_t i = 0; i < copies; ++i) {
    if (cut_.count({from, to}) != 0 || (storm_ && chance(drop_)))
      continue;
    Event e;
    e.at = now_ + 1 + random(5) + (storm_ && chance(slow_) ? random(200) : 0);
    e.order = ++order_;
    e.what = What::deliver;
    e.node = to;
    e.from = NodeId(from + 1);
    e.message = message;
    events_.push(e);
  }
}

void RandomWorld::after_input(std::size_t i) {
  SimNode& n = *nodes_[i];
  for (Outgoing& m : n.take_messages()) send(i, std::move(m));
  if (n.writes_waiting() > 0 && !disk_busy_[i]) {
    disk_busy_[i] = 1;
    schedule(1 + random(disk_delay_[i]), What::persist, i);
  }
  for (const SnapshotWanted& wanted : n.take_wanted()) {
    Event e = event(1 + random(30), What::build, i);
    e.wanted = wanted;
    events_.push(e);
  }
  if (auto offer = n.take_offer(); offer && !receive_busy_[i]) {
    receive_busy_[i] = 1;
    n.receiving(*offer);
    for (Outgoing& m : n.take_messages()) send(i, std::move(m));
    Event e = event(1 + random(storm_ ? 300 : 50), What::receive, i);
    e.snapshot = std::move(*offer);
    events_.push(e);
  }
  if ((n.apply_waiting() > 0 || n.install_waiting()) && !apply_busy_[i]) {
    apply_busy_[i] = 1;
    schedule(1 + random(4), What::apply, i);
  }
  if (n.fetches_waiting() > 0 && !fetch_busy_[i]) {
    fetch_busy_[i] = 1;
    schedule(1 + random(6), What::fetch, i);
  }
}

void RandomWorld::client(std::size_t i) {
  SimNode& n = *nodes_[i];
  if (!n.up())
    return;
  if (leases_)
    read_clocks(i);  // after the request came, before it is looked at
  const std::uint64_t what = random(4);
  if (what == 0) {
    n.read(next_token_++);
  } else if (what == 1) {
    for (std::uint64_t k = 1 + random(12); k > 0; --k)
      n.propose("x" + std::to_string(next_text_++) + std::string(random(80), '.'));
  } else if (what == 2 && n.core().role() == Role::leader) {
    // One pipeline, one turn: SET GET SET (rule 13). sim_node checks that the GET is between the two.
    if (const auto first = n.propose("a" + std::to_string(next_text_++))) {
      n.read(next_token_++, *first);
      n.propose("b" + std::to_string(next_text_++));
    }
  } else {
    n.propose("y" + std::to_string(next_text_++));
    n.read(next_token_++);
  }
  after_input(i);
}

std::uint64_t RandomWorld::steady_us(std::size_t i) const {
  return now_ * (kSteadyUnit - 100 + 100 * (i % 3));
}

void RandomWorld::read_clocks(std::size_t i) {
  nodes_[i]->set_clock(kEpochMs + now_ + clock_offset_[i], steady_us(i));
}

/// Nobody leads a later term while a leader counts on its lease, whether or not somebody reads there.
void RandomWorld::check_leases() const {
  Term newest;
  for (const auto& n : nodes_)
    if (n->up() && n->core().role() == Role::leader)
      newest = std::max(newest, n->core().term());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->up() || nodes_[i]->core().role() != Role::leader || nodes_[i]->core().term() == newest)
      continue;
    Core asked = nodes_[i]->core();
    asked.set_clock(kEpochMs + now_ + clock_offset_[i], steady_us(i));
    checker_.expect(!asked.lease_holds(), "node " + to_string(asked.options().id) +
                                              " counts on its lease of term " + to_string(asked.term()) +
                                              ", and term " + to_string(newest) + " has a leader");
  }
}

void RandomWorld::clients() {
  if (leases_)
    check_leases();
  client(random(nodes_.size()));
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->up() && nodes_[i]->core().role() == Role::leader && random(3) != 0)
      client(i);
}

void RandomWorld::tally(const Counters& counters) {
  figures_.mismatches += counters.append_mismatches;
  figures_.lease_reads += counters.lease_reads;
  figures_.check_quorum_failures += counters.check_quorum_failures;
  figures_.gave_way += counters.step_downs_own_disk + counters.step_downs_no_commit;
}

/// Everybody is well but the leader: many terms, as in Raft figures 7 and 8.
void RandomWorld::hunt_leader() {
  cut_.clear();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->up()) {
      start(i);
    } else if (nodes_[i]->core().role() == Role::leader) {
      if (random(2) == 0) {
        ++figures_.crashes;
        tally(nodes_[i]->core().counters());
        nodes_[i]->crash(random(3));
        ++lives_[i];
      } else {
        for (std::size_t j = 0; j < nodes_.size(); ++j) {
          if (random(4) != 0)
            cut_.insert({i, j});
          if (random(4) != 0)
            cut_.insert({j, i});
        }
      }
    }
  }
}

/// What a transport may say about a peer, true or not.
void RandomWorld::lose_link(std::size_t i, NodeId peer) {
  const auto what = now_ % 4;
  nodes_[i]->unreachable(peer);
  if (what >= 2)
    nodes_[i]->turn([&](Core& core) { core.gone(what == 3 ? core.leader() : peer); });
  else if (what == 1)
    nodes_[i]->turn([&](Core& core) { core.reachable(peer, true); });
}

void RandomWorld::fault() {
  const std::size_t count = nodes_.size();
  const std::size_t i = random(count);
  if (random(4) == 0) {
    hunt_leader();
    return;
  }
  switch (random(10)) {
    case 0:
    case 1:
      if (nodes_[i]->up()) {
        ++figures_.crashes;
        tally(nodes_[i]->core().counters());
        nodes_[i]->crash(random(3));
        ++lives_[i];
        maybe_lose_data(i);
      } else {
        start(i);
      }
      break;
    case 2:
      if (!nodes_[i]->up())
        start(i);
      break;
    case 3:
      cut_.insert({i, random(count)});
      break;
    case 4:  // one node alone
      for (std::size_t j = 0; j < count; ++j) {
        cut_.insert({i, j});
        cut_.insert({j, i});
      }
      break;
    case 5:
      cut_.clear();
      break;
    case 6:
      disk_delay_[i] = random(2) == 0 ? 4 : random(4) == 0 ? kHangs : 1 + random(400);
      break;
    case 7:
      drop_ = random(3) == 0 ? random(300) : 20;
      duplicate_ = random(100);
      slow_ = random(3) == 0 ? random(400) : 20;
      break;
    case 8:
      clock_offset_[i] = random(2) == 0 ? 0 : random(7'200'000);
      break;
    case 9:
      if (nodes_[i]->up() && random(count) != i) {
        const std::size_t j = random(count);
        if (j != i)
          lose_link(i, NodeId(j + 1));
        after_input(i);
      }
      break;
  }
}

void RandomWorld::handle(const Event& e) {
  checker_.set_time(now_);
  SimNode& n = *nodes_[e.node];
  if (e.what == What::client) {
    if (!quiet_)
      clients();
    schedule(1 + random(storm_ ? 15 : 40), What::client, 0);
    return;
  }
  if (e.what == What::fault) {
    if (storm_) {
      fault();
      schedule(1 + random(150), What::fault, 0);
    }
    return;
  }
  if (e.what == What::admin) {
    if (storm_) {
      admin();
      schedule(1 + random(250), What::admin, 0);
    }
    return;
  }
  if (!n.up() || (e.what != What::deliver && e.life != lives_[e.node]))
    return;
  read_clocks(e.node);
  switch (e.what) {
    case What::deliver:
      n.step(e.from, *e.message);
      break;
    case What::tick:
      n.tick();
      schedule(kTickUnits - 1 + random(3), What::tick, e.node);
      break;
    case What::persist:
      disk_busy_[e.node] = 0;
      n.persist(1 + random(4), random(2) == 0);
      break;
    case What::apply:
      apply_busy_[e.node] = 0;
      n.apply(1 + random(8));
      break;
    case What::fetch:
      fetch_busy_[e.node] = 0;
      ++figures_.fetches;
      n.answer_fetch(random(n.fetches_waiting()), storm_ && chance(30));
      break;
    case What::save:
      n.save_applied();
      after_input(e.node);
      schedule(50 + random(300), What::save, e.node);
      break;
    case What::build:
      n.offer_snapshot(e.wanted);
      break;
    case What::receive:
      receive_busy_[e.node] = 0;
      n.received(e.snapshot, !(storm_ && chance(200)));
      break;
    default:
      break;
  }
  after_input(e.node);
}

void RandomWorld::heal(std::size_t but) {
  storm_ = false;
  cut_.clear();
  std::fill(disk_delay_.begin(), disk_delay_.end(), 4);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->up() && i != but)
      start(i);
    else if (nodes_[i]->up() && disk_busy_[i])
      schedule(1, What::persist, i);  // its disk may hang
  }
}

bool RandomWorld::converged() {
  std::size_t leaders = 0;
  Term term;
  for (const auto& n : nodes_) {
    // A learner may be far behind for as long as clients write.
    if (!members().is_voter(n->id()))
      continue;
    leaders += n->core().role() == Role::leader ? 1 : 0;
    term = term.value == 0 ? n->core().term() : term;
    if (n->core().term() != term || !n->core().caught_up_once())
      return false;
  }
  return leaders == 1;
}

/// Everybody has nearly all that is committed.
bool RandomWorld::level() {
  Index commit;
  for (const auto& n : nodes_) commit = std::max(commit, n->core().commit());
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& n) {
    return !is_member(*n) || n->core().last_log_id().index + 10 >= commit;
  });
}

/// A leader that can send but hears nothing must give way (check-quorum, thesis 6.2).
void RandomWorld::deafen_leader() {
  const std::size_t count = nodes_.size();
  // A follower with a small window never closes the gap under load. Without it the others could not commit
  // before it has caught up, which is not what is timed here.
  quiet_ = true;
  const std::uint64_t patience = now_ + (nodes_.size() > initial_ ? 30'000 : 6000);
  // So would a learner that is to become a voter.
  const auto idle = [&] { return level() && converged() && settled(); };
  while (now_ < patience && !idle()) until(now_ + 50);
  checker_.expect(idle(), "the followers do not catch up with an idle leader" + describe());
  quiet_ = false;
  if (members().voters.size() <= 2)
    return;  // nobody could go on without it
  for (std::size_t i = 0; i < count; ++i)
    if (nodes_[i]->core().role() == Role::leader)
      for (std::size_t j = 0; j < count; ++j) cut_.insert({j, i});
  const std::size_t before = checker_.history().size();
  const std::size_t terms = checker_.terms_with_leader();
  until(now_ + 1500);
  checker_.expect(checker_.terms_with_leader() > terms,
                  "a deaf leader keeps the others from electing one" + describe());
  checker_.expect(checker_.history().size() > before + 5, "the others do not go on without a deaf leader");
  cut_.clear();
  const std::uint64_t end = now_ + 3000;
  while (now_ < end && !converged()) until(now_ + 50);
  checker_.expect(converged(), "the cluster does not take the deaf leader back");
}

void RandomWorld::until(std::uint64_t end) {
  while (!events_.empty() && events_.top().at <= end) {
    const Event e = events_.top();
    events_.pop();
    now_ = e.at;
    handle(e);
  }
  now_ = end;
}

void RandomWorld::run(std::uint64_t storm_units, std::uint64_t heal_units) {
  until(storm_units);
  if (nodes_.size() > initial_)
    settle_without(one_to_spare());
  heal();
  const std::size_t before = checker_.history().size();
  const std::uint64_t end = now_ + heal_units;
  while (now_ < end && !converged()) until(now_ + 50);
  checker_.expect(converged(), "the healed cluster has no stable leader" + describe());
  deafen_leader();
  // A fresh write and a fresh read, on every node's machine.
  std::size_t served = 0;
  for (const auto& n : nodes_) served += n->served.size();
  const std::size_t history = checker_.history().size();
  until(now_ + 1000);
  quiet_ = true;
  until(now_ + 10'000);
  checker_.expect(converged() && settled(), "the healed cluster does not keep its leader" + describe());
  expect_removed_know();
  checker_.expect(checker_.history().size() > std::max(before, history),
                  "the healed cluster commits nothing");
  std::size_t served_now = 0;
  for (const auto& n : nodes_) {
    served_now += n->served.size();
    checker_.expect(!is_member(*n) || n->machine().value == checker_.history().size(),
                    "node " + to_string(n->id()) + " does not follow: applied " + to_string(n->machine()) +
                        " of " + std::to_string(checker_.history().size()));
    figures_.failed_reads += n->failed.size();
    tally(n->core().counters());
    figures_.purges += n->purges();
    figures_.installs += n->installs();
    figures_.resets += n->resets();
  }
  tally_membership();
  checker_.expect(served_now > served, "the healed cluster serves no reads");
  figures_.committed = checker_.history().size();
  figures_.reads = served_now;
  figures_.terms = checker_.terms_with_leader();
}

}  // namespace kiwi::raft
