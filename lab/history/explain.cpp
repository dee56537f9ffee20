#include "lab/history/explain.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace kiwi::lab::history {
namespace {

using Operations = std::vector<KeyOperation>;

/// One judgement on the way takes at most this many steps of a search.
constexpr std::uint64_t kStepsPerTry = 200'000;
/// Beyond this the question what would make it legal is not asked of a search.
constexpr std::size_t kMaxOperationsAsked = 2'000;

class Explanation {
 public:
  Explanation(const History& history, KeyHistory& key, std::uint64_t steps)
      : history_(history), key_(key), steps_(steps) {}

  Finding run(const KeyVerdict& verdict) {
    checker_ = cheapest(key_.operations);
    operations_ = key_.operations;
    if (checker_ == Checker::zones && !verdict.suspects.empty())
      keep_only(verdict.suspects);
    else if (checker_ == Checker::search)
      cut_to_prefix();
    kept_.assign(operations_.size(), true);
    if (checker_ == Checker::counter && !verdict.suspects.empty())
      try_just(verdict.suspects);
    forget_as_many_as_possible();
    return finding();
  }

 private:
  /// Budget spent on this judgement is charged, also for the quick checkers: one step for each operation.
  bool is_bad(const Operations& operations) {
    if (steps_ == 0)
      return false;
    steps_ -= std::min<std::uint64_t>(steps_, operations.size());
    const auto granted = std::min(steps_, kStepsPerTry);
    auto left = granted;
    const auto verdict = judge(operations, key_.values, left);
    steps_ -= granted - left;
    return verdict.is == KeyVerdict::Is::bad;
  }

  /// Values of a register in which all are different: without all operations of some values the others stay
  /// as they were. A set that saw a value which is left out becomes a blind one.
  void keep_only(const std::vector<std::uint32_t>& suspects) {
    Operations part;
    std::set<ValueId> written{kAbsent};
    for (const auto i : suspects) {
      part.push_back(operations_[i]);
      if (writes(operations_[i]))
        written.insert(operations_[i].value);
    }
    std::set<ValueId> written_by_others;
    for (const auto& o : operations_)
      if (writes(o) && written.count(o.value) == 0)
        written_by_others.insert(o.value);
    for (auto& o : part)
      if (o.action == Action::set && o.seen == Seen::value && written_by_others.count(o.seen_value) != 0)
        o.seen = Seen::nothing, o.seen_value = kAbsent;
    if (is_bad(part))
      operations_ = std::move(part);
  }

  /// What was known at a place in time: later calls and returns have not happened yet.
  Operations until(Place end) const {
    Operations known;
    for (const auto& o : operations_) {
      if (o.call > end)
        break;
      if (o.ret <= end || o.unknown())
        known.push_back(o);
      else if (writes(o))
        known.push_back(forgotten(o));
    }
    return known;
  }

  /// A prefix of a linearizable history is linearizable: so there is a first bad one.
  void cut_to_prefix() {
    std::vector<Place> returns;
    for (const auto& o : operations_)
      if (!o.unknown())
        returns.push_back(o.ret);
    std::sort(returns.begin(), returns.end());
    std::size_t good = 0;  // of the first `good` returns it is not known that they are bad
    std::size_t bad = returns.size();
    while (good + 1 < bad) {
      const auto middle = good + (bad - good) / 2;
      (is_bad(until(returns[middle - 1])) ? bad : good) = middle;
    }
    if (bad > 0 && bad < returns.size())
      operations_ = until(returns[bad - 1]);
  }

  Operations rest(const std::vector<bool>& kept) const {
    Operations left;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (kept[i] || operations_[i].unknown())
        left.push_back(operations_[i]);
      else if (writes(operations_[i]))
        left.push_back(forgotten(operations_[i]));
    }
    drop_unseen_writes(left);
    return left;
  }

  void try_just(const std::vector<std::uint32_t>& suspects) {
    std::vector<bool> kept(operations_.size());
    for (const auto i : suspects) kept[i] = true;
    if (is_bad(rest(kept)))
      kept_ = std::move(kept);
    // Where the values leave the row: to be shown also when counting the others is proof enough.
    neighbours_.assign(suspects.begin(),
                       suspects.begin() + std::min<std::ptrdiff_t>(2, std::ssize(suspects)));
  }

  /// Halves first, then smaller and smaller pieces, until no single operation can be forgotten.
  void forget_as_many_as_possible() {
    std::vector<std::uint32_t> order;
    const auto collect = [&] {
      order.clear();
      for (std::uint32_t i = 0; i < operations_.size(); ++i)
        if (kept_[i] && !operations_[i].unknown())
          order.push_back(i);
    };
    collect();
    for (auto size = std::max<std::size_t>(1, order.size() / 2);; size = std::max<std::size_t>(1, size / 2)) {
      bool forgot = false;
      for (std::size_t begin = 0; begin < order.size() && steps_ > 0; begin += size) {
        auto kept = kept_;
        for (auto k = begin; k < std::min(order.size(), begin + size); ++k) kept[order[k]] = false;
        if (is_bad(rest(kept))) {
          kept_ = std::move(kept);
          forgot = true;
        }
      }
      collect();
      if (steps_ == 0 || (size == 1 && !forgot))
        return;
    }
  }

  // ---- what went wrong
  // -----------------------------------------------------------------------------------------

  bool is_good(const Operations& operations) {
    auto left = kStepsPerTry;
    Operations sorted = operations;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const KeyOperation& a, const KeyOperation& b) { return a.call < b.call; });
    return judge(sorted, key_.values, left).is == KeyVerdict::Is::good;
  }

  /// A refused operation without which the part is impossible; all of them if no single one will do.
  Operations refused_ones(const Operations& part) {
    if (key_.refused.empty())
      return {};
    auto all = part;
    all.insert(all.end(), key_.refused.begin(), key_.refused.end());
    if (!is_good(all))
      return {};
    for (std::size_t i = 0; i < std::min<std::size_t>(key_.refused.size(), 200); ++i) {
      auto with_one = part;
      with_one.push_back(key_.refused[i]);
      if (is_good(with_one))
        return {key_.refused[i]};
    }
    return key_.refused;
  }

  bool good_if_repeated(const Operations& part) {
    auto twice = part;
    for (const auto& o : part)
      if (o.action == Action::add || o.action == Action::append)
        twice.push_back(forgotten(o));
    return twice.size() > part.size() && is_good(twice);
  }

  bool good_if_read_earlier(const Operations& part) {
    auto stale = part;
    bool any = false;
    for (auto& o : stale)
      if (o.action == Action::read) {
        o.call = -1;
        any = true;
      }
    return any && is_good(stale);
  }

  bool good_without_one(const Operations& part) {
    for (std::size_t i = 0; i < part.size(); ++i)
      if (writes(part[i]) && !part[i].unknown()) {
        auto without = part;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
        if (is_good(without))
          return true;
      }
    return false;
  }

  static std::string sentence(Kind kind) {
    switch (kind) {
      case Kind::refused_but_happened:
        return "an operation was refused, and yet it happened";
      case Kind::duplicate_effect:
        return "an operation took effect twice";
      case Kind::stale_read:
        return "a read gave an older value than the one it had to see";
      case Kind::lost_write:
        return "an acknowledged write is missing";
      case Kind::wrong_reply:
        return "a reply that this command cannot give";
      default:
        return "no order of the operations explains the replies";
    }
  }

  Finding finding() {
    const auto part = rest(kept_);
    Finding found;
    found.checker = to_string(checker_);
    found.key = key_.key;
    Operations refused;
    if (std::any_of(part.begin(), part.end(),
                    [](const KeyOperation& o) { return o.seen == Seen::impossible; }))
      found.kind = Kind::wrong_reply;
    else if (checker_ != Checker::search || part.size() <= kMaxOperationsAsked) {
      refused = refused_ones(part);
      if (!refused.empty())
        found.kind = Kind::refused_but_happened;
      else if (good_if_repeated(part))
        found.kind = Kind::duplicate_effect;
      else if (good_if_read_earlier(part))
        found.kind = Kind::stale_read;
      else if (good_without_one(part))
        found.kind = Kind::lost_write;
    }
    found.what = "key " + key_.key + ": " + sentence(found.kind);
    if (found.kind == Kind::refused_but_happened && good_if_repeated(part))
      found.what += ", or another one took effect twice";
    show(part, refused, found);
    found.explanation = explanation_text(found);
    return found;
  }

  void show(const Operations& part, const Operations& refused, Finding& found) const {
    std::set<std::uint32_t> shown;
    std::set<ValueId> seen;
    for (std::size_t i = 0; i < operations_.size(); ++i)
      if (kept_[i] && !operations_[i].unknown()) {
        shown.insert(operations_[i].origin);
        if (operations_[i].seen == Seen::value && operations_[i].seen_value != kAbsent)
          seen.insert(operations_[i].seen_value);
      }
    for (const auto& o : part)
      if (o.value != kAbsent && seen.count(o.value) != 0)
        shown.insert(o.origin);
    for (const auto i : neighbours_) shown.insert(operations_[i].origin);
    for (std::size_t i = 0; i < std::min<std::size_t>(refused.size(), 5); ++i)
      shown.insert(refused[i].origin);
    for (const auto origin : shown) found.operations.push_back(history_.operations()[origin]);
    for (const auto& o : part) found.others += shown.count(o.origin) == 0 ? 1 : 0;
  }

  const History& history_;
  KeyHistory& key_;
  std::uint64_t steps_;
  Checker checker_ = Checker::search;
  Operations operations_;
  std::vector<bool> kept_;
  std::vector<std::uint32_t> neighbours_;
};

}  // namespace

Finding explain(const History& history, KeyHistory& key, const KeyVerdict& verdict, std::uint64_t steps) {
  return Explanation(history, key, steps).run(verdict);
}

std::string explanation_text(const Finding& finding) {
  auto text = finding.what + "\n";
  for (const auto& operation : finding.operations) text += "  " + describe(operation) + "\n";
  if (finding.others > 0)
    text += "  and " + std::to_string(finding.others) + " more write" + (finding.others == 1 ? "" : "s") +
            " on the key, which may have happened at any time after the call, or never\n";
  return text;
}

}  // namespace kiwi::lab::history
