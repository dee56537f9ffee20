#include "lab/script/grammar_rows.hpp"

namespace kiwi::lab::script {
namespace {

constexpr GrammarRow kHead[] = {
    {"scenario", "scenario NAME", "the name of the scenario; one such line must be there",
     "scenario  leader_cut"},
    {"about", "about TEXT", "what it shows, in a sentence; goes on on indented lines",
     "about     a leader is cut off"},
    {"cluster", "cluster key=value ...", "the nodes, and the world they live in", "cluster   nodes=5 seed=7"},
    {"load", "load NAME key=value ...", "clients that can be started", "load      L2 clients=8 keys=10"},
    {"noise", "noise T1..T2, ... | none", "when random delays and scheduling happen; outside, all is even",
     "noise     1s..4s"},
    {"param", "param NAME = VALUE", "`$NAME` stands for the value from then on; settable from outside",
     "param     pause = 2s"},
    {"matrix", "matrix NAME = VALUE, VALUE, ...",
     "a param with several values: the file is one case for each", "matrix    fault = crash, stop"},
    {"draw", "draw NAME = VALUE, VALUE, ...",
     "a param that each seed draws a value for (--seed, --seeds); the first value without a seed",
     "draw      net = stream, lossy"},
    {"include", "include PATH", "puts the lines of another file here", ""},
    {"always", "always PREDICATE, ...", "must hold all the time", "always    raft, storage, clients"},
    {"finally", "finally PREDICATE, ...", "must hold at the end, when the faults have stopped",
     "finally   digest-equal(all)"},
    {"!", "! T VERB ...", "an action with everything decided, as runs write them", "! 2.000000s  crash n1"},
};
constexpr GrammarRow kTime[] = {
    {"at", "at T LINE", "at this time of the run; only at the left margin", "at 2s     crash leader"},
    {"after", "after D LINE", "so long after the line above is done", "after 1s  restart all"},
    {"when", "when EVENT [within D] LINE", "as soon as the event comes",
     "when mark vote.synced on n1 crash n1"},
    {"every", "every D for S LINE", "again and again", "every 1s for 5s crash one follower"},
    {"fuzz", "fuzz S faults { VERB WEIGHT, ... } [key=value ...]", "draws faults by keyed chance",
     "fuzz 20s faults { cut 3, crash 2 } gap=1s..2s"},
    {"let", "let NAME = SELECTOR | PREDICATE", "gives nodes or a number a name",
     "at 3s     let old = leader"},
    {"expect", "expect [within D | for D] PREDICATE, ...",
     "fails the run when it does not hold now, in time, or all the time",
     "at 4s     expect within 2s leader, leaders = 1"},
};
constexpr GrammarRow kEvents[] = {
    {"mark", "mark NAME [on SET]", "an instrumented point of the product is passed",
     "when mark vote.synced on n1 crash n1"},
    {"msg", "msg KIND LINK [(FIELD op NUMBER, ...)]",
     "a message is about to be delivered; fields: index, term, count, from-index, commit, granted",
     "when msg append n1 -> n3 (index = 41) crash n3"},
    {"disk", "disk CALL FILES [on SET]", "a call on files is about to be made; simulator only",
     "when disk sync log on n2 power-fail n2"},
};
constexpr GrammarRow kSelectors[] = {
    {"n1", "n1", "the node of this number", ""},
    {"NAME", "NAME", "what a `let` of this name found", ""},
    {"leader", "leader", "of those that lead, the one of the highest term", ""},
    {"candidate", "candidate", "the candidate of the highest term", ""},
    {"lagging", "lagging", "of those that are up, the one with the lowest applied index", ""},
    {"all", "all", "every node of the cluster, up or not", ""},
    {"others", "others", "on the right of a link: all but its left side", ""},
    {"voters", "voters", "the voting members", ""},
    {"followers", "followers", "all that follow", ""},
    {"learners", "learners", "members that do not vote", ""},
    {"majority", "majority", "more than half of the voters, drawn by chance", ""},
    {"minority", "minority", "the rest of a majority drawn by chance", ""},
    {"up", "up", "all whose process runs", ""},
    {"down", "down", "all whose process does not run", ""},
    {"one", "one SET, K of SET", "so many of them, drawn by chance: `one follower`, `2 of followers`", ""},
    {"{ }", "{SELECTOR, ...}", "all of these together", ""},
    {"except", "SET except SELECTOR", "the set without these", ""},
};

}  // namespace

std::span<const GrammarRow> head_rows() { return kHead; }
std::span<const GrammarRow> time_rows() { return kTime; }
std::span<const GrammarRow> event_rows() { return kEvents; }
std::span<const GrammarRow> selector_rows() { return kSelectors; }

}  // namespace kiwi::lab::script
