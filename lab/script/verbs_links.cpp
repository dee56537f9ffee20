// Faults of links between nodes, and of single messages on them. Clients' connections are not links.

#include "lab/script/verbs_table.hpp"

namespace kiwi::lab::script {
namespace {

using enum ValueType;

constexpr ValueSpec kKind{
    .name = "kind", .type = message_kind, .fallback = "any", .summary = "only messages of this kind"};
constexpr ValueSpec kProbability[] = {
    {.name = "p", .type = probability, .required = true, .summary = "chance for each message"}};
constexpr ValueSpec kOnlyKind[] = {kKind};
constexpr ValueSpec kDelay[] = {
    {.name = "time", .type = duration_range, .required = true, .summary = "added to each message, one way"}};
constexpr ValueSpec kJitter[] = {
    {.name = "most", .type = duration, .required = true, .summary = "each message gets 0 to this much more"}};
constexpr ValueSpec kBandwidth[] = {
    {.name = "limit", .type = byte_rate, .required = true, .summary = "of each link, one way"}};
constexpr ValueSpec kPiece[] = {{.name = "bytes",
                                 .type = number,
                                 .fallback = "1",
                                 .summary = "size of a piece",
                                 .least = 1,
                                 .most = 65536}};
constexpr ValueSpec kSwizzle[] = {
    {.name = "over", .type = duration, .fallback = "5s", .summary = "from the first cut to the last heal"}};
constexpr ValueSpec kMessage[] = {
    {.name = "kind", .type = message_kind, .required = true, .summary = "messages of this kind"}};
constexpr ValueSpec kCount[] = {
    {.name = "count", .type = number, .fallback = "1", .summary = "how many", .least = 1, .most = 100000}};

constexpr VerbRow kRows[] = {
    {.name = "cut",
     .group = "links",
     .target = Target::link,
     .fault = "cut",
     .in_fuzz = true,
     .summary = "nothing passes on these links any more",
     .help = "With -> the left side cannot be heard by the right side, but hears it; with <-> neither hears "
             "the other. "
             "What is under way is lost. Connections look open until their owner gives up.",
     .example = "cut leader -> others except n2"},
    {.name = "heal",
     .group = "links",
     .target = Target::nodes_or_link,
     .ends =
         "cut|drop|delay|jitter|duplicate|reorder|bandwidth|clog|half-open|slice|corrupt|hold|newer-offers",
     .summary = "takes every fault off these links",
     .help = "`heal n1` means all links from and to n1, `heal all` every link there is. What was clogged or "
             "held is "
             "delivered. Nodes and disks are left as they are.",
     .example = "heal all"},
    {.name = "drop",
     .group = "links",
     .target = Target::link,
     .words = kProbability,
     .options = kOnlyKind,
     .fault = "drop",
     .in_fuzz = true,
     .summary = "loses messages by chance",
     .help = "Each message is lost with this chance. On a stream a lost message costs the connection, as a "
             "stall and "
             "a reset would.",
     .example = "drop n1 <-> all 10%"},
    {.name = "delay",
     .group = "links",
     .target = Target::link,
     .words = kDelay,
     .options = kOnlyKind,
     .fault = "delay",
     .in_fuzz = true,
     .summary = "makes messages slow",
     .help =
         "Adds to the latency that the link has; a range is drawn anew for each message. Order is kept on a "
         "stream.",
     .example = "delay leader -> followers 50ms..100ms"},
    {.name = "jitter",
     .group = "links",
     .target = Target::link,
     .words = kJitter,
     .fault = "jitter",
     .in_fuzz = true,
     .summary = "makes the delay of messages uneven",
     .help = "The same as delay from 0, but both can be on one link.",
     .example = "jitter all <-> all 30ms"},
    {.name = "duplicate",
     .group = "links",
     .target = Target::link,
     .words = kProbability,
     .options = kOnlyKind,
     .fault = "duplicate",
     .in_fuzz = true,
     .summary = "delivers messages twice by chance",
     .help = "The second copy comes some time after the first, with other messages in between.",
     .example = "duplicate all <-> all 20% kind=append"},
    {.name = "reorder",
     .group = "links",
     .target = Target::link,
     .words = kProbability,
     .options = kOnlyKind,
     .fault = "reorder",
     .in_fuzz = true,
     .summary = "lets messages be overtaken by chance",
     .help = "A message that is chosen waits until later ones have passed.",
     .example = "reorder n1 -> n2 0.5"},
    {.name = "bandwidth",
     .group = "links",
     .target = Target::link,
     .words = kBandwidth,
     .fault = "bandwidth",
     .in_fuzz = true,
     .summary = "makes links narrow",
     .help = "Messages queue behind each other for their size divided by the limit.",
     .example = "bandwidth leader -> n3 64KB/s"},
    {.name = "clog",
     .group = "links",
     .target = Target::link,
     .fault = "clog",
     .in_fuzz = true,
     .summary = "stops messages without losing them",
     .help = "They queue, and come all at once when the link is healed.",
     .example = "clog n1 <-> others"},
    {.name = "swizzle",
     .group = "links",
     .target = Target::nodes,
     .options = kSwizzle,
     .performer = Performer::runner,
     .fault = "cut",
     .in_fuzz = true,
     .summary = "cuts nodes off one by one and heals them in another order",
     .help = "Each node of the set is cut off from all others at a moment of the first half, and healed at "
             "one of the "
             "second half. A run shows it as the cuts and heals that it was.",
     .example = "swizzle 3 of all over=10s"},
    {.name = "reset",
     .group = "links",
     .target = Target::link,
     .fault = "reset",
     .in_fuzz = true,
     .summary = "resets the connections between these nodes, once",
     .help = "Both ends notice at once; what was under way is lost. They may connect again right away.",
     .example = "reset n1 <-> others"},
    {.name = "half-open",
     .group = "links",
     .target = Target::link,
     .fault = "half-open",
     .in_fuzz = true,
     .summary = "the right side forgets the connection, the left side does not notice",
     .help = "What the left side sends on the connection goes nowhere until it gives up and connects anew.",
     .example = "half-open leader -> n2"},
    {.name = "slice",
     .group = "links",
     .target = Target::link,
     .options = kPiece,
     .fault = "slice",
     .in_fuzz = true,
     .summary = "delivers the stream in small pieces",
     .help = "Tests readers that must put messages together from parts.",
     .example = "slice n1 -> n2 bytes=3"},
    {.name = "corrupt",
     .group = "links",
     .target = Target::link,
     .words = kProbability,
     .options = kOnlyKind,
     .fault = "corrupt",
     .in_fuzz = true,
     .summary = "flips a bit of messages by chance",
     .help = "The receiver must notice: it may drop the message or the connection, never take it.",
     .example = "corrupt n1 -> n2 5%"},
    {.name = "newer-offers",
     .group = "links",
     .target = Target::link,
     .fault = "newer-offers",
     .summary = "snapshots are offered in a data format that is newer than the program's",
     .help = "As a newer program would offer them; checksums are right. Other messages pass as they are.",
     .example = "newer-offers leader -> n3"},
    {.name = "hold",
     .group = "one message",
     .target = Target::link,
     .words = kMessage,
     .options = kCount,
     .fault = "hold",
     .summary = "keeps the next messages of a kind back until they are released",
     .help = "Others pass. Held messages are not lost when the sender dies; they are when the receiver does.",
     .example = "hold n2 -> n1 vote-reply"},
    {.name = "release",
     .group = "one message",
     .target = Target::link,
     .words = kMessage,
     .ends = "hold",
     .summary = "delivers the messages held, and holds no more",
     .help = "In the order in which they were sent.",
     .example = "release n2 -> n1 vote-reply"},
    {.name = "drop-next",
     .group = "one message",
     .target = Target::link,
     .words = kMessage,
     .options = kCount,
     .fault = "drop-next",
     .summary = "loses the next messages of a kind",
     .help = "After `count` of them everything passes again.",
     .example = "drop-next leader -> n2 append count=3"},
    {.name = "duplicate-next",
     .group = "one message",
     .target = Target::link,
     .words = kMessage,
     .options = kCount,
     .fault = "duplicate-next",
     .summary = "delivers the next messages of a kind twice",
     .help = "The copy follows right behind.",
     .example = "duplicate-next leader -> n2 append"},
    {.name = "replay-old",
     .group = "one message",
     .target = Target::link,
     .words = kMessage,
     .options = kCount,
     .fault = "replay-old",
     .summary = "delivers old messages of a kind once more",
     .help = "Drawn from those that passed on the link before, whichever lives their ends have now.",
     .example = "replay-old n1 -> n3 append count=5"},
};

}  // namespace

std::span<const VerbRow> link_verbs() { return kRows; }

}  // namespace kiwi::lab::script
