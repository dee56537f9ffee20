#include "lab/run/runner.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "lab/run/closing.hpp"
#include "lab/run/lowering.hpp"
#include "lab/run/player.hpp"
#include "lab/run/text_lines.hpp"
#include "lab/run/watches.hpp"
#include "lab/script/format.hpp"
#include "lab/script/parse.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {
namespace {

/// Beyond these the record keeps no more; the run goes on.
constexpr std::size_t kMostHappenings = 200'000;
/// Of messages, which are told for the report alone: the first and the last of the run.
constexpr std::size_t kMostEarlyMessages = 50'000;
constexpr std::size_t kMostLateMessages = 50'000;
constexpr std::size_t kMostViews = 200'000;
/// Views that differ in indexes alone are kept this far apart.
constexpr Time kViewsApart = std::chrono::milliseconds(10);

/// What the backend tells while it works, to be dealt with when it returns: then it may be called back.
class Inbox final : public Listener {
 public:
  enum class What : std::uint8_t { connected, replied, closed, changed, marked, happened };
  // One struct for all (g++ 12 warns falsely about such values in a std::variant).
  struct Event {
    What what = What::changed;
    ConnectionId connection = 0;
    NodeId node;
    Reply reply;
    std::string text;
    Happening happening;
  };

  void connected(ConnectionId id) override { add(What::connected).connection = id; }
  void replied(ConnectionId id, const Reply& reply) override {
    Event& event = add(What::replied);
    event.connection = id;
    event.reply = reply;
  }
  void closed(ConnectionId id, const std::string& why) override {
    Event& event = add(What::closed);
    event.connection = id;
    event.text = why;
  }
  void changed(NodeId node) override { add(What::changed).node = node; }
  void happened(const Happening& happening) override { add(What::happened).happening = happening; }
  void marked(NodeId node, std::string_view mark) override {
    Event& event = add(What::marked);
    event.node = node;
    event.text = mark;
  }

  std::vector<Event> take() { return std::exchange(events_, {}); }

 private:
  Event& add(What what) {
    events_.emplace_back().what = what;
    return events_.back();
  }

  std::vector<Event> events_;
};

std::string mutant_on() {
  for (std::size_t i = 0; i < std::size(fault::kMutants); ++i) {
    if (fault::mutants[i]) {
      return std::string(fault::kMutants[i].name);
    }
  }
  return "";
}

class Run {
 public:
  Run(const script::Scenario& scenario, const RunOptions& options, Backend& backend, Inbox& inbox,
      RunRecord& record)
      : options_(options),
        inbox_(inbox),
        record_(record),
        state_(scenario, backend, record),
        watches_(state_),
        player_(state_, watches_),
        closing_(state_) {}

  void all() {
    if (prepare()) {
      play();
    }
    finish();
  }

 private:
  enum class Stage { script, closing, questions, done };

  bool prepare() {
    if (options_.detail) {
      state_.backend.observe("message");
    }
    record_.node_count = state_.views().size();
    for (const script::Load& load : state_.scenario.loads) {
      auto spec = parse_load(load.name, script::load_options(load));
      if (!spec) {
        state_.fail(Outcome::error, "script", spec.error());
        return false;
      }
      LoadContext context{state_.backend, state_.switchboard, state_.timeline, state_.recorder,
                          state_.chance};
      state_.loads.emplace(load.name, std::make_unique<Load>(context, std::move(*spec)));
    }
    std::vector<script::Predicate> always;
    counts_leaders_ = record_.script.find("leader-changes") != std::string::npos;
    for (const script::Predicate& predicate : state_.scenario.always) {
      if (!Questions::needs_whole_run(predicate)) {
        always.push_back(predicate);
      }
    }
    player_.start();
    // Wakes the loop when the least time has passed.
    state_.timeline.plan(
        state_.settings.run, [] {}, Timeline::Lane::script);
    for (const script::Predicate& predicate : always) {
      watches_.throughout({predicate}, Time::max(), [this, predicate](const Answer& answer) {
        const std::string text = "always " + script::to_text(predicate);
        state_.fail(Outcome::fail, text, text + ": " + answer.why);
      });
    }
    return true;
  }

  void play() {
    while (stage_ != Stage::done && !state_.over()) {
      deal_with_inbox();
      if (state_.over()) {
        break;
      }
      if (state_.timeline.fire_one(state_.now())) {
        state_.forget_views();
        look_ = true;
        continue;
      }
      if (std::exchange(look_, false) && !watches_.idle()) {
        watches_.look();
        continue;
      }
      if (advance_stage()) {
        continue;
      }
      pass_time();
    }
  }

  void pass_time() {
    if (state_.now() >= options_.longest) {
      state_.fail(Outcome::unknown, "endless", "the run did not come to an end");
      return;
    }
    const Time limit = std::min(state_.timeline.next().value_or(options_.longest), options_.longest);
    const auto passed = state_.backend.run_until(limit);
    state_.forget_views();
    if (!passed) {
      const BrokenInvariant& broken = passed.error();
      record_.happenings.push_back(
          {broken.at, NodeId{}, "invariant", {{"name", broken.name}, {"what", broken.what}}});
      state_.fail(Outcome::fail, "invariant:" + std::to_string(broken.number),
                  "invariant " + std::to_string(broken.number) + " (" + broken.name + "): " + broken.what);
    }
  }

  /// True: something was begun.
  bool advance_stage() {
    switch (stage_) {
      case Stage::script: {
        const bool finished = player_.finished() && state_.now() >= state_.settings.run;
        const bool in_vain =
            player_.only_waits() &&
            state_.now() >= std::max(state_.settings.run, player_.waiting_since() + options_.patience);
        if (player_.only_waits() && !in_vain) {
          wake_for_patience();
        }
        if (!finished && !in_vain) {
          return false;
        }
        stage_ = Stage::closing;
        closing_.start();
        return true;
      }
      case Stage::closing:
        if (!closing_.finished()) {
          return false;
        }
        stage_ = Stage::questions;
        last_questions();
        return true;
      case Stage::questions:
        if (questions_left_ > 0) {
          return false;
        }
        stage_ = Stage::done;
        return true;
      case Stage::done:
        break;
    }
    return false;
  }

  void wake_for_patience() {
    const Time at = std::max(state_.settings.run, player_.waiting_since() + options_.patience);
    if (patience_at_ != at) {
      patience_at_ = at;
      state_.timeline.plan(
          at, [] {}, Timeline::Lane::script);
    }
  }

  void last_questions() {
    for (const script::Predicate& predicate : state_.scenario.finally) {
      if (Questions::needs_whole_run(predicate)) {
        continue;
      }
      ++questions_left_;
      ChanceStream stream = state_.line_stream(predicate.place.line, "finally");
      LineSelectors line(state_.views(), state_.kept, stream);
      const auto frozen = freeze(predicate, line, state_.kept);
      if (!frozen) {
        state_.fail(Outcome::error, "script", "finally: " + frozen.error());
        return;
      }
      const std::string text = script::to_text(*frozen);
      const Time now = state_.now();
      watches_.once({*frozen}, [this, text, now](const Answer& answer) {
        --questions_left_;
        const bool yes = answer.state == Answer::State::yes;
        const Outcome otherwise =
            answer.state == Answer::State::unsupported ? Outcome::unsupported : Outcome::fail;
        state_.checked(
            {"finally " + text, 0, yes ? Outcome::pass : otherwise, answer.why, now, state_.now()});
        if (!yes) {
          state_.fail(otherwise, "finally " + text, text + ": " + answer.why);
        }
      });
    }
  }

  void deal_with_inbox() {
    for (Inbox::Event& event : inbox_.take()) {
      // What is told for the report alone must not change when predicates are looked at.
      look_ = look_ || event.what != Inbox::What::happened || event.happening.kind != "message" ||
              state_.observes("message");
      switch (event.what) {
        case Inbox::What::connected:
          state_.switchboard.connected(event.connection);
          break;
        case Inbox::What::replied:
          state_.switchboard.replied(event.connection, event.reply);
          break;
        case Inbox::What::closed:
          state_.switchboard.closed(event.connection, event.text);
          break;
        case Inbox::What::changed:
          note_view(event.node);
          break;
        case Inbox::What::marked:
          ++state_.marks[event.text];
          watches_.marked(event.node, event.text);
          break;
        case Inbox::What::happened:
          watches_.happened(event.happening);
          keep(std::move(event.happening));
          break;
      }
    }
  }

  void keep(Happening happening) {
    if (!options_.detail) {
      return;
    }
    if (happening.kind == "message" && ++messages_ > kMostEarlyMessages) {
      late_messages_.push_back(std::move(happening));
      if (late_messages_.size() > kMostLateMessages) {
        late_messages_.pop_front();
      }
    } else if (record_.happenings.size() < kMostHappenings) {
      record_.happenings.push_back(std::move(happening));
    }
  }

  void note_view(NodeId node) {
    state_.forget_views();
    if (!options_.detail && !counts_leaders_) {
      return;
    }
    const NodeView* view = view_of(state_.views(), node);
    if (view == nullptr) {
      return;
    }
    auto& [kept_at, kept] = last_views_[node];
    const bool leads = view->up && view->role == NodeRole::leader;
    if (leads && (kept.role != NodeRole::leader || kept.term != view->term || kept.life != view->life)) {
      state_.note_leader_change();
    }
    const bool same_but_indexes = kept.up == view->up && kept.paused == view->paused &&
                                  kept.role == view->role && kept.term == view->term &&
                                  kept.leader == view->leader && kept.life == view->life &&
                                  kept.failed == view->failed && kept.voters == view->voters;
    if (options_.detail && record_.views.size() < kMostViews &&
        (!same_but_indexes || state_.now() >= kept_at + kViewsApart)) {
      record_.views.push_back({state_.now(), *view});
      kept_at = state_.now();
    }
    kept = *view;
  }

  void finish() {
    if (stage_ == Stage::script) {
      record_.script_ended = state_.now();
    }
    record_.ended = state_.now();
    record_.trace_hash = state_.backend.trace_hash();
    judge(state_, player_, options_.judge);
    record_.lowered_scenario = lowered(state_, player_);
    record_.lowered = script::to_text(record_.lowered_scenario);
    record_.windows = state_.faults.windows();
    record_.marks = state_.marks;
    figures();
    if (record_.verdict.outcome == Outcome::pass) {
      record_.verdict.why = std::to_string(record_.figures["operations done"]) + " operations done, " +
                            std::to_string(record_.figures["faults"]) + " faults";
    }
    record_.history = std::move(state_.recorder.history());
    record_.history.about = {
        {"scenario", record_.scenario}, {"seed", std::to_string(record_.seed)}, {"backend", record_.backend}};
    if (options_.detail) {
      auto& happenings = record_.happenings;
      happenings.insert(happenings.end(), std::make_move_iterator(late_messages_.begin()),
                        std::make_move_iterator(late_messages_.end()));
      std::stable_sort(happenings.begin(), happenings.end(),
                       [](const Happening& a, const Happening& b) { return a.at < b.at; });
      record_.node_logs = state_.backend.logs();
    }
  }

  void figures() {
    auto& figures = record_.figures;
    for (const auto& [name, value] : state_.backend.figures()) {
      figures[name] = value;
    }
    const LoadFigures& total = state_.recorder.total();
    figures["operations"] = total.issued;
    figures["operations done"] = total.done;
    figures["operations not done"] = total.not_done;
    figures["operations unknown"] = total.unknown;
    std::uint64_t shed = 0;
    for (const auto& [name, load] : state_.loads) {
      shed += load->shed();
    }
    figures["arrivals shed"] = shed;
    figures["faults"] = 0;
    for (const FaultWindow& window : record_.windows) {
      if (window.effective) {
        ++figures["faults"];
        ++figures["fault " + window.kind];
      }
    }
  }

  const RunOptions& options_;
  Inbox& inbox_;
  RunRecord& record_;
  RunState state_;
  Watches watches_;
  Player player_;
  Closing closing_;
  Stage stage_ = Stage::script;
  std::size_t questions_left_ = 0;
  bool look_ = false;
  bool counts_leaders_ = false;
  Time patience_at_{-1};
  std::map<NodeId, std::pair<Time, NodeView>> last_views_;
  std::size_t messages_ = 0;
  std::deque<Happening> late_messages_;
};

}  // namespace

RunRecord run_scenario(const script::Scenario& scenario, const RunOptions& options, const MakeBackend& make) {
  RunRecord record;
  record.scenario = scenario.name;
  record.which = scenario.which;
  record.backend = options.backend;
  record.seed = script::cluster_settings(scenario).seed;
  record.mutant = mutant_on();
  record.script = script::to_text(scenario);
  if (options.detail) {
    record.text_lines = text_lines(scenario, record.script);
  }
  std::vector<std::string> lacking = script::unsupported(scenario, options.backend);
  if (options.lacks) {
    const auto more = options.lacks(scenario);
    lacking.insert(lacking.end(), more.begin(), more.end());
  }
  if (!lacking.empty()) {
    std::string words;
    for (const std::string& word : lacking) {
      words += (words.empty() ? "" : ", ") + word;
    }
    record.verdict = {Outcome::unsupported, "unsupported", "this backend has no " + words};
    return record;
  }
  Inbox inbox;
  auto backend = make(scenario, inbox);
  if (!backend) {
    record.verdict = {Outcome::error, "backend", backend.error()};
    return record;
  }
  Run(scenario, options, **backend, inbox, record).all();
  return record;
}

}  // namespace kiwi::lab
