// What happens to nodes as a whole, to their clocks, and to the actors inside.

#include "lab/script/verbs_table.hpp"

namespace kiwi::lab::script {
namespace {

using enum ValueType;

constexpr ValueSpec kTorn[] = {
    {.name = "torn", .type = choice, .choices = "torn", .summary = "the last write survives in part"}};
constexpr ValueSpec kWipe[] = {{.name = "fresh",
                                .type = choice,
                                .choices = "fresh",
                                .summary = "its node belongs to no cluster when it starts again"}};
constexpr ValueSpec kPowerFail[] = {
    {.name = "file", .type = file_class, .summary = "where `keep` applies; all files without it"},
    {.name = "keep",
     .type = text,
     .summary = "what of the un-synced data survives, in the simulator's own words, and there only; drawn by "
                "chance, "
                "within the disk profile, without it"}};
constexpr ValueSpec kCrashAtWords[] = {
    {.name = "mark",
     .type = name,
     .required = true,
     .summary = "of `kiwi-fault mutants --list`; `none` takes it back"},
    {.name = "power",
     .type = choice,
     .choices = "power|torn",
     .summary = "the machine loses power at that moment, as with `power-fail`; simulator only"}};
constexpr ValueSpec kCrashAt[] = {
    {.name = "nth", .type = number, .fallback = "1", .summary = "which time, counted from now", .least = 1},
    {.name = "operations",
     .type = number,
     .fallback = "0",
     .summary = "so many more changes of its disk it lives; simulator only"}};
constexpr ValueSpec kOffset[] = {
    {.name = "offset", .type = signed_duration, .required = true, .summary = "against the true time"}};
constexpr ValueSpec kRate[] = {
    {.name = "rate", .type = fraction, .required = true, .summary = "1 is right, 1.02 is 2 % fast"}};
constexpr ValueSpec kJump[] = {
    {.name = "by", .type = signed_duration, .required = true, .summary = "added once"}};
constexpr ValueSpec kActor[] = {{.name = "actor",
                                 .type = name,
                                 .required = true,
                                 .summary = "raft, log-store, state-machine, network, ..."}};
constexpr ValueSpec kThrow[] = {{.name = "actor",
                                 .type = name,
                                 .required = true,
                                 .summary = "raft, log-store, state-machine, network, ..."},
                                {.name = "kind",
                                 .type = choice,
                                 .choices = "bad-alloc|logic-error",
                                 .required = true,
                                 .summary = "what is thrown"}};
constexpr ValueSpec kStarve[] = {
    {.name = "actor",
     .type = name,
     .required = true,
     .summary = "raft, log-store, state-machine, network, ..."},
    {.name = "time", .type = duration, .required = true, .summary = "it does not run for so long"}};

constexpr VerbRow kRows[] = {
    {.name = "crash",
     .group = "nodes",
     .target = Target::nodes,
     .fault = "crash",
     .in_fuzz = true,
     .summary = "kills the process at once (kill -9)",
     .help = "The machine goes on: what was written but not synced is still there after a restart. A node "
             "that is not "
             "up is left out.",
     .example = "crash leader"},
    {.name = "crash-at",
     .group = "nodes",
     .target = Target::nodes,
     .words = kCrashAtWords,
     .options = kCrashAt,
     .fault = "crash-at",
     .in_fuzz = true,
     .summary = "the process dies when it next passes a mark, at that very point of the code",
     .help =
         "Nothing that follows in the code reaches the disk. A node that is down dies while it starts, if "
         "the mark is passed there. Counts as crash-at from now on; `down` says whether it happened.",
     .example = "crash-at n3 install.intent"},
    {.name = "restart",
     .group = "nodes",
     .target = Target::nodes,
     .ends = "crash|crash-at|stop|power-fail|torn|wipe",
     .summary = "starts nodes that are down",
     .help = "A node that is up is left out; it is not restarted twice.",
     .example = "restart down"},
    {.name = "stop",
     .group = "nodes",
     .target = Target::nodes_or_load,
     .fault = "stop",
     .in_fuzz = true,
     .summary = "ends nodes in an orderly way (SIGTERM), or ends a load",
     .help = "With nodes: they may still answer what is under way. With the name of a load: it sends nothing "
             "new; what "
             "is under way is still waited for.",
     .example = "stop one follower"},
    {.name = "power-fail",
     .group = "nodes",
     .target = Target::nodes,
     .words = kTorn,
     .options = kPowerFail,
     .fault = "power-fail",
     .in_fuzz = true,
     .summary = "the machine loses power: what was not synced may be lost",
     .help = "What survives is drawn within the disk profile of the cluster line; with `torn` some write "
             "survives in "
             "part. Counts as `torn`, too, then.",
     .example = "power-fail all torn"},
    {.name = "pause",
     .group = "nodes",
     .target = Target::nodes,
     .fault = "pause",
     .in_fuzz = true,
     .summary = "stops nodes in their tracks (SIGSTOP)",
     .help = "Their clocks go on, their sockets stay open, they do nothing.",
     .example = "pause leader"},
    {.name = "resume",
     .group = "nodes",
     .target = Target::nodes,
     .ends = "pause",
     .summary = "lets paused nodes go on (SIGCONT)",
     .help = "Everything that was due meanwhile happens at once.",
     .example = "resume all"},
    {.name = "wipe",
     .group = "nodes",
     .target = Target::nodes,
     .words = kWipe,
     .fault = "wipe",
     .summary = "empties the data directory of nodes that are down",
     .help =
         "A node that forgot its vote must not vote again under its old id. Started again it says that it "
         "is one of the first cluster, as its operator told it once; with `fresh`, and always for spares, "
         "it waits to be invited.",
     .example = "wipe n1"},
    {.name = "clone-disk",
     .group = "nodes",
     .target = Target::link,
     .fault = "clone-disk",
     .summary = "copies the data directory of one node over those of others; all are down",
     .help = "As an operator would who restores the wrong backup.",
     .example = "clone-disk n1 -> n2"},
    {.name = "clock-offset",
     .group = "time",
     .target = Target::nodes,
     .words = kOffset,
     .fault = "clock",
     .in_fuzz = true,
     .summary = "sets the wall clock of nodes off by so much",
     .help = "Timers run on the steady clock and do not notice.",
     .example = "clock-offset n2 -1h"},
    {.name = "clock-rate",
     .group = "time",
     .target = Target::nodes,
     .words = kRate,
     .fault = "clock",
     .in_fuzz = true,
     .summary = "lets the clocks of nodes run fast or slow, timers included",
     .help = "From 0.1 to 10.",
     .example = "clock-rate leader 1.2"},
    {.name = "clock-jump",
     .group = "time",
     .target = Target::nodes,
     .words = kJump,
     .fault = "clock",
     .in_fuzz = true,
     .summary = "the wall clock of nodes jumps, once",
     .help = "Forwards or backwards, on top of the offset it has.",
     .example = "clock-jump all 30s"},
    {.name = "clock-freeze",
     .group = "time",
     .target = Target::nodes,
     .fault = "clock",
     .summary = "the wall clock of nodes stands still",
     .help = "Until clock-heal. Timers go on.",
     .example = "clock-freeze leader"},
    {.name = "clock-heal",
     .group = "time",
     .target = Target::nodes,
     .ends = "clock",
     .summary = "the clocks of nodes are right again",
     .help = "Offset 0, rate 1, not frozen.",
     .example = "clock-heal all"},
    {.name = "kill-actor",
     .group = "actors",
     .target = Target::nodes,
     .words = kActor,
     .process = false,
     .fault = "kill-actor",
     .summary = "one actor of a node ends as if by itself",
     .help = "The others must notice, and no request may stay without an answer.",
     .example = "kill-actor leader log-store"},
    {.name = "throw-in",
     .group = "actors",
     .target = Target::nodes,
     .words = kThrow,
     .process = false,
     .fault = "throw-in",
     .summary = "the next message that an actor handles throws an exception",
     .help = "The node stops cleanly or replaces the actor by rule; there is never half a node.",
     .example = "throw-in n1 raft bad-alloc"},
    {.name = "starve",
     .group = "actors",
     .target = Target::nodes,
     .words = kStarve,
     .process = false,
     .fault = "starve",
     .in_fuzz = true,
     .summary = "one actor of a node does not get to run for some time",
     .help = "Its messages wait; the other actors of the node go on.",
     .example = "starve leader raft 3s"},
    {.name = "prefer",
     .group = "actors",
     .target = Target::nodes,
     .words = kActor,
     .process = false,
     .summary = "one actor of a node runs before the others, from now on",
     .help = "A bias of the schedule, not a fault.",
     .example = "prefer n1 network"},
};

}  // namespace

std::span<const VerbRow> node_verbs() { return kRows; }

}  // namespace kiwi::lab::script
