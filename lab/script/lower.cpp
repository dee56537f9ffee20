#include "lab/script/lower.hpp"

#include <algorithm>

#include "lab/script/format_parts.hpp"
#include "lab/script/lexer.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/source.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::script {
namespace {

std::string node_list(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) {
    text.append(text.empty() ? "n" : ",n").append(to_string(node));
  }
  return text;
}

std::vector<NodeId> concrete_nodes(const Selector& selector, const Token& verb) {
  std::vector<NodeId> nodes;
  const auto add = [&](const Selector& one) {
    if (one.kind != Selector::Kind::node) {
      fail_at(verb, "in a '!' line everything is concrete", "nodes are written as n1 or n1,n2");
    }
    nodes.push_back(one.node);
  };
  if (selector.kind == Selector::Kind::list) {
    std::ranges::for_each(selector.parts, add);
  } else {
    add(selector);
  }
  std::ranges::sort(nodes);
  nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
  return nodes;
}

void set_target(Action& action, const VerbCall& call, const Token& verb) {
  if (const auto* nodes = std::get_if<Selector>(&call.target)) {
    action.nodes = concrete_nodes(*nodes, verb);
  } else if (const auto* link = std::get_if<Link>(&call.target)) {
    action.nodes = concrete_nodes(link->from, verb);
    action.to = concrete_nodes(link->to, verb);
    action.both_ways = link->both_ways;
  } else if (const auto* load = std::get_if<std::string>(&call.target)) {
    action.words.insert(action.words.begin(), *load);
  }
}

int line_in(std::string_view comment) {
  constexpr std::string_view kLine = "# line ";
  const auto number = comment.starts_with(kLine) ? read_number(comment.substr(kLine.size())) : std::nullopt;
  return number && *number <= 100'000'000 ? static_cast<int>(*number) : 0;
}

}  // namespace

Action read_action(Lexer& lexer, LineParser& parts) {
  parts.concrete();
  Action action;
  action.at = parts.duration("a time behind '!'");
  const Token verb = lexer.peek();
  VerbCall call = parts.verb_call();
  parts.want_end();
  action.verb = std::move(call.verb);
  action.words = std::move(call.words);
  action.options = std::move(call.options);
  set_target(action, call, verb);
  action.line = line_in(lexer.comment());
  if (std::string wrong = wrong_action(action); !wrong.empty()) {
    fail_at(verb, std::move(wrong));
  }
  return action;
}

std::string lower(const Action& action) {
  const VerbRow* row = find_verb(action.verb);
  KIWI_ASSERT(row != nullptr, "an action has a verb of the table");
  std::string text = "! " + write_lowered_time(action.at) + "  " + action.verb;
  if (row->target == Target::redis) {
    text.append(action.nodes.empty() ? "" : " on " + node_list(action.nodes))
        .append(redis_text(action.words, action.options));
  } else {
    if (!action.nodes.empty()) {
      text.append(" ").append(node_list(action.nodes));
    }
    if (!action.to.empty()) {
      text.append(action.both_ways ? " <-> " : " -> ").append(node_list(action.to));
    }
    text.append(arguments_text(action.words, action.options));
  }
  return action.line > 0 ? text.append("  # line ").append(std::to_string(action.line)) : text;
}

tl::expected<Action, Error> read_lowered(std::string_view line) {
  const std::vector<std::string> files{"line"};
  ErrorList errors(files);
  SourceLine source{0, 1, 0, std::string(line.substr(0, kMaxLineBytes))};
  try {
    source = source_line(0, 1, line);
    Lexer lexer(source, 0, nullptr);
    const std::vector<std::string> no_loads;
    LineParser parts(lexer, no_loads, nullptr);
    if (!lexer.take("!")) {
      fail_at(lexer.peek(), "expected '!'");
    }
    return read_action(lexer, parts);
  } catch (const Mistake& mistake) {
    errors.add(source, mistake);
  }
  return tl::unexpected(errors.take().front());
}

}  // namespace kiwi::lab::script
