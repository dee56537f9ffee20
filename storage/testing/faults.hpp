#pragma once

// Faults that are armed for an operation kind and a class of files, and how often each fired. One plan serves
// the simulated disk (sim_fs.hpp) and the real one (fault_fs.hpp). Not thread-safe by itself.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/testing/file_class.hpp"

namespace kiwi::sim {

/// A keyed decision: the same number for the same three arguments, whatever else was asked before. `entity`
/// is a path or "names". All 64 bits count.
using Chooser =
    std::function<std::uint64_t(std::string_view entity, std::string_view decision, std::uint64_t counter)>;

enum class FaultKind : std::uint8_t {
  error,       ///< EIO, nothing is done
  sync_drops,  ///< sync: EIO, and the pages count as clean: they never reach the disk, nor is that told again
  full,        ///< ENOSPC on append and create
  read_only,   ///< EROFS on whatever changes the disk
  slow,        ///< takes `delay_us` longer
  hang,        ///< does not return until disarmed
  lost_write,  ///< append: acknowledged, also by its sync, but never on the platters
  misdirected,  ///< append: as lost_write, and its bytes overwrite `target` at `target_offset` on the
                ///< platters
  stale_block,  ///< read: its first 4 KiB block comes as it was one write before, or as the disk space held
                ///< it before
  short_read,   ///< read: half of the bytes
  short_write,  ///< append: half of the bytes are written, then EIO
};
const char* to_string(FaultKind kind);
std::optional<FaultKind> parse_fault_kind(std::string_view word);

inline constexpr std::uint64_t kAlways = ~std::uint64_t{0};

struct Fault {
  /// Counted under this name; empty: that of the kind. Several may share one.
  std::string name = {};
  FaultKind kind = FaultKind::error;
  /// Empty: every operation that this kind can hit.
  std::optional<DiskOp> op = {};
  FileClass where = FileClass::any;
  /// Only paths that contain this; empty: all.
  std::string in_path = {};
  std::uint64_t nth = 1;    ///< the first matching call from now that is hit; 1 is the next
  std::uint64_t times = 1;  ///< how many calls in a row; kAlways: until disarmed
  std::uint64_t every = 1;  ///< of those, the first of each so many; at least 1
  std::uint64_t delay_us = 0;
  /// misdirected: empty: another file of the same class with something on the platters, else nowhere.
  std::string target = {};
  std::uint64_t target_offset = 0;
};

struct Delay {
  std::uint64_t us = 0;
  bool hangs = false;  ///< until the fault is disarmed
};

class Faults {
 public:
  /// Counts from now on.
  void arm(Fault fault);
  /// Takes away all of this name. False: there was none.
  bool disarm(std::string_view name);
  void clear() { armed_.clear(); }
  bool any() const { return !armed_.empty(); }
  bool is_armed(std::string_view name) const;
  bool is_armed(FaultKind kind) const;
  /// FaultKind::full is armed for all files and calls, until disarmed.
  bool disk_is_full() const;

  /// Counts the call for every armed fault that matches, up to the first that hits; that one fires. slow and
  /// hang never hit here. The pointer is good until the next change of the plan.
  const Fault* hit(DiskOp op, FileClass where, std::string_view path);
  /// The hit had no effect (no older version to show): it does not count, and the next such call is hit.
  void take_back(const Fault& fault);
  /// What slow and hang ask for in such a call. Counts it and fires. The sum of all that match.
  Delay delay(DiskOp op, FileClass where, std::string_view path = {});

  /// Fired so far, by name; disarmed and cleared ones included, names that were armed but never fired with 0.
  const std::map<std::string, std::uint64_t, std::less<>>& fired() const { return fired_; }
  std::uint64_t fired(std::string_view name) const;
  std::uint64_t fired_in_all() const { return fired_in_all_; }
  /// A fault that is not in the plan (a flip, a full disk by capacity) counts itself.
  void count(std::string_view name);

 private:
  struct Armed {
    Fault fault;
    std::uint64_t seen = 0;
  };
  bool takes(Armed& armed, DiskOp op, FileClass where, std::string_view path);

  std::vector<Armed> armed_;
  std::map<std::string, std::uint64_t, std::less<>> fired_;
  std::uint64_t fired_in_all_ = 0;
};

}  // namespace kiwi::sim
