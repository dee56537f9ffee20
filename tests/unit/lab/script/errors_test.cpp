// Every kind of mistake, as its author sees it.

#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

/// One mistake in line 3 of a scenario of three nodes with a load L1.
std::string error_in(const std::string& line) { return errors_of("scenario x\nload L1\n" + line + "\n"); }

TEST(Errors, ShowTheLineThePlaceAndAHint) {
  EXPECT_EQ(error_in("at 2s     crush leader"),
            "x.scenario:3:11: unknown verb 'crush'\n"
            "  at 2s     crush leader\n"
            "            ^~~~~ did you mean 'crash'?\n");
}

struct Case {
  const char* line;
  const char* column_and_message;
  const char* hint;
};

class OneLine : public testing::TestWithParam<Case> {};

TEST_P(OneLine, IsRefusedWithAReason) {
  const auto& [line, expected, hint] = GetParam();
  const auto scenario = parse(source_of(std::string("scenario x\nload L1\n") + line + "\n"));
  ASSERT_FALSE(scenario.has_value()) << line;
  ASSERT_EQ(scenario.error().size(), 1U) << to_string(scenario.error());
  const Error& error = scenario.error()[0];
  EXPECT_EQ(error.line, 3);
  EXPECT_EQ(std::to_string(error.column) + ": " + error.message, expected) << line;
  EXPECT_EQ(error.hint, hint) << line;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, OneLine,
    testing::Values(
        // The line as a whole
        Case{"claster nodes=3", "1: unknown line 'claster'", "did you mean 'cluster'?"},
        Case{"crash n1", "1: 'crash' needs a time",
             "write 'at 2s crash ...', or indent it below such a line"},
        Case{"   crash n1", "4: expected key=value, not 'crash'", ""},
        Case{"at 1s", "6: nothing happens here",
             "expected a verb, 'let' or 'expect', on this line or indented below it"},
        Case{"at 1s\tcrash n1", "6: a tab", "use blanks"},
        Case{"scenario y", "1: a second 'scenario' line", "one is all there can be"},
        Case{"load L1", "6: there is a load 'L1' already", ""},
        Case{"after 1s crash n1", "1: 'after' needs a block above it", "did you mean 'at'?"},
        // Time words
        Case{"at soon crash n1", "4: expected a time behind 'at', not 'soon'",
             "a duration such as 500ms or 2s"},
        Case{"at 2 crash n1", "4: expected a time behind 'at', not '2'", "a duration such as 500ms or 2s"},
        Case{"at 2s at 3s crash n1", "7: 'at' stands at the left margin only",
             "inside a block time is told by 'after'"},
        Case{"every 0 for 3s crash n1", "7: 'every' needs a time above 0", ""},
        Case{"every 1s crash n1", "10: expected 'for' and how long", "as in: every 1s for 20s crash leader"},
        Case{"fuzz 3s { cut 1 }", "9: expected 'faults'", "as in: fuzz 30s faults { cut 3, crash 2 }"},
        Case{"fuzz 3s faults { cutt 1 }", "18: unknown fault 'cutt'", "did you mean 'cut'?"},
        Case{"fuzz 3s faults { heal 1 }", "18: 'heal' cannot be drawn by chance", ""},
        Case{"fuzz 3s faults { cut 0 }",
             "22: expected a whole number from 1 to 1000000 for 'weight', not '0'", ""},
        Case{"fuzz 3s faults { cut } gap=x",
             "28: expected a duration, or two such as 150ms..300ms for 'gap', not 'x'", ""},
        Case{"noise 5s..2s", "7: expected 'none', or times such as 2s..5s, not '5s..2s'", ""},
        Case{"noise 1s..3s, 2s..4s", "15: this window begins before the last one ends", ""},
        // Verbs and their arguments
        Case{"at 1s crash", "12: expected a node or a set of nodes here",
             "such as n1, leader, followers, {n1, n2}"},
        Case{"at 1s crash n4", "13: there is no n4: the cluster has 3 nodes", ""},
        Case{"at 1s crash follower", "13: expected a node or a set of nodes, not 'follower'",
             "did you mean 'one follower'?"},
        Case{"at 1s crash 2", "13: expected a node or a set of nodes, not a number",
             "such as '2 of followers', or n2"},
        Case{"at 1s crash leadr", "13: there is no node, set or 'let' of the name 'leadr'",
             "did you mean 'leader'?"},
        Case{"at 1s crash others", "13: 'others' stands on the right of a link only",
             "did you mean 'all except ...'?"},
        Case{"at 1s crash {n1 n2}", "17: expected ',' or '}'", ""},
        Case{"at 1s crash n1 n2", "16: 'crash' takes nothing more, but here is 'n2'", "as in: crash leader"},
        Case{"at 1s cut n1 n2", "14: expected '->' or '<->'",
             "a link is written as n1 -> n2 or n1 <-> {n2, n3}"},
        Case{"at 1s drop n1 -> n2 1.5", "21: expected a probability such as 0.3 or 30% for 'p', not '1.5'",
             ""},
        Case{"at 1s drop n1 -> n2", "20: expected a probability such as 0.3 or 30% for 'p'",
             "as in: drop n1 <-> all 10%"},
        Case{"at 1s drop n1 -> n2 10% kint=vote", "25: 'drop' has no option 'kint'", "did you mean 'kind'?"},
        Case{"at 1s hold n1 -> n2 votes",
             "21: expected one of any, append, append-reply, vote, vote-reply, pre-vote, pre-vote-reply, "
             "heartbeat, "
             "heartbeat-reply, snapshot, snapshot-reply, snapshot-fetch, snapshot-part or timeout-now for "
             "'kind', not "
             "'votes'",
             "did you mean 'vote'?"},
        Case{"at 1s slice n1 -> n2 bytes=1 bytes=2", "30: 'bytes' stands here twice", ""},
        Case{"at 1s power-fail n1 thorn", "21: expected the word torn for 'torn', not 'thorn'",
             "did you mean 'torn'?"},
        Case{"at 1s start L2", "13: there is no load 'L2'", "did you mean 'L1'?"},
        Case{"at 1s note \"x", "12: this text does not end", "close it with \" on the same line"},
        Case{"at 1s note \"\\q\"", "13: unknown escape in a text",
             "known are \\\" \\\\ \\$ \\n \\r \\t and \\xHH"},
        Case{"at 1s note $x", "12: there is no param 'x'", ""},
        Case{"at 1s do", "9: expected a Redis command", "as in: do SET color red -> OK"},
        Case{"at 1s do GET x -> [1", "19: no such reply",
             "expected OK, nil, any, none, whatever, a number, a text in quotes, a list in [ ], or 'error' "
             "with the first "
             "words of it"},
        Case{"at 1s do SET \"a\"b", "14: a blank must follow a text in quotes", ""},
        // let, expect, predicates
        Case{"at 1s let leader = n1", "11: 'leader' has a meaning already; it cannot name a let", ""},
        Case{"at 1s let x n1", "13: expected '='", "as in: let old = leader"},
        Case{"at 1s expect", "13: expected a predicate here",
             "such as leader, converged(all), applied(n1) >= 10"},
        Case{"at 1s expect convergd(all)", "14: unknown predicate 'convergd'", "did you mean 'converged'?"},
        Case{"at 1s expect raft", "14: 'raft' cannot stand in 'expect' or 'when'",
             "it can stand in 'always'"},
        Case{"at 1s expect converged", "23: expected '(' and arguments behind 'converged'",
             "as in: converged(all)"},
        Case{"at 1s expect leaders", "21: a comparison must follow 'leaders'", "as in: leaders = 1"},
        Case{"at 1s expect up(n1) = 1", "21: 'up' holds or does not; it cannot be compared",
             "with 'not' in front it must not hold"},
        Case{"at 1s expect leader < n1", "21: 'leader' can be compared with = and != only", ""},
        Case{"at 1s expect role(n1) = folower",
             "25: expected one of follower, candidate, leader or learner for 'role', not 'folower'",
             "did you mean 'follower'?"},
        Case{"at 1s expect leaders(n1) = 1", "21: 'leaders' has no arguments", ""},
        Case{"at 1s expect applied(n1) >= many", "29: there is no node, set or 'let' of the name 'many'", ""},
        Case{"finally fired(crsh)", "15: there is no kind of fault 'crsh'", "did you mean 'crash'?"},
        Case{"finally served(L1, durring=cut)", "20: 'served' has no option 'durring'",
             "did you mean 'during'?"},
        Case{"finally gap(L1) < 5", "19: expected a duration, not '5'", "a duration such as 500ms or 2s"},
        Case{"always leaders = 1 leader", "20: 'leader' is too much on this line", ""},
        // Events
        Case{"when msg apend n1 -> n2 crash n1",
             "10: expected one of any, append, append-reply, vote, vote-reply, pre-vote, pre-vote-reply, "
             "heartbeat, "
             "heartbeat-reply, snapshot, snapshot-reply, snapshot-fetch, snapshot-part or timeout-now for "
             "'kind', not "
             "'apend'",
             "did you mean 'append'?"},
        Case{"when msg append n1 -> n2 (indx = 4) crash n1",
             "27: expected one of index, term, count, from-index, commit or granted for 'field', not 'indx'",
             "did you mean 'index'?"},
        Case{"when disk synk log crash n1",
             "11: expected one of any, read, write, sync, sync-dir, create, rename or remove for 'call', not "
             "'synk'",
             "did you mean 'sync'?"},
        // Head
        Case{"cluster nodes=0", "15: expected a whole number from 1 to 99 for 'nodes', not '0'", ""},
        Case{"cluster node=3", "9: a cluster has no key 'node'", "did you mean 'nodes'?"},
        Case{"cluster nodes 3", "9: expected key=value, not 'nodes'", ""},
        Case{"cluster election=120ms..300ms", "9: both election times must be multiples of the tick (50ms)",
             ""},
        Case{"cluster heartbeat=2s",
             "9: the heartbeat must be a multiple of the tick (50ms) and at most half of an election time",
             ""},
        Case{"cluster loss=0.1", "9: with net=stream no frame is lost or doubled", ""},
        Case{"load L3 mix=\"get 5, gut 5\"",
             "13: expected weights of get, set, getset, del, incr, decr, count, getx, setnx, setxx and delx, "
             "such as "
             "\"get 50, set 50\" for 'mix', not 'get 5, gut 5'",
             ""},
        Case{"load n1", "6: 'n1' has a meaning already; it cannot name a load", ""},
        Case{"load L3 to=n9", "9: there is no n9: the cluster has 3 nodes", ""},
        Case{"load L3 stale=L9", "9: there is no load 'L9'", "did you mean 'L1'?"},
        // Lowered lines, params, includes
        Case{"! 1s crash leader", "6: in a '!' line everything is concrete",
             "nodes are written as n1 or n1,n2"},
        Case{"param 1x = 3", "7: expected a name of letters, digits and '_'", ""},
        Case{"param x 3", "9: expected '='", ""}, Case{"param x =", "10: expected a value", ""},
        Case{"include y.inc", "9: includes are not allowed here", ""}));

TEST(Errors, AllOfAFileAreToldAtOnce) {
  EXPECT_EQ(errors_of("scenario x\nat 1s crush n1\n      restart n9\nat 2s expect leaders\n"),
            "x.scenario:2:7: unknown verb 'crush'\n  at 1s crush n1\n        ^~~~~ did you mean 'crash'?\n"
            "x.scenario:4:21: a comparison must follow 'leaders'\n  at 2s expect leaders\n                   "
            "   ^ as in: leaders = 1\n");
}

TEST(Errors, OneMistakeIsToldOnce) {
  // The name of a wrong `let` is known further down; a line below a wrong time word is looked at by itself.
  EXPECT_EQ(errors_of("scenario x\nat 1s let old = follower\n      crash old\nat later\n      crash old\n"),
            "x.scenario:2:17: expected a node or a set of nodes, not 'follower'\n  at 1s let old = follower\n"
            "                  ^~~~~~~~ did you mean 'one follower'?\n"
            "x.scenario:4:4: expected a time behind 'at', not 'later'\n  at later\n     ^~~~~ a duration "
            "such as 500ms or 2s\n");
}

TEST(Errors, LinesOfABodyStandBelowEachOther) {
  EXPECT_EQ(errors_of("scenario x\nat 1s crash n1\n      crash n2\n    crash n3\n"),
            "x.scenario:4:5: this line is not in line with those above it\n      crash n3\n      ^ begin it "
            "in column 7, or "
            "below a time word\n");
  EXPECT_EQ(errors_of("scenario x\nat 1s crash n1\n      crash n2\n        crash n3\n"),
            "x.scenario:4:9: this line is not in line with those above it\n          crash n3\n          ^ "
            "begin it in column "
            "7, or below a time word\n");
  EXPECT_EQ(errors_of("scenario x\nfuzz 1s faults {cut}\n  crash n1\n"),
            "x.scenario:3:3: a 'fuzz' line takes no lines below it\n    crash n1\n    ^~~~~~~~\n");
}

TEST(Errors, LinesBelowSomethingThatTakesNone) {
  EXPECT_EQ(errors_of("scenario x\n  crash n1\n"),
            "x.scenario:2:3: this line belongs to nothing\n    crash n1\n    ^~~~~~~~ the line above it "
            "takes none\n");
}

TEST(Errors, AboutTheFileAsAWhole) {
  EXPECT_EQ(errors_of("at 1s crash n1\n"),
            "x.scenario: the scenario has no name\n  begin with a line 'scenario NAME'\n");
  EXPECT_EQ(errors_of("scenario x\nparam pause = 2s\n", {.params = {{"puase", "3s"}}, .load = {}}),
            "x.scenario: there is no param or matrix 'puase' to set\n  did you mean 'pause'?\n");
  EXPECT_EQ(errors_of("scenario x\n", {.params = {{"seed", "-1"}}, .load = {}}),
            "x.scenario: the seed must be a whole number, not '-1'\n");
}

TEST(Errors, InAnIncludedFileNameThatFile) {
  ParseOptions options;
  options.load = [](const std::string& path) -> tl::expected<std::string, std::string> {
    return path == "self.inc" ? "include self.inc\n" : "at 1s crush n1\n";
  };
  EXPECT_EQ(errors_of("scenario x\ninclude y.inc\nat 2s crash n9\nat 3s nonsense\n", options),
            "x.scenario:4:7: unknown verb 'nonsense'\n  at 3s nonsense\n        ^~~~~~~~\n"
            "y.inc:1:7: unknown verb 'crush'\n  at 1s crush n1\n        ^~~~~ did you mean 'crash'?\n");
  EXPECT_EQ(errors_of("scenario x\ninclude self.inc\n", options),
            "self.inc:1:9: too many includes\n  include self.inc\n          ^~~~~~~~ does a file include "
            "itself?\n");
}

TEST(Errors, AreNotEndless) {
  std::string text = "scenario x\n";
  for (int i = 0; i < 1000; ++i) {
    text += "at 1s crush n1\n";
  }
  const auto scenario = parse(source_of(text));
  ASSERT_FALSE(scenario.has_value());
  EXPECT_EQ(scenario.error().size(), kMaxErrors);
}

}  // namespace
}  // namespace kiwi::lab::script
