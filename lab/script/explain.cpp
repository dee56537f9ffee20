#include "lab/script/explain.hpp"

#include <algorithm>

#include "lab/script/format.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::script {
namespace {

using Kind = Selector::Kind;

std::string listed(const std::vector<std::string>& parts, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text.append(i == 0 ? "" : i + 1 == parts.size() ? last : std::string_view(", ")).append(parts[i]);
  }
  return text;
}

std::string union_of(const std::vector<Selector>& selectors) {
  std::vector<std::string> parts;
  for (const auto& selector : selectors) {
    parts.push_back(explain(selector));
  }
  return listed(parts, " and ");
}

std::string_view compare_words(Compare compare) {
  constexpr std::string_view kWords[] = {"is",         "is not",       "is less than",
                                         "is at most", "is more than", "is at least"};
  return kWords[static_cast<std::size_t>(compare)];
}

std::string operand(const Predicate& predicate) {
  const auto& value = predicate.right.value;
  if (const auto* selector = std::get_if<Selector>(&value)) {
    return explain(*selector);
  }
  if (const auto* inner = std::get_if<std::vector<Predicate>>(&value)) {
    return explain(inner->at(0));
  }
  Predicate bare;
  bare.name = "leader";
  bare.compare = Compare::equal;
  bare.right = predicate.right;
  constexpr std::string_view kFront = "leader = ";
  return to_text(bare).substr(kFront.size());
}

/// "the applied index of n1" and its like, to be followed by a comparison.
std::string quantity(const Predicate& predicate) {
  if (predicate.name == "key") {
    return "the value of key " + word_text(predicate.names.at(0));
  }
  std::string text = "the " + predicate.name;
  std::ranges::replace(text, '-', ' ');
  if (predicate.name == "gap") {
    text = "the longest time without a success";
  } else if (predicate.name == "leaders") {
    text = "the number of leaders";
  } else if (predicate.name == "leader-changes") {
    text = "the number of changes of leader";
  } else if (predicate.name == "applied" || predicate.name == "commit" || predicate.name == "last" ||
             predicate.name == "purged") {
    text.append(" index");
  }
  if (!predicate.nodes.empty()) {
    text.append(" of ").append(union_of(predicate.nodes));
  } else if (!predicate.names.empty()) {
    text.append(" of ").append(listed(predicate.names, " and "));
  }
  return text;
}

}  // namespace

std::string explain(const Selector& selector) {
  switch (selector.kind) {
    case Kind::node:
    case Kind::name:
      return to_text(selector);
    case Kind::leader:
      return "the leader";
    case Kind::candidate:
      return "the candidate of the highest term";
    case Kind::lagging:
      return "the node that lags most";
    case Kind::all:
      return "all nodes";
    case Kind::others:
      return "all others";
    case Kind::voters:
      return "the voters";
    case Kind::followers:
      return "the followers";
    case Kind::learners:
      return "the learners";
    case Kind::majority:
      return "a majority drawn by chance";
    case Kind::minority:
      return "a minority drawn by chance";
    case Kind::up:
      return "the nodes that are up";
    case Kind::down:
      return "the nodes that are down";
    case Kind::pick:
      return (selector.count == 1 ? "one" : std::to_string(selector.count)) + " of " +
             explain(selector.parts.at(0));
    case Kind::list:
      return union_of(selector.parts);
    case Kind::except:
      return explain(selector.parts.at(0)) + " except " + explain(selector.parts.at(1));
  }
  return {};
}

std::string explain(const Predicate& predicate) {
  const std::string no = predicate.negated ? "not: " : "";
  if (predicate.compare) {
    return no + quantity(predicate) + " " + std::string(compare_words(*predicate.compare)) + " " +
           operand(predicate);
  }
  const PredicateRow* row = find_predicate(predicate.name);
  KIWI_ASSERT(row != nullptr, "a predicate has a row of the table");
  if (row->result != ResultKind::truth) {
    return no + (predicate.name == "leader" ? "there is a leader" : quantity(predicate));
  }
  std::string text = no + to_text(predicate).substr(predicate.negated ? 4 : 0);
  return text.append(" (").append(row->summary).append(")");
}

std::string explain(const VerbCall& call) {
  const VerbRow* row = find_verb(call.verb);
  KIWI_ASSERT(row != nullptr, "a call has a verb of the table");
  if (call.verb == "note") {
    return "note: " + call.words.at(0);
  }
  std::string text = call.verb;
  if (row->target == Target::redis) {
    const auto* node = std::get_if<Selector>(&call.target);
    VerbCall bare = call;
    bare.target = {};
    bare.options.erase("as");
    bare.options.erase("reply");
    text = "send " + to_text(bare).substr(3) + (node != nullptr ? " to " + explain(*node) : "");
    const auto as = call.options.find("as");
    const auto reply = call.options.find("reply");
    text.append(as != call.options.end() ? " as client " + as->second : "");
    return text.append(reply != call.options.end() ? "; the reply must be " + reply->second
                                                   : "; the reply must be no error");
  }
  if (const auto* nodes = std::get_if<Selector>(&call.target)) {
    text.append(" ").append(explain(*nodes));
  } else if (const auto* link = std::get_if<Link>(&call.target)) {
    text.append(link->both_ways ? " between " : " from ").append(explain(link->from));
    text.append(link->both_ways ? " and " : " to ").append(explain(link->to));
  } else if (const auto* load = std::get_if<std::string>(&call.target)) {
    text.append(" load ").append(*load);
  }
  for (const auto& word : call.words) {
    text.append(" ").append(word_text(word));
  }
  for (const auto& [key, value] : call.options) {
    text.append(", ").append(key).append(" ").append(word_text(value));
  }
  return text.append(": ").append(row->summary);
}

}  // namespace kiwi::lab::script
