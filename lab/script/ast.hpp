#pragma once

// A scenario as it was understood. Plain values: the runner walks them, the shrinker cuts them, to_text()
// (lab/script/format.hpp) writes them back.
//
// WHAT LINES MEAN (the reference for users is docs/lab.md; this is the contract with the runner)
//
//  Belonging   A line that is indented deeper than a time line (`at`, `after`, `when`, `every`) belongs to
//  it. What
//              stands behind the time word on the same line is the first line of its body. Tabs are refused.
//  Order       Blocks at the left margin run beside each other. Inside a body one line comes after the other:
//  a line
//              begins when the line above is done, all that belongs to it included. A verb is done at once.
//              `expect within D P` is done as soon as P holds (and fails the run after D), `expect for D P`
//              after D (and fails the run when P does not hold at any moment of it), plain `expect P` at
//              once.
//  at T        Since the start of the run. Only at the left margin.
//  after D     D after the line above is done. At the left margin: after the block above is done.
//  when E      Waits for E. At the left margin from the start of the run, in a body from its turn on. Of an
//  event it
//              takes the next one, of a predicate the first moment at which it holds (which may be at once).
//              With `within D` the run fails when it did not come in time; without, a run in which it never
//              came is vacuous.
//  every D for S  Runs its body at once and then each D, as long as S has not passed. Done after S.
//  fuzz S faults { verb weight, ... } [key=value ...]   Draws faults for S; no body. Done after S, when all
//  its faults
//              are ended. Only verbs whose row says so.
//  let x = SELECTOR        x is then the nodes that the selector gave at that moment; an empty result fails
//  the run as
//                          a mistake of the script. let x = PREDICATE(...) keeps a number, e.g. let i =
//                          commit(leader).
//  ! T verb ...            At T, everything concrete: lab/script/lower.hpp. Blocks may stand beside such
//  lines
//                          (a replay keeps its expectations as `at T expect ...`). At the same time `!` lines
//                          come first, in the order of the file.
//  Selectors   Resolved when the line runs. `leader`: of those that lead, the one of the highest term. Sets
//  are of nodes
//              that belong to the cluster, up or not, unless the word says otherwise. `one X`, `2 of X`,
//              `majority` and `minority` are drawn by keyed chance from the place of the line; in one line
//              `minority` beside `majority` is the rest of it. `others`, only on the right of a link: all but
//              its left side.
//  param, matrix  `$name` (or `${name}`) anywhere behind the head word of a line is replaced by the value. A
//  bare $name
//              may stand for several words; inside quotes and words it is pasted. Names can be set from
//              outside (ParseOptions::params); a matrix is one case per value, several matrices multiply. A
//              draw has the value that the seed given from outside chooses.
//  cluster, load, about   may go on on indented lines.
//  Values      Words end at blanks and at any of " { } ( ) , = < > !  Anything else goes between double
//  quotes, with
//              the escapes of quoted() in values.hpp. '#' after a blank, or first on a line, begins a
//              comment.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lab/script/action.hpp"
#include "lab/script/place.hpp"
#include "lab/time.hpp"

namespace kiwi::lab::script {

struct Selector {
  enum class Kind {
    node,       // n1: `node`
    name,       // of a `let`: `name`
    leader,     // one node or nobody
    candidate,  // one of the highest term, or nobody
    lagging,    // of those that are up, the one with the lowest applied index (then the lowest id)
    all,
    others,
    voters,
    followers,
    learners,
    majority,
    minority,
    up,      // the process runs
    down,    // it does not
    pick,    // `count` of parts[0]
    list,    // union of parts
    except,  // parts[0] without parts[1]
  };
  Kind kind = Kind::all;
  NodeId node;
  std::string name;
  std::uint64_t count = 0;  // at least 1
  std::vector<Selector> parts;
  Place place;
  friend bool operator==(const Selector&, const Selector&) = default;
};

struct Link {
  Selector from;
  bool both_ways = false;
  Selector to;
  friend bool operator==(const Link&, const Link&) = default;
};

/// key=value, already checked against the table of keys.
struct Setting {
  std::string key;
  std::string value;
  Place place;  // of the key
  friend bool operator==(const Setting&, const Setting&) = default;
};

enum class Compare { equal, different, less, less_equal, greater, greater_equal };

struct Predicate;

/// A number that a `let` keeps.
struct LetName {
  std::string name;
  friend bool operator==(const LetName&, const LetName&) = default;
};

/// Right side of a comparison. Which one it is follows from PredicateRow::result.
struct Operand {
  std::variant<std::monostate,          // no comparison; of a text: nil without quotes, not there
               std::uint64_t,           // number
               Time,                    // duration
               Selector,                // node, nodes
               std::string,             // role, text
               std::vector<Predicate>,  // number: exactly one predicate that gives one
               LetName>                 // number: the name of a `let`
      value;
  friend bool operator==(const Operand&, const Operand&) = default;
};

struct Predicate {
  bool negated = false;            // `not P`
  std::string name;                // a row of predicates()
  std::vector<Selector> nodes;     // arguments of kind nodes: their union
  std::vector<std::string> names;  // arguments of kind load(s), fault, mark; `key`: the key
  std::vector<Setting> options;    // key=value arguments, checked
  std::optional<Compare> compare;
  Operand right;
  Place place;
  friend bool operator==(const Predicate&, const Predicate&) = default;
};

struct FieldTest {
  std::string field;  // "index", "term", "count", "from-index", "commit", "granted"
  Compare compare = Compare::equal;
  std::uint64_t value = 0;
  friend bool operator==(const FieldTest&, const FieldTest&) = default;
};

struct Event {
  enum class Kind { mark, message, disk, predicate };
  Kind kind = Kind::predicate;
  std::string name;                  // mark: its name; message: its kind; disk: the call (kDiskCalls)
  std::string file_class;            // disk
  Selector on;                       // mark, disk
  Link link;                         // message: when it is about to be delivered
  std::vector<FieldTest> fields;     // message: all of them must hold
  std::vector<Predicate> predicate;  // predicate: exactly one
  Place place;
  friend bool operator==(const Event&, const Event&) = default;
};

struct Let {
  std::string name;
  /// Nodes, or one predicate that gives a number.
  std::variant<Selector, Predicate> value;
  Place place;
  friend bool operator==(const Let&, const Let&) = default;
};

struct VerbCall {
  std::string verb;  // a row of verbs()
  /// By the row's Target. redis: monostate without `on`; load: std::string.
  std::variant<std::monostate, Selector, Link, std::string> target;
  std::vector<std::string> words;              // without the target; as Action::words
  std::map<std::string, std::string> options;  // as Action::options; only what was written
  Place place;
  friend bool operator==(const VerbCall&, const VerbCall&) = default;
};

struct Expect {
  enum class Mode { now, within, for_all };
  Mode mode = Mode::now;
  Time span{0};
  std::vector<Predicate> predicates;  // at least one; all must hold
  Place place;
  friend bool operator==(const Expect&, const Expect&) = default;
};

struct When {
  enum class Kind { at, after, when, every, fuzz };
  Kind kind = Kind::at;
  Time time{0};                                               // at: T; after, every: D; fuzz: S
  Time span{0};                                               // every: S
  std::vector<Event> event;                                   // when: exactly one
  std::optional<Time> within;                                 // when
  std::vector<std::pair<std::string, std::uint64_t>> faults;  // fuzz: verbs and weights
  std::vector<Setting> settings;                              // fuzz
  Place place;
  friend bool operator==(const When&, const When&) = default;
};

struct Statement;

struct Block {
  When when;
  std::vector<Statement> body;  // not empty, except for fuzz, where it is
  friend bool operator==(const Block&, const Block&) = default;
};

struct Statement {
  std::variant<Let, VerbCall, Expect, Block> value;
  friend bool operator==(const Statement&, const Statement&) = default;
};

struct Load {
  std::string name;
  std::vector<Setting> settings;  // load_options() gives them as a map
  Place place;
  friend bool operator==(const Load&, const Load&) = default;
};

/// The noise of the background (random delays and scheduling) happens only in [from, to).
struct Window {
  Time from{0};
  Time to{0};
  friend bool operator==(const Window&, const Window&) = default;
};

struct Scenario {
  std::string name;
  std::string about;
  std::vector<Setting> cluster;  // cluster_settings() reads them
  std::vector<Load> loads;
  /// No value: always. Empty (`noise none`): never.
  std::optional<std::vector<Window>> noise;
  std::vector<Block> blocks;    // in the order of the file
  std::vector<Action> actions;  // the `!` lines, by time, then in the order of the file
  std::vector<Predicate> always;
  std::vector<Predicate> finally;
  /// Names of the files that it was made of; [0] is the scenario itself. Not compared by anything but tests.
  std::vector<std::string> files;
  /// The values that params and matrices had.
  std::map<std::string, std::string> params;
  /// Which case of the matrices this is: "fault=crash seed=3"; empty without a matrix.
  std::string which;
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

}  // namespace kiwi::lab::script
