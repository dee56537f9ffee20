#pragma once

// The table of predicates, as the table of verbs: parser, errors, help and reference page read it.

#include <span>
#include <string_view>

#include "lab/script/spec.hpp"

namespace kiwi::lab::script {

/// What a predicate gives when nothing is compared.
enum class ResultKind {
  truth,     // it holds or not; no comparison allowed
  number,    // compared with a number, or with another predicate that gives a number (=, !=, <, <=, >, >=)
  duration,  // compared with a duration
  node,      // a node or nobody; alone: "there is one"; compared with a selector (=, !=)
  nodes,     // a set; compared with a selector (=, !=)
  role,      // compared with a role: follower, candidate, leader, learner (=, !=)
  text,      // compared with a word (=, !=)
};

enum class ParameterKind {
  nodes,  // one argument: a selector; several, separated by commas, mean their union
  loads,  // names of loads, one or more
  load,   // the name of one load
  fault,  // a kind of fault (fault_kinds()), one or more
  mark,   // the name of a mark, one or more
  none,
};

/// Where a predicate may stand; bits.
inline constexpr unsigned kInEvents = 1;   // expect, when
inline constexpr unsigned kInAlways = 2;   // always
inline constexpr unsigned kInFinally = 4;  // finally
inline constexpr unsigned kValue = 8;      // right side of a comparison, and `let name = predicate(...)`

struct PredicateRow {
  std::string_view name;
  ResultKind result = ResultKind::truth;
  ParameterKind parameter = ParameterKind::none;
  bool optional_parameter = false;
  std::span<const ValueSpec> options = {};  // key=value arguments
  unsigned where = kInEvents;
  /// A comparison must follow (`gap(L1) < 2s`).
  bool compared = false;
  std::string_view summary;
  std::string_view help;
  std::string_view example;  // a predicate, parsed by a test
};

std::span<const PredicateRow> predicates();
const PredicateRow* find_predicate(std::string_view name);
inline constexpr std::string_view kRoles = "follower|candidate|leader|learner";

}  // namespace kiwi::lab::script
