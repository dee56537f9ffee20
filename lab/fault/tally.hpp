#pragma once

// What several campaigns did together: `run` and `fuzz` leave it in files, `kiwi-fault tally` adds them up
// and fails when the ensemble never passed a mark (messages/fault_tables.hpp).

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/fault/campaign.hpp"

namespace kiwi::lab {

inline constexpr const char* kTallyHelp =
    "Write what the runs did together to this file, for `kiwi-fault tally`";

/// A mark that no run on the simulator can pass, and why.
struct ExcusedMark {
  std::string_view name;
  std::string_view why;
};
/// The only place where marks are excused.
std::vector<ExcusedMark> excused_marks();

/// Marks that no run passed, in the order of the table, the excused ones left out.
std::vector<std::string> unreached(const Campaign& campaign);
/// "a, b".
std::string listed(const std::vector<std::string>& names);

/// Verdicts, simulated time, figures and marks; not the single runs. JSON.
tl::expected<void, std::string> write_tally(const Campaign& campaign, const std::filesystem::path& path);
/// Adds what a file says to `sum`. The error names the file.
tl::expected<void, std::string> add_tally(Campaign& sum, const std::filesystem::path& path);

}  // namespace kiwi::lab
