#pragma once

// Plays a script: its blocks beside each other, the lines of a block one after the other, as
// lab/script/ast.hpp says. What it decided is written down so that it can be played again: actions as steps
// of the record, what was expected as blocks.
//
// After a line that waited (an expectation, a mark, a predicate) the script goes on one nanosecond later,
// after everything else of that moment. So a replay, which knows only the time, does the next thing at the
// same place among all events. After a message or a disk call it goes on at once, for that is the moment
// meant.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lab/run/fuzzer.hpp"
#include "lab/run/run_state.hpp"
#include "lab/run/watches.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

class Player {
 public:
  Player(RunState& run, Watches& watches);

  /// Plans everything. Once, at time 0.
  void start();
  /// Nothing of the script is left to do.
  bool finished() const { return running_ == 0; }
  /// All that is left waits for events without a deadline.
  bool only_waits() const { return running_ > 0 && running_ == waiting_for_ever_; }
  /// When the longest-lived of these began to wait last.
  Time waiting_since() const { return waiting_since_; }
  /// Of events that never came, for the message: "mark vote.synced on leader".
  std::vector<std::string> waited_in_vain() const;
  /// Expectations, frozen, each as a block at its time: the lowered script keeps them.
  std::vector<script::Block> expectations() const;

 private:
  using Done = std::function<void()>;
  using Body = std::vector<script::Statement>;

  void play_chain(std::size_t block);
  void play(const script::Block& block, Done done);
  void play_when(const script::Block& block, Done done);
  void play_every(const script::Block& block, Time until, Time next, Done done);
  void play_fuzz(const script::Block& block, Done done);
  void play_body(const Body& body, std::size_t from, Done done);
  void later(Time at, Done what);

  void let(const script::Let& let);
  /// True: done at once. False: `done` is called when it is.
  bool call(const script::VerbCall& call, const Done& done);
  void expect(const script::Expect& expect, Done done);
  /// The error is a mistake of the script, which has been noted.
  bool concrete(const script::VerbCall& call, script::Action& action);
  /// A word of a RAFT command: "id:NAME" becomes the id of who NAME is now, "address:NAME" and "port:NAME"
  /// become concrete. Any other stays.
  std::string named_node(const std::string& word);
  /// Writes down that a line named nobody; false.
  bool nobody(const script::Action& action, const std::string& selector);
  void collect_in_vain(const script::Block& block, std::vector<std::string>& texts) const;
  void command(const script::Action& action, Done done);
  void swizzle(const script::Action& action);
  void act(const script::Action& action);

  RunState& run_;
  Watches& watches_;
  std::vector<script::Block> expectations_;
  std::vector<std::unique_ptr<Fuzzer>> fuzzers_;
  std::map<const script::Block*, std::string> in_vain_;  // looked up only
  std::uint64_t running_ = 0;
  std::uint64_t waiting_for_ever_ = 0;
  Time waiting_since_{0};
};

}  // namespace kiwi::lab
