// What clients do, and lines that change nothing.

#include "lab/script/verbs_table.hpp"

namespace kiwi::lab::script {
namespace {

using enum ValueType;

constexpr ValueSpec kRate[] = {
    {.name = "rate", .type = rate, .choices = "closed", .required = true, .summary = "of the whole load"}};
constexpr ValueSpec kBurst[] = {{.name = "operations",
                                 .type = number,
                                 .required = true,
                                 .summary = "how many",
                                 .least = 1,
                                 .most = 100000}};
constexpr ValueSpec kNote[] = {{.name = "text", .type = text, .required = true, .summary = "what to say"}};

constexpr VerbRow kRows[] = {
    {.name = "start",
     .group = "load",
     .target = Target::load,
     .performer = Performer::runner,
     .summary = "starts a load of the head",
     .help = "A load that was stopped goes on with the same keys and new clients.",
     .example = "start L1"},
    {.name = "rate",
     .group = "load",
     .target = Target::load,
     .words = kRate,
     .performer = Performer::runner,
     .summary = "changes the rate of a load that runs",
     .help = "`closed`: each client sends the next command when it has the reply of the last one.",
     .example = "rate L1 500/s"},
    {.name = "burst",
     .group = "load",
     .target = Target::load,
     .words = kBurst,
     .performer = Performer::runner,
     .summary = "sends so many operations of a load at once, on top of its rate",
     .help = "Spread over its clients; each takes as many as it may have in flight.",
     .example = "burst L1 1000"},
    {.name = "disconnect",
     .group = "load",
     .target = Target::load,
     .performer = Performer::runner,
     .fault = "disconnect",
     .summary = "all clients of a load lose their connections",
     .help = "What was in flight is unknown to them. They connect again when they have something to send.",
     .example = "disconnect L1"},
    {.name = "do",
     .group = "load",
     .target = Target::redis,
     .performer = Performer::runner,
     .summary = "sends one Redis command and waits for its reply",
     .help =
         "do [on SELECTOR] [as CLIENT] COMMAND ... [-> REPLY]. Without `on` it follows redirects to the "
         "leader; "
         "with it, it asks that node and no other. `as` names a client with a connection of its own that "
         "lasts "
         "(default: main). REPLY is OK, nil, a number, a text in quotes, a list in [ ], `error` with the "
         "first "
         "words of the error, or `any`; another reply fails the run, as none within 10 s does. `none`: the "
         "connection must be lost, or no reply come; `whatever`: a reply or none. Without -> any "
         "reply but an error will do. In RAFT commands `id:NAME` is the id of a node, `address:NAME` its "
         "address as RAFT.NODE ADD wants it, `port:NAME` its Redis port as RAFT.CLUSTER JOIN does; NAME "
         "is n1, n2, ..., `leader`, or what `let` kept. All in one history with the loads.",
     .example = "do on leader as c1 SET greeting \"hello world\" -> OK"},
    {.name = "note",
     .group = "meta",
     .words = kNote,
     .performer = Performer::runner,
     .summary = "writes a line into the report",
     .help = "Changes nothing.",
     .example = "note \"the old leader comes back\""},
};

}  // namespace

std::span<const VerbRow> load_verbs() { return kRows; }

}  // namespace kiwi::lab::script
