#include "tests/unit/lab/script/random_script.hpp"

#include <algorithm>

#include "lab/script/parse_parts.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {

using Kind = Selector::Kind;

Time RandomScript::duration() {
  constexpr std::int64_t kUnits[] = {1, 1'000, 1'000'000, 1'000'000'000};
  return Time(static_cast<std::int64_t>(below(1'000)) * kUnits[below(4)]);
}

std::string RandomScript::text() {
  std::string result;
  for (auto n = below(6); n > 0; --n) {
    result.push_back(below(3) == 0 ? static_cast<char>(below(256)) : "ab-$\"\\#,= >"[below(11)]);
  }
  return chance() ? result : "except";
}

std::string RandomScript::value(const ValueSpec& spec) {
  const auto pick = [&](std::string_view choices) {
    const auto all = split_choices(choices);
    return std::string(all[below(all.size())]);
  };
  const std::string number =
      std::to_string(spec.least + below(std::min<std::uint64_t>(spec.most - spec.least, 1000) + 1));
  switch (spec.type) {
    case ValueType::number:
      return number;
    case ValueType::fraction:
      return "1." + std::to_string(below(100));
    case ValueType::probability:
      return chance() ? "0.25" : "30%";
    case ValueType::duration:
      return write_duration(duration());
    case ValueType::signed_duration:
      return write_duration(chance() ? duration() : -duration() - Time(1));
    case ValueType::duration_range:
      return "1ms.." + write_duration(duration() + Time(1'000'000));
    case ValueType::bytes:
      return std::to_string(1 + spec.least / 1024 + below(99)) + "KB";
    case ValueType::byte_rate:
      return std::to_string(1 + spec.least / 1024 + below(99)) + "KB/s";
    case ValueType::rate:
      return std::to_string(below(99)) + "/s";
    case ValueType::choice:
      return pick(spec.choices);
    case ValueType::name:
      return chance() ? "log-store" : "except";
    case ValueType::weights:
      return "get 5, set 3";
    case ValueType::file_class:
      return chance() ? pick(kFileClasses) : "log/000004.log";
    case ValueType::message_kind:
      return pick(kMessageKinds);
    case ValueType::text:
      return text();
  }
  return {};
}

std::vector<NodeId> RandomScript::nodes(std::size_t most) {
  std::vector<NodeId> result;
  for (std::uint64_t id = 1; id <= 5; ++id) {
    if (chance() && result.size() < most) {
      result.emplace_back(id);
    }
  }
  return result.empty() ? std::vector<NodeId>{NodeId(1 + below(5))} : result;
}

Selector RandomScript::selector(int depth, bool others) {
  Selector s;
  const auto kind = static_cast<Kind>(below(depth < 3 ? 17 : 14));
  s.kind = kind == Kind::others && !others ? Kind::all : kind;
  if (s.kind == Kind::node) {
    s.node = NodeId(1 + below(5));
  } else if (s.kind == Kind::name) {
    s.name = "x";
  } else if (s.kind == Kind::pick) {
    s.count = 1 + below(3);
    s.parts.push_back(selector(depth + 1, others));
    if (s.parts[0].kind == Kind::except) {
      s.parts[0].kind = Kind::list;  // text cannot tell "one {a except b}" from anything else
    }
  } else if (s.kind == Kind::list || s.kind == Kind::except) {
    s.parts.push_back(selector(depth + 1, others));
    s.parts.push_back(selector(depth + 1, others));
    if (s.kind == Kind::except && s.parts[1].kind == Kind::except) {
      s.parts[1].kind = Kind::list;
    }
  }
  return s;
}

void RandomScript::right_side(const PredicateRow& row, Predicate& p) {
  const bool ordered = row.result == ResultKind::number || row.result == ResultKind::duration;
  p.compare = static_cast<Compare>(below(ordered ? 6 : 2));
  if (row.result == ResultKind::duration) {
    p.right.value = duration();
  } else if (row.result == ResultKind::node || row.result == ResultKind::nodes) {
    p.right.value = selector(0);
  } else if (row.result == ResultKind::role) {
    p.right.value = value({.name = "role", .type = ValueType::choice, .choices = kRoles});
  } else if (row.result == ResultKind::text) {
    if (chance()) {
      p.right.value = chance() ? text() : "nil";
    }
  } else if (below(3) == 0) {
    p.right.value = LetName{"x"};
  } else if (chance()) {
    Predicate inner;
    inner.name = "commit";
    inner.nodes.push_back(selector(1));
    p.right.value = std::vector<Predicate>{inner};
  } else {
    p.right.value = below(1'000'000);
  }
}

Predicate RandomScript::predicate(unsigned where) {
  std::vector<const PredicateRow*> rows;
  for (const auto& row : predicates()) {
    if ((row.where & where) != 0) {
      rows.push_back(&row);
    }
  }
  const PredicateRow& row = *rows[below(rows.size())];
  Predicate p;
  p.negated = below(4) == 0;
  p.name = row.name;
  if (p.name == "key") {
    p.names.push_back(text());
  }
  const bool given = row.parameter != ParameterKind::none && (!row.optional_parameter || chance());
  for (auto n = given ? 1 + below(2) : 0; n > 0; --n) {
    if (row.parameter == ParameterKind::nodes) {
      p.nodes.push_back(selector(0));
    } else if (row.parameter == ParameterKind::fault) {
      p.names.push_back(fault_kinds()[below(fault_kinds().size())]);
    } else {
      p.names.push_back(row.parameter == ParameterKind::mark ? "vote.synced" : "L1");
    }
  }
  if (given) {
    p.options = settings(row.options);
  }
  if (row.compared || (row.result != ResultKind::truth && chance())) {
    right_side(row, p);
  }
  return p;
}

Event RandomScript::event() {
  Event e;
  e.kind = static_cast<Event::Kind>(below(4));
  e.on.kind = Kind::all;
  if (e.kind == Event::Kind::predicate) {
    e.predicate.push_back(predicate(kInEvents));
    return e;
  }
  e.name = e.kind == Event::Kind::mark ? "vote.synced"
           : e.kind == Event::Kind::disk
               ? value({.name = "", .type = ValueType::choice, .choices = kDiskCalls})
               : value({.name = "", .type = ValueType::message_kind});
  if (e.kind == Event::Kind::message) {
    e.link = {selector(0), chance(), selector(0, true)};
    for (auto n = below(3); n > 0; --n) {
      e.fields.push_back({"index", static_cast<Compare>(below(6)), below(1000)});
    }
    return e;
  }
  e.file_class = e.kind == Event::Kind::disk ? value({.name = "", .type = ValueType::file_class}) : "";
  e.on = selector(0);
  return e;
}

std::vector<std::string> RandomScript::words(const VerbRow& row) {
  std::vector<std::string> result;
  for (const auto& spec : row.words) {
    if (!spec.required && chance()) {
      break;
    }
    result.push_back(value(spec));
  }
  return result;
}

void RandomScript::redis(std::vector<std::string>& words, std::map<std::string, std::string>& options) {
  words = {chance() ? "SET" : "on", text(), text(), "->"};
  if (chance()) {
    options["as"] = "c1";
  }
  if (chance()) {
    options["reply"] = chance() ? "[1 \"a  ]\" nil]" : "error \"MOVED 1\"";
  }
}

VerbCall RandomScript::call() {
  const VerbRow& row = verbs()[below(verbs().size())];
  VerbCall c;
  c.verb = row.name;
  if (row.target == Target::redis) {
    redis(c.words, c.options);
    if (chance()) {
      c.target = selector(0);
    }
    return c;
  }
  const bool load = row.target == Target::load || (row.target == Target::nodes_or_load && chance());
  if (load) {
    c.target = std::string("L1");
  } else if (row.target == Target::link || (row.target == Target::nodes_or_link && chance())) {
    c.target = Link{selector(0), chance(), selector(0, true)};
  } else if (row.target != Target::none) {
    c.target = selector(0);
  }
  c.words = words(row);
  for (const auto& spec : row.options) {
    if (spec.required || chance()) {
      c.options[std::string(spec.name)] = value(spec);
    }
  }
  return c;
}

std::vector<Setting> RandomScript::settings(std::span<const ValueSpec> keys) {
  std::vector<Setting> result;
  for (const auto& key : keys) {
    if (chance()) {
      result.push_back({std::string(key.name), value(key), {}});
    }
  }
  return result;
}

Statement RandomScript::statement(int depth) {
  const auto what = below(depth < 3 ? 6 : 5);
  if (what == 0) {
    Predicate number;
    number.name = "applied";
    number.nodes.push_back(selector(0));
    return {Let{"x", chance() ? decltype(Let::value)(selector(0)) : decltype(Let::value)(number), {}}};
  }
  if (what == 1) {
    Expect e;
    e.mode = static_cast<Expect::Mode>(below(3));
    e.span = e.mode == Expect::Mode::now ? Time(0) : duration();
    e.predicates = {predicate(kInEvents), predicate(kInEvents)};
    return {e};
  }
  return what == 5 ? Statement{block(depth + 1)} : Statement{call()};
}

Block RandomScript::block(int depth) {
  Block b;
  b.when.kind = static_cast<When::Kind>(depth == 0 ? below(5) : 1 + below(4));
  b.when.time = duration() + Time(1);
  if (b.when.kind == When::Kind::when) {
    b.when.time = Time(0);
    b.when.event.push_back(event());
    if (chance()) {
      b.when.within = duration();
    }
  } else if (b.when.kind == When::Kind::every) {
    b.when.span = duration();
  } else if (b.when.kind == When::Kind::fuzz) {
    b.when.faults = {{"cut", 1 + below(9)}, {"crash", 1}};
    b.when.settings = settings(fuzz_keys());
    return b;
  }
  for (auto n = 1 + below(3); n > 0; --n) {
    b.body.push_back(statement(depth));
  }
  return b;
}

Scenario RandomScript::scenario() {
  Scenario s;
  s.name = "random";
  s.about = chance() ? "" : "whatever # it is";
  s.cluster = {{"nodes", "5", {}}, {"seed", std::to_string(below(1'000'000)), {}}};
  s.loads = {{"L1", {{"mix", "get 5, set 5", {}}, {"clients", "3", {}}}, {}}};
  if (chance()) {
    s.noise.emplace();
    for (std::int64_t n = static_cast<std::int64_t>(below(3)); n > 0; --n) {
      s.noise->push_back({Time(s.noise->size() * 10), Time(s.noise->size() * 10 + 5)});
    }
  }
  // Declares the name that others use.
  s.blocks.push_back({{}, {{Let{"x", Selector{}, {}}}}});
  for (auto n = below(5); n > 0; --n) {
    s.blocks.push_back(block(0));
  }
  for (auto n = below(5); n > 0; --n) {
    s.actions.push_back(action());
  }
  std::ranges::stable_sort(s.actions, {}, &Action::at);
  s.always = {predicate(kInAlways)};
  s.finally = {predicate(kInFinally), predicate(kInFinally)};
  s.files = {"x.scenario"};
  return s;
}

Action RandomScript::action() {
  const VerbRow& row = verbs()[below(verbs().size())];
  Action a;
  a.at = duration();
  a.verb = row.name;
  a.line = chance() ? 0 : static_cast<int>(1 + below(1000));
  if (row.target == Target::redis) {
    redis(a.words, a.options);
    a.nodes = chance() ? nodes(1) : std::vector<NodeId>{};
    return a;
  }
  a.words = words(row);
  const bool load = row.target == Target::load || (row.target == Target::nodes_or_load && chance());
  if (load) {
    a.words.insert(a.words.begin(), "L1");
  } else if (row.target != Target::none) {
    a.nodes = nodes(5);
  }
  if (row.target == Target::link || (row.target == Target::nodes_or_link && chance())) {
    a.to = nodes(5);
    a.both_ways = chance();
  }
  for (const auto& spec : row.options) {
    if (spec.required || chance()) {
      a.options[std::string(spec.name)] = value(spec);
    }
  }
  return a;
}

}  // namespace kiwi::lab::script
