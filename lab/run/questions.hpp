#pragma once

// What predicates say about the run now, or at its end.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lab/run/run_state.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

struct Answer {
  enum class State : std::uint8_t {
    yes,
    no,
    pending,      // a node has been asked and has not answered yet; asked again later it will be yes or no
    unsupported,  // nobody here can tell
  };
  State state = State::no;
  /// What is the case instead: "it is n2", for a message. May be empty.
  std::string why;
  /// The value of a predicate that gives a number.
  std::uint64_t number = 0;

  static Answer of(bool holds, std::string why = {}) {
    return {holds ? State::yes : State::no, std::move(why), 0};
  }
};

/// One for each line that asks: what nodes answered to an earlier line is no answer to this one.
class Questions {
 public:
  explicit Questions(RunState& run) : run_(run) {}

  /// `predicate` is frozen (selectors.hpp).
  Answer ask(const script::Predicate& predicate);
  /// Those of `finally` that need the whole run are the judge's (judge.hpp).
  static bool needs_whole_run(const script::Predicate& predicate);
  /// The answer may change without a change of any NodeView.
  static bool asks_nodes(const script::Predicate& predicate);

 private:
  struct Probe {
    bool asked = false;
    bool answered = false;
    Answer answer;
    Time at{0};
  };

  Answer positive(const script::Predicate& p);
  std::vector<NodeId> nodes_of(const script::Predicate& predicate);
  Answer compare_number(const script::Predicate& predicate, std::uint64_t left);
  Answer compare_nodes(const script::Predicate& predicate, const std::vector<NodeId>& left);
  Answer converged(const std::vector<NodeId>& nodes);
  Answer digest_equal(const std::vector<NodeId>& nodes);
  Answer role(const script::Predicate& predicate);
  Answer members(const script::Predicate& predicate);
  Answer key(const script::Predicate& predicate);
  Answer refuses(const script::Predicate& predicate);
  /// Sends the request unless its answer is there already.
  Answer probe(const std::string& what, Commands::Request request,
               std::function<Answer(const CommandResult&)> judge);

  RunState& run_;
  std::map<std::string, std::shared_ptr<Probe>> probes_;
  std::uint64_t writes_ = 0;
};

bool compare(script::Compare how, std::uint64_t left, std::uint64_t right);

}  // namespace kiwi::lab
