#include "lab/fault/tally.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/fault/files.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {

std::vector<ExcusedMark> excused_marks() {
  return {
      {"storage.late_answer",
       "an answer that an actor left behind when it ended would have to outlive the node's order to stop; "
       "passed in actor_test only, where storage is scripted"},
      {"manifest.torn_tail_cut",
       "the simulator writes and syncs a MANIFEST within one step of an actor, so no power failure falls "
       "between; storage_sim_data_power_cut_test passes it, which cuts the power at every disk operation"},
      {"membership.stood_unasked",
       "a learner stands only when a voter of a half-known membership needs it; raft_core_test passes it"},
  };
}

std::vector<std::string> unreached(const Campaign& campaign) {
  const std::vector<ExcusedMark> excused = excused_marks();
  std::vector<std::string> names;
  for (const auto& mark : fault::kMarks) {
    const bool is_excused = std::any_of(excused.begin(), excused.end(),
                                        [&](const ExcusedMark& one) { return one.name == mark.name; });
    if (!is_excused && !campaign.marks.contains(std::string(mark.name))) {
      names.emplace_back(mark.name);
    }
  }
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

tl::expected<void, std::string> write_tally(const Campaign& campaign, const std::filesystem::path& path) {
  const nlohmann::json json = {{"runs", campaign.runs},         {"twice", campaign.twice},
                               {"verdicts", campaign.verdicts}, {"simulated", campaign.simulated.count()},
                               {"took", campaign.took.count()}, {"figures", campaign.figures},
                               {"marks", campaign.marks}};
  return write_file(path, json.dump(1) + "\n");
}

tl::expected<void, std::string> add_tally(Campaign& sum, const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) {
    return tl::unexpected(text.error());
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    return tl::unexpected(path.string() + ": no tally");
  }
  try {
    sum.runs += json.at("runs").get<std::uint64_t>();
    sum.twice += json.at("twice").get<std::uint64_t>();
    sum.simulated += Time(json.at("simulated").get<Time::rep>());
    sum.took += std::chrono::milliseconds(json.at("took").get<std::int64_t>());
    using Counts = std::map<std::string, std::uint64_t>;
    const auto add = [&](const char* name, Counts& to) {
      for (const auto& [key, value] : json.at(name).get<Counts>()) {
        to[key] += value;
      }
    };
    add("verdicts", sum.verdicts);
    add("figures", sum.figures);
    add("marks", sum.marks);
  } catch (const nlohmann::json::exception& problem) {
    return tl::unexpected(path.string() + ": " + problem.what());
  }
  return {};
}

}  // namespace kiwi::lab
