#pragma once

// The page of a run, report.html in its folder, and the page of a campaign beside the folders.

#include <chrono>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "lab/fault/campaign.hpp"
#include "lab/run/record.hpp"

namespace kiwi::lab {

/// Writes the page. shrunk.scenario in the folder becomes a part of it.
tl::expected<void, std::string> write_report(const std::filesystem::path& folder, const RunRecord& record);

/// Makes the page again from the files of the folder; returns its path. The history is judged again: where
/// it fails though the recorded verdict does not say so, the page says both. A folder that holds nothing but
/// history.jsonl gets a page, too.
tl::expected<std::filesystem::path, std::string> remake_report(const std::filesystem::path& folder);

/// campaign.html in the folder of the campaign's reports, when any run left a folder there or all were to;
/// returns its path, or an empty one.
tl::expected<std::filesystem::path, std::string> write_campaign_page(const Campaign& campaign,
                                                                     const CampaignOptions& options,
                                                                     const std::string& title,
                                                                     std::chrono::milliseconds took);

/// Says on standard error where it is, or why there is none.
void tell_page(const tl::expected<std::filesystem::path, std::string>& page);

}  // namespace kiwi::lab
