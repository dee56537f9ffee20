// Faults of the disks under nodes. Words: which call, or which kind of file; option `file` narrows the first.

#include "lab/script/verbs_table.hpp"

namespace kiwi::lab::script {
namespace {

using enum ValueType;

constexpr ValueSpec kCall{.name = "call",
                          .type = choice,
                          .choices = kDiskCalls,
                          .required = true,
                          .summary = "which calls are meant"};
constexpr ValueSpec kFile{.name = "file", .type = file_class, .fallback = "any", .summary = "of which files"};
constexpr ValueSpec kWhich{.name = "file", .type = file_class, .required = true, .summary = "of which files"};
constexpr ValueSpec kFail[] = {kCall,
                               {.name = "error",
                                .type = choice,
                                .choices = "eio|enospc|short",
                                .fallback = "eio",
                                .summary = "what they return"}};
constexpr ValueSpec kFailOptions[] = {
    kFile,
    {.name = "nth",
     .type = number,
     .fallback = "1",
     .summary = "the first call that fails, counted from now",
     .least = 1},
    {.name = "count", .type = number, .summary = "how many fail; all from then on without it", .least = 1}};
constexpr ValueSpec kSlow[] = {
    kCall, {.name = "time", .type = duration_range, .required = true, .summary = "added to each call"}};
constexpr ValueSpec kSlowOptions[] = {kFile,
                                      {.name = "every",
                                       .type = number,
                                       .fallback = "1",
                                       .summary = "only the first of so many calls, and so on",
                                       .least = 1}};
constexpr ValueSpec kHang[] = {kCall};
constexpr ValueSpec kFileOption[] = {kFile};
constexpr ValueSpec kFull[] = {
    {.name = "after", .type = bytes, .fallback = "0", .summary = "so much still fits; simulator only"}};
constexpr ValueSpec kFileWord[] = {kWhich};
constexpr ValueSpec kRecord[] = {{.name = "record",
                                  .type = choice,
                                  .choices = "marker|state|entry|data",
                                  .required = true,
                                  .summary =
                                      "what: the log's marker file, its state with the vote, its newest "
                                      "entry; the format row of the data"}};
constexpr ValueSpec kFlip[] = {
    {.name = "at", .type = number, .summary = "bit of the file, from 0; drawn by chance without it"},
    {.name = "bits", .type = number, .fallback = "1", .summary = "how many", .least = 1, .most = 1000}};
constexpr ValueSpec kLose[] = {{.name = "count",
                                .type = number,
                                .fallback = "1",
                                .summary = "how many writes",
                                .least = 1,
                                .most = 1000}};

constexpr VerbRow kRows[] = {
    {.name = "fail",
     .group = "disk",
     .target = Target::nodes,
     .words = kFail,
     .options = kFailOptions,
     .fault = "disk-error",
     .in_fuzz = true,
     .summary = "calls on files return an error",
     .help =
         "A sync that fails leaves its data in the page cache, marked clean, as real file systems do. "
         "`short` is for reads and writes: a read gives half of the bytes, a write writes half and fails.",
     .example = "fail leader sync eio file=log nth=3 count=1"},
    {.name = "slow",
     .group = "disk",
     .target = Target::nodes,
     .words = kSlow,
     .options = kSlowOptions,
     .fault = "slow-disk",
     .in_fuzz = true,
     .summary = "calls on files take longer",
     .help = "A range is drawn anew for each call.",
     .example = "slow n2 sync 100ms..500ms file=log"},
    {.name = "hang",
     .group = "disk",
     .target = Target::nodes,
     .words = kHang,
     .options = kFileOption,
     .fault = "hung-disk",
     .in_fuzz = true,
     .summary = "calls on files do not return until `free`",
     .help = "Whoever made the call waits; the rest of the node must not.",
     .example = "hang leader sync"},
    {.name = "full",
     .group = "disk",
     .target = Target::nodes,
     .options = kFull,
     .fault = "full-disk",
     .in_fuzz = true,
     .summary = "no space is left on the disk",
     .help = "Writes that need space return ENOSPC until `free`.",
     .example = "full n1 after=64KB"},
    {.name = "readonly",
     .group = "disk",
     .target = Target::nodes,
     .fault = "readonly",
     .summary = "the file system turns read-only",
     .help = "Everything that changes it returns EROFS until `free`.",
     .example = "readonly leader"},
    {.name = "free",
     .group = "disk",
     .target = Target::nodes,
     .ends = "disk-error|slow-disk|hung-disk|full-disk|readonly|lose-writes|misdirect|stale-block",
     .summary = "the disk works again, and has space",
     .help = "Damage that was done stays. Calls that hung return.",
     .example = "free all"},
    {.name = "flip",
     .group = "disk",
     .target = Target::nodes,
     .words = kFileWord,
     .options = kFlip,
     .fault = "flip",
     .in_fuzz = true,
     .summary = "flips bits of a file at rest",
     .help = "Of a kind of file the one that was written last is meant, below a folder any. On the disk and "
             "in the page cache.",
     .example = "flip n1 log-wal bits=2"},
    {.name = "lose-writes",
     .group = "disk",
     .target = Target::nodes,
     .words = kFileWord,
     .options = kLose,
     .fault = "lose-writes",
     .summary = "the next writes are acknowledged but never reach the disk",
     .help = "The page cache has them until a crash of the machine.",
     .example = "lose-writes n1 log count=1"},
    {.name = "misdirect",
     .group = "disk",
     .target = Target::nodes,
     .words = kFileWord,
     .options = kLose,
     .process = false,
     .fault = "misdirect",
     .summary = "the next writes go to another place of the same file",
     .help = "What was there is overwritten, what should have been is not written.",
     .example = "misdirect n1 log"},
    {.name = "stale-block",
     .group = "disk",
     .target = Target::nodes,
     .words = kFileWord,
     .process = false,
     .fault = "stale-block",
     .summary = "a block of a file is again what it was before",
     .help = "As after a write that the disk acknowledged and forgot.",
     .example = "stale-block n1 log-wal"},
    {.name = "newer-format",
     .group = "disk",
     .target = Target::nodes,
     .words = kRecord,
     .fault = "newer-format",
     .summary = "a record of nodes that are down is of the next format version",
     .help = "As a newer program would have left it: all checksums are right. Nothing turns it back.",
     .example = "newer-format n5 entry"},
};

}  // namespace

std::span<const VerbRow> disk_verbs() { return kRows; }

}  // namespace kiwi::lab::script
