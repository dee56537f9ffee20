#pragma once

// Did the clients see a store that keeps its promises? One call runs all checkers that apply; which one
// judged what is part of the result. What each proves and does not prove: docs/history.md.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/history/history.hpp"

namespace kiwi::lab::history {

/// A verdict other than pass never counts as green.
enum class Verdict : std::uint8_t {
  pass,
  fail,     // a promise was broken; findings say which
  unknown,  // the budget ran out, or keys could not be judged
  vacuous,  // nothing was tested
};
std::string_view to_string(Verdict verdict);
/// Exit codes of kiwi-fault: 0, 1, 2, 3.
int exit_code(Verdict verdict);

enum class Kind : std::uint8_t {
  not_linearizable,      // no order of the operations on a key explains the replies
  stale_read,            // ... but one would if a read had happened earlier than it was asked for
  lost_write,            // ... but one would if an acknowledged write had not happened
  duplicate_effect,      // ... but one would if an operation had happened twice
  refused_but_happened,  // ... but one would if a refused operation had happened
  phantom_value,         // a value that nobody ever wrote was read
  wrong_reply,           // a reply that this command cannot give: replies may have been mixed up
  session_went_back,     // a client saw an older state than it had seen, or written, before
  reply_order,           // replies on a connection not in the order of the requests, skipped, or unasked for
  commit_order,          // an operation that began after another one returned has a smaller log index
};
std::string_view to_string(Kind kind);
/// The invariant of docs/lab.md that is broken.
int invariant_number(Kind kind);

struct Options {
  /// Steps that all searches together may take; about a million a second. Beyond it: unknown.
  std::uint64_t budget = 5'000'000;
  /// Only keys that operations of this load touch (with all operations on them, of whatever load). Empty:
  /// all.
  std::string load;
  /// False for loads that ask for stale reads: only what holds for those too is checked (sessions, replies,
  /// no phantom values, nothing refused that happened).
  bool linearizable = true;
  /// Below these the verdict is vacuous: operations that are done; operations that overlapped another one on
  /// the same key.
  std::uint64_t min_done = 1;
  std::uint64_t min_overlapping = 0;
  /// True: keys that no checker understands do not turn a pass into unknown. They are counted either way.
  bool tolerate_unchecked = false;
  /// At most so many failing keys are explained.
  std::size_t max_findings = 3;
};

/// A broken promise.
struct Finding {
  Kind kind = Kind::not_linearizable;
  std::string checker;  // "zones", "counter", "search", "durability", "sessions", "replies", "commit order"
  std::string key;      // empty: not about one key
  std::string what;     // one sentence
  /// The smallest impossible part that was found, in the order of the calls. The times, replies and outcomes
  /// of these alone, whatever the others did, cannot be.
  std::vector<Operation> operations;
  /// Further operations on the key that are part of the proof only as "may have happened at any time or
  /// never".
  std::uint64_t others = 0;
  /// All of it as text for people, several lines.
  std::string explanation;
};

struct CheckerCount {
  std::uint64_t keys = 0;
  std::uint64_t operations = 0;
  friend bool operator==(const CheckerCount&, const CheckerCount&) = default;
};

struct Statistics {
  std::uint64_t operations = 0;
  std::uint64_t done = 0;
  std::uint64_t not_done = 0;
  std::uint64_t unknown = 0;
  std::uint64_t clients = 0;
  std::uint64_t keys = 0;
  /// Operations that overlapped another one on the same key in time.
  std::uint64_t overlapping = 0;
  /// By name of the checker of a key. Operations on several keys count once for each.
  std::map<std::string, CheckerCount> checkers;
  /// Keys with a time to live: judged as if each might vanish at any time after it was set, and so weakly.
  /// They are counted under their checker as well.
  std::uint64_t keys_with_expiry = 0;
  /// Keys touched by commands that no checker understands: judged by nothing but the order of replies.
  std::uint64_t keys_not_checked = 0;
  std::uint64_t operations_not_checked = 0;
  /// The names of those commands.
  std::vector<std::string> commands_not_understood;
  /// Keys whose search ran out of the budget.
  std::uint64_t keys_out_of_budget = 0;
  /// Reductions that were used: each is sound, and none is silent.
  std::uint64_t dropped_unknown_reads = 0;
  std::uint64_t dropped_unseen_writes = 0;
  std::uint64_t merged_attempts = 0;
  /// Where final reads were marked: keys with acknowledged writes that one of them covers, and those it
  /// missed.
  std::uint64_t keys_read_finally = 0;
  std::uint64_t keys_not_read_finally = 0;
  std::uint64_t search_steps = 0;
};

struct CheckResult {
  Verdict verdict = Verdict::vacuous;
  /// Who gave the verdict: the checker of the first finding, "search" for a spent budget, otherwise all that
  /// were used, joined by " + ".
  std::string checker;
  /// One sentence: why this verdict.
  std::string why;
  Statistics statistics;
  std::vector<Finding> findings;
  /// Of the first finding; empty without one.
  std::string explanation() const { return findings.empty() ? std::string() : findings.front().explanation; }
};

/// The same history and options give the same result.
CheckResult check(const History& history, const Options& options = {});

}  // namespace kiwi::lab::history
