#include "lab/run/closing.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "lab/run/load_commands.hpp"
#include "lab/run/reply_kind.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

constexpr Time kLook = std::chrono::milliseconds(10);
constexpr Time kDigestLook = std::chrono::milliseconds(100);

/// Faults after which a node may have to stay down: what it held is damaged or gone.
const std::set<std::string> kDamage = {"flip", "lose-writes", "misdirect",   "stale-block",
                                       "wipe", "clone-disk",  "newer-format"};

script::Predicate about(const char* name, const std::vector<NodeId>& nodes) {
  script::Predicate predicate;
  predicate.name = name;
  predicate.nodes = {selector_of(nodes)};
  return predicate;
}

}  // namespace

void Closing::start() {
  run_.record.script_ended = run_.now();
  run_.forget_views();
  run_.notice_died();
  for (const auto& [name, load] : run_.loads) {
    if (load->running()) {
      script::Action stop;
      stop.verb = "stop";
      stop.words = {name};
      run_.perform(std::move(stop), true);
    }
  }
  if (run_.settings.heal_at_end) {
    mend();
  }
  when_idle();
}

void Closing::mend() {
  std::vector<NodeId> all;
  for (const NodeView& view : run_.views()) {
    all.push_back(view.id);
  }
  const auto with = [&](const char* verb, const std::vector<NodeId>& nodes) {
    if (!nodes.empty()) {
      script::Action action;
      action.verb = verb;
      action.nodes = nodes;
      run_.perform(std::move(action), true);
    }
  };
  const std::vector<FaultWindow> open = run_.faults.open();
  std::set<std::string> kinds;
  for (const FaultWindow& window : open) {
    kinds.insert(window.kind);
  }
  // Only verbs that something is open for, so that a backend without clocks or disks is not asked.
  for (const char* verb : {"heal", "resume", "clock-heal", "free"}) {
    script::Action probe;
    probe.verb = verb;
    probe.nodes = all;
    const std::vector<std::string> ends = script::ended_by(probe);
    if (std::any_of(ends.begin(), ends.end(),
                    [&](const std::string& kind) { return kinds.contains(kind); })) {
      with(verb, all);
    }
  }
  run_.forget_views();
  std::vector<NodeId> down;
  for (const NodeView& view : run_.views()) {
    if (!view.up) {
      down.push_back(view.id);
    }
  }
  with("restart", down);
}

void Closing::when_idle() {
  const bool idle =
      std::all_of(run_.loads.begin(), run_.loads.end(), [](const auto& load) { return load.second->idle(); });
  if (idle) {
    converge();
    return;
  }
  run_.timeline.plan(run_.now() + kLook, [this] {
    if (!run_.over()) {
      when_idle();
    }
  });
}

std::vector<NodeId> Closing::expected_nodes() {
  std::set<NodeId> left_broken;
  for (const FaultWindow& window : run_.faults.open()) {
    left_broken.insert(window.nodes.begin(), window.nodes.end());
  }
  // Who was removed from the cluster, or never was in it, has nothing to converge with.
  std::vector<NodeId> members;
  Term newest;
  for (const NodeView& view : run_.views()) {
    if (view.up && view.role == NodeRole::leader && view.term >= newest) {
      newest = view.term;
      members = view.voters;
      members.insert(members.end(), view.outgoing.begin(), view.outgoing.end());
      members.insert(members.end(), view.learners.begin(), view.learners.end());
    }
  }
  std::vector<NodeId> expected;
  for (const NodeView& view : run_.views()) {
    if (!members.empty() && std::find(members.begin(), members.end(), view.id) == members.end()) {
      continue;
    }
    const bool excused = run_.settings.heal_at_end ? view.failed && run_.faults.ever_on(view.id, kDamage)
                                                   : !view.up || view.paused || left_broken.contains(view.id);
    if (!excused) {
      expected.push_back(view.id);
    }
  }
  return expected;
}

bool Closing::in_joint_configuration() {
  const NodeView* leader = view_of(run_.views(), leader_of(run_.views()));
  return leader != nullptr && !leader->outgoing.empty();
}

void Closing::fail(const std::string& why) {
  run_.fail(Outcome::fail, "liveness", "after the faults stopped: " + why);
}

void Closing::converge() {
  deadline_ = run_.now() + run_.stretched(run_.settings.settle);
  retry_converge();
}

void Closing::retry_converge() {
  // Whom to expect may change while nodes find out that their disk is damaged.
  run_.forget_views();
  const std::vector<NodeId> nodes = expected_nodes();
  Questions questions(run_);
  Answer answer = questions.ask(about("converged", nodes));
  if (answer.state == Answer::State::yes && in_joint_configuration()) {
    answer = Answer::of(false, "the joint configuration is not left");
  }
  if (answer.state == Answer::State::yes) {
    fresh_write();
    return;
  }
  if (run_.now() >= deadline_) {
    fail("no convergence within the bound: " + answer.why);
    return;
  }
  run_.timeline.plan(run_.now() + kLook, [this] {
    if (!run_.over()) {
      retry_converge();
    }
  });
}

void Closing::fresh_write() {
  const std::string value = "fresh." + std::to_string(++writes_);
  Commands::Request request;
  request.client = "lab.closing";
  request.command = {"SET", "lab:fresh", value};
  request.timeout = std::max(deadline_ - run_.now(), kLook);
  run_.commands.execute(std::move(request), [this, value](const CommandResult& result) {
    if (result.outcome == history::Outcome::unknown && run_.now() < deadline_) {
      fresh_write();
    } else if (result.outcome != history::Outcome::done || !result.reply || result.reply->is_error()) {
      fail("a fresh write was not accepted: " + (result.reply ? to_text(*result.reply) : "no reply"));
    } else {
      fresh_read(value);
    }
  });
}

void Closing::fresh_read(const std::string& value) {
  run_.recorder.mark(history::kFinalReads, run_.now());
  Commands::Request request;
  request.client = "lab.closing";
  request.command = {"GET", "lab:fresh"};
  request.timeout = std::max(deadline_ - run_.now(), kLook);
  request.read_only = true;
  run_.commands.execute(std::move(request), [this, value](const CommandResult& result) {
    if (result.outcome != history::Outcome::done || !result.reply) {
      fail("a fresh read was not answered");
    } else if (result.reply->text.view() != value) {
      fail("a fresh read gave " + to_text(*result.reply) + " instead of " + value);
    } else {
      last_reads();
    }
  });
}

void Closing::last_reads() {
  std::set<std::string> keys;
  for (const auto& [name, load] : run_.loads) {
    keys.insert(load->touched().begin(), load->touched().end());
  }
  reads_left_ = keys.size();
  if (keys.empty()) {
    compare_digests();
    return;
  }
  for (const std::string& key : keys) {
    Commands::Request request;
    request.client = "lab.closing";
    request.command = final_read_of(key);
    request.timeout = run_.stretched(run_.settings.settle);
    request.read_only = true;
    run_.commands.execute(std::move(request), [this, key](const CommandResult& result) {
      if (result.outcome != history::Outcome::done) {
        fail("the last read of " + key + " was not answered");
      } else if (--reads_left_ == 0) {
        compare_digests();
      }
    });
  }
}

void Closing::compare_digests() {
  run_.forget_views();
  Questions questions(run_);
  const Answer answer = questions.ask(about("digest-equal", expected_nodes()));
  if (answer.state == Answer::State::yes) {
    finished_ = true;
    return;
  }
  if (run_.now() >= deadline_ + run_.stretched(run_.settings.settle)) {
    run_.fail(Outcome::fail, "digest-equal", "replicas that have applied the same differ: " + answer.why);
    return;
  }
  run_.timeline.plan(run_.now() + kDigestLook, [this] {
    if (!run_.over()) {
      compare_digests();
    }
  });
}

}  // namespace kiwi::lab
