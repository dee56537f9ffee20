#pragma once

// The page of a run: one HTML file that needs nothing else, readable as text without script. From the top:
// verdict and why, how to see it again, the short script; charts on one time axis (faults, a lane per node,
// latency, throughput) with the script beside them; the first bad step from close by (operations on its key,
// messages and events around it); tables.
//
// Its size is bounded whatever the run was: about 5 MB. What was left out is said on the page.

#include <string>
#include <utility>
#include <vector>

#include "lab/run/record.hpp"

namespace kiwi::lab::report {

struct PageOptions {
  /// The command that gives the run again; empty: there is none.
  std::string replay;
  /// A shorter script with the same failure; empty: nobody looked for one.
  std::string shrunk;
  /// Relative link to the page of a run of it; empty: there is none.
  std::string shrunk_page;
  /// "kiwi" -> "0.1", ...
  std::vector<std::pair<std::string, std::string>> versions;
  /// Operations drawn as dots, of each outcome. Those of the failure are drawn in any case.
  std::size_t most_dots = 2'500;
};

std::string run_page(const RunRecord& record, const PageOptions& options);

}  // namespace kiwi::lab::report
