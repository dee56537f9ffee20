#include "lab/run/fuzzer.hpp"

#include <algorithm>
#include <utility>

#include "lab/run/fuzz_draw.hpp"
#include "lab/run/member_changes.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

/// How often a leader that is asked to change the members is cut off at that moment.
constexpr double kCutOffAtOnce = 0.3;

}  // namespace

Fuzzer::Fuzzer(RunState& run, const script::When& when, std::function<void()> done)
    : run_(run), when_(when), settings_(script::fuzz_settings(when)), done_(std::move(done)) {
  const std::string entity = "fuzz " + std::to_string(when.place.line);
  gaps_ = run.chance.stream(entity, "gap");
  kinds_ = run.chance.stream(entity, "kind");
  members_ = run.chance.stream(entity, "members");
}

void Fuzzer::start() {
  until_ = run_.now() + when_.time;
  next();
}

void Fuzzer::next() {
  const Time at = run_.now() + draw_time(gaps_, settings_.gap.first, settings_.gap.second);
  const auto go = [this](auto what) {
    return [this, what] {
      if (!run_.over()) {
        what();
      }
    };
  };
  if (at >= until_) {
    run_.timeline.plan(until_, go([this] {
                         drawing_ = false;
                         finish_if_over();
                       }),
                       Timeline::Lane::script);
    return;
  }
  run_.timeline.plan(at, go([this] {
                       if (settings_.members > 0 && happens(members_.next(), settings_.members)) {
                         change_members();
                       } else if (auto fault = draw()) {
                         begin(std::move(*fault));
                       }
                       next();
                     }),
                     Timeline::Lane::script);
}

bool Fuzzer::is_away(const NodeView& view) const {
  // A node that is down by itself is away as well, and one whose disk was spoilt may be soon.
  return !view.up || away_.contains(view.id) || view.id == spoilt_;
}

std::size_t Fuzzer::may_go() {
  const auto& views = run_.views();
  if (!settings_.spare_majority) {
    return views.size();
  }
  std::vector<std::vector<NodeId>> halves = {voters_of(views)};
  if (const NodeView* leads = view_of(views, leader_of(views));
      leads != nullptr && !leads->outgoing.empty()) {
    halves.push_back(leads->outgoing);
  }
  std::size_t room = views.size();
  for (const auto& half : halves) {
    const std::size_t most = half.empty() ? 0 : (half.size() - 1) / 2;
    const auto gone = static_cast<std::size_t>(std::count_if(half.begin(), half.end(), [&](NodeId id) {
      const NodeView* view = view_of(views, id);
      return view == nullptr || is_away(*view);
    }));
    room = std::min(room, most - std::min(most, gone));
  }
  return room;
}

void Fuzzer::change_members() {
  ChanceStream chance = run_.chance.stream("fuzz " + std::to_string(when_.place.line),
                                           "members " + std::to_string(++members_drawn_));
  run_.forget_views();
  auto action = draw_member_change(chance, run_.backend, run_.views(), configuration_);
  if (!action) {
    return;
  }
  const NodeId asked = action->nodes.front();
  Commands::Request request;
  request.client = action->options.at("as");
  request.on = action->nodes.front();
  request.command = action->words;
  Step step;
  step.action = std::move(*action);
  step.action.at = run_.now();
  run_.record.steps.push_back(std::move(step));
  run_.commands.execute(std::move(request), [this](const CommandResult& result) {
    if (result.reply) {
      configuration_ = std::max(configuration_, configuration_of(*result.reply).value_or(Index{}));
    }
  });
  // A leader that is cut off at this moment has the entry alone: the others take it back, or find it again.
  if (asked == leader_of(run_.views()) && may_go() > 0 && happens(chance.next(), kCutOffAtOnce)) {
    DrawnFault fault;
    fault.action.verb = "cut";
    fault.action.nodes = fault.away = {asked};
    for (const NodeView& view : run_.views()) {
      if (view.id != asked) {
        fault.action.to.push_back(view.id);
      }
    }
    fault.action.both_ways = happens(chance.next(), 0.5);
    strike(std::move(fault), draw_time(chance, settings_.lasts.first, settings_.lasts.second));
  }
}

std::vector<NodeId> Fuzzer::present() {
  std::vector<NodeId> present;
  for (const NodeView& view : run_.views()) {
    if (view.up && !view.paused && !away_.contains(view.id)) {
      present.push_back(view.id);
    }
  }
  return present;
}

std::optional<DrawnFault> Fuzzer::draw() {
  std::uint64_t total = 0;
  for (const auto& [verb, weight] : when_.faults) {
    total += weight;
  }
  std::uint64_t point = below(kinds_.next(), total);
  std::string verb;
  for (const auto& [name, weight] : when_.faults) {
    verb = name;
    if (point < weight) {
      break;
    }
    point -= weight;
  }
  // A stream for each fault: how much one draws does not change the next one.
  ChanceStream chance =
      run_.chance.stream("fuzz " + std::to_string(when_.place.line), verb + " " + std::to_string(++drawn_));
  run_.forget_views();
  auto drawn = draw_fault(verb, chance, run_.views(), present(), may_go());
  if (!drawn || (verb == "flip" && spoilt_)) {
    return std::nullopt;
  }
  return drawn;
}

void Fuzzer::begin(DrawnFault fault) {
  ChanceStream chance =
      run_.chance.stream("fuzz " + std::to_string(when_.place.line), "lasts " + std::to_string(drawn_));
  const Time lasts = draw_time(chance, settings_.lasts.first, settings_.lasts.second);
  if (fault.action.verb == "swizzle") {
    for (const NodeId node : fault.away) {
      ++away_[node];
    }
    ++open_;
    swizzle_nodes(run_, fault.action.nodes, lasts, 0, [this, fault] { end(fault); });
    return;
  }
  if (fault.before.verb.empty()) {
    strike(std::move(fault), lasts);
    return;
  }
  if (!run_.perform(fault.before)) {
    return;
  }
  // Nothing else takes these nodes meanwhile.
  for (const NodeId node : fault.away) {
    ++away_[node];
  }
  ++open_;
  run_.timeline.plan(
      run_.now() + fault.before_by,
      [this, lasts, fault = std::move(fault)] {
        for (const NodeId node : fault.away) {
          if (--away_[node] == 0) {
            away_.erase(node);
          }
        }
        --open_;
        if (!run_.over()) {
          strike(fault, lasts);
        }
      },
      Timeline::Lane::script);
}

void Fuzzer::strike(DrawnFault fault, Time lasts) {
  if (!run_.perform(fault.action)) {
    for (script::Action& action : ends_of(fault)) {
      run_.perform(std::move(action));
    }
    finish_if_over();
    return;
  }
  if (fault.action.verb == "flip") {
    spoilt_ = fault.action.nodes.front();
  }
  for (const NodeId node : fault.away) {
    ++away_[node];
  }
  ++open_;
  run_.timeline.plan(
      run_.now() + lasts,
      [this, fault = std::move(fault)] {
        if (!run_.over()) {
          end(fault);
        }
      },
      Timeline::Lane::script);
}

void Fuzzer::end(const DrawnFault& fault) {
  for (const NodeId node : fault.away) {
    if (--away_[node] == 0) {
      away_.erase(node);
    }
  }
  --open_;
  for (script::Action& action : ends_of(fault)) {
    run_.perform(std::move(action));
  }
  finish_if_over();
}

std::vector<script::Action> Fuzzer::ends_of(const DrawnFault& drawn) {
  const script::Action& fault = drawn.action;
  const script::VerbRow* row = script::find_verb(fault.verb);
  std::vector<script::Action> ends;
  const auto with = [&](const char* verb, std::vector<NodeId> nodes) {
    if (!nodes.empty()) {
      script::Action action;
      action.verb = verb;
      action.nodes = std::move(nodes);
      ends.push_back(std::move(action));
    }
  };
  if (row->group == "links") {
    script::Action heal = fault;
    heal.verb = "heal";
    heal.words.clear();
    heal.options.clear();
    if (fault.verb != "swizzle" && fault.verb != "reset" && fault.verb != "half-open") {
      ends.push_back(std::move(heal));
    }
    return ends;
  }
  if (row->group == "disk" || !drawn.before.verb.empty()) {
    with("free", fault.nodes);
  }
  if (fault.verb == "crash-at") {
    script::Action none;
    none.verb = fault.verb;
    none.words = {"none"};
    none.nodes = fault.nodes;
    ends.push_back(std::move(none));
  }
  if (fault.verb == "pause") {
    with("resume", fault.nodes);
  }
  if (row->fault == "clock") {
    with("clock-heal", fault.nodes);
  }
  run_.forget_views();
  std::vector<NodeId> down;
  for (const NodeId node : fault.nodes) {
    const NodeView* view = view_of(run_.views(), node);
    if (view != nullptr && !view->up && !away_.contains(node)) {
      down.push_back(node);
    }
  }
  with("restart", std::move(down));
  return ends;
}

void Fuzzer::finish_if_over() {
  if (!drawing_ && open_ == 0 && done_) {
    std::exchange(done_, nullptr)();
  }
}

void swizzle_nodes(RunState& run, const std::vector<NodeId>& nodes, Time span, int line,
                   std::function<void()> done) {
  ChanceStream chance = run.line_stream(line, "swizzle");
  const auto left = std::make_shared<std::size_t>(nodes.size());
  for (const NodeId node : nodes) {
    script::Action cut;
    cut.verb = "cut";
    cut.nodes = {node};
    cut.both_ways = true;
    cut.line = line;
    for (const NodeView& view : run.backend.nodes()) {
      if (view.id != node) {
        cut.to.push_back(view.id);
      }
    }
    script::Action heal = cut;
    heal.verb = "heal";
    const Time begin = run.now() + draw_time(chance, Time{0}, span / 2);
    const Time end = run.now() + draw_time(chance, span / 2, span);
    const auto when = [&run](auto what) {
      return [&run, what] {
        if (!run.over()) {
          what();
        }
      };
    };
    run.timeline.plan(begin, when([&run, cut] { run.perform(cut); }), Timeline::Lane::script);
    run.timeline.plan(end, when([&run, heal, left, done] {
                        run.perform(heal);
                        if (--*left == 0) {
                          done();
                        }
                      }),
                      Timeline::Lane::script);
  }
}

}  // namespace kiwi::lab
