// Verbs on nodes: the process, the clocks, the actors inside. verbs_disk.cpp has those of the disk.

#include <caf/all.hpp>
#include <cmath>
#include <new>
#include <stdexcept>
#include <utility>

#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "lab/world/world_impl.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {

namespace {

tl::unexpected<std::string> wrong(const script::Action& action) {
  return tl::unexpected("'" + action.verb + "' lacks an argument or has one it does not understand");
}

/// Scripts say "network" for what carries messages; else actors have the names they have.
std::vector<std::string> roles_of(const std::string& actor) {
  if (actor == "network")
    return {"peer", "peer-server"};
  return {actor};
}

/// What the disk holds after it is not what was written.
bool harms_data(const script::Action& action) {
  const auto& verb = action.verb;
  const auto file = action.options.find("file");
  const bool of_log = file != action.options.end() && file->second.starts_with("log");
  // Half of a table or MANIFEST looks like a damaged one, and a damaged data database is set aside. A log
  // must never be taken for another one because of it.
  if (verb == "fail" && action.words.size() > 1 && action.words[0] == "read" && action.words[1] == "short")
    return !of_log;
  return verb == "wipe" || verb == "clone-disk" || verb == "flip" || verb == "lose-writes" ||
         verb == "misdirect" || verb == "stale-block" || verb == "newer-format";
}

}  // namespace

tl::expected<Applied, std::string> World::Impl::apply(const script::Action& action) {
  running_ = nullptr;
  const auto* row = script::find_verb(action.verb);
  if (row == nullptr || !row->sim || row->performer != script::Performer::backend)
    return tl::unexpected("the simulated world has no verb '" + action.verb + "'");
  std::string text = action.verb;
  for (const auto& w : action.words) text += " " + w;
  for (const auto& [key, value] : action.options) text += " " + key + "=" + value;
  for (auto n : action.nodes) text += " n" + to_string(n);
  for (auto n : action.to) text += " >n" + to_string(n);
  trace_.note(now_, TraceOf::action, action.both_ways ? 1 : 0, text);
  const bool links = row->target == script::Target::link || row->target == script::Target::nodes_or_link;
  auto done = links && action.verb != "clone-disk" ? on_links(action) : on_nodes(action);
  if (done && done->effective && !row->fault.empty())
    ++faults_;
  return done;
}

tl::expected<Applied, std::string> World::Impl::on_nodes(const script::Action& action) {
  Applied applied;
  applied.effective = false;
  const auto& targets = action.verb == "clone-disk" ? action.to : action.nodes;
  for (auto id : targets)
    if (node(id) == nullptr)
      return tl::unexpected("there is no node " + to_string(id));
  for (auto id : targets) {
    auto& n = *node(id);
    auto done = node_verb(n, action, applied.details);
    if (!done)
      return tl::unexpected("n" + to_string(id) + ": " + done.error());
    applied.effective |= *done;
    if (*done && options_.observer && harms_data(action))
      options_.observer->harmed(id, action.verb);
    look_at(n);
  }
  return applied;
}

tl::expected<bool, std::string> World::Impl::node_verb(SimNode& n, const script::Action& action,
                                                       Details& details) {
  const auto& verb = action.verb;
  const auto name = "n" + to_string(n.id());
  if (verb == "crash") {
    if (!n.up())
      return false;
    clients_.node_ended(n.id(), false);
    n.crash();
    happened(n.id(), "crash", {});
  } else if (verb == "power-fail") {
    std::optional<sim::PowerCut> cut;
    auto keep = action.options.find("keep");
    if (keep != action.options.end()) {
      auto file = action.options.find("file");
      const bool of_file = file != action.options.end() && keep->second.find(' ') == std::string::npos;
      const auto text = of_file ? file->second + " keep=" + keep->second : keep->second;
      auto parsed = sim::parse_power_cut(text);
      if (!parsed)
        return tl::unexpected("keep: " + parsed.error());
      cut = std::move(*parsed);
    }
    if (n.dark())
      return false;
    clients_.node_ended(n.id(), true);
    const bool torn = !action.words.empty() && action.words.front() == "torn";
    const auto kept = sim::to_string(n.power_fail(std::move(cut), torn));
    details[name] = kept;
    happened(n.id(), "power-fail", {{"kept", kept}});
  } else if (verb == "crash-at") {
    return crash_at(n, action);
  } else if (verb == "restart") {
    if (n.up())
      return false;
    clients_.node_started(n.id());
    start(n);
  } else if (verb == "stop") {
    if (!n.up())
      return false;
    n.stop();
  } else if (verb == "pause") {
    if (!n.up() || n.paused())
      return false;
    n.pause();
    happened(n.id(), "pause", {});
  } else if (verb == "resume") {
    if (!n.paused())
      return false;
    n.resume();
    happened(n.id(), "resume", {});
  } else if (verb == "wipe") {
    if (n.up())
      return tl::unexpected(
          std::string("it is up; only the directory of a node that is down can be emptied"));
    n.wipe(!action.words.empty());
    happened(n.id(), "wipe", {});
  } else if (verb == "clone-disk") {
    const auto* from = action.nodes.empty() ? nullptr : node(action.nodes.front());
    if (from == nullptr || from->up() || n.up())
      return tl::unexpected(std::string("disks are copied only between nodes that are down"));
    if (from == &n)
      return false;
    n.clone_disk(*from);
    happened(n.id(), "clone-disk", {{"from", "n" + to_string(from->id())}});
  } else if (verb.starts_with("clock-")) {
    return clock_verb(n, action);
  } else if (verb == "kill-actor" || verb == "starve" || verb == "prefer" || verb == "throw-in") {
    return actor_verb(n, action);
  } else {
    return disk_verb(n, action, details);
  }
  return true;
}

tl::expected<bool, std::string> World::Impl::crash_at(SimNode& n, const script::Action& action) {
  const auto option = [&](const char* key, std::uint64_t fallback) {
    const auto found = action.options.find(key);
    return found == action.options.end() ? fallback : script::read_number(found->second).value_or(fallback);
  };
  if (action.words.empty())
    return wrong(action);
  if (action.words[0] == "none") {
    const bool any = n.crash_point().has_value();
    n.crash_at(std::nullopt);
    return any;
  }
  if (!fault::is_mark(action.words[0]))
    return tl::unexpected("there is no mark '" + action.words[0] + "'");
  CrashPoint point{action.words[0], option("nth", 1), option("operations", 0)};
  if (action.words.size() > 1) {
    point.power = true;
    point.torn = action.words[1] == "torn";
  }
  n.crash_at(std::move(point));
  return true;
}

tl::expected<bool, std::string> World::Impl::clock_verb(SimNode& n, const script::Action& action) {
  auto& time = n.time();
  const auto word = action.words.empty() ? std::string() : action.words.front();
  if (action.verb == "clock-offset" || action.verb == "clock-jump") {
    const auto by = script::read_signed_duration(word);
    if (!by)
      return wrong(action);
    const auto before = time.offset();
    if (action.verb == "clock-offset")
      time.set_offset(*by);
    else
      time.jump(*by);
    return time.offset() != before;
  }
  if (action.verb == "clock-rate") {
    const auto rate = script::read_fraction(word);
    if (!rate || *rate < 0.1 || *rate > 10)
      return wrong(action);
    const auto before = time.rate_ppm();
    time.set_rate(now_, std::llround(*rate * NodeTime::kNormal));
    return time.rate_ppm() != before;
  }
  const bool right = time.offset() == Time{0} && time.rate_ppm() == NodeTime::kNormal && !time.frozen();
  if (action.verb == "clock-freeze") {
    if (time.frozen())
      return false;
    time.freeze(now_);
    return true;
  }
  if (action.verb != "clock-heal")
    return tl::unexpected("the simulated world has no verb '" + action.verb + "'");
  time.thaw();
  time.set_rate(now_, NodeTime::kNormal);
  // What the rate added to the steady clock, the wall clock must lose.
  time.set_offset(now_ - time.steady(now_));
  return !right;
}

tl::expected<bool, std::string> World::Impl::actor_verb(SimNode& n, const script::Action& action) {
  if (action.words.empty())
    return wrong(action);
  if (!n.up())
    return tl::unexpected(std::string("it is not up"));
  bool done = false;
  for (const auto& role : roles_of(action.words[0])) {
    if (action.verb == "starve") {
      const auto time = action.words.size() < 2 ? std::nullopt : script::read_duration(action.words[1]);
      if (!time)
        return wrong(action);
      done |= n.coordinator()->starve(role, now_ + *time);
      continue;
    }
    if (action.verb == "prefer") {
      done |= n.coordinator()->prefer(role);
      continue;
    }
    for (const auto& actor : n.coordinator()->alive(role)) {
      done = true;
      if (action.verb == "kill-actor") {
        caf::anon_send_exit(actor, caf::exit_reason::kill);
        continue;
      }
      // The next message is one that it has no handler for, and its handler for those throws.
      const bool memory = action.words.size() > 1 && action.words[1] == "bad-alloc";
      auto* target = static_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(actor));
      target->set_default_handler(
          [memory](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
            if (memory)
              throw std::bad_alloc();
            throw std::logic_error("thrown in by the laboratory");
          });
      caf::anon_send(caf::actor_cast<caf::actor>(actor), caf::migrate_atom_v);
    }
  }
  if (!done)
    return tl::unexpected("it has no actor '" + action.words[0] + "'");
  happened(n.id(), action.verb, {{"actor", action.words[0]}});
  return true;
}

void World::Impl::start(SimNode& n) {
  running_ = &n;
  try {
    n.start();
  } catch (const std::logic_error& e) {
    n.start_failed(std::string("BUG: ") + e.what());
  }
  running_ = nullptr;
  if (n.struck())
    strike(n);
  trace_.note(now_, TraceOf::start, n.id().value, n.life());
}

}  // namespace kiwi::lab
