#include <algorithm>

#include "lab/script/parse.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/reply_pattern.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

std::string shown(const Token& token) {
  return token.kind == Token::Kind::end ? "the end of the line" : "'" + token.text + "'";
}

}  // namespace

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> result;
  while (true) {
    const auto bar = choices.find('|');
    result.push_back(choices.substr(0, bar));
    if (bar == std::string_view::npos) {
      return result;
    }
    choices.remove_prefix(bar + 1);
  }
}

void check_value(const ValueSpec& spec, const Token& token) {
  const auto wanted = token.is_value() ? wrong_value(spec, token.text) : std::optional(expectation(spec));
  if (!wanted) {
    return;
  }
  std::string_view choices = spec.type == ValueType::choice         ? spec.choices
                             : spec.type == ValueType::message_kind ? kMessageKinds
                             : spec.type == ValueType::file_class   ? kFileClasses
                                                                    : std::string_view();
  fail_at(token, "expected " + *wanted + " for '" + std::string(spec.name) + "', not " + shown(token),
          choices.empty() || !token.is_value() ? std::string()
                                               : did_you_mean(token.text, split_choices(choices)));
}

void LineParser::use(NameUse::Kind kind, const Token& token, std::uint64_t node) {
  if (uses_ != nullptr) {
    uses_->push_back({kind, token.text, node, &lexer_.line(), token.begin, token.end});
  }
}

Time LineParser::duration(std::string_view what) {
  const Token token = lexer_.next();
  const auto time = token.is_value() ? read_duration(token.text) : std::nullopt;
  if (!time) {
    fail_at(token, "expected " + std::string(what) + ", not " + shown(token),
            "a duration such as 500ms or 2s");
  }
  return *time;
}

void LineParser::want_end() {
  if (!lexer_.at_end()) {
    fail_at(lexer_.peek(), shown(lexer_.peek()) + " is too much on this line");
  }
}

std::string LineParser::declared_name(std::string_view what) {
  const Token token = lexer_.next();
  if (token.kind != Token::Kind::word || !is_name(token.text)) {
    fail_at(token, "expected the name of a " + std::string(what) + ", not " + shown(token));
  }
  if (is_reserved(token.text)) {
    fail_at(token, "'" + token.text + "' has a meaning already; it cannot name a " + std::string(what));
  }
  return token.text;
}

void LineParser::settings(std::span<const ValueSpec> keys, std::string_view of, std::vector<Setting>& into) {
  while (!lexer_.at_end()) {
    const Token key = lexer_.next();
    if (key.kind != Token::Kind::word || !lexer_.peek().is("=")) {
      fail_at(key, "expected key=value, not " + shown(key));
    }
    const ValueSpec* spec = find_key(keys, key.text);
    if (spec == nullptr) {
      fail_at(key, "a " + std::string(of) + " has no key '" + key.text + "'",
              did_you_mean(key.text, names_of(keys)));
    }
    if (std::ranges::any_of(into, [&](const Setting& s) { return s.key == key.text; })) {
      fail_at(key, "'" + key.text + "' stands here twice");
    }
    lexer_.next();
    const Token value = lexer_.next();
    check_value(*spec, value);
    into.push_back({key.text, value.text, lexer_.place(key)});
  }
}

VerbCall LineParser::verb_call() {
  const Token verb = lexer_.next();
  const VerbRow* row = verb.kind == Token::Kind::word ? find_verb(verb.text) : nullptr;
  if (row == nullptr) {
    auto known = names_of(verbs());
    known.insert(known.end(), {"let", "expect", "after", "when", "every", "fuzz"});
    fail_at(verb, verb.kind == Token::Kind::end ? "expected a verb here" : "unknown verb '" + verb.text + "'",
            did_you_mean(verb.text, known));
  }
  VerbCall call;
  call.verb = verb.text;
  call.place = lexer_.place(verb);
  if (row->target == Target::redis) {
    redis(call);
    return call;
  }
  target(*row, call);
  words_and_options(*row, call);
  return call;
}

void LineParser::target(const VerbRow& row, VerbCall& call) {
  const Token token = lexer_.peek();
  const bool load =
      row.target == Target::load ||
      (row.target == Target::nodes_or_load && token.kind == Token::Kind::word &&
       (std::ranges::find(loads_, token.text) != loads_.end() || (concrete_ && !read_node(token.text))));
  if (load) {
    lexer_.next();
    if (token.kind != Token::Kind::word || !is_name(token.text)) {
      fail_at(token, "expected the name of a load, not " + shown(token),
              "as in: " + std::string(row.example));
    }
    use(NameUse::Kind::load, token);
    call.target = token.text;
    return;
  }
  if (row.target == Target::link) {
    call.target = link();
  } else if (row.target == Target::nodes_or_link) {
    Selector first = selectors();
    if (lexer_.peek().is("->") || lexer_.peek().is("<->")) {
      Link made{std::move(first), lexer_.next().is("<->"), {}};
      others_allowed_ = true;
      made.to = selectors();
      others_allowed_ = false;
      call.target = std::move(made);
    } else {
      call.target = std::move(first);
    }
  } else if (row.target != Target::none) {
    call.target = selectors();
  }
}

void LineParser::words_and_options(const VerbRow& row, VerbCall& call) {
  while (!lexer_.at_end()) {
    if (lexer_.peek().kind == Token::Kind::word && lexer_.peek_second().is("=")) {
      option(row, call);
      continue;
    }
    const Token word = lexer_.next();
    if (call.words.size() == row.words.size()) {
      fail_at(word, "'" + std::string(row.name) + "' takes nothing more, but here is " + shown(word),
              "as in: " + std::string(row.example));
    }
    check_value(row.words[call.words.size()], word);
    call.words.push_back(word.text);
  }
  if (call.words.size() < row.words.size() && row.words[call.words.size()].required) {
    const auto& spec = row.words[call.words.size()];
    fail_at(lexer_.peek(), "expected " + expectation(spec) + " for '" + std::string(spec.name) + "'",
            "as in: " + std::string(row.example));
  }
  for (const auto& spec : row.options) {
    if (spec.required && !call.options.contains(std::string(spec.name))) {
      fail_at(lexer_.peek(), "the option '" + std::string(spec.name) + "' is missing",
              "as in: " + std::string(row.example));
    }
  }
}

void LineParser::option(const VerbRow& row, VerbCall& call) {
  const Token key = lexer_.next();
  lexer_.next();
  const ValueSpec* spec = find_key(row.options, key.text);
  if (spec == nullptr) {
    fail_at(key, "'" + std::string(row.name) + "' has no option '" + key.text + "'",
            did_you_mean(key.text, names_of(row.options)));
  }
  const Token value = lexer_.next();
  check_value(*spec, value);
  if (!call.options.emplace(key.text, value.text).second) {
    fail_at(key, "'" + key.text + "' stands here twice");
  }
}

void LineParser::redis(VerbCall& call) {
  if (lexer_.take_word("on")) {
    call.target = selector();
  }
  if (lexer_.take_word("as")) {
    call.options["as"] = declared_name("client");
  }
  Token token = lexer_.next_raw();
  for (; token.is_value(); token = lexer_.next_raw()) {
    call.words.push_back(token.text);
  }
  if (call.words.empty()) {
    fail_at(token, "expected a Redis command", "as in: do SET color red -> OK");
  }
  if (!token.is("->")) {
    return;
  }
  Token first = lexer_.next_reply();
  std::string reply;
  Token last = first;
  for (token = first; token.kind != Token::Kind::end; token = lexer_.next_reply()) {
    reply.append(reply.empty() ? "" : " ")
        .append(token.kind == Token::Kind::text ? quoted(token.text) : token.text);
    last = token;
  }
  const auto pattern = read_reply_pattern(reply);
  if (!pattern) {
    first.end = std::max(last.end, first.end);
    fail_at(first, "no such reply", "expected " + std::string(kReplyExpectation));
  }
  call.options["reply"] = write_reply_pattern(*pattern);
}

Let LineParser::let() {
  Let result;
  result.place = lexer_.place(lexer_.peek());
  result.name = declared_name("let");
  if (!lexer_.take("=")) {
    fail_at(lexer_.peek(), "expected '='", "as in: let old = leader");
  }
  const PredicateRow* row =
      lexer_.peek().kind == Token::Kind::word ? find_predicate(lexer_.peek().text) : nullptr;
  if (row != nullptr && (row->where & kValue) != 0) {
    result.value = predicate(kValue);
  } else {
    result.value = selector();
  }
  return result;
}

Expect LineParser::expect() {
  Expect result;
  result.place = lexer_.place(lexer_.peek());
  if (lexer_.take_word("within")) {
    result.mode = Expect::Mode::within;
    result.span = duration("a time behind 'within'");
  } else if (lexer_.take_word("for")) {
    result.mode = Expect::Mode::for_all;
    result.span = duration("a time behind 'for'");
  }
  result.predicates = predicates(kInEvents);
  return result;
}

When LineParser::when() {
  When result;
  const Token word = lexer_.next();
  result.place = lexer_.place(word);
  if (word.text == "at") {
    result.time = duration("a time behind 'at'");
  } else if (word.text == "after") {
    result.kind = When::Kind::after;
    result.time = duration("a time behind 'after'");
  } else if (word.text == "when") {
    result.kind = When::Kind::when;
    result.event.push_back(event());
    if (lexer_.take_word("within")) {
      result.within = duration("a time behind 'within'");
    }
  } else if (word.text == "every") {
    result.kind = When::Kind::every;
    const Token every = lexer_.peek();
    result.time = duration("a time behind 'every'");
    if (result.time == Time(0)) {
      fail_at(every, "'every' needs a time above 0");
    }
    if (!lexer_.take_word("for")) {
      fail_at(lexer_.peek(), "expected 'for' and how long", "as in: every 1s for 20s crash leader");
    }
    result.span = duration("a time behind 'for'");
  } else {
    result.kind = When::Kind::fuzz;
    fuzz(result);
  }
  return result;
}

void LineParser::fuzz(When& result) {
  constexpr std::string_view kExample = "as in: fuzz 30s faults { cut 3, crash 2 }";
  result.time = duration("a time behind 'fuzz'");
  if (!lexer_.take_word("faults")) {
    fail_at(lexer_.peek(), "expected 'faults'", std::string(kExample));
  }
  if (!lexer_.take("{")) {
    fail_at(lexer_.peek(), "expected '{'", std::string(kExample));
  }
  do {
    const Token verb = lexer_.next();
    const VerbRow* row = verb.kind == Token::Kind::word ? find_verb(verb.text) : nullptr;
    if (row == nullptr || !row->in_fuzz) {
      std::vector<std::string_view> known;
      for (const auto& each : verbs()) {
        if (each.in_fuzz) {
          known.push_back(each.name);
        }
      }
      fail_at(
          verb,
          row == nullptr ? "unknown fault " + shown(verb) : "'" + verb.text + "' cannot be drawn by chance",
          did_you_mean(verb.text, known));
    }
    if (std::ranges::any_of(result.faults, [&](const auto& f) { return f.first == verb.text; })) {
      fail_at(verb, "'" + verb.text + "' stands here twice");
    }
    std::uint64_t weight = 1;
    if (lexer_.peek().kind == Token::Kind::word) {
      const Token number = lexer_.next();
      check_value({.name = "weight", .type = ValueType::number, .least = 1, .most = 1'000'000}, number);
      weight = *read_number(number.text);
    }
    result.faults.emplace_back(verb.text, weight);
  } while (lexer_.take(","));
  if (!lexer_.take("}")) {
    fail_at(lexer_.peek(), "expected ',' or '}'");
  }
  settings(fuzz_keys(), "fuzz line", result.settings);
}

std::vector<Window> LineParser::noise() {
  std::vector<Window> windows;
  if (lexer_.take_word("none")) {
    return windows;
  }
  do {
    const Token token = lexer_.next();
    const auto range = token.is_value() && token.text.find("..") != std::string::npos
                           ? read_duration_range(token.text)
                           : std::nullopt;
    if (!range) {
      fail_at(token, "expected 'none', or times such as 2s..5s, not " + shown(token));
    }
    if (!windows.empty() && windows.back().to > range->first) {
      fail_at(token, "this window begins before the last one ends");
    }
    windows.push_back({range->first, range->second});
  } while (lexer_.take(","));
  return windows;
}

}  // namespace kiwi::lab::script
