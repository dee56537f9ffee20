#include "lab/run/fault_ledger.hpp"

#include <algorithm>
#include <utility>

#include "lab/script/lower.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

using Link = std::pair<NodeId, NodeId>;

/// Faults that strike once: they count as in force this long, and so does at least the loss of a process that
/// is started again at once: it must yet read its log and be called by the leader.
constexpr Time kMomentary = std::chrono::seconds(1);
const std::set<std::string> kMomentaryKinds = {"reset",      "disconnect", "drop-next",  "duplicate-next",
                                               "replay-old", "half-open",  "starve",     "kill-actor",
                                               "throw-in",   "flip",       "clone-disk", "newer-format"};

bool is_link_fault(const script::Action& action) { return !action.to.empty(); }

bool names(const script::Action& action, Link link) {
  const auto in = [](const std::vector<NodeId>& nodes, NodeId id) {
    return std::find(nodes.begin(), nodes.end(), id) != nodes.end();
  };
  const auto [from, to] = link;
  if (action.to.empty()) {
    return in(action.nodes, from) || in(action.nodes, to);
  }
  return (in(action.nodes, from) && in(action.to, to)) ||
         (action.both_ways && in(action.nodes, to) && in(action.to, from));
}

}  // namespace

void FaultLedger::done(const script::Action& action, const Applied& applied, Time now) {
  end(action, script::ended_by(action), now);
  begin(action, applied, now);
}

void FaultLedger::begin(const script::Action& action, const Applied& applied, Time now) {
  for (const std::string& kind : script::faults_of(action)) {
    FaultWindow window;
    window.kind = kind;
    window.text = script::lower(action);
    window.line = action.line;
    window.nodes = action.nodes;
    window.to = action.to;
    window.from = now;
    window.effective = applied.effective;
    window.details = applied.details;
    if (kMomentaryKinds.contains(kind)) {
      window.until = now + kMomentary;
      windows_.push_back(std::move(window));
      continue;
    }
    Remaining remaining;
    remaining.window = windows_.size();
    for (const NodeId from : action.nodes) {
      if (!is_link_fault(action)) {
        remaining.nodes.insert(from);
      }
      for (const NodeId to : action.to) {
        if (from == to) {
          continue;
        }
        remaining.links.emplace(from, to);
        if (action.both_ways) {
          remaining.links.emplace(to, from);
        }
      }
    }
    windows_.push_back(std::move(window));
    open_.push_back(std::move(remaining));
  }
}

void FaultLedger::end(const script::Action& action, const std::vector<std::string>& kinds, Time now) {
  std::erase_if(open_, [&](Remaining& remaining) {
    FaultWindow& window = windows_[remaining.window];
    if (std::find(kinds.begin(), kinds.end(), window.kind) == kinds.end()) {
      return false;
    }
    for (const NodeId node : action.nodes) {
      remaining.nodes.erase(node);
    }
    std::erase_if(remaining.links, [&](const Link& link) { return names(action, link); });
    if (!remaining.nodes.empty() || !remaining.links.empty()) {
      return false;
    }
    window.until = action.verb == "restart" ? std::max(now, window.from + kMomentary) : now;
    return true;
  });
}

bool FaultLedger::fired(const std::string& kind) const {
  return std::any_of(windows_.begin(), windows_.end(),
                     [&](const FaultWindow& window) { return window.kind == kind && window.effective; });
}

bool FaultLedger::ever_on(NodeId node, const std::set<std::string>& kinds) const {
  return std::any_of(windows_.begin(), windows_.end(), [&](const FaultWindow& window) {
    return kinds.contains(window.kind) &&
           (std::find(window.nodes.begin(), window.nodes.end(), node) != window.nodes.end() ||
            std::find(window.to.begin(), window.to.end(), node) != window.to.end());
  });
}

bool FaultLedger::in_force(const std::string& kind, Time from, Time to) const {
  return std::any_of(windows_.begin(), windows_.end(), [&](const FaultWindow& window) {
    return (kind.empty() || window.kind == kind) && window.effective && window.from <= to &&
           (!window.until || *window.until >= from);
  });
}

std::vector<FaultWindow> FaultLedger::open() const {
  std::vector<FaultWindow> open;
  for (const Remaining& remaining : open_) {
    open.push_back(windows_[remaining.window]);
  }
  return open;
}

}  // namespace kiwi::lab
