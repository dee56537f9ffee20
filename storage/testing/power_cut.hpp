#pragma once

// What a power failure leaves of a simulated disk. Every outcome is a PowerCut, a plain description of what
// was kept, and the image follows from it alone: chosen by keyed chance, enumerated or read back from a
// script, the same text gives the same bytes.
//
//   log/000004.log keep=sectors:0,2-3 of write 3181; log/000004.log size=8192; create log/000004.log
//
// What is not named is lost: un-synced writes and un-synced changes of names. Writes are numbered by file,
// from 1, in the life of the machine. A sector is 512 bytes of the file and is written whole: keeping one of
// a write keeps what earlier writes put into it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "storage/testing/faults.hpp"
#include "storage/testing/sim_disk.hpp"

namespace kiwi::sim {

enum class CrashProfile : std::uint8_t {
  /// A journalling file system: a size never grows before its data. Of each file a prefix of what was
  /// un-synced
  /// is kept, to a sector's boundary or to the end; of the changes of names, oldest first, some.
  ordered,
  /// Whatever the rules of POSIX allow: any un-synced sectors in any order over all files, sizes without
  /// data,
  /// any of the changes of names. Two changes of one name keep their order.
  hostile,
  /// Nothing is lost.
  exact,
};
const char* to_string(CrashProfile profile);
std::optional<CrashProfile> parse_crash_profile(std::string_view word);

inline constexpr std::uint64_t kCutSectorBytes = 512;

struct KeptWrite {
  std::uint64_t write = 0;
  /// Counted from the sector in which the write begins; ascending. Empty: all of it.
  std::vector<std::uint32_t> sectors;
  friend bool operator==(const KeptWrite&, const KeptWrite&) = default;
};

struct FileCut {
  std::string path;  // as SimDisk::described
  std::vector<KeptWrite> writes;
  /// Instead of `writes`: so many bytes of the un-synced tail.
  std::optional<std::uint64_t> bytes;
  /// The size reached the disk although the data did not: the rest reads as zeroes.
  std::optional<std::uint64_t> size;
  friend bool operator==(const FileCut&, const FileCut&) = default;
};

struct PowerCut {
  bool everything = false;
  std::vector<FileCut> files;      // ascending
  std::vector<std::string> names;  // kept changes, oldest first: "create log/000004.log"
  bool keeps_nothing() const { return !everything && files.empty() && names.empty(); }
  friend bool operator==(const PowerCut&, const PowerCut&) = default;
};
/// One line, items separated by "; "; "nothing" and "everything" are words of it.
std::string to_string(const PowerCut& cut);
tl::expected<PowerCut, std::string> parse_power_cut(std::string_view text);

/// Draws an outcome. A file is lost or kept as a whole more often than torn, so that both extremes occur
/// however much is un-synced.
PowerCut choose_power_cut(const SimDisk& disk, CrashProfile profile, const Chooser& chooser);

struct AfterCut {
  SimDisk image;
  /// Items that fit nothing on this disk (a script that was changed): not applied.
  std::vector<std::string> unmatched;
};
AfterCut apply(const SimDisk& disk, const PowerCut& cut);

struct PowerCutResult {
  SimDisk image;
  PowerCut cut;
};
/// choose, then apply.
PowerCutResult power_cut(const SimDisk& disk, CrashProfile profile, const Chooser& chooser);

/// Visits the legal outcomes, each once, at most `limit`: all of them when there are no more, else a spread
/// that holds both extremes. Returns how many there are (saturating at 2^63).
std::uint64_t for_each_power_cut(const SimDisk& disk, CrashProfile profile, std::uint64_t limit,
                                 const std::function<void(const PowerCut&)>& visit);

}  // namespace kiwi::sim
