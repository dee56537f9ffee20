// What scripts mean: text in, the parsed scenario out.

#include <algorithm>

#include "lab/script/explain.hpp"
#include "lab/script/format.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"
#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

using namespace std::chrono_literals;

const VerbCall& call_of(const Statement& statement) { return std::get<VerbCall>(statement.value); }

TEST(Meaning, TheExampleOfTheDesign) {
  const Scenario s = parsed(kLeaderCut);
  EXPECT_EQ(s.name, "leader_cut_then_torn_tail");
  EXPECT_EQ(s.about, "the leader keeps one follower, then loses power with a torn tail");
  const auto cluster = cluster_settings(s);
  EXPECT_EQ(cluster.nodes, 5U);
  EXPECT_EQ(cluster.seed, 7U);
  EXPECT_EQ(cluster.election, Range(150ms, 300ms));
  EXPECT_EQ(cluster.settle, 30s) << "the default";
  ASSERT_EQ(s.loads.size(), 1U);
  EXPECT_EQ(load_options(s.loads[0]).at("mix"), "get 50, set 40, incr 10");
  ASSERT_EQ(s.blocks.size(), 4U);
  const Block& second = s.blocks[1];
  EXPECT_EQ(second.when.kind, When::Kind::at);
  EXPECT_EQ(second.when.time, 2s);
  ASSERT_EQ(second.body.size(), 4U);
  EXPECT_EQ(std::get<Let>(second.body[0].value).name, "old");
  const auto& link = std::get<Link>(call_of(second.body[2]).target);
  EXPECT_FALSE(link.both_ways);
  EXPECT_EQ(link.from.name, "old");
  EXPECT_EQ(link.to.kind, Selector::Kind::except);
  EXPECT_EQ(call_of(second.body[2]).place.line, 9);
  const auto& expect = std::get<Expect>(second.body[3].value);
  EXPECT_EQ(expect.mode, Expect::Mode::within);
  EXPECT_EQ(expect.span, 2s);
  EXPECT_EQ(expect.predicates.at(0).compare, Compare::different);
  const auto& after = std::get<Block>(s.blocks[2].body.at(1).value);
  EXPECT_EQ(after.when.time, 500ms);
  EXPECT_EQ(call_of(after.body.at(0)).verb, "restart");
  EXPECT_EQ(s.always.size(), 3U);
  ASSERT_EQ(s.finally.size(), 3U);
  EXPECT_EQ(s.finally[1].options.at(1), (Setting{"at-least", "100", {}}));
  EXPECT_EQ(s.finally[2].names, (std::vector<std::string>{"cut", "torn"}));
  EXPECT_FALSE(s.noise.has_value());
}

TEST(Meaning, LinesBelowBelongToTheLastTimeWord) {
  const Scenario s = parsed(R"(scenario x
at 1s     crash n1
          after 2s restart n1
             crash n2
          restart n2
when mark vote.synced on n1
          crash n1
at 3s every 1s for 5s
          crash n3
          restart n3
)");
  ASSERT_EQ(s.blocks.size(), 3U);
  ASSERT_EQ(s.blocks[0].body.size(), 3U);
  EXPECT_EQ(std::get<Block>(s.blocks[0].body[1].value).body.size(), 2U);
  EXPECT_EQ(s.blocks[1].when.event.at(0).name, "vote.synced");
  ASSERT_EQ(s.blocks[2].body.size(), 1U);
  EXPECT_EQ(std::get<Block>(s.blocks[2].body[0].value).body.size(), 2U);
}

TEST(Meaning, EventsThatMessagesAndDisksMake) {
  const Scenario s = parsed(R"(scenario x
when msg append n1 -> n3 (index = 41, term >= 2) within 5s crash n3
when disk sync log-wal on leader power-fail leader torn
when applied(n1) >= 10 crash n1
)");
  const Event& message = s.blocks[0].when.event.at(0);
  EXPECT_EQ(message.kind, Event::Kind::message);
  EXPECT_EQ(message.fields.at(1).field, "term");
  EXPECT_EQ(message.fields.at(1).compare, Compare::greater_equal);
  EXPECT_EQ(s.blocks[0].when.within, Time(5s));
  EXPECT_EQ(s.blocks[1].when.event.at(0).file_class, "log-wal");
  EXPECT_EQ(s.blocks[2].when.event.at(0).predicate.at(0).name, "applied");
}

TEST(Meaning, NumbersCanBeKeptAndComparedWithEachOther) {
  const Scenario s = parsed(R"(scenario x
at 1s     let i = commit(leader)
          expect within 2s applied(all) >= i, last(n1) >= commit(n2)
          expect members = {n1, n2, n3}, role(n1) != candidate
          expect key color = "dark red", key gone = nil, not key odd = "nil"
)");
  const auto& body = s.blocks.at(0).body;
  EXPECT_EQ(std::get<Predicate>(std::get<Let>(body[0].value).value).name, "commit");
  const auto& first = std::get<Expect>(body[1].value).predicates;
  EXPECT_EQ(std::get<LetName>(first[0].right.value).name, "i");
  EXPECT_EQ(std::get<std::vector<Predicate>>(first[1].right.value).at(0).name, "commit");
  const auto& keys = std::get<Expect>(body[3].value).predicates;
  EXPECT_EQ(std::get<std::string>(keys[0].right.value), "dark red");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(keys[1].right.value));
  EXPECT_TRUE(keys[2].negated);
  EXPECT_EQ(std::get<std::string>(keys[2].right.value), "nil");
}

TEST(Meaning, RedisCommandsAreTakenAsTheyStand) {
  const Scenario s = parsed(R"(scenario x
at 1s     do SET {tag}k=1 "a b" -> OK  # a comment
          do on leader as c1 GET x->y -> error MOVED
          do LRANGE l 0 -1 -> ["a  b"[1 nil] "c"]
          do "on" it
)");
  const auto& body = s.blocks.at(0).body;
  EXPECT_EQ(call_of(body[0]).words, (std::vector<std::string>{"SET", "{tag}k=1", "a b"}));
  EXPECT_EQ(call_of(body[0]).options.at("reply"), "OK");
  EXPECT_EQ(call_of(body[1]).words, (std::vector<std::string>{"GET", "x->y"}));
  EXPECT_EQ(call_of(body[1]).options.at("as"), "c1");
  EXPECT_EQ(call_of(body[1]).options.at("reply"), "error \"MOVED\"");
  EXPECT_EQ(call_of(body[2]).options.at("reply"), "[\"a  b\" [1 nil] \"c\"]");
  EXPECT_EQ(call_of(body[3]).words.at(0), "on");
}

TEST(Meaning, StopMeansNodesOrALoad) {
  const Scenario s = parsed("scenario x\nload L1\nat 1s stop L1\nat 2s stop n1, n2\n");
  EXPECT_EQ(std::get<std::string>(call_of(s.blocks[0].body[0]).target), "L1");
  EXPECT_EQ(std::get<Selector>(call_of(s.blocks[1].body[0]).target).parts.size(), 2U);
}

TEST(Meaning, ParamsStandForWordsAndAreSetFromOutside) {
  constexpr std::string_view kText = R"(param victim = one follower
param get = 70
param pause = 500ms
scenario  x
cluster   nodes=5 seed=3
load      L1 mix="get $get, set 30"
at 1s     crash $victim
          after ${pause} restart all
)";
  const Scenario s = parsed(kText);
  EXPECT_EQ(std::get<Selector>(call_of(s.blocks[0].body[0]).target).kind, Selector::Kind::pick);
  EXPECT_EQ(load_options(s.loads[0]).at("mix"), "get 70, set 30");
  EXPECT_EQ(std::get<Block>(s.blocks[0].body[1].value).when.time, 500ms);
  const Scenario other = parsed(kText, {.params = {{"victim", "leader"}, {"seed", "99"}}, .load = {}});
  EXPECT_EQ(std::get<Selector>(call_of(other.blocks[0].body[0]).target).kind, Selector::Kind::leader);
  EXPECT_EQ(cluster_settings(other).seed, 99U);
}

TEST(Meaning, MatricesMakeOneFileManyCases) {
  const auto cases = expand(source_of(R"(matrix fault = crash, "power-fail", pause
matrix who = leader, {n1, n2}
scenario x
at 1s $fault $who
)"));
  // A text in quotes is no verb: the first mistake of any case is told.
  ASSERT_FALSE(cases.has_value());
  const auto good = expand(source_of(
      "matrix fault = crash, pause\nmatrix who = leader, {n1, n2}\nscenario x\nat 1s $fault $who\n"));
  ASSERT_TRUE(good.has_value()) << to_string(good.error());
  ASSERT_EQ(good->size(), 4U);
  EXPECT_EQ(good->at(1).which, "fault=crash who={n1, n2}");
  EXPECT_EQ(good->at(2).which, "fault=pause who=leader");
  EXPECT_EQ(call_of(good->at(2).blocks[0].body[0]).verb, "pause");
  const auto fixed = expand(source_of("matrix fault = crash, pause\nscenario x\nat 1s $fault n1\n"),
                            {.params = {{"fault", "stop"}}, .load = {}});
  ASSERT_TRUE(fixed.has_value());
  EXPECT_EQ(fixed->size(), 1U);
}

TEST(Meaning, EachSeedDrawsItsValue) {
  const auto text = "draw fault = crash, pause, stop\nscenario x\nat 1s $fault n1\n";
  const auto verb = [&](std::map<std::string, std::string> params) {
    return call_of(parsed(text, {.params = std::move(params), .load = {}}).blocks[0].body[0]).verb;
  };
  EXPECT_EQ(verb({}), "crash");
  EXPECT_EQ(verb({{"seed", "3"}, {"fault", "stop"}}), "stop");
  std::map<std::string, int> drawn;
  for (int seed = 1; seed <= 60; ++seed) {
    const std::map<std::string, std::string> params{{"seed", std::to_string(seed)}};
    const std::string first = verb(params);
    EXPECT_EQ(verb(params), first);
    ++drawn[first];
  }
  EXPECT_GT(drawn["crash"], 10);
  EXPECT_GT(drawn["pause"], 10);
  EXPECT_GT(drawn["stop"], 10);
}

TEST(Meaning, IncludesAreLookedForBesideTheFile) {
  std::vector<std::string> asked;
  ParseOptions options;
  options.load = [&](const std::string& path) -> tl::expected<std::string, std::string> {
    asked.push_back(path);
    if (path == "dir/common/head.inc") {
      return "cluster nodes=5\ninclude loads.inc\n";
    }
    if (path == "dir/common/loads.inc") {
      return "load L1 clients=2\n";
    }
    return tl::unexpected(std::string("no such file"));
  };
  const auto s = parse({"dir/x.scenario", "scenario x\ninclude common/head.inc\nat 1s start L1\n"}, options);
  ASSERT_TRUE(s.has_value()) << to_string(s.error());
  EXPECT_EQ(cluster_settings(*s).nodes, 5U);
  EXPECT_EQ(s->files,
            (std::vector<std::string>{"dir/x.scenario", "dir/common/head.inc", "dir/common/loads.inc"}));
  EXPECT_EQ(asked.size(), 2U);
  const auto bad = parse({"dir/x.scenario", "scenario x\ninclude other\n"}, options);
  EXPECT_EQ(
      to_string(bad.error()),
      "dir/x.scenario:2:9: cannot include 'dir/other': no such file\n  include other\n          ^~~~~\n");
}

TEST(Meaning, AReplayFileIsAScenario) {
  const Scenario s = parsed(R"(scenario x
cluster   nodes=5 seed=9
load      L1
noise     none
! 4.500000s  restart n1
! 2.000000s  cut n1 -> n2,n3,n5  # line 12
! 4.000000s  power-fail n1 torn keep="sectors:0,1 of write 3181"
! 0.000000s  start L1
at 2s     expect within 2s leader != n1
)");
  ASSERT_EQ(s.actions.size(), 4U);
  EXPECT_EQ(s.actions[0].words, std::vector<std::string>{"L1"});
  EXPECT_EQ(s.actions[1].to, (std::vector<NodeId>{NodeId(2), NodeId(3), NodeId(5)}));
  EXPECT_EQ(s.actions[1].line, 12);
  EXPECT_EQ(s.actions[2].options.at("keep"), "sectors:0,1 of write 3181");
  EXPECT_EQ(s.actions[3].verb, "restart") << "by time";
  EXPECT_TRUE(s.noise.has_value() && s.noise->empty());
}

TEST(Meaning, WhatABackendLacksIsNamed) {
  const Scenario s = parsed(
      "scenario x\nat 1s starve leader raft 2s\n      crash n1\nat 2s fuzz 5s faults { cut 1, starve 2 }\n! "
      "1s misdirect n1 log\n");
  EXPECT_TRUE(unsupported(s, "sim").empty());
  EXPECT_EQ(unsupported(s, "process"), (std::vector<std::string>{"misdirect", "starve"}));
}

TEST(Meaning, FaultsOfNewerProgramsAndHalfCallsAreForBothBackends) {
  const Scenario s = parsed(
      "scenario x\nat 1s crash n1\n      newer-format n1 entry\n      newer-offers n2 -> n3\n"
      "      fail n2 read short file=log count=1\n      slow n3 sync 500ms file=log every=100\n");
  EXPECT_TRUE(unsupported(s, "sim").empty());
  EXPECT_TRUE(unsupported(s, "process").empty());
  const auto ended = ended_by(read_lowered("! 1s heal n1").value());
  EXPECT_TRUE(std::ranges::find(ended, "newer-offers") != ended.end());
  EXPECT_NE(errors_of("scenario x\nat 1s newer-format n1 coffee\n").find("marker, state, entry or data"),
            std::string::npos);
  EXPECT_NE(errors_of("scenario x\nat 1s newer-format n1\n"), "") << "which record?";
  EXPECT_NE(errors_of("scenario x\nat 1s slow n1 sync 1s every=0\n"), "");
}

TEST(Meaning, ExplainTellsIt) {
  EXPECT_EQ(explain(parsed(kLeaderCut)),
            R"(leader_cut_then_torn_tail: the leader keeps one follower, then loses power with a torn tail
a cluster of 5 nodes, seed 7, disk ordered, election 150ms..300ms, tick 50ms, heartbeat 50ms
a load L1: clients 8, keys 10, mix get 50, set 40, incr 10, rate 200/s, timeout 1s
at 0s:
  start load L1: starts a load of the head
at 2s:
  call the leader 'old' from here on
  call one of the followers 'keep' from here on
  cut from old to all others except keep: nothing passes on these links any more
  wait, at most 2s, until the leader is not old
at 4s:
  power-fail old torn: the machine loses power: what was not synced may be lost
  500ms later:
    restart old: starts nodes that are down
at 6s:
  heal all nodes: takes every fault off these links
  wait, at most 3s, until converged(all) (these nodes are up, follow one leader, and have applied the same entries, all there are)
all the time: raft (the invariants of the protocol)
all the time: storage (what is durable stays, and nothing is acknowledged before it is)
all the time: clients (what clients were promised: one reply each, in order, no invented values)
at the end: linearizable(L1) (the history of each key of these loads has an order that explains every reply)
at the end: served(L1, during=cut, at-least=100) (operations of these loads succeeded)
at the end: fired(cut, torn) (each of these kinds of faults happened and changed something)
)");
}

}  // namespace
}  // namespace kiwi::lab::script
