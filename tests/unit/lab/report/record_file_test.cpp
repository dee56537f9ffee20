#include "lab/report/record_file.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "lab/report/page.hpp"
#include "sample_run.hpp"

namespace kiwi::lab::report {
namespace {

using namespace std::chrono_literals;

std::string written(const RunRecord& record) {
  std::ostringstream out;
  write_record(out, record);
  return out.str();
}

tl::expected<RunRecord, std::string> read(const std::string& text) {
  std::istringstream in(text);
  return read_record(in);
}

TEST(RecordFile, GivesTheSamePageAgain) {
  RunRecord run = sample_run();
  run.mutant = "vote_forgotten";
  auto again = read(written(run));
  ASSERT_TRUE(again) << again.error();
  again->script = run.script;
  again->lowered = run.lowered;
  again->history = run.history;
  EXPECT_EQ(run_page(*again, {}), run_page(run, {}));
}

TEST(RecordFile, KeepsMessagesOnlyAroundTheFirstBadStep) {
  RunRecord run = sample_run();
  run.happenings.insert(run.happenings.begin(), {1s, NodeId(1), "message", {{"kind", "far-away"}}});
  const std::string text = written(run);
  EXPECT_EQ(text.find("far-away"), std::string::npos);
  EXPECT_NE(text.find("append"), std::string::npos);
}

TEST(RecordFile, TakesAnyBytes) {
  RunRecord run = sample_run();
  run.verdict.why = "\xff\xfe";
  EXPECT_TRUE(read(written(run)));
}

TEST(RecordFile, SaysWhatIsWrongWithAFileAndNeverThrows) {
  const std::string text = written(sample_run());
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("[]"));
  EXPECT_FALSE(read("{}"));
  EXPECT_FALSE(read(R"({"version": 99})"));
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) {
    EXPECT_FALSE(read(text.substr(0, size))) << size;
  }
}

TEST(RecordFile, RefusesValuesThatNoRunHas) {
  const auto with = [](const std::string& what, const std::string& instead) {
    std::string text = written(sample_run());
    text.replace(text.find(what), what.size(), instead);
    return read(text);
  };
  EXPECT_TRUE(with("\"nodes\":3", "\"nodes\":4"));
  EXPECT_FALSE(with("\"nodes\":3", "\"nodes\":3000000000"));
  EXPECT_FALSE(with("\"outcome\":1", "\"outcome\":17"));
  EXPECT_FALSE(with("\"failing\":[", "\"failing\":[\"x\","));
}

}  // namespace
}  // namespace kiwi::lab::report
