#include "lab/report/campaign_page.hpp"

#include <gmock/gmock.h>

namespace kiwi::lab::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

CampaignRun run(std::uint64_t seed, Outcome outcome) {
  CampaignRun one;
  one.scenario = "stock";
  one.seed = seed;
  one.verdict = {outcome, "", outcome == Outcome::pass ? "well" : "a value was lost"};
  one.simulated = 60s;
  one.figures = {{"operations done", 500}, {"fault cut", 3}};
  return one;
}

TEST(CampaignPage, ListsVerdictsMarksAndFaults) {
  CampaignPage campaign;
  campaign.title = "stock campaign";
  campaign.runs = {run(1, Outcome::pass), run(2, Outcome::fail)};
  campaign.runs[1].link = "stock-2/report.html";
  campaign.marks = {{"vote.synced", 2}, {"snapshot.installed", 0}};
  const std::string page = campaign_page(campaign);
  EXPECT_THAT(page, HasSubstr("<a href=\"stock-2/report.html\">stock</a>"));
  EXPECT_THAT(page, HasSubstr("a value was lost"));
  EXPECT_THAT(page, HasSubstr("<strong>Not reached:</strong> snapshot.installed</p>"));
  EXPECT_THAT(page, HasSubstr("<li><span>cut</span> <b>6</b></li>"));
  EXPECT_THAT(page, HasSubstr("<li><span>operations done</span> <b>1,000</b></li>"));
  EXPECT_THAT(page, HasSubstr("<dd>120 s</dd>"));
}

TEST(CampaignPage, EscapesAndNeedsNothingFromOutside) {
  CampaignPage campaign;
  campaign.title = "<script>";
  campaign.runs = {run(1, Outcome::fail)};
  campaign.runs[0].scenario = campaign.runs[0].verdict.why = campaign.runs[0].link = "\"><script>";
  campaign.marks = {{"<script>", 0}};
  const std::string page = campaign_page(campaign);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http:")));
}

TEST(CampaignPage, LeavesOutPassedRunsButNoFailure) {
  CampaignPage campaign;
  for (std::uint64_t seed = 1; seed <= 30'000; ++seed) {
    campaign.runs.push_back(run(seed, seed == 29'999 ? Outcome::fail : Outcome::pass));
  }
  const std::string page = campaign_page(campaign);
  EXPECT_LT(page.size(), 5U << 20);
  EXPECT_THAT(page, HasSubstr("28,000 more are left out"));
  EXPECT_THAT(page, HasSubstr(">29999<"));
}

}  // namespace
}  // namespace kiwi::lab::report
