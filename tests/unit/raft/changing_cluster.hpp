#pragma once

// A cluster whose members change. Links and disks take no time; a node can be crashed, and links cut. Time
// goes in ticks. Every invariant of checker.hpp is watched.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/raft/lone.hpp"
#include "tests/unit/raft/sim_node.hpp"

namespace kiwi::raft {

class ChangingCluster {
 public:
  /// Nodes 1 to `initial` are the first cluster; the spares after them know nobody.
  explicit ChangingCluster(std::size_t initial, std::size_t spares = 0,
                           const std::function<void(Options&)>& adjust = {}) {
    for (std::size_t i = 1; i <= initial + spares; ++i) {
      Options o;
      o.id = NodeId(i);
      if (adjust)
        adjust(o);
      nodes_.push_back(std::make_unique<SimNode>(o, i <= initial ? voters(initial) : Membership{}, checker_));
      nodes_.back()->start();
    }
  }

  SimNode& node(std::uint64_t id) { return *nodes_.at(id - 1); }
  const Core& core(std::uint64_t id) { return node(id).core(); }
  void crash(std::uint64_t id) { node(id).crash(1000); }
  void start(std::uint64_t id) { node(id).start(); }
  void cut(std::uint64_t a, std::uint64_t b) {
    cut_.insert({NodeId(a), NodeId(b)});
    cut_.insert({NodeId(b), NodeId(a)});
  }
  void isolate(std::uint64_t id) {
    for (const auto& n : nodes_) cut(id, n->id().value);
  }
  void mend() { cut_.clear(); }
  /// A message that is lost.
  void lose(std::function<bool(NodeId from, const Outgoing&)> lost) { lost_ = std::move(lost); }

  void run(std::uint64_t ticks) {
    for (; ticks > 0; --ticks) {
      checker_.set_time(10 * ++now_);
      for (const auto& n : nodes_)
        if (n->up())
          n->tick();
      if (writing)
        for (const auto& n : nodes_)
          if (n->up() && n->core().role() == Role::leader)
            n->propose(std::to_string(++texts_));
      settle();
    }
  }
  bool wait(std::uint64_t most, const std::function<bool()>& until) {
    for (; most > 0 && !until(); --most) run(1);
    return until();
  }
  /// The one with the latest term that leads and is ready; waits for it. 0: nobody.
  std::uint64_t leader(std::uint64_t most = 300) {
    std::uint64_t found = 0;
    wait(most, [&] {
      found = 0;
      for (const auto& n : nodes_)
        if (n->up() && n->core().leader_ready() && (found == 0 || n->core().term() > core(found).term()))
          found = n->id().value;
      return found != 0;
    });
    return found;
  }
  /// This node leads.
  void elect(std::uint64_t id) {
    for (int i = 0; i < 40 && leader() != id; ++i) {
      node(leader()).turn([&](Core& c) { (void)c.transfer_leadership(NodeId(id)); });
      run(30);
    }
  }

  tl::expected<Index, ChangeRefusal> change(std::uint64_t at, MembershipChange what) {
    tl::expected<Index, ChangeRefusal> answer = tl::make_unexpected(ChangeRefusal{});
    node(at).turn([&](Core& c) { answer = c.change_membership(what); });
    settle();
    return answer;
  }
  /// With the same membership everywhere among its members, committed, and nothing under way.
  bool settled_with(const std::vector<std::uint64_t>& voters,
                    const std::vector<std::uint64_t>& learners = {}) {
    const auto same = [](const std::vector<NodeId>& a, const std::vector<std::uint64_t>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                        [](NodeId x, std::uint64_t y) { return x.value == y; });
    };
    for (const auto* ids : {&voters, &learners})
      for (std::uint64_t id : *ids) {
        const auto& c = core(id);
        if (!same(c.membership().voters, voters) || !same(c.membership().learners, learners) ||
            c.membership().joint() || c.membership().joining || !c.change_status().committed)
          return false;
      }
    return true;
  }
  std::size_t committed() const { return checker_.history().size(); }
  /// The memberships that were committed after the first one, as "1,2+1 (3)": voters, outgoing, learners.
  std::vector<std::string> story() const {
    std::vector<std::string> all;
    const auto list = [](const std::vector<NodeId>& ids) {
      std::string text;
      for (NodeId id : ids) text += (text.empty() ? "" : ",") + to_string(id);
      return text;
    };
    for (const Entry& e : checker_.history())
      if (e.kind == EntryKind::membership) {
        const Membership m = checker_.membership_at(e.id.index).second;
        all.push_back(list(m.voters) + (m.joint() ? "+" + list(m.outgoing_voters) : "") +
                      (m.learners.empty() ? "" : " (" + list(m.learners) + ")"));
      }
    return all;
  }
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& n : nodes_) {
        if (!n->up())
          continue;
        moved = moved || n->storage_busy();
        n->persist(1000, false);
        n->apply(1000);
        while (n->fetches_waiting() > 0) n->answer_fetch(0);
        for (const SnapshotWanted& w : n->take_wanted()) n->offer_snapshot(w);
        if (const auto offer = n->take_offer()) {
          n->receiving(*offer);
          n->received(*offer, true);
        }
        n->save_applied();
      }
      for (const auto& n : nodes_) {
        if (!n->up())
          continue;
        for (Outgoing& m : n->take_messages()) {
          if (cut_.count({n->id(), m.to}) != 0 || !node(m.to.value).up() || (lost_ && lost_(n->id(), m)))
            continue;
          node(m.to.value).step(n->id(), std::move(m.message));
          moved = true;
        }
      }
    }
  }

  bool writing = true;

 private:
  Checker checker_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::function<bool(NodeId, const Outgoing&)> lost_;
  std::uint64_t now_ = 0;
  std::uint64_t texts_ = 0;
};

inline MembershipChange add_voter(std::uint64_t id) {
  MembershipChange c;
  c.kind = MembershipChange::Kind::add_voter;
  c.node = NodeId(id);
  return c;
}
inline MembershipChange add_learner(std::uint64_t id) {
  MembershipChange c = add_voter(id);
  c.kind = MembershipChange::Kind::add_learner;
  return c;
}
inline MembershipChange remove_node(std::uint64_t id) {
  MembershipChange c = add_voter(id);
  c.kind = MembershipChange::Kind::remove;
  return c;
}
inline MembershipChange replace_node(std::uint64_t old, std::uint64_t id) {
  MembershipChange c = add_voter(id);
  c.kind = MembershipChange::Kind::replace;
  c.replaced = NodeId(old);
  return c;
}

}  // namespace kiwi::raft
