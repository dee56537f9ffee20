// The lines of a whole scenario, told one by one.

#include "lab/script/explain.hpp"
#include "lab/script/format.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

std::string event_text(const Event& event) {
  switch (event.kind) {
    case Event::Kind::predicate:
      return "as soon as " + explain(event.predicate.at(0));
    case Event::Kind::mark:
      return "when the code of " + explain(event.on) + " next passes the mark " + event.name;
    case Event::Kind::disk:
      return "when " + explain(event.on) + " next makes a call '" + event.name + "' on files of kind " +
             event.file_class;
    case Event::Kind::message:
      return "when a message '" + event.name + "' from " + explain(event.link.from) + " to " +
             explain(event.link.to) + " is about to be delivered" +
             (event.fields.empty() ? "" : to_text(event).substr(to_text(event).find(" (")));
  }
  return {};
}

std::string range_text(const Range& range) {
  return write_duration(range.first) +
         (range.first == range.second ? "" : " to " + write_duration(range.second));
}

std::string when_text(const When& when) {
  switch (when.kind) {
    case When::Kind::at:
      return "at " + write_duration(when.time);
    case When::Kind::after:
      return write_duration(when.time) + " later";
    case When::Kind::when:
      return event_text(when.event.at(0)) +
             (when.within ? " (it must within " + write_duration(*when.within) + ")" : "");
    case When::Kind::every:
      return "every " + write_duration(when.time) + ", for " + write_duration(when.span);
    case When::Kind::fuzz:
      break;
  }
  const auto settings = fuzz_settings(when);
  std::string text = "for " + write_duration(when.time) + " draw faults by chance";
  for (const auto& [verb, weight] : when.faults) {
    text.append(&verb == &when.faults.front().first ? ": " : ", ")
        .append(verb)
        .append(" (" + std::to_string(weight) + ")");
  }
  text.append("; one each " + range_text(settings.gap) + ", lasting " + range_text(settings.lasts));
  return text.append(settings.spare_majority ? "; a majority is spared" : "; nobody is spared");
}

class Story {
 public:
  std::string take() { return std::move(text_); }
  void line(std::size_t depth, const std::string& what) {
    text_.append(depth * 2, ' ').append(what).append("\n");
  }
  void block(const Block& block, std::size_t depth) {
    line(depth, when_text(block.when) + (block.body.empty() ? "" : ":"));
    for (const auto& statement : block.body) {
      this->statement(statement, depth + 1);
    }
  }

 private:
  void statement(const Statement& statement, std::size_t depth) {
    if (const auto* let = std::get_if<Let>(&statement.value)) {
      const auto* selector = std::get_if<Selector>(&let->value);
      line(depth, "call " +
                      (selector != nullptr ? explain(*selector) : explain(std::get<Predicate>(let->value))) +
                      " '" + let->name + "' from here on");
    } else if (const auto* call = std::get_if<VerbCall>(&statement.value)) {
      line(depth, explain(*call));
    } else if (const auto* expect = std::get_if<Expect>(&statement.value)) {
      expectation(*expect, depth);
    } else {
      block(std::get<Block>(statement.value), depth);
    }
  }

  void expectation(const Expect& expect, std::size_t depth) {
    std::string what;
    for (const auto& predicate : expect.predicates) {
      what.append(what.empty() ? "" : ", and ").append(explain(predicate));
    }
    const std::string span = write_duration(expect.span);
    line(depth, expect.mode == Expect::Mode::now ? "now this must hold: " + what
                : expect.mode == Expect::Mode::within
                    ? "wait, at most " + span + ", until " + what
                    : "for " + span + " this must hold all the time: " + what);
  }

  std::string text_;
};

}  // namespace

std::string explain(const Scenario& scenario) {
  Story story;
  const auto cluster = cluster_settings(scenario);
  story.line(0, scenario.name + (scenario.about.empty() ? "" : ": " + scenario.about));
  std::string head =
      "a cluster of " + std::to_string(cluster.nodes) + " nodes, seed " + std::to_string(cluster.seed);
  for (const auto& setting : scenario.cluster) {
    if (setting.key != "nodes" && setting.key != "seed") {
      head.append(", ").append(setting.key).append(" ").append(setting.value);
    }
  }
  story.line(0, head);
  for (const auto& load : scenario.loads) {
    std::string text = "a load " + load.name;
    for (const auto& setting : load.settings) {
      text.append(&setting == &load.settings.front() ? ": " : ", ")
          .append(setting.key)
          .append(" ")
          .append(setting.value);
    }
    story.line(0, text);
  }
  if (scenario.noise) {
    std::string text = scenario.noise->empty() ? "no background noise" : "background noise only";
    for (const auto& window : *scenario.noise) {
      text.append(" from " + write_duration(window.from) + " to " + write_duration(window.to));
    }
    story.line(0, text);
  }
  for (const auto& action : scenario.actions) {
    story.line(0, "exactly: " + lower(action).substr(2));
  }
  for (const auto& block : scenario.blocks) {
    story.block(block, 0);
  }
  for (const auto& check : scenario.always) {
    story.line(0, "all the time: " + explain(check));
  }
  for (const auto& check : scenario.finally) {
    story.line(0, "at the end: " + explain(check));
  }
  return story.take();
}

}  // namespace kiwi::lab::script
