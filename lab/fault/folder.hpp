#pragma once

// The folder of a run:
//
//   script.scenario    as it was run
//   replay.scenario    the lowered script: `kiwi-fault replay FOLDER` gives the same run
//   history.jsonl      every operation of the clients (docs/history.md): `kiwi-fault check`
//   nodes/n1.log       what the nodes logged
//   verdict.json       verdict, check, trace hash, mutant, figures, marks, fault windows, expectations
//   record.json        what else the page is made from: states of the nodes, messages around the failure
//   report.html        the page: `kiwi-fault report FOLDER` makes it again
//   explanation.txt    the smallest impossible part of the history, when that is what failed

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "lab/run/record.hpp"

namespace kiwi::lab {

/// Makes the folder and everything in it; what stood there under these names is overwritten.
tl::expected<void, std::string> write_folder(const std::filesystem::path& folder, const RunRecord& record);

/// What verdict.json in a folder says, as far as another run asks for it; empty texts for what it does not.
struct Recorded {
  std::string trace_hash;
  /// That was switched on.
  std::string mutant;
  std::string check;
};
Recorded recorded_in(const std::filesystem::path& folder);

/// "leader_cut-disk=torn-7": the name of a run's folder.
std::string folder_name(const RunRecord& record);

}  // namespace kiwi::lab
