// Anomalies that other systems were caught with, written by hand as files in samples/. The header of each
// says in "about" what must come out: "expect" (the verdict), "kind" of the first finding, "shown" (how many
// operations).

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "lab/history/check.hpp"
#include "lab/history/json_lines.hpp"

namespace kiwi::lab::history {
namespace {

std::vector<std::filesystem::path> samples() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("samples")) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(Samples, AreJudgedAsTheirHeadersSay) {
  const auto paths = samples();
  ASSERT_GE(paths.size(), 20U);
  for (const auto& path : paths) {
    SCOPED_TRACE(path.string());
    std::ifstream in(path);
    const auto history = read_json_lines(in);
    ASSERT_TRUE(history) << to_string(history.error());
    const auto& about = history->about;
    ASSERT_TRUE(about.count("expect") && about.count("what"));
    Options options;
    options.linearizable = about.count("stale-reads") == 0;
    const auto result = check(*history, options);
    EXPECT_EQ(to_string(result.verdict), about.at("expect")) << result.why << "\n" << result.explanation();
    if (about.at("expect") != "fail")
      continue;
    ASSERT_FALSE(result.findings.empty());
    EXPECT_EQ(to_string(result.findings[0].kind), about.at("kind")) << result.explanation();
    EXPECT_EQ(std::to_string(result.findings[0].operations.size()), about.at("shown"))
        << result.explanation();
  }
}

}  // namespace
}  // namespace kiwi::lab::history
