#include "lab/history/client_order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "lab/history/explain.hpp"
#include "lab/history/judge.hpp"

namespace kiwi::lab::history {
namespace {

Finding found(Kind kind, std::string checker, std::string key, std::string what,
              std::vector<Operation> operations) {
  Finding finding;
  finding.kind = kind;
  finding.checker = std::move(checker);
  finding.key = std::move(key);
  finding.what = std::move(what);
  finding.operations = std::move(operations);
  finding.explanation = explanation_text(finding);
  return finding;
}

constexpr std::uint32_t kNobody = UINT32_MAX;

/// What one client has learned of one key so far.
struct View {
  /// The write that was called last among those whose effect the client knows to have happened.
  const KeyOperation* newest = nullptr;
  const KeyOperation* newest_seen_by = nullptr;
  /// Values that it saw and that it saw replaced.
  std::map<ValueId, const KeyOperation*> left;
  const KeyOperation* last = nullptr;  // gave `current`
  ValueId current = kAbsent;
  bool has_current = false;
  /// Counters: the furthest value.
  const KeyOperation* furthest = nullptr;
  std::int64_t number = 0;
  /// Returned to the client only after a later call of it.
  std::vector<const KeyOperation*> pending;
};

class Session {
 public:
  Session(const History& history, const KeyHistory& key) : history_(history), key_(key) {
    const auto& ops = key.operations;
    foreseen_ = is_foreseen(ops);
    bool other = false;
    for (const auto& o : ops) {
      up_ = up_ || (o.action == Action::add && o.delta > 0);
      down_ = down_ || (o.action == Action::add && o.delta < 0);
      other = other || (o.action != Action::add && o.action != Action::read);
      removes_ = removes_ || o.action == Action::remove;
    }
    counts_ = !foreseen_ && !other && up_ != down_;
    writer_.assign(key.values.size(), kNobody);
    for (std::uint32_t i = 0; i < ops.size(); ++i)
      if (writes(ops[i]) && ops[i].action != Action::remove)
        writer_[ops[i].value] = writer_[ops[i].value] == kNobody ? i : kSeveral;
  }

  std::optional<Finding> run() {
    if (!foreseen_ && !counts_)
      return std::nullopt;
    for (const auto& o : key_.operations) {
      if (o.unknown())
        continue;
      auto& view = views_[operation(o).client];
      take_in_returned(o.call, view);
      if (auto finding = counts_ ? counted(o, view) : judged(o, view))
        return finding;
      view.pending.push_back(&o);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kSeveral = UINT32_MAX - 1;

  const Operation& operation(const KeyOperation& o) const { return history_.operations()[o.origin]; }
  const KeyOperation* only_writer(ValueId v) const {
    return v != kAbsent && writer_[v] < kSeveral ? &key_.operations[writer_[v]] : nullptr;
  }
  /// A value that the key has at most once.
  bool is_single(ValueId v) const { return v == kAbsent ? !removes_ : only_writer(v) != nullptr; }

  void take_in_returned(Place now, View& view) {
    std::sort(view.pending.begin(), view.pending.end(), [](auto* a, auto* b) { return a->ret < b->ret; });
    std::size_t taken = 0;
    for (; taken < view.pending.size() && view.pending[taken]->ret < now; ++taken)
      learn(*view.pending[taken], view);
    view.pending.erase(view.pending.begin(), view.pending.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void learn(const KeyOperation& o, View& view) {
    if (counts_) {
      const auto number = shown_number(o);
      if (number && (view.furthest == nullptr || before(view.number, *number))) {
        view.number = *number;
        view.furthest = &o;
      }
      return;
    }
    if (o.seen == Seen::value)
      learn_value(o.seen_value, only_writer(o.seen_value), o, view);
    if (writes(o) && o.action != Action::remove && (o.action == Action::set || o.seen != Seen::nothing))
      learn_value(o.value, &o, o, view);
    else if (writes(o))
      view.has_current = false;
  }

  void learn_value(ValueId v, const KeyOperation* write, const KeyOperation& by, View& view) {
    if (write != nullptr && (view.newest == nullptr || view.newest->call < write->call)) {
      view.newest = write;
      view.newest_seen_by = &by;
    }
    // Of two that overlapped (pipelined by the client) it is open which came first.
    if (view.has_current && view.current != v && (view.last == &by || view.last->ret < by.call))
      view.left.emplace(view.current, view.last);
    view.current = v;
    view.last = &by;
    view.has_current = true;
  }

  std::optional<Finding> judged(const KeyOperation& o, const View& view) const {
    if (o.seen != Seen::value || !is_single(o.seen_value))
      return std::nullopt;
    const auto* write = only_writer(o.seen_value);
    const auto written_by = write != nullptr ? write->ret : Place{-1};
    // What it sees was complete before what it knows already began.
    if (view.newest != nullptr && written_by < view.newest->call)
      return went_back(o, {view.newest, view.newest_seen_by, write});
    if (const auto left = view.left.find(o.seen_value);
        left != view.left.end() && !(view.has_current && view.current == o.seen_value))
      return went_back(o, {left->second, view.last, write});
    return std::nullopt;
  }

  std::optional<std::int64_t> shown_number(const KeyOperation& o) const {
    if (o.action == Action::add)
      return o.seen == Seen::number ? std::optional(o.seen_number) : std::nullopt;
    return o.seen == Seen::value ? key_.values.integer(o.seen_value) : std::nullopt;
  }
  bool before(std::int64_t a, std::int64_t b) const { return up_ ? a < b : b < a; }

  std::optional<Finding> counted(const KeyOperation& o, const View& view) const {
    const auto number = shown_number(o);
    if (!number || view.furthest == nullptr)
      return std::nullopt;
    // An increment of its own goes further than everything seen before.
    if (before(*number, view.number) || (o.action == Action::add && *number == view.number))
      return went_back(o, {view.furthest});
    return std::nullopt;
  }

  Finding went_back(const KeyOperation& o, std::vector<const KeyOperation*> because) const {
    std::set<std::uint32_t> origins{o.origin};
    for (const auto* other : because)
      if (other != nullptr)
        origins.insert(other->origin);
    std::vector<Operation> operations;
    for (const auto origin : origins) operations.push_back(history_.operations()[origin]);
    return found(Kind::session_went_back, "sessions", key_.key,
                 "key " + key_.key + ": client " + std::to_string(operation(o).client) +
                     " saw an older state (#" + std::to_string(operation(o).number) +
                     ") than it knew already",
                 std::move(operations));
  }

  const History& history_;
  const KeyHistory& key_;
  bool foreseen_ = false;
  bool counts_ = false;
  bool up_ = false;
  bool down_ = false;
  bool removes_ = false;
  std::vector<std::uint32_t> writer_;  // by value: position in operations, kNobody or kSeveral
  std::map<std::uint64_t, View> views_;
};

}  // namespace

std::optional<Finding> check_session(const History& history, const KeyHistory& key) {
  return Session(history, key).run();
}

std::optional<Finding> check_replies(const History& history) {
  if (!history.surplus_replies().empty()) {
    const auto& surplus = history.surplus_replies().front();
    return found(Kind::reply_order, "replies", "",
                 "connection " + std::to_string(surplus.connection) +
                     " got a reply that nobody had asked for: " + describe(surplus.reply),
                 {});
  }
  struct Connection {
    const Operation* last_replied = nullptr;
    const Operation* skipped = nullptr;
  };
  std::map<std::uint64_t, Connection> connections;
  for (const auto& o : history.operations()) {
    if (o.connection == 0)
      continue;
    auto& connection = connections[o.connection];
    const bool replied = o.returned_at && (o.reply || o.outcome == Outcome::done);
    if (!replied) {
      // One that was refused before it was sent takes no place among the replies.
      if (o.outcome == Outcome::unknown && connection.skipped == nullptr)
        connection.skipped = &o;
      continue;
    }
    const auto* last = connection.last_replied;
    if (connection.skipped != nullptr)
      return found(
          Kind::reply_order, "replies", "",
          "connection " + std::to_string(o.connection) + ": a reply came although an earlier one is missing",
          {*connection.skipped, o});
    const bool ordered = last == nullptr || last->returned_order == 0 || o.returned_order == 0
                             ? last == nullptr || *last->returned_at <= *o.returned_at
                             : last->returned_order < o.returned_order;
    if (!ordered)
      return found(
          Kind::reply_order, "replies", "",
          "connection " + std::to_string(o.connection) + ": replies came in another order than the requests",
          {*last, o});
    connection.last_replied = &o;
  }
  return std::nullopt;
}

std::optional<Finding> check_commit_order(const History& history, const Prepared& prepared) {
  std::vector<std::pair<Place, std::uint32_t>> calls;
  std::vector<std::pair<Place, std::uint32_t>> returns;
  const auto& operations = history.operations();
  for (std::uint32_t i = 0; i < operations.size(); ++i)
    if (operations[i].index && operations[i].outcome == Outcome::done && !prepared.merged_away[i]) {
      calls.emplace_back(prepared.spans[i].call, i);
      returns.emplace_back(prepared.spans[i].ret, i);
    }
  std::sort(calls.begin(), calls.end());
  std::sort(returns.begin(), returns.end());
  const Operation* highest = nullptr;
  std::size_t next = 0;
  for (const auto& [call, i] : calls) {
    for (; next < returns.size() && returns[next].first < call; ++next) {
      const auto& returned = operations[returns[next].second];
      if (highest == nullptr || *highest->index < *returned.index)
        highest = &returned;
    }
    if (highest != nullptr && *operations[i].index < *highest->index)
      return found(Kind::commit_order, "commit order", "",
                   "a write that was called after another one returned stands before it in the log",
                   {*highest, operations[i]});
  }
  return std::nullopt;
}

}  // namespace kiwi::lab::history
