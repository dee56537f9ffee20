#include <algorithm>

#include "lab/script/format.hpp"
#include "lab/script/parse.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

constexpr std::string_view kFields = "index|term|count|from-index|commit|granted";

std::vector<std::string_view> names_where(unsigned where) {
  std::vector<std::string_view> names;
  for (const auto& row : predicates()) {
    if ((row.where & where) != 0) {
      names.push_back(row.name);
    }
  }
  return names;
}

std::string place_name(unsigned where) {
  return where == kInAlways    ? "'always'"
         : where == kInFinally ? "'finally'"
         : where == kValue     ? "a comparison or a 'let'"
                               : "'expect' or 'when'";
}

std::string where_allowed(const PredicateRow& row) {
  std::string text;
  for (const unsigned place : {kInEvents, kInAlways, kInFinally}) {
    if ((row.where & place) != 0) {
      text.append(text.empty() ? "it can stand in " : " and ").append(place_name(place));
    }
  }
  return text;
}

}  // namespace

bool LineParser::at_compare() {
  const Token& token = lexer_.peek();
  return token.is("=") || token.is("!=") || token.is("<") || token.is("<=") || token.is(">") ||
         token.is(">=");
}

Compare LineParser::compare() {
  const Token token = lexer_.next();
  const auto all = {Compare::equal,      Compare::different, Compare::less,
                    Compare::less_equal, Compare::greater,   Compare::greater_equal};
  for (const auto one : all) {
    if (token.is(to_text(one))) {
      return one;
    }
  }
  fail_at(token, "expected a comparison", "one of = != < <= > >=");
}

std::vector<Predicate> LineParser::predicates(unsigned where) {
  std::vector<Predicate> result;
  do {
    result.push_back(predicate(where));
  } while (lexer_.take(","));
  return result;
}

Predicate LineParser::predicate(unsigned where) {
  Predicate result;
  result.place = lexer_.place(lexer_.peek());
  result.negated = lexer_.take_word("not");
  const Token token = lexer_.next();
  const PredicateRow* row = token.kind == Token::Kind::word ? find_predicate(token.text) : nullptr;
  if (row == nullptr) {
    if (token.kind == Token::Kind::end) {
      fail_at(token, "expected a predicate here", "such as leader, converged(all), applied(n1) >= 10");
    }
    fail_at(token, "unknown predicate '" + token.text + "'", did_you_mean(token.text, names_where(where)));
  }
  if ((row->where & where) == 0) {
    fail_at(token, "'" + token.text + "' cannot stand in " + place_name(where), where_allowed(*row));
  }
  result.name = token.text;
  if (result.name == "key") {
    const Token key = lexer_.next();
    if (!key.is_value()) {
      fail_at(key, "expected the name of a key", "as in: key color = red");
    }
    result.names.push_back(key.text);
  } else {
    arguments(*row, result);
  }
  if (where == kValue) {
    return result;
  }
  if (at_compare()) {
    const Token sign = lexer_.peek();
    if (row->result == ResultKind::truth) {
      fail_at(sign, "'" + result.name + "' holds or does not; it cannot be compared",
              "with 'not' in front it must not hold");
    }
    result.compare = compare();
    const bool ordered = row->result == ResultKind::number || row->result == ResultKind::duration;
    if (!ordered && *result.compare != Compare::equal && *result.compare != Compare::different) {
      fail_at(sign, "'" + result.name + "' can be compared with = and != only");
    }
    result.right = operand(*row);
  } else if (row->compared) {
    fail_at(lexer_.peek(), "a comparison must follow '" + result.name + "'",
            "as in: " + std::string(row->example));
  }
  return result;
}

void LineParser::arguments(const PredicateRow& row, Predicate& result) {
  if (!lexer_.peek().is("(")) {
    if (row.parameter != ParameterKind::none && !row.optional_parameter) {
      fail_at(lexer_.peek(), "expected '(' and arguments behind '" + result.name + "'",
              "as in: " + std::string(row.example));
    }
    return;
  }
  const Token open = lexer_.next();
  if (row.parameter == ParameterKind::none) {
    fail_at(open, "'" + result.name + "' has no arguments");
  }
  do {
    argument(row, result);
  } while (lexer_.take(","));
  if (!lexer_.take(")")) {
    fail_at(lexer_.peek(), "expected ',' or ')'");
  }
  if (result.nodes.empty() && result.names.empty()) {
    fail_at(open, "'" + result.name + "' has no arguments here", "as in: " + std::string(row.example));
  }
}

void LineParser::argument(const PredicateRow& row, Predicate& result) {
  const Token token = lexer_.peek();
  if (token.kind == Token::Kind::word && lexer_.peek_second().is("=")) {
    const ValueSpec* spec = find_key(row.options, token.text);
    if (spec == nullptr) {
      fail_at(token, "'" + result.name + "' has no option '" + token.text + "'",
              did_you_mean(token.text, names_of(row.options)));
    }
    lexer_.next();
    lexer_.next();
    const Token value = lexer_.next();
    check_value(*spec, value);
    if (std::ranges::any_of(result.options, [&](const Setting& s) { return s.key == token.text; })) {
      fail_at(token, "'" + token.text + "' stands here twice");
    }
    result.options.push_back({token.text, value.text, lexer_.place(token)});
    return;
  }
  if (row.parameter == ParameterKind::nodes) {
    result.nodes.push_back(selector());
    return;
  }
  lexer_.next();
  if (token.kind != Token::Kind::word || !is_name(token.text)) {
    fail_at(token, "expected a name", "as in: " + std::string(row.example));
  }
  if (row.parameter == ParameterKind::loads || row.parameter == ParameterKind::load) {
    use(NameUse::Kind::load, token);
  } else if (row.parameter == ParameterKind::fault) {
    const auto kinds = fault_kinds();
    if (std::ranges::find(kinds, token.text) == kinds.end()) {
      fail_at(token, "there is no kind of fault '" + token.text + "'",
              did_you_mean(token.text, {kinds.begin(), kinds.end()}));
    }
  }
  result.names.push_back(token.text);
}

Operand LineParser::operand(const PredicateRow& row) {
  switch (row.result) {
    case ResultKind::number:
      return number_operand();
    case ResultKind::duration:
      return {duration("a duration")};
    case ResultKind::node:
    case ResultKind::nodes:
      return {selector()};
    case ResultKind::role: {
      const Token token = lexer_.next();
      check_value({.name = "role", .type = ValueType::choice, .choices = kRoles}, token);
      return {token.text};
    }
    case ResultKind::text:
    case ResultKind::truth:
      break;
  }
  const Token token = lexer_.next();
  if (!token.is_value()) {
    fail_at(token, "expected a value", "a word, or a text in quotes");
  }
  if (token.is_word("nil")) {
    return {};
  }
  return {token.text};
}

Operand LineParser::number_operand() {
  const Token token = lexer_.peek();
  if (token.kind == Token::Kind::word) {
    if (const auto number = read_number(token.text)) {
      lexer_.next();
      return {*number};
    }
    if (find_predicate(token.text) != nullptr) {
      return {std::vector<Predicate>{predicate(kValue)}};
    }
    if (is_name(token.text) && !is_reserved(token.text)) {
      lexer_.next();
      use(NameUse::Kind::let, token);
      return {LetName{token.text}};
    }
  }
  fail_at(token, "expected a number", "or a name of a 'let', or another index such as commit(leader)");
}

Event LineParser::event() {
  Event event;
  const Token token = lexer_.peek();
  event.place = lexer_.place(token);
  const bool named = token.is_word("mark") || token.is_word("msg") || token.is_word("disk");
  if (!named) {
    event.predicate.push_back(predicate(kInEvents));
    return event;
  }
  lexer_.next();
  const Token name = lexer_.next();
  if (token.text == "msg") {
    check_value({.name = "kind", .type = ValueType::message_kind}, name);
    event.kind = Event::Kind::message;
    event.name = name.text;
    return message_event(std::move(event));
  }
  if (token.text == "mark") {
    event.kind = Event::Kind::mark;
    check_value({.name = "mark", .type = ValueType::name}, name);
  } else {
    event.kind = Event::Kind::disk;
    check_value({.name = "call", .type = ValueType::choice, .choices = kDiskCalls}, name);
    const Token file = lexer_.next();
    check_value({.name = "file", .type = ValueType::file_class}, file);
    event.file_class = file.text;
  }
  event.name = name.text;
  if (lexer_.take_word("on")) {
    event.on = selector();
  }
  return event;
}

Event LineParser::message_event(Event event) {
  event.link = link();
  if (lexer_.take("(")) {
    do {
      event.fields.push_back(field_test());
    } while (lexer_.take(","));
    if (!lexer_.take(")")) {
      fail_at(lexer_.peek(), "expected ',' or ')'");
    }
  }
  return event;
}

FieldTest LineParser::field_test() {
  FieldTest test;
  const Token field = lexer_.next();
  check_value({.name = "field", .type = ValueType::choice, .choices = kFields}, field);
  test.field = field.text;
  test.compare = compare();
  const Token value = lexer_.next();
  check_value({.name = "value", .type = ValueType::number}, value);
  test.value = *read_number(value.text);
  return test;
}

}  // namespace kiwi::lab::script
