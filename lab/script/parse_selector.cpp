#include <algorithm>
#include <array>
#include <utility>

#include "lab/script/parse.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

using Kind = Selector::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 12> kWords{{{"leader", Kind::leader},
                                                                    {"candidate", Kind::candidate},
                                                                    {"lagging", Kind::lagging},
                                                                    {"all", Kind::all},
                                                                    {"others", Kind::others},
                                                                    {"voters", Kind::voters},
                                                                    {"followers", Kind::followers},
                                                                    {"learners", Kind::learners},
                                                                    {"majority", Kind::majority},
                                                                    {"minority", Kind::minority},
                                                                    {"up", Kind::up},
                                                                    {"down", Kind::down}}};
/// What one is drawn from: "one follower".
constexpr std::array<std::pair<std::string_view, Kind>, 4> kSingular{{{"follower", Kind::followers},
                                                                      {"voter", Kind::voters},
                                                                      {"learner", Kind::learners},
                                                                      {"node", Kind::all}}};
constexpr std::array<std::string_view, 20> kGrammar{
    "one",  "of",  "except", "within", "for",   "on",   "as",    "not",  "mark",   "msg",
    "disk", "let", "expect", "at",     "after", "when", "every", "fuzz", "faults", "nil"};

Selector made(Kind kind, Place place) {
  Selector selector;
  selector.kind = kind;
  selector.place = place;
  return selector;
}

}  // namespace

std::vector<std::string_view> selector_words() {
  std::vector<std::string_view> words{"one"};
  for (const auto& [word, kind] : kWords) {
    words.push_back(word);
  }
  return words;
}

bool is_reserved(std::string_view name) {
  return read_node(name) || std::ranges::find(kGrammar, name) != kGrammar.end() ||
         std::ranges::any_of(kWords, [&](const auto& w) { return w.first == name; }) ||
         std::ranges::any_of(kSingular, [&](const auto& w) { return w.first == name; });
}

Selector LineParser::selector() { return term(0); }

Selector LineParser::selectors() {
  Selector first = selector();
  if (!lexer_.peek().is(",")) {
    return first;
  }
  Selector list = made(Kind::list, first.place);
  list.parts.push_back(std::move(first));
  while (lexer_.take(",")) {
    list.parts.push_back(selector());
  }
  return list;
}

Selector LineParser::term(int depth) {
  Selector result = primary(depth);
  while (lexer_.take_word("except")) {
    Selector except = made(Kind::except, result.place);
    except.parts.push_back(std::move(result));
    except.parts.push_back(primary(depth + 1));
    result = std::move(except);
    if (++depth > kMaxNesting) {
      fail_at(lexer_.peek(), "selectors are nested too deep");
    }
  }
  return result;
}

Selector LineParser::primary(int depth) {
  const Token token = lexer_.next();
  if (depth > kMaxNesting) {
    fail_at(token, "selectors are nested too deep");
  }
  if (token.is("{")) {
    return braces(token, depth);
  }
  if (token.kind != Token::Kind::word) {
    fail_at(token,
            token.kind == Token::Kind::end ? "expected a node or a set of nodes here"
                                           : "expected a node or a set of nodes, not '" + token.text + "'",
            "such as n1, leader, followers, {n1, n2}");
  }
  if (const auto node = read_node(token.text)) {
    use(NameUse::Kind::node, token, *node);
    Selector selector = made(Kind::node, lexer_.place(token));
    selector.node = NodeId(*node);
    return selector;
  }
  if (token.text == "one") {
    return picked(token, 1, depth);
  }
  const auto count = read_number(token.text);
  if (count) {
    if (*count == 0 || *count > kMaxNodes || !lexer_.peek().is_word("of")) {
      fail_at(token, "expected a node or a set of nodes, not a number",
              "such as '2 of followers', or n" + token.text);
    }
    return picked(token, *count, depth);
  }
  for (const auto& [word, kind] : kWords) {
    if (token.text == word) {
      if (kind == Kind::others && !others_allowed_) {
        fail_at(token, "'others' stands on the right of a link only", "did you mean 'all except ...'?");
      }
      return made(kind, lexer_.place(token));
    }
  }
  if (!is_name(token.text) || is_reserved(token.text)) {
    const bool singular =
        std::ranges::any_of(kSingular, [&](const auto& w) { return w.first == token.text; });
    fail_at(token, "expected a node or a set of nodes, not '" + token.text + "'",
            singular ? "did you mean 'one " + token.text + "'?" : did_you_mean(token.text, selector_words()));
  }
  use(NameUse::Kind::let, token);
  Selector selector = made(Kind::name, lexer_.place(token));
  selector.name = token.text;
  return selector;
}

Selector LineParser::picked(const Token& first, std::uint64_t count, int depth) {
  Selector pick = made(Kind::pick, lexer_.place(first));
  pick.count = count;
  lexer_.take_word("of");
  for (const auto& [word, kind] : kSingular) {
    if (lexer_.peek().is_word(word)) {
      pick.parts.push_back(made(kind, lexer_.place(lexer_.next())));
      return pick;
    }
  }
  pick.parts.push_back(primary(depth + 1));
  return pick;
}

Selector LineParser::braces(const Token& first, int depth) {
  Selector list = made(Kind::list, lexer_.place(first));
  do {
    list.parts.push_back(term(depth + 1));
  } while (lexer_.take(","));
  if (!lexer_.take("}")) {
    fail_at(lexer_.peek(), "expected ',' or '}'");
  }
  return list;
}

Link LineParser::link() {
  Link result;
  result.from = selectors();
  if (lexer_.take("<->")) {
    result.both_ways = true;
  } else if (!lexer_.take("->")) {
    fail_at(lexer_.peek(), "expected '->' or '<->'", "a link is written as n1 -> n2 or n1 <-> {n2, n3}");
  }
  others_allowed_ = true;
  result.to = selectors();
  others_allowed_ = false;
  return result;
}

}  // namespace kiwi::lab::script
