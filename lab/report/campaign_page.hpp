#pragma once

// The page of a campaign: seeds, verdicts, marks reached, faults by kind. As self-contained as that of a run.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lab/run/verdict.hpp"
#include "lab/time.hpp"

namespace kiwi::lab::report {

struct CampaignRun {
  std::string scenario;
  std::string which;
  std::uint64_t seed = 0;
  Verdict verdict;
  /// Of its page, relative to this one; empty: it left none.
  std::string link;
  Time simulated{0};
  std::chrono::milliseconds took{0};
  std::map<std::string, std::uint64_t> figures;  // as RunRecord::figures
};

struct CampaignPage {
  std::string title;
  std::chrono::milliseconds took{0};
  std::vector<CampaignRun> runs;
  /// In how many runs each mark was passed; 0: in none of them, though the code has it.
  std::map<std::string, std::uint64_t> marks;
  /// Rows of passed runs beyond these are left out, and counted. All others are listed, up to ten times that.
  std::size_t most_rows = 2'000;
};

std::string campaign_page(const CampaignPage& campaign);

}  // namespace kiwi::lab::report
