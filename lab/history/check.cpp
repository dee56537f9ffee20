#include "lab/history/check.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "lab/history/client_order.hpp"
#include "lab/history/direct.hpp"
#include "lab/history/explain.hpp"
#include "lab/history/judge.hpp"
#include "lab/history/prepare.hpp"

namespace kiwi::lab::history {
namespace {

class Check {
 public:
  Check(const History& history, const Options& options)
      : history_(history), options_(options), prepared_(prepare(history, options)) {}

  CheckResult run() {
    result_.statistics = prepared_.statistics;
    for (auto& finding : prepared_.findings) report(std::move(finding));
    report(check_replies(history_));
    report(check_commit_order(history_, prepared_));
    // Small keys first: one that eats the budget takes nothing from the others.
    std::vector<KeyHistory*> keys;
    for (auto& [name, key] : prepared_.keys) keys.push_back(&key);
    std::stable_sort(keys.begin(), keys.end(),
                     [](auto* a, auto* b) { return a->operations.size() < b->operations.size(); });
    for (auto* key : keys) judge_key(*key);
    conclude();
    return std::move(result_);
  }

 private:
  void report(std::optional<Finding> finding) {
    if (!finding)
      return;
    ++broken_;
    if (result_.findings.size() < options_.max_findings)
      result_.findings.push_back(std::move(*finding));
  }

  void count(std::string_view checker, const KeyHistory& key) {
    auto& counts = result_.statistics.checkers[std::string(checker)];
    ++counts.keys;
    counts.operations += key.operations.size();
  }

  void judge_key(KeyHistory& key) {
    auto& s = result_.statistics;
    if (key.not_understood) {
      ++s.keys_not_checked;
      s.operations_not_checked += key.operations.size();
      return;
    }
    if (key.expires)
      ++s.keys_with_expiry;
    note_final_reads(key);
    if (auto finding = check_values(history_, key)) {
      count("values", key);
      return report(std::move(finding));
    }
    auto finding = options_.linearizable ? check_durability(history_, key) : std::nullopt;
    if (!finding)
      finding = check_session(history_, key);
    if (!options_.linearizable) {
      count("sessions", key);
      return report(std::move(finding));
    }
    count(to_string(cheapest(key.operations)), key);
    judge_order(key, std::move(finding));
  }

  void note_final_reads(const KeyHistory& key) {
    if (!history_.marked_at(kFinalReads) || !has_acknowledged_writes(key))
      return;
    const bool read = std::any_of(key.operations.begin(), key.operations.end(),
                                  [&](const KeyOperation& o) { return is_final_read(history_, o); });
    ++(read ? result_.statistics.keys_read_finally : result_.statistics.keys_not_read_finally);
  }

  /// `direct` is what the direct checks found.
  void judge_order(KeyHistory& key, std::optional<Finding> direct) {
    auto& s = result_.statistics;
    // These say best what went wrong. Of other sums that are off, the order of the key shows where they left
    // it.
    if (direct && (direct->kind == Kind::lost_write || direct->kind == Kind::session_went_back))
      return report(std::move(direct));
    auto copy = key.operations;
    s.dropped_unseen_writes += drop_unseen_writes(copy);
    const auto left = budget_;
    const auto verdict = judge(key.operations, key.values, budget_);
    s.search_steps += left - budget_;
    if (verdict.is != KeyVerdict::Is::bad) {
      if (verdict.is == KeyVerdict::Is::undecided)
        ++s.keys_out_of_budget;
      return report(std::move(direct));
    }
    if (result_.findings.size() < options_.max_findings)
      report(explain(history_, key, verdict, std::max<std::uint64_t>(options_.budget, 1'000'000)));
    else
      ++broken_;
  }

  std::string all_checkers() const {
    std::string names;
    for (const auto& [name, counts] : result_.statistics.checkers)
      names += (names.empty() ? "" : " + ") + name;
    return names;
  }

  void give(Verdict verdict, std::string checker, std::string why) {
    result_.verdict = verdict;
    result_.checker = std::move(checker);
    result_.why = std::move(why);
  }

  void conclude() {
    const auto& s = result_.statistics;
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    if (broken_ > 0) {
      if (result_.findings.empty())  // none was asked for
        return give(Verdict::fail, "", number(broken_) + " promises were broken");
      const auto& first = result_.findings.front();
      return give(Verdict::fail, first.checker,
                  first.what + (broken_ > 1 ? " (and " + number(broken_ - 1) + " more)" : ""));
    }
    if (s.done < options_.min_done)
      return give(
          Verdict::vacuous, "",
          "only " + number(s.done) + " operations are done, " + number(options_.min_done) + " are asked for");
    if (s.overlapping < options_.min_overlapping)
      return give(Verdict::vacuous, "",
                  "only " + number(s.overlapping) + " operations overlapped another one, " +
                      number(options_.min_overlapping) + " are asked for");
    if (s.keys == s.keys_not_checked)
      return give(Verdict::vacuous, "", "no key was checked");
    if (s.keys_out_of_budget > 0)
      return give(
          Verdict::unknown, "search",
          "the budget ran out on " + number(s.keys_out_of_budget) + " of " + number(s.keys) + " keys");
    if (s.keys_not_checked > 0 && !options_.tolerate_unchecked)
      return give(Verdict::unknown, "",
                  number(s.keys_not_checked) + " of " + number(s.keys) + " keys could not be checked");
    give(Verdict::pass, all_checkers(), number(s.done) + " operations on " + number(s.keys) + " keys hold");
  }

  const History& history_;
  const Options& options_;
  Prepared prepared_;
  CheckResult result_;
  std::uint64_t budget_ = options_.budget;
  std::uint64_t broken_ = 0;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::unknown:
      return "unknown";
    case Verdict::vacuous:
      return "vacuous";
  }
  return "?";
}

int exit_code(Verdict verdict) {
  return verdict == Verdict::pass ? 0 : verdict == Verdict::fail ? 1 : verdict == Verdict::unknown ? 2 : 3;
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::not_linearizable:
      return "not linearizable";
    case Kind::stale_read:
      return "stale read";
    case Kind::lost_write:
      return "lost write";
    case Kind::duplicate_effect:
      return "duplicate effect";
    case Kind::refused_but_happened:
      return "refused but happened";
    case Kind::phantom_value:
      return "phantom value";
    case Kind::wrong_reply:
      return "wrong reply";
    case Kind::session_went_back:
      return "session went back";
    case Kind::reply_order:
      return "reply order";
    case Kind::commit_order:
      return "commit order";
  }
  return "?";
}

int invariant_number(Kind kind) {
  switch (kind) {
    case Kind::duplicate_effect:
      return 22;
    case Kind::phantom_value:
      return 23;
    case Kind::session_went_back:
      return 24;
    case Kind::reply_order:
    case Kind::wrong_reply:
      return 25;
    case Kind::refused_but_happened:
      return 26;
    case Kind::lost_write:
      return 31;
    case Kind::not_linearizable:
    case Kind::stale_read:
    case Kind::commit_order:
      break;
  }
  return 18;
}

CheckResult check(const History& history, const Options& options) { return Check(history, options).run(); }

}  // namespace kiwi::lab::history
