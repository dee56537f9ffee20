#include "lab/report/campaign_page.hpp"

#include <algorithm>

#include "lab/report/page_files.hpp"
#include "lab/report/tables.hpp"
#include "lab/report/text.hpp"

namespace kiwi::lab::report {
namespace {

constexpr std::string_view kFault = "fault ";

std::uint64_t figure(const CampaignRun& run, const char* name) {
  const auto found = run.figures.find(name);
  return found == run.figures.end() ? 0 : found->second;
}

std::string name_text(const CampaignRun& run) {
  const std::string name =
      escape(shortened(run.scenario + (run.which.empty() ? "" : " [" + run.which + "]"), 200));
  return run.link.empty() ? name : "<a href=\"" + escape(run.link) + "\">" + name + "</a>";
}

std::string outcome_text(const CampaignRun& run) {
  const std::string name(name_of(run.verdict.outcome));
  return "<span class=\"outcome " + name + "\">" + name + "</span>";
}

std::string wrong_runs(const CampaignPage& campaign) {
  std::vector<std::vector<std::string>> rows;
  std::size_t wrong = 0;
  for (const CampaignRun& run : campaign.runs) {
    if (run.verdict.outcome != Outcome::pass && ++wrong <= 10 * campaign.most_rows) {
      rows.push_back({outcome_text(run), name_text(run), std::to_string(run.seed),
                      escape(shortened(run.verdict.why, 400))});
    }
  }
  if (rows.empty()) {
    return "<p>None.</p>";
  }
  return table({"verdict", "scenario", "seed", "why"}, rows, false) +
         (wrong > rows.size()
              ? "<p class=\"note\">" + grouped(wrong - rows.size()) + " more are left out.</p>"
              : "");
}

std::string all_runs(const CampaignPage& campaign) {
  std::vector<std::vector<std::string>> rows;
  std::size_t left_out = 0;
  for (const CampaignRun& run : campaign.runs) {
    if (rows.size() >= campaign.most_rows) {
      ++left_out;
      continue;
    }
    rows.push_back({name_text(run), std::to_string(run.seed), outcome_text(run),
                    grouped(figure(run, "operations done")), grouped(figure(run, "operations unknown")),
                    grouped(figure(run, "faults")), seconds_text(run.simulated), seconds_text(run.took)});
  }
  return table({"scenario", "seed", "verdict", "operations", "unknown", "faults", "ran for", "took"}, rows,
               true) +
         (left_out > 0 ? "<p class=\"note\">" + grouped(left_out) +
                             " more are left out; none that did not pass is " + "missing above.</p>"
                       : "");
}

std::string unreached(const CampaignPage& campaign) {
  std::string names;
  for (const auto& [mark, runs] : campaign.marks) {
    if (runs == 0) {
      names += (names.empty() ? "" : ", ") + escape(shortened(mark, 100));
    }
  }
  return names.empty() ? "" : "<p><strong>Not reached:</strong> " + names + "</p>";
}

}  // namespace

std::string campaign_page(const CampaignPage& campaign) {
  std::map<std::string, std::uint64_t> verdicts;
  std::map<std::string, std::uint64_t> figures;
  std::map<std::string, std::uint64_t> faults;
  Time simulated{0};
  for (const CampaignRun& run : campaign.runs) {
    ++verdicts[std::string(name_of(run.verdict.outcome))];
    simulated += run.simulated;
    for (const auto& [name, value] : run.figures) {
      const bool fault = name.compare(0, kFault.size(), kFault) == 0;
      (fault ? faults[name.substr(kFault.size())] : figures[name]) += value;
    }
  }
  std::string counted;
  for (const auto& [name, count] : verdicts) {
    counted += "<span class=\"outcome " + name + "\">" + name + "</span> " + grouped(count) + " ";
  }
  const auto list = [](const std::map<std::string, std::uint64_t>& map) {
    return map.empty() ? "<p>None.</p>"
                       : pairs(std::vector<std::pair<std::string, std::uint64_t>>(map.begin(), map.end()));
  };
  std::map<std::string, std::string> values;
  values["title"] = escape(shortened(campaign.title, 300));
  values["css"] = kPageCss;
  values["verdicts"] = counted.empty() ? "nothing ran" : counted;
  values["facts"] = "<div><dt>runs</dt><dd>" + grouped(campaign.runs.size()) +
                    "</dd></div><div><dt>time in the runs" + "</dt><dd>" + seconds_text(simulated) +
                    "</dd></div><div><dt>took</dt><dd>" + seconds_text(campaign.took) + "</dd></div>";
  values["wrong"] = wrong_runs(campaign);
  values["unreached"] = unreached(campaign);
  values["marks"] = list(campaign.marks);
  values["figures"] = list(figures);
  values["faults"] = list(faults);
  values["runs"] = all_runs(campaign);
  return fill(kCampaignHtml, values);
}

}  // namespace kiwi::lab::report
