#include "tests/unit/raft/stage.hpp"

#include <sstream>
#include <stdexcept>

namespace kiwi::raft {

namespace {

std::size_t node_number(const std::string& word) {
  if (word.size() < 2 || word[0] != 'n')
    throw std::runtime_error("not a node: " + word);
  return std::stoull(word.substr(1));
}

std::pair<std::size_t, std::size_t> link_of(const std::string& word) {
  const auto arrow = word.find("->");
  if (arrow == std::string::npos)
    throw std::runtime_error("not a link: " + word);
  return {node_number(word.substr(0, arrow)), node_number(word.substr(arrow + 2))};
}

struct Describe {
  std::string operator()(const VoteRequest& m) const {
    return std::string(m.pre_vote ? "pre-vote?" : "vote?") + " term " + to_string(m.term) + " last " +
           to_string(m.last_log_id);
  }
  std::string operator()(const VoteResponse& m) const {
    return std::string(m.granted ? "yes" : "no") + (m.pre_vote ? " (pre-vote)" : "") + " term " +
           to_string(m.term);
  }
  std::string operator()(const AppendRequest& m) const {
    std::string text = "append term " + to_string(m.term) + " after " + to_string(m.previous) + ":";
    for (const Entry& e : m.entries) text += " " + to_string(e.id);
    return text + " commit " + to_string(m.commit);
  }
  std::string operator()(const AppendResponse& m) const {
    return m.success ? "appended " + to_string(m.match) + " term " + to_string(m.term)
                     : "mismatch, try " + to_string(m.hint) + " term " + to_string(m.term);
  }
  std::string operator()(const HeartbeatRequest& m) const {
    return "heartbeat term " + to_string(m.term) + " commit " + to_string(m.commit) + " round " +
           std::to_string(m.round);
  }
  std::string operator()(const HeartbeatResponse& m) const {
    return "alive term " + to_string(m.term) + " round " + std::to_string(m.round);
  }
  std::string operator()(const InstallSnapshotRequest& m) const {
    return "snapshot " + to_string(m.manifest.meta.last_log_id) + " term " + to_string(m.term);
  }
  std::string operator()(const InstallSnapshotResponse& m) const {
    switch (m.state) {
      case InstallState::refused:
        return "snapshot refused, at least " + to_string(m.match.index);
      case InstallState::receiving:
        return "receiving " + std::to_string(m.received);
      case InstallState::not_needed:
        return "has everything to " + to_string(m.match);
    }
    return "?";
  }
  std::string operator()(const SnapshotFetch&) const { return "fetch"; }
  std::string operator()(const SnapshotPart&) const { return "part"; }
  std::string operator()(const TimeoutNowRequest& m) const {
    return "time out now, term " + to_string(m.term);
  }
};

}  // namespace

void Stage::collect() {
  for (auto& n : nodes_) {
    if (!n->up())
      continue;
    for (Outgoing& o : n->take_messages()) {
      const Link link{n->id().value, o.to.value};
      if (cut_.count(link) == 0)
        mail_[link].push_back(std::move(o.message));
    }
  }
}

bool Stage::deliver_one(Link link) {
  auto& queue = mail_[link];
  if (queue.empty())
    return false;
  PeerMessage m = std::move(queue.front());
  queue.pop_front();
  if (node(link.second).up() && cut_.count(link) == 0)
    node(link.second).step(NodeId(link.first), std::move(m));
  return true;
}

void Stage::settle() {
  for (bool moved = true; moved;) {
    moved = false;
    collect();
    for (auto& [link, queue] : mail_)
      for (std::size_t n = queue.size(); n > 0; --n) moved = deliver_one(link) || moved;
    for (auto& n : nodes_) {
      if (!n->up())
        continue;
      if (stalled_.count(n->id().value) != 0)
        continue;
      moved = moved || n->storage_busy();
      n->persist(100);
      n->apply(100);
      while (n->fetches_waiting() > 0) n->answer_fetch(0);
    }
  }
}

std::string Stage::show(std::size_t number) {
  SimNode& n = node(number);
  std::string text = "n" + std::to_string(number) + " ";
  if (!n.up())
    return text + "down, on disk:" + (n.disk().log.empty() ? " -" : " " + to_string(n.disk().last_id())) +
           "\n";
  const Core& c = n.core();
  text += std::string(to_string(c.role())) + " term " + to_string(c.term()) + " log";
  if (c.log().purged().index)
    text += " (" + to_string(c.log().purged()) + ")";
  if (n.log.empty())
    text += " -";
  for (const Entry& e : n.log) text += " " + to_string(e.id);
  text += " durable " + to_string(c.durable()) + " commit " + to_string(c.commit()) + " applied";
  if (n.applied_texts.empty())
    text += " -";
  for (const std::string& t : n.applied_texts) text += " " + t;
  return text + "\n";
}

std::string Stage::command(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  const std::string& verb = words.at(0);
  std::string printed;
  const auto arg = [&](std::size_t i) -> const std::string& { return words.at(i); };
  const auto count = [&](std::size_t i, std::size_t otherwise) {
    return words.size() > i ? static_cast<std::size_t>(std::stoull(words[i])) : otherwise;
  };

  if (verb == "cluster") {
    checker_ = std::make_unique<Checker>();
    std::vector<Member> members;
    for (std::size_t i = 1; i <= count(1, 3); ++i) members.push_back({NodeId(i), {}});
    for (const Member& m : members) {
      Options o;
      o.id = m.id;
      if (words.size() > 2 && words[2] == "single")
        o.max_append_bytes = 1;
      if (words.size() > 3 && words[2] == "keep") {
        o.compaction.keep_entries = count(3, 0);
        o.live_ticks = 5;
      }
      nodes_.push_back(std::make_unique<SimNode>(o, membership_of(members), *checker_));
      nodes_.back()->start();
    }
  } else if (verb == "tick") {
    for (std::size_t i = count(2, 1); i > 0; --i) node(node_number(arg(1))).tick();
  } else if (verb == "deliver" && words.size() > 1) {
    for (std::size_t i = count(2, 1000); i > 0 && deliver_one(link_of(arg(1)));) --i;
  } else if (verb == "deliver") {
    for (auto& [link, queue] : mail_)
      for (std::size_t i = queue.size(); i > 0; --i) deliver_one(link);
  } else if (verb == "drop") {
    mail_[link_of(arg(1))].clear();
  } else if (verb == "cut") {
    cut_.insert(link_of(arg(1)));
    mail_[link_of(arg(1))].clear();
  } else if (verb == "mend") {
    cut_.clear();
  } else if (verb == "persist") {
    node(node_number(arg(1))).persist(count(2, 100));
  } else if (verb == "stall") {
    stalled_.insert(node_number(arg(1)));
  } else if (verb == "unstall") {
    stalled_.erase(node_number(arg(1)));
  } else if (verb == "save") {
    node(node_number(arg(1))).save_applied();
  } else if (verb == "lose") {
    node(node_number(arg(1))).lose_data();
  } else if (verb == "build") {
    SimNode& n = node(node_number(arg(1)));
    const auto wanted = n.take_wanted();
    for (const auto& w : wanted) {
      printed += "for n" + to_string(w.peer) + " of at least " + to_string(w.at_least) + "\n";
      n.offer_snapshot(w);
    }
    if (wanted.empty())
      printed = "nobody needs one\n";
  } else if (verb == "receive") {
    SimNode& n = node(node_number(arg(1)));
    if (const auto offer = n.take_offer()) {
      printed = "snapshot " + to_string(offer->last_log_id) + "\n";
      n.received(*offer, words.size() < 3);
    } else {
      printed = "nothing is offered\n";
    }
  } else if (verb == "apply") {
    node(node_number(arg(1))).apply(100);
  } else if (verb == "fetch") {
    while (node(node_number(arg(1))).fetches_waiting() > 0) node(node_number(arg(1))).answer_fetch(0);
  } else if (verb == "settle") {
    settle();
  } else if (verb == "elect" || verb == "stand") {
    SimNode& n = node(node_number(arg(1)));
    for (int i = 0; i < 50 && n.core().role() == Role::follower; ++i) n.tick();
    if (verb == "elect")
      settle();
  } else if (verb == "propose") {
    const auto index = node(node_number(arg(1))).propose(arg(2));
    printed = index ? "at " + to_string(*index) + "\n" : "refused\n";
  } else if (verb == "read") {
    SimNode& n = node(node_number(arg(1)));
    const std::uint64_t token = next_token_++;
    printed = n.read(token) ? "read " + std::to_string(token) + " waits\n" : "refused\n";
  } else if (verb == "reads") {
    SimNode& n = node(node_number(arg(1)));
    for (const auto& r : n.served)
      printed += "read " + std::to_string(r.token) + " at " + to_string(r.at) + "\n";
    for (const auto t : n.failed) printed += "read " + std::to_string(t) + " failed\n";
    n.served.clear();
    n.failed.clear();
  } else if (verb == "crash") {
    node(node_number(arg(1))).crash();
  } else if (verb == "start") {
    node(node_number(arg(1))).start();
  } else if (verb == "show" && words.size() > 1) {
    printed = show(node_number(arg(1)));
  } else if (verb == "show") {
    for (std::size_t i = 1; i <= nodes_.size(); ++i) printed += show(i);
  } else if (verb == "mail") {
    collect();
    for (const auto& [link, queue] : mail_)
      for (const PeerMessage& m : queue)
        printed += "n" + std::to_string(link.first) + "->n" + std::to_string(link.second) + " " +
                   std::visit(Describe{}, m) + "\n";
  } else {
    throw std::runtime_error("unknown command: " + line);
  }
  collect();
  return printed;
}

}  // namespace kiwi::raft
