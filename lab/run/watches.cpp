#include "lab/run/watches.hpp"

#include <algorithm>
#include <utility>

#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

/// How often nodes are asked for what no NodeView shows.
constexpr Time kPoll = std::chrono::milliseconds(20);
/// "log" means every kind of file of the log: "log-wal", "log-table", ...; what has a slash is a piece of a
/// path.
bool file_matches(const std::string& wanted, const std::string& is, const std::string& path) {
  if (wanted.find('/') != std::string::npos) {
    return path.find("/" + wanted) != std::string::npos;
  }
  return wanted.empty() || wanted == "any" || wanted == is || is.rfind(wanted + "-", 0) == 0;
}
/// The longest wait for the answer to a plain `expect key ...`.
constexpr Time kOnce = std::chrono::seconds(10);

}  // namespace

Watches::Id Watches::until(std::vector<script::Predicate> predicates, std::optional<Time> deadline,
                           Ended ended) {
  Watch watch;
  watch.mode = Mode::until;
  watch.predicates = std::move(predicates);
  watch.deadline = deadline;
  watch.ended = std::move(ended);
  return add(std::move(watch));
}

Watches::Id Watches::throughout(std::vector<script::Predicate> predicates, Time end, Ended ended) {
  Watch watch;
  watch.mode = Mode::throughout;
  watch.predicates = std::move(predicates);
  watch.deadline = end;
  watch.ended = std::move(ended);
  return add(std::move(watch));
}

Watches::Id Watches::once(std::vector<script::Predicate> predicates, Ended ended) {
  Watch watch;
  watch.mode = Mode::once;
  watch.predicates = std::move(predicates);
  watch.deadline = run_.now() + kOnce;
  watch.ended = std::move(ended);
  return add(std::move(watch));
}

Watches::Id Watches::event(script::Event event, std::optional<Time> deadline, Ended ended) {
  Watch watch;
  watch.mode = Mode::event;
  watch.event = std::move(event);
  watch.deadline = deadline;
  watch.ended = std::move(ended);
  return add(std::move(watch));
}

Watches::Id Watches::add(Watch watch) {
  const Id id = ++last_id_;
  watch.questions = std::make_unique<Questions>(run_);
  if (watch.deadline) {
    watch.timer = run_.timeline.plan(
        *watch.deadline, [this, id] { look_at(id, true); }, Timeline::Lane::load);
  } else {
    ++for_ever_;
  }
  predicates_ += watch.predicates.empty() ? 0 : 1;
  const bool look_now = !watch.predicates.empty();
  watches_.emplace(id, std::move(watch));
  if (look_now) {
    look_at(id, false);
  }
  return id;
}

Answer Watches::ask_all(Watch& watch) {
  Answer all = Answer::of(true);
  for (const script::Predicate& predicate : watch.predicates) {
    Answer answer = watch.questions->ask(predicate);
    if (answer.state != Answer::State::yes) {
      return answer;
    }
    all = std::move(answer);
  }
  return all;
}

void Watches::look_at(Id id, bool at_deadline) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) {
    return;
  }
  Watch& watch = found->second;
  if (watch.mode == Mode::event) {
    end(id, Answer::of(false, "it did not come"));
    return;
  }
  const Answer answer = ask_all(watch);
  watch.last = answer;
  const bool yes = answer.state == Answer::State::yes;
  const bool pending = answer.state == Answer::State::pending;
  if (answer.state == Answer::State::unsupported || at_deadline) {
    end(id, answer);
    return;
  }
  const bool ends =
      watch.mode == Mode::until ? yes : (watch.mode == Mode::once ? !pending : !yes && !pending);
  if (ends) {
    end(id, answer);
    return;
  }
  const bool poll = std::any_of(watch.predicates.begin(), watch.predicates.end(), &Questions::asks_nodes);
  if (poll && watch.poll == 0) {
    watch.poll = run_.timeline.plan(run_.now() + kPoll, [this, id] {
      if (const auto again = watches_.find(id); again != watches_.end()) {
        again->second.poll = 0;
        look_at(id, false);
      }
    });
  }
}

void Watches::end(Id id, const Answer& answer) {
  auto node = watches_.extract(id);
  Watch& watch = node.mapped();
  run_.timeline.cancel(watch.timer);
  run_.timeline.cancel(watch.poll);
  for_ever_ -= watch.deadline ? 0 : 1;
  predicates_ -= watch.predicates.empty() ? 0 : 1;
  watch.ended(answer);
}

void Watches::look() {
  if (predicates_ == 0) {
    return;
  }
  std::vector<Id> ids;
  for (const auto& [id, watch] : watches_) {
    if (!watch.predicates.empty()) {
      ids.push_back(id);
    }
  }
  for (const Id id : ids) {
    look_at(id, false);
  }
}

bool Watches::concerns(const script::Selector& selector, NodeId node) {
  ChanceStream stream = run_.chance.stream("event", "selector");
  LineSelectors line(run_.views(), run_.kept, stream);
  const auto nodes = line.resolve(selector);
  return nodes && std::find(nodes->begin(), nodes->end(), node) != nodes->end();
}

template <class Matches>
void Watches::end_where(Matches matches) {
  // Ending one may add others, which wait for a later event.
  const Id last = last_id_;
  for (auto next = watches_.begin(); next != watches_.end() && next->first <= last;) {
    const Id id = next->first;
    if (next->second.event && matches(*next->second.event)) {
      end(id, Answer::of(true));
    }
    next = watches_.upper_bound(id);
  }
}

void Watches::marked(NodeId node, std::string_view mark) {
  end_where([&](const script::Event& event) {
    return event.kind == script::Event::Kind::mark && event.name == mark && concerns(event.on, node);
  });
}

void Watches::happened(const Happening& happening) {
  if (happening.kind != "message" && happening.kind != "disk") {
    return;
  }
  end_where([&](const script::Event& event) { return matches(event, happening); });
}

bool Watches::matches(const script::Event& event, const Happening& happening) {
  const auto field = [&](const std::string& key) -> std::string {
    const auto found = happening.fields.find(key);
    return found == happening.fields.end() ? "" : found->second;
  };
  if (event.kind == script::Event::Kind::disk) {
    return happening.kind == "disk" && (event.name == "any" || event.name == field("op")) &&
           file_matches(event.file_class, field("class"), field("path")) &&
           concerns(event.on, happening.node);
  }
  if (event.kind != script::Event::Kind::message || happening.kind != "message" ||
      (event.name != "any" && event.name != field("kind"))) {
    return false;
  }
  const NodeId to(script::read_number(field("to")).value_or(0));
  if (!on_link(event.link, happening.node, to)) {
    return false;
  }
  return std::all_of(event.fields.begin(), event.fields.end(), [&](const script::FieldTest& test) {
    const auto value = script::read_number(field(test.field));
    return value && compare(test.compare, *value, test.value);
  });
}

bool Watches::on_link(const script::Link& link, NodeId from, NodeId to) {
  ChanceStream stream = run_.chance.stream("event", "link");
  LineSelectors line(run_.views(), run_.kept, stream);
  const auto left = line.resolve(link.from);
  line.set_left(left.value_or(std::vector<NodeId>{}));
  const auto right = line.resolve(link.to);
  const auto in = [](const auto& nodes, NodeId id) {
    return nodes && std::find(nodes->begin(), nodes->end(), id) != nodes->end();
  };
  return (in(left, from) && in(right, to)) || (link.both_ways && in(right, from) && in(left, to));
}

}  // namespace kiwi::lab
