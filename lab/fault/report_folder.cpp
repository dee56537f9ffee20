#include "lab/fault/report_folder.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "lab/fault/files.hpp"
#include "lab/history/check.hpp"
#include "lab/history/json_lines.hpp"
#include "lab/report/campaign_page.hpp"
#include "lab/report/page.hpp"
#include "lab/report/record_file.hpp"
#include "lab/script/values.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {
namespace {

std::string about(const RunRecord& record, const char* name, const char* otherwise) {
  const auto found = record.history.about.find(name);
  return found == record.history.about.end() ? otherwise : found->second;
}

/// What can be said when there is nothing but the history.
RunRecord record_of_history(history::History history) {
  RunRecord record;
  record.history = std::move(history);
  record.scenario = about(record, "scenario", "a history");
  record.backend = about(record, "backend", "not known");
  record.seed = script::read_number(about(record, "seed", "0")).value_or(0);
  for (const history::Operation& operation : record.history.operations()) {
    record.ended = std::max({record.ended, operation.invoked_at, operation.returned_at.value_or(Time{0})});
  }
  return record;
}

void judge_again(RunRecord& record, bool only_a_history) {
  // Reads that may be old are judged with knowledge of the loads, by the run itself.
  const bool stale = record.script.find("stale=") != std::string::npos;
  if (!record.failing.empty() || stale) {
    return;
  }
  history::Options options;
  options.min_done = only_a_history ? 1 : 0;
  options.tolerate_unchecked = true;
  const history::CheckResult result = history::check(record.history, options);
  Verdict verdict{Outcome::fail, "clients", result.why};
  if (!result.findings.empty()) {
    const history::Finding& finding = result.findings.front();
    verdict.check += ":" + std::string(history::to_string(finding.kind));
    verdict.why = finding.what;
    record.explanation = finding.explanation;
    record.failing_key = finding.key;
    for (const history::Operation& operation : finding.operations) {
      record.failing.push_back(operation.number);
    }
  }
  if (only_a_history) {
    constexpr Outcome kOutcomes[] = {Outcome::pass, Outcome::fail, Outcome::unknown, Outcome::vacuous};
    verdict.outcome = kOutcomes[static_cast<std::size_t>(result.verdict)];
    record.verdict = verdict;
  } else if (result.verdict == history::Verdict::fail && record.verdict.outcome == Outcome::fail) {
    record.others.push_back(verdict);
  } else if (result.verdict == history::Verdict::fail) {
    const std::string before(name_of(record.verdict.outcome));
    record.others.push_back({record.verdict.outcome, record.verdict.check,
                             "the run itself was judged " + before + ": " + record.verdict.why +
                                 " (the history in the folder is not the one it recorded)"});
    record.verdict = verdict;
  }
}

}  // namespace

tl::expected<void, std::string> write_report(const std::filesystem::path& folder, const RunRecord& record) {
  report::PageOptions options;
  options.versions = {{"kiwi", KIWI_VERSION}, {"compiler", __VERSION__}};
  if (!record.lowered.empty()) {
    options.replay = "kiwi-fault replay " + script::word_text(folder.string()) +
                     (record.backend == "process" ? " --backend process" : "");
  }
  options.shrunk = read_file(folder / "shrunk.scenario").value_or("");
  if (std::filesystem::exists(folder / "shrunk" / "report.html")) {
    options.shrunk_page = "shrunk/report.html";
  }
  return write_file(folder / "report.html", report::run_page(record, options));
}

tl::expected<std::filesystem::path, std::string> remake_report(const std::filesystem::path& folder) {
  const auto history_text = read_file(folder / "history.jsonl");
  if (!history_text) {
    return tl::unexpected("this is no folder of a run: " + history_text.error());
  }
  std::istringstream history_in(*history_text);
  auto history = history::read_json_lines(history_in);
  if (!history) {
    return tl::unexpected((folder / "history.jsonl").string() + ": " + history::to_string(history.error()));
  }
  const auto record_text = read_file(folder / "record.json");
  RunRecord record;
  if (record_text) {
    std::istringstream in(*record_text);
    auto read = report::read_record(in);
    if (!read) {
      return tl::unexpected((folder / "record.json").string() + ": " + read.error());
    }
    record = std::move(*read);
    record.history = std::move(*history);
    record.script = read_file(folder / "script.scenario").value_or("");
    record.lowered = read_file(folder / "replay.scenario").value_or("");
  } else {
    record = record_of_history(std::move(*history));
  }
  judge_again(record, !record_text);
  if (auto written = write_report(folder, record); !written) {
    return tl::unexpected(written.error());
  }
  return folder / "report.html";
}

tl::expected<std::filesystem::path, std::string> write_campaign_page(const Campaign& campaign,
                                                                     const CampaignOptions& options,
                                                                     const std::string& title,
                                                                     std::chrono::milliseconds took) {
  const bool left_folders = std::any_of(campaign.summaries.begin(), campaign.summaries.end(),
                                        [](const Summary& summary) { return !summary.folder.empty(); });
  if (!left_folders) {
    return std::filesystem::path();
  }
  report::CampaignPage page;
  page.title = title;
  page.took = took;
  page.marks = campaign.marks;
  for (const auto& mark : fault::kMarks) {
    page.marks.try_emplace(std::string(mark.name), 0);
  }
  for (const Summary& summary : campaign.summaries) {
    report::CampaignRun run;
    run.scenario = summary.scenario;
    run.which = summary.which;
    run.seed = summary.seed;
    run.verdict = summary.verdict;
    run.simulated = summary.simulated;
    run.took = summary.took;
    run.figures = summary.figures;
    if (!summary.folder.empty()) {
      run.link = std::filesystem::path(summary.folder).filename().string() + "/report.html";
    }
    page.runs.push_back(std::move(run));
  }
  const auto path = std::filesystem::path(options.report) / "campaign.html";
  if (auto written = write_file(path, report::campaign_page(page)); !written) {
    return tl::unexpected(written.error());
  }
  return path;
}

void tell_page(const tl::expected<std::filesystem::path, std::string>& page) {
  if (!page) {
    std::cerr << "kiwi-fault: the page of the campaign: " << page.error() << std::endl;
  } else if (!page->empty()) {
    std::cerr << "all runs: " << page->string() << std::endl;
  }
}

}  // namespace kiwi::lab
