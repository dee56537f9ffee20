#pragma once

// What the script waits for: predicates to hold, marks to be passed, messages and disk calls to be seen.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/run/questions.hpp"

namespace kiwi::lab {

class Watches {
 public:
  using Id = std::uint64_t;
  /// The answer when it ended: `yes`, or the last one before the deadline.
  using Ended = std::function<void(const Answer&)>;

  explicit Watches(RunState& run) : run_(run) {}

  /// Ends with yes when all hold at one moment, looked at now and after everything that happens, a last time
  /// exactly at the deadline. Without a deadline it waits for ever.
  Id until(std::vector<script::Predicate> predicates, std::optional<Time> deadline, Ended ended);
  /// Ends with yes at `end` when all held at every moment since now, with no as soon as one does not.
  Id throughout(std::vector<script::Predicate> predicates, Time end, Ended ended);
  /// The answer as of now, as soon as those who are asked have answered.
  Id once(std::vector<script::Predicate> predicates, Ended ended);
  /// The next event of this kind (not a predicate).
  Id event(script::Event event, std::optional<Time> deadline, Ended ended);

  /// Looks at all predicates. To be called whenever something happened.
  void look();
  void marked(NodeId node, std::string_view mark);
  void happened(const Happening& happening);
  /// Whether look() has anything to look at.
  bool idle() const { return predicates_ == 0; }
  /// Watches without a deadline.
  std::uint64_t waiting_for_ever() const { return for_ever_; }

 private:
  enum class Mode { until, throughout, once, event };
  struct Watch {
    Mode mode = Mode::until;
    std::vector<script::Predicate> predicates;
    std::optional<script::Event> event;
    std::optional<Time> deadline;
    Ended ended;
    std::unique_ptr<Questions> questions;
    Timeline::Id timer = 0;
    Timeline::Id poll = 0;
    Answer last;
  };
  Id add(Watch watch);
  void look_at(Id id, bool at_deadline);
  void end(Id id, const Answer& answer);
  Answer ask_all(Watch& watch);
  template <class Matches>
  void end_where(Matches matches);
  bool matches(const script::Event& event, const Happening& happening);
  bool on_link(const script::Link& link, NodeId from, NodeId to);
  bool concerns(const script::Selector& selector, NodeId node);

  RunState& run_;
  std::map<Id, Watch> watches_;
  Id last_id_ = 0;
  std::uint64_t predicates_ = 0;
  std::uint64_t for_ever_ = 0;
};

}  // namespace kiwi::lab
