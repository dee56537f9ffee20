#include "lab/run/fuzz_draw.hpp"

#include <algorithm>
#include <iterator>

#include "lab/run/selectors.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

using std::chrono::milliseconds;
using Nodes = std::vector<NodeId>;

/// The actors of a node by the names that scripts give them.
constexpr std::string_view kActors[] = {"raft", "log-store", "state-machine", "network"};

/// Where a crash is likely to hurt: what follows these must be whole or not done.
constexpr std::string_view kCrashPoints[] = {"install.staged",
                                             "install.intent",
                                             "install.old_aside",
                                             "install.new_in_place",
                                             "install.opened",
                                             "snapshot.log_reset",
                                             "snapshot.installed",
                                             "install.intent_removed",
                                             "install.old_removed",
                                             "install.resumed",
                                             "snapshot.built",
                                             "log.purged",
                                             "data.flushed",
                                             "vote.issued",
                                             "log.rewritten",
                                             "log.group_of_many",
                                             "log.overwritten_unsynced"};

Nodes all_of(const std::vector<NodeView>& nodes) {
  Nodes all;
  for (const NodeView& view : nodes) {
    all.push_back(view.id);
  }
  return all;
}

Nodes without(const Nodes& from, const Nodes& what) {
  Nodes rest;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(rest));
  return rest;
}

/// Half of the time the leader, for it has most to lose.
NodeId some_node(ChanceStream& chance, const std::vector<NodeView>& nodes, const Nodes& from) {
  const NodeId leader = leader_of(nodes);
  const bool prefer_leader = happens(chance.next(), 0.5);
  if (prefer_leader && std::find(from.begin(), from.end(), leader) != from.end()) {
    return leader;
  }
  return from[below(chance.next(), from.size())];
}

/// 1 to `most` nodes.
Nodes some_nodes(ChanceStream& chance, const std::vector<NodeView>& nodes, Nodes from, std::size_t most) {
  Nodes picked{some_node(chance, nodes, from)};
  const std::size_t count = 1 + below(chance.next(), std::max<std::size_t>(1, std::min(most, from.size())));
  while (picked.size() < count) {
    from = without(from, Nodes{picked.back()});
    picked.push_back(from[below(chance.next(), from.size())]);
  }
  std::sort(picked.begin(), picked.end());
  return picked;
}

std::string milliseconds_text(Time time) { return script::write_duration(time); }

std::string percent(ChanceStream& chance, std::uint64_t least, std::uint64_t most) {
  return std::to_string(least + below(chance.next(), most - least + 1)) + "%";
}

/// Cut and clog: who cannot be heard, or cannot hear, or both.
std::optional<DrawnFault> draw_partition(DrawnFault fault, ChanceStream& chance,
                                         const std::vector<NodeView>& nodes, const Nodes& present,
                                         std::size_t room) {
  script::Action& action = fault.action;
  const Nodes all = all_of(nodes);
  const std::uint64_t shape = below(chance.next(), 4);
  if (shape == 3 && all.size() >= 3) {
    // Two nodes that do not hear each other: everybody else hears both, so nobody is away.
    const NodeId one = some_node(chance, nodes, all);
    const Nodes rest = without(all, {one});
    action.nodes = {one};
    action.to = {rest[below(chance.next(), rest.size())]};
    action.both_ways = happens(chance.next(), 0.5);
    return fault;
  }
  if (room == 0 || present.empty()) {
    return std::nullopt;
  }
  fault.away = some_nodes(chance, nodes, present, room);
  const Nodes rest = without(all, fault.away);
  const bool outward = shape != 1;
  action.nodes = outward ? fault.away : rest;
  action.to = outward ? rest : fault.away;
  action.both_ways = shape == 0 || happens(chance.next(), 0.4);
  return fault;
}

void draw_link_words(script::Action& action, ChanceStream& chance) {
  const std::string& verb = action.verb;
  if (verb == "drop" || verb == "duplicate" || verb == "reorder") {
    action.words = {percent(chance, 1, 30)};
  } else if (verb == "corrupt") {
    action.words = {percent(chance, 1, 5)};
  } else if (verb == "delay") {
    const Time least = draw_time(chance, milliseconds(1), milliseconds(50));
    const Time most = least + draw_time(chance, milliseconds(0), milliseconds(100));
    action.words = {milliseconds_text(least) + ".." + milliseconds_text(most)};
  } else if (verb == "jitter") {
    action.words = {milliseconds_text(draw_time(chance, milliseconds(5), milliseconds(100)))};
  } else if (verb == "bandwidth") {
    action.words = {std::to_string(16u << below(chance.next(), 5)) + "KB/s"};
  } else if (verb == "slice") {
    action.options["bytes"] = std::to_string(1 + below(chance.next(), 64));
  }
}

std::optional<DrawnFault> draw_link_fault(DrawnFault fault, ChanceStream& chance,
                                          const std::vector<NodeView>& nodes, const Nodes& present,
                                          std::size_t room) {
  script::Action& action = fault.action;
  if (action.verb == "cut" || action.verb == "clog") {
    return draw_partition(std::move(fault), chance, nodes, present, room);
  }
  const Nodes all = all_of(nodes);
  if (all.size() < 2) {
    return std::nullopt;
  }
  action.nodes = {some_node(chance, nodes, all)};
  action.to = without(all, action.nodes);
  action.both_ways = true;
  switch (below(chance.next(), 3)) {
    case 0:
      action.both_ways = false;
      break;
    case 1:
      action.to = {action.to[below(chance.next(), action.to.size())]};
      break;
    default:
      break;
  }
  draw_link_words(action, chance);
  return fault;
}

/// True: the nodes are away while it lasts.
bool draw_node_words(script::Action& action, ChanceStream& chance) {
  const std::string& verb = action.verb;
  if (verb == "power-fail") {
    if (happens(chance.next(), 0.5)) {
      action.words = {"torn"};
    }
    return true;
  }
  if (verb == "clock-offset" || verb == "clock-jump") {
    const Time most = std::chrono::hours(1);
    const Time by =
        draw_time(chance, milliseconds(1), happens(chance.next(), 0.2) ? most : std::chrono::seconds(10));
    action.words = {(happens(chance.next(), 0.5) ? "-" : "") + script::write_duration(by)};
    return false;
  }
  if (verb == "clock-rate") {
    static constexpr std::string_view kRates[] = {"0.8", "0.9", "0.98", "1.02", "1.1", "1.2"};
    action.words = {std::string(kRates[below(chance.next(), std::size(kRates))])};
    return false;
  }
  if (verb == "slow") {
    const Time least = draw_time(chance, milliseconds(1), milliseconds(100));
    action.words = {"sync",
                    script::write_duration(least) + ".." +
                        script::write_duration(least + draw_time(chance, Time{0}, milliseconds(300)))};
    return false;
  }
  if (verb == "starve") {
    action.words = {std::string(kActors[below(chance.next(), std::size(kActors))]),
                    script::write_duration(draw_time(chance, milliseconds(50), milliseconds(2500)))};
    return true;
  }
  if (verb == "crash-at") {
    action.words = {std::string(kCrashPoints[below(chance.next(), std::size(kCrashPoints))])};
    if (happens(chance.next(), 0.5)) {
      action.words.emplace_back(happens(chance.next(), 0.7) ? "torn" : "power");
    }
    if (happens(chance.next(), 0.4)) {
      action.options["operations"] = std::to_string(1 + below(chance.next(), 12));
    }
    return true;
  }
  if (verb == "fail") {
    static constexpr std::string_view kCalls[] = {"sync", "write"};
    action.words = {std::string(kCalls[below(chance.next(), std::size(kCalls))]), "eio"};
    action.options["nth"] = std::to_string(1 + below(chance.next(), 10));
    action.options["count"] = "1";
    return true;
  }
  if (verb == "hang") {
    action.words = {"sync"};
    return true;
  }
  if (verb == "flip") {
    // Near the beginning, so that more is written behind it: damage to the very last record cannot be told
    // from a torn one, and may be cut.
    static constexpr std::string_view kFiles[] = {
        "log-wal", "log-wal", "log-wal", "data-table", "snapshots/incoming", "snapshots/built"};
    action.words = {std::string(kFiles[below(chance.next(), std::size(kFiles))])};
    action.options["at"] = std::to_string(below(chance.next(), 4096 * 8));
    action.options["bits"] = std::to_string(1 + below(chance.next(), 8));
    return false;
  }
  if (verb == "full") {
    action.options["after"] = std::to_string(below(chance.next(), 64)) + "KB";
    return true;
  }
  return true;  // crash, stop, pause
}

}  // namespace

Time draw_time(ChanceStream& chance, Time from, Time to) {
  using std::chrono::duration_cast;
  const auto least = duration_cast<milliseconds>(from).count();
  const auto most = std::max(least, duration_cast<milliseconds>(to).count());
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  return milliseconds(least + static_cast<std::int64_t>(below(chance.next(), span)));
}

std::optional<DrawnFault> draw_fault(const std::string& verb, ChanceStream& chance,
                                     const std::vector<NodeView>& nodes, const std::vector<NodeId>& present,
                                     std::size_t room) {
  const script::VerbRow* row = script::find_verb(verb);
  if (row == nullptr) {
    return std::nullopt;
  }
  DrawnFault fault;
  fault.action.verb = verb;
  if (row->target == script::Target::link) {
    return draw_link_fault(std::move(fault), chance, nodes, present, room);
  }
  if (present.empty()) {
    return std::nullopt;
  }
  if (verb == "swizzle") {
    fault.action.nodes = some_nodes(chance, nodes, present, std::max<std::size_t>(room, 1));
    fault.away = fault.action.nodes;
  } else {
    const bool away = draw_node_words(fault.action, chance);
    const bool for_good = verb == "flip";  // it may not start again
    fault.action.nodes = some_nodes(chance, nodes, present,
                                    for_good ? 1
                                    : away   ? std::max<std::size_t>(room, 1)
                                             : 2);
    if (for_good && room == 0) {
      return std::nullopt;
    }
    if (away) {
      fault.away = fault.action.nodes;
    }
    if (!fault.action.words.empty() && fault.action.words.front() == "torn" && happens(chance.next(), 0.6)) {
      // In the midst of a write: what is written then waits for a sync that never comes.
      fault.before.verb = "hang";
      fault.before.words = {"sync"};
      fault.before.nodes = fault.action.nodes;
      fault.before_by = draw_time(chance, milliseconds(1), milliseconds(60));
    }
  }
  if (fault.away.size() > room) {
    return std::nullopt;
  }
  return fault;
}

}  // namespace kiwi::lab
