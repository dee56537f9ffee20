// The legal outcomes of a power failure as a row of independent decisions: drawn one by one, or counted
// through.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/testing/power_cut.hpp"
#include "storage/testing/power_cut_parts.hpp"

namespace kiwi::sim {
namespace {

/// More sectors than this are decided in runs, so that descriptions stay readable.
constexpr std::size_t kMostSectorDecisions = 48;
constexpr std::uint64_t kSaturated = std::uint64_t{1} << 63;

struct Decision {
  std::string entity;
  const char* name = "";
  std::uint64_t counter = 0;
  std::uint64_t options = 2;  // 0: lost; the last: all of it
};

/// A sector and the un-synced writes that touched it: it may be on the disk as it was after any of them.
struct Sector {
  std::uint64_t number = 0;
  std::vector<const SimWrite*> versions;
};

std::vector<Sector> dirty_sectors(const SimInode& file) {
  std::map<std::uint64_t, Sector> sectors;
  for (const auto& write : file.unsynced) {
    if (write.lost || write.size == 0) {
      continue;
    }
    for (auto s = write.offset / kCutSectorBytes; s * kCutSectorBytes < write.offset + write.size; ++s) {
      sectors[s].number = s;
      sectors[s].versions.push_back(&write);
    }
  }
  std::vector<Sector> row;
  for (auto& [number, sector] : sectors) {
    row.push_back(std::move(sector));
  }
  return row;
}

class CutSpace {
 public:
  CutSpace(const SimDisk& disk, CrashProfile profile) : everything_(profile == CrashProfile::exact) {
    if (everything_) {
      return;
    }
    for (auto& dirty : dirty_files(disk)) {
      const bool cuts = std::any_of(dirty.file->unsynced.begin(), dirty.file->unsynced.end(),
                                    [](const SimWrite& write) { return write.cuts; });
      FilePlan plan{std::move(dirty.path), std::move(dirty.file), decisions_.size(), {}, {}, {}};
      if (profile == CrashProfile::ordered) {
        plan_prefix(plan, cuts);
      } else if (cuts) {
        plan_writes(plan);
      } else {
        plan_sectors(plan);
      }
      files_.push_back(std::move(plan));
    }
    first_name_ = decisions_.size();
    names_ = change_texts(disk);
    names_in_order_ = profile == CrashProfile::ordered;
    if (names_in_order_ && !names_.empty()) {
      decisions_.push_back({"names", "names kept", 0, names_.size() + 1});
    } else {
      for (const auto& name : names_) {
        decisions_.push_back({name, "name kept", 0, 2});
      }
    }
  }

  const std::vector<Decision>& decisions() const { return decisions_; }
  std::size_t first_name() const { return first_name_; }

  PowerCut make(const std::vector<std::uint64_t>& picks) const {
    PowerCut cut;
    cut.everything = everything_;
    for (const auto& plan : files_) {
      auto file = make_file(plan, picks);
      if (file.bytes || file.size || !file.writes.empty()) {
        cut.files.push_back(std::move(file));
      }
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_in_order_ ? i < picks[first_name_] : picks[first_name_ + i] > 0) {
        cut.names.push_back(names_[i]);
      }
    }
    return cut;
  }

  /// How many rows of picks there are.
  std::uint64_t size() const {
    std::uint64_t product = 1;
    for (const auto& decision : decisions_) {
      product = product > kSaturated / decision.options ? kSaturated : product * decision.options;
    }
    return product;
  }

 private:
  struct FilePlan {
    std::string path;
    InodePtr file;
    std::size_t first = 0;                  // its first decision
    std::vector<std::uint64_t> ends;        // ordered: so much of the tail may be kept
    std::vector<std::vector<Sector>> runs;  // hostile: decided together
    std::vector<std::uint64_t> writes;      // with truncations among them: kept as a whole
  };

  void plan_prefix(FilePlan& plan, bool cuts) {
    const auto& unsynced = plan.file->unsynced;
    if (cuts) {
      for (const auto& write : unsynced) {
        plan.writes.push_back(write.number);
      }
      decisions_.push_back({plan.path, "prefix", 0, plan.writes.size() + 1});
      return;
    }
    const auto begin = unsynced.front().offset;
    const auto end = unsynced.back().offset + unsynced.back().size;
    for (auto at = (begin / kCutSectorBytes + 1) * kCutSectorBytes; at < end; at += kCutSectorBytes) {
      plan.ends.push_back(at - begin);
    }
    if (end > begin) {
      plan.ends.push_back(end - begin);
    }
    decisions_.push_back({plan.path, "prefix", 0, plan.ends.size() + 1});
  }

  void plan_writes(FilePlan& plan) {
    for (const auto& write : plan.file->unsynced) {
      plan.writes.push_back(write.number);
      decisions_.push_back({plan.path, "write", write.number, 2});
    }
  }

  void plan_sectors(FilePlan& plan) {
    auto sectors = dirty_sectors(*plan.file);
    const auto in_run = (sectors.size() + kMostSectorDecisions - 1) / kMostSectorDecisions;
    for (std::size_t i = 0; i < sectors.size(); i += in_run) {
      const auto n = std::min(in_run, sectors.size() - i);
      const auto options = n == 1 ? sectors[i].versions.size() + 1 : 2;
      decisions_.push_back({plan.path, "sector", sectors[i].number, options});
      plan.runs.emplace_back(std::make_move_iterator(sectors.begin() + static_cast<std::ptrdiff_t>(i)),
                             std::make_move_iterator(sectors.begin() + static_cast<std::ptrdiff_t>(i + n)));
    }
    decisions_.push_back({plan.path, "size", 0, 2});
  }

  FileCut make_file(const FilePlan& plan, const std::vector<std::uint64_t>& picks) const {
    FileCut cut;
    cut.path = plan.path;
    const auto first = picks[plan.first];
    if (!plan.ends.empty()) {
      if (first > 0) {
        cut.bytes = plan.ends[first - 1];
      }
      return cut;
    }
    const bool prefix = decisions_[plan.first].name == std::string_view("prefix");
    for (std::size_t i = 0; i < plan.writes.size(); ++i) {
      if (prefix ? i < first : picks[plan.first + i] > 0) {
        cut.writes.push_back({plan.writes[i], {}});
      }
    }
    if (!plan.runs.empty()) {
      make_sectors(plan, picks, cut);
    }
    return cut;
  }

  static void make_sectors(const FilePlan& plan, const std::vector<std::uint64_t>& picks, FileCut& cut) {
    std::map<std::uint64_t, KeptWrite> kept;
    std::map<std::uint64_t, std::uint64_t> spans;
    bool end_kept = false;
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
      const auto pick = picks[plan.first + r];
      end_kept = false;
      for (const auto& sector : plan.runs[r]) {
        if (pick == 0) {
          break;
        }
        const auto& write = *(plan.runs[r].size() > 1 ? sector.versions.back() : sector.versions[pick - 1]);
        end_kept = &write == sector.versions.back();
        kept[write.number].write = write.number;
        kept[write.number].sectors.push_back(
            static_cast<std::uint32_t>(sector.number - write.offset / kCutSectorBytes));
        spans[write.number] =
            (write.offset + write.size - 1) / kCutSectorBytes - write.offset / kCutSectorBytes + 1;
      }
    }
    for (auto& [number, write] : kept) {
      if (write.sectors.size() == spans[number]) {
        write.sectors.clear();
      }
      cut.writes.push_back(std::move(write));
    }
    if (picks[plan.first + plan.runs.size()] > 0 && !end_kept) {
      cut.size = plan.file->bytes.size();
    }
  }

  bool everything_;
  std::vector<Decision> decisions_;
  std::vector<FilePlan> files_;
  std::vector<std::string> names_;
  std::size_t first_name_ = 0;
  bool names_in_order_ = false;
};

std::uint64_t scattered(std::uint64_t i, std::uint64_t j) {
  auto x = (i + 1) * 0x9e3779b97f4a7c15ull + j * 0xd1b54a32d192ed03ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

PowerCut choose_power_cut(const SimDisk& disk, CrashProfile profile, const Chooser& chooser) {
  const CutSpace space(disk, profile);
  const auto& decisions = space.decisions();
  std::vector<std::uint64_t> picks(decisions.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const auto& decision = decisions[i];
    switch (chooser(i < space.first_name() ? decision.entity : "names", "fate", 0) % 4) {
      case 0:
        picks[i] = 0;
        break;
      case 1:
        picks[i] = decision.options - 1;
        break;
      default:
        picks[i] = chooser(decision.entity, decision.name, decision.counter) % decision.options;
    }
  }
  return space.make(picks);
}

std::uint64_t for_each_power_cut(const SimDisk& disk, CrashProfile profile, std::uint64_t limit,
                                 const std::function<void(const PowerCut&)>& visit) {
  const CutSpace space(disk, profile);
  const auto& decisions = space.decisions();
  std::set<std::string> seen;  // different picks may give the same outcome
  const auto take = [&](const std::vector<std::uint64_t>& picks) {
    const auto cut = space.make(picks);
    if (seen.size() < limit && seen.insert(to_string(cut)).second) {
      visit(cut);
    }
  };
  std::vector<std::uint64_t> picks(decisions.size(), 0);
  if (space.size() <= limit) {
    for (;;) {
      take(picks);
      std::size_t i = 0;
      while (i < picks.size() && ++picks[i] == decisions[i].options) {
        picks[i++] = 0;
      }
      if (i == picks.size()) {
        return seen.size();
      }
    }
  }
  take(picks);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    picks[i] = decisions[i].options - 1;
  }
  take(picks);
  for (std::uint64_t round = 0; round < 4 * limit && seen.size() < limit; ++round) {
    for (std::size_t i = 0; i < picks.size(); ++i) {
      picks[i] = scattered(round, i) % decisions[i].options;
    }
    take(picks);
  }
  return space.size();
}

}  // namespace kiwi::sim
