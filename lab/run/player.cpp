#include "lab/run/player.hpp"

#include <algorithm>
#include <utility>

#include "lab/run/reply_match.hpp"
#include "lab/script/format.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

constexpr Time kInstant{1};

/// Words of RAFT commands that stand for a node: what is known when the line runs, and what the backend
/// alone knows.
constexpr std::string_view kIdWord = "id:";
constexpr std::string_view kAddressWord = "address:";
constexpr std::string_view kPortWord = "port:";

bool about_nodes(const std::vector<std::string>& words) {
  return !words.empty() && words.front().starts_with("RAFT.");
}

/// As the node wants it: "address:n4" becomes host:redisport@raftport, "port:n4" host:redisport.
std::vector<std::string> with_addresses(std::vector<std::string> words, const Backend& backend) {
  for (std::string& word : words) {
    const bool whole = word.starts_with(kAddressWord);
    const auto node = whole || word.starts_with(kPortWord)
                          ? script::read_node(word.substr(whole ? kAddressWord.size() : kPortWord.size()))
                          : std::nullopt;
    if (node && about_nodes(words)) {
      const std::string address = backend.address_of(NodeId(*node));
      word = whole ? address : address.substr(0, address.find('@'));
    }
  }
  return words;
}

}  // namespace

Player::Player(RunState& run, Watches& watches) : run_(run), watches_(watches) {}

void Player::later(Time at, Done what) {
  run_.timeline.plan(
      at,
      [this, what = std::move(what)] {
        if (!run_.over()) {
          what();
        }
      },
      Timeline::Lane::script);
}

void Player::start() {
  for (const script::Action& action : run_.scenario.actions) {
    ++running_;
    later(action.at, [this, action] {
      act(action);
      --running_;
    });
  }
  for (std::size_t i = 0; i < run_.scenario.blocks.size(); ++i) {
    // `after` at the left margin follows the block above; all others start by themselves.
    if (i == 0 || run_.scenario.blocks[i].when.kind != script::When::Kind::after) {
      play_chain(i);
    }
  }
}

void Player::play_chain(std::size_t block) {
  ++running_;
  play(run_.scenario.blocks[block], [this, block] {
    --running_;
    const std::size_t next = block + 1;
    if (next < run_.scenario.blocks.size() &&
        run_.scenario.blocks[next].when.kind == script::When::Kind::after) {
      play_chain(next);
    }
  });
}

void Player::play(const script::Block& block, Done done) {
  switch (block.when.kind) {
    case script::When::Kind::at:
      later(block.when.time, [this, &block, done = std::move(done)] { play_body(block.body, 0, done); });
      return;
    case script::When::Kind::after:
      later(run_.now() + block.when.time,
            [this, &block, done = std::move(done)] { play_body(block.body, 0, done); });
      return;
    case script::When::Kind::when:
      play_when(block, std::move(done));
      return;
    case script::When::Kind::every:
      later(run_.now(), [this, &block, done = std::move(done)] {
        play_every(block, run_.now() + block.when.span, run_.now(), done);
      });
      return;
    case script::When::Kind::fuzz:
      play_fuzz(block, std::move(done));
      return;
  }
}

void Player::play_every(const script::Block& block, Time until, Time next, Done done) {
  play_body(block.body, 0, [this, &block, until, next, done = std::move(done)] {
    const Time again = std::max(next + block.when.time, run_.now());
    if (again >= until) {
      later(std::max(until, run_.now()), done);
      return;
    }
    later(again, [this, &block, until, again, done] { play_every(block, until, again, done); });
  });
}

void Player::play_fuzz(const script::Block& block, Done done) {
  fuzzers_.push_back(std::make_unique<Fuzzer>(run_, block.when, std::move(done)));
  later(run_.now(), [fuzzer = fuzzers_.back().get()] { fuzzer->start(); });
}

void Player::play_when(const script::Block& block, Done done) {
  ChanceStream stream = run_.line_stream(block.when.place.line, "when");
  LineSelectors line(run_.views(), run_.kept, stream);
  const auto frozen = freeze(block.when.event.at(0), line, run_.kept);
  if (!frozen) {
    run_.fail(Outcome::error, "script",
              "line " + std::to_string(block.when.place.line) + ": " + frozen.error());
    return;
  }
  const std::string text = script::to_text(*frozen);
  const Time began = run_.now();
  const bool for_ever = !block.when.within.has_value();
  if (for_ever) {
    ++waiting_for_ever_;
    waiting_since_ = began;
    in_vain_[&block] = text;
  }
  // The replay waits as well, for an event that did not come: that is what the run said.
  script::Block waiting;
  waiting.when.kind = script::When::Kind::at;
  waiting.when.time = began;
  script::Block inner;
  inner.when = block.when;
  inner.when.event = {*frozen};
  script::VerbCall note;
  note.verb = "note";
  note.words = {"it came"};
  inner.body.push_back({note});
  waiting.body.push_back({inner});
  const std::size_t kept = expectations_.size();
  expectations_.push_back(std::move(waiting));

  const bool at_once =
      frozen->kind == script::Event::Kind::message || frozen->kind == script::Event::Kind::disk;
  const auto ended = [this, &block, text, began, for_ever, kept, at_once,
                      done = std::move(done)](const Answer& answer) {
    if (for_ever) {
      --waiting_for_ever_;
      in_vain_.erase(&block);
    }
    Checked checked{"when " + text, block.when.place.line, Outcome::pass, "", began, run_.now()};
    if (answer.state == Answer::State::unsupported) {
      run_.fail(Outcome::unsupported, "when: " + text, answer.why);
      return;
    }
    if (answer.state != Answer::State::yes) {
      checked.outcome = Outcome::fail;
      checked.why = "it did not come in time";
      run_.checked(checked);
      run_.fail(Outcome::fail, "when: " + text, "waited in vain for: " + text);
      return;
    }
    run_.checked(checked);
    expectations_[kept].body.clear();  // it came; what follows is lowered as actions
    const auto go = [this, &block, done] { play_body(block.body, 0, done); };
    if (at_once) {
      go();
    } else {
      later(run_.now() + kInstant, go);
    }
  };
  std::optional<Time> deadline;
  if (block.when.within) {
    deadline = began + run_.stretched(*block.when.within);
  }
  if (frozen->kind == script::Event::Kind::predicate) {
    watches_.until(frozen->predicate, deadline, ended);
    return;
  }
  using Kind = script::Event::Kind;
  const char* what = frozen->kind == Kind::mark ? "mark" : frozen->kind == Kind::message ? "message" : "disk";
  const bool seen = run_.observe(what) || frozen->kind == Kind::mark;
  if (!seen) {
    run_.fail(Outcome::unsupported, "when: " + text, "this backend cannot see that");
    return;
  }
  watches_.event(*frozen, deadline, ended);
}

std::vector<std::string> Player::waited_in_vain() const {
  std::vector<std::string> texts;
  for (const script::Block& block : run_.scenario.blocks) {
    collect_in_vain(block, texts);
  }
  return texts;
}

void Player::collect_in_vain(const script::Block& block, std::vector<std::string>& texts) const {
  if (const auto found = in_vain_.find(&block); found != in_vain_.end()) {
    texts.push_back(found->second);
  }
  for (const script::Statement& statement : block.body) {
    if (const auto* inner = std::get_if<script::Block>(&statement.value)) {
      collect_in_vain(*inner, texts);
    }
  }
}

std::vector<script::Block> Player::expectations() const {
  std::vector<script::Block> kept;
  for (const script::Block& block : expectations_) {
    if (!block.body.empty()) {
      kept.push_back(block);
    }
  }
  return kept;
}

void Player::play_body(const Body& body, std::size_t from, Done done) {
  for (std::size_t i = from; i < body.size(); ++i) {
    if (run_.over()) {
      return;
    }
    const Done next = [this, &body, i, done] { play_body(body, i + 1, done); };
    if (const auto* let_line = std::get_if<script::Let>(&body[i].value)) {
      let(*let_line);
    } else if (const auto* verb = std::get_if<script::VerbCall>(&body[i].value)) {
      if (!call(*verb, next)) {
        return;
      }
    } else if (const auto* expected = std::get_if<script::Expect>(&body[i].value)) {
      expect(*expected, next);
      return;
    } else {
      play(std::get<script::Block>(body[i].value), next);
      return;
    }
  }
  done();
}

void Player::let(const script::Let& let) {
  ChanceStream stream = run_.line_stream(let.place.line, "let");
  LineSelectors line(run_.views(), run_.kept, stream);
  if (const auto* selector = std::get_if<script::Selector>(&let.value)) {
    const auto nodes = line.resolve(*selector);
    if (!nodes || nodes->empty()) {
      run_.fail(Outcome::error, "script",
                "line " + std::to_string(let.place.line) + ": let " + let.name + ": " +
                    (nodes ? script::to_text(*selector) + " is nobody at this moment" : nodes.error()));
      return;
    }
    run_.kept.nodes[let.name] = *nodes;
    run_.record.happenings.push_back(
        {run_.now(), NodeId{}, "let", {{"name", let.name}, {"is", to_text(*nodes)}}});
    return;
  }
  const auto frozen = freeze(std::get<script::Predicate>(let.value), line, run_.kept);
  if (!frozen) {
    run_.fail(Outcome::error, "script", "line " + std::to_string(let.place.line) + ": " + frozen.error());
    return;
  }
  const Answer answer = Questions(run_).ask(*frozen);
  run_.kept.numbers[let.name] = answer.number;
}

bool Player::concrete(const script::VerbCall& call, script::Action& action) {
  action.verb = call.verb;
  action.words = call.words;
  action.options = call.options;
  action.line = call.place.line;
  ChanceStream stream = run_.line_stream(call.place.line, call.verb);
  LineSelectors line(run_.views(), run_.kept, stream);
  if (action.verb == "do" && about_nodes(action.words)) {
    for (std::string& word : action.words) {
      word = named_node(word);
    }
  }
  const auto mistake = [&](const std::string& why) {
    run_.fail(Outcome::error, "script", "line " + std::to_string(call.place.line) + ": " + why);
    return false;
  };
  if (const auto* load = std::get_if<std::string>(&call.target)) {
    action.words.insert(action.words.begin(), *load);
    return true;
  }
  if (const auto* selector = std::get_if<script::Selector>(&call.target)) {
    auto nodes = line.resolve(*selector);
    if (!nodes) {
      return mistake(nodes.error());
    }
    action.nodes = std::move(*nodes);
    return !action.nodes.empty() || nobody(action, script::to_text(*selector));
  }
  if (const auto* link = std::get_if<script::Link>(&call.target)) {
    auto from = line.resolve(link->from);
    line.set_left(from.value_or(std::vector<NodeId>{}));
    auto to = from ? line.resolve(link->to) : from;
    if (!to) {
      return mistake(to.error());
    }
    action.nodes = std::move(*from);
    action.to = std::move(*to);
    action.both_ways = link->both_ways;
    if (action.nodes.empty() || action.to.empty()) {
      return nobody(action, script::to_text(*link));
    }
  }
  return true;
}

std::string Player::named_node(const std::string& word) {
  for (const std::string_view prefix : {kIdWord, kAddressWord, kPortWord}) {
    const std::string name = word.starts_with(prefix) ? word.substr(prefix.size()) : std::string();
    NodeId node(script::read_node(name).value_or(0));
    if (name == "leader") {
      node = leader_of(run_.views());
    } else if (const auto kept = run_.kept.nodes.find(name); kept != run_.kept.nodes.end()) {
      node = kept->second.front();
    }
    if (node) {
      return prefix == kIdWord ? to_string(node) : std::string(prefix) + "n" + to_string(node);
    }
  }
  return word;
}

bool Player::nobody(const script::Action& action, const std::string& selector) {
  // `restart down` with nobody down is not a mistake; it just does nothing. A fault that hits nobody is told
  // by the judge.
  Step step;
  step.action = action;
  step.action.at = run_.now();
  step.applied.effective = false;
  step.error = selector + " is nobody at this moment";
  run_.record.steps.push_back(std::move(step));
  return false;
}

bool Player::call(const script::VerbCall& call, const Done& done) {
  script::Action action;
  if (!concrete(call, action)) {
    return true;
  }
  if (action.verb == "do") {
    command(action, [this, done] { later(run_.now() + kInstant, done); });
    return false;
  }
  act(action);
  return true;
}

void Player::act(const script::Action& action) {
  if (action.verb == "do") {
    ++running_;
    command(action, [this] { --running_; });
  } else if (action.verb == "swizzle") {
    swizzle(action);
  } else {
    run_.perform(action);
  }
}

void Player::swizzle(const script::Action& action) {
  const auto over = action.options.find("over");
  const Time span =
      script::read_duration(over == action.options.end() ? "5s" : over->second).value_or(Time{0});
  ++running_;
  swizzle_nodes(run_, action.nodes, span, action.line, [this] { --running_; });
}

void Player::command(const script::Action& action, Done done) {
  Step step;
  step.action = action;
  step.action.at = run_.now();
  run_.record.steps.push_back(std::move(step));
  Commands::Request request;
  request.command = with_addresses(action.words, run_.backend);
  if (const auto as = action.options.find("as"); as != action.options.end()) {
    request.client = as->second;
  }
  if (!action.nodes.empty()) {
    request.on = action.nodes.front();
  }
  const auto wanted = action.options.find("reply");
  const std::string reply = wanted == action.options.end() ? "" : wanted->second;
  const Time began = run_.now();
  run_.commands.execute(
      std::move(request), [this, action, reply, began, done = std::move(done)](const CommandResult& result) {
        Checked checked{"do " + text_of_words(action.words) + (reply.empty() ? "" : " -> " + reply),
                        action.line,
                        Outcome::pass,
                        "",
                        began,
                        run_.now()};
        const std::string wrong = wrong_result(reply, result);
        if (!wrong.empty()) {
          checked.outcome = Outcome::fail;
          checked.why = wrong;
          run_.checked(checked);
          run_.fail(Outcome::fail, checked.text, checked.text + ": " + wrong);
          return;
        }
        run_.checked(checked);
        done();
      });
}

void Player::expect(const script::Expect& expect, Done done) {
  ChanceStream stream = run_.line_stream(expect.place.line, "expect");
  LineSelectors line(run_.views(), run_.kept, stream);
  script::Expect frozen = expect;
  for (script::Predicate& predicate : frozen.predicates) {
    auto each = freeze(predicate, line, run_.kept);
    if (!each) {
      run_.fail(Outcome::error, "script", "line " + std::to_string(expect.place.line) + ": " + each.error());
      return;
    }
    predicate = std::move(*each);
  }
  const Time began = run_.now();
  script::Block block;
  block.when.kind = script::When::Kind::at;
  block.when.time = began;
  block.body.push_back({frozen});
  expectations_.push_back(std::move(block));
  const std::string text = script::to_text(frozen);
  const auto ended = [this, text, began, line_number = expect.place.line,
                      done = std::move(done)](const Answer& answer) {
    Checked checked{text, line_number, Outcome::pass, "", began, run_.now()};
    if (answer.state == Answer::State::yes) {
      run_.checked(checked);
      later(run_.now() + kInstant, done);
      return;
    }
    checked.outcome = answer.state == Answer::State::unsupported ? Outcome::unsupported : Outcome::fail;
    checked.why = answer.why;
    run_.checked(checked);
    run_.fail(checked.outcome, text, "line " + std::to_string(line_number) + ": " + text + ": " + answer.why);
  };
  switch (expect.mode) {
    case script::Expect::Mode::now:
      watches_.once(frozen.predicates, ended);
      return;
    case script::Expect::Mode::within:
      watches_.until(frozen.predicates, began + run_.stretched(expect.span), ended);
      return;
    case script::Expect::Mode::for_all:
      watches_.throughout(frozen.predicates, began + expect.span, ended);
      return;
  }
}

}  // namespace kiwi::lab
