// The tables agree with the parser, with each other and with what is written about them.

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "lab/script/explain.hpp"
#include "lab/script/format.hpp"
#include "lab/script/grammar_rows.hpp"
#include "lab/script/help.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"
#include "tests/unit/lab/script/script_testing.hpp"

namespace kiwi::lab::script {
namespace {

/// A scenario in which the examples make sense.
std::string with(std::string_view line) {
  return "scenario x\ncluster nodes=5\nload L1\nat 0s crash n5\n" + std::string(line) + "\n";
}

TEST(Tables, EveryExampleParsesAndCanBeExplained) {
  for (const auto& row : verbs()) {
    const auto scenario = parse(source_of(with("at 1s " + std::string(row.example))));
    ASSERT_TRUE(scenario) << to_string(scenario.error());
    const auto& call = std::get<VerbCall>(scenario->blocks.at(1).body.at(0).value);
    EXPECT_EQ(call.verb, row.name);
    EXPECT_FALSE(explain(call).empty());
  }
  for (const auto& row : predicates()) {
    const auto predicate = parse_predicate(row.example);
    ASSERT_TRUE(predicate) << to_string(predicate.error());
    EXPECT_EQ(predicate->name, row.name);
    EXPECT_EQ(to_text(*predicate), row.example) << "examples are canonical";
    EXPECT_FALSE(explain(*predicate).empty());
  }
  for (const auto rows : {time_rows(), event_rows(), head_rows()}) {
    for (const auto& row : rows) {
      if (row.name != "scenario" && row.name != "cluster") {
        EXPECT_EQ(errors_of(with(row.example)), "") << row.name;
      }
    }
  }
}

TEST(Tables, RowsAreComplete) {
  std::set<std::string_view> names;
  const auto kinds = fault_kinds();
  for (const auto& row : verbs()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
    EXPECT_TRUE(row.sim || row.process) << row.name << " has no backend";
    EXPECT_FALSE(row.summary.empty() || row.help.empty() || row.example.empty() || row.group.empty())
        << row.name;
    EXPECT_FALSE(row.in_fuzz && row.fault.empty()) << row.name << " is drawn as a fault but is none";
    for (std::size_t i = 0; i < row.words.size(); ++i) {
      EXPECT_FALSE(row.words[i].required && i > 0 && !row.words[i - 1].required) << row.name;
    }
    for (const auto specs : {row.words, row.options}) {
      for (const auto& spec : specs) {
        EXPECT_FALSE(!spec.fallback.empty() && wrong_value(spec, spec.fallback))
            << row.name << " " << spec.name;
      }
    }
    const Action action{.at = Time(0),
                        .verb = std::string(row.name),
                        .nodes = {},
                        .to = {},
                        .both_ways = false,
                        .words = {},
                        .options = {},
                        .line = 0};
    for (const auto& ended : ended_by(action)) {
      EXPECT_TRUE(std::ranges::find(kinds, ended) != kinds.end())
          << row.name << " ends " << ended << ", which is no fault";
    }
  }
  names.clear();
  for (const auto& row : predicates()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
    EXPECT_NE(row.where, 0U);
  }
}

TEST(Tables, DefaultsAreValues) {
  for (const auto keys : {cluster_keys(), load_keys(), fuzz_keys()}) {
    for (const auto& key : keys) {
      if (!key.fallback.empty() && key.name != "mix") {
        EXPECT_FALSE(wrong_value(key, key.fallback)) << key.name;
      }
    }
  }
  const auto settings = cluster_settings(parsed("scenario x\n"));
  EXPECT_EQ(settings.nodes, 3U);
  EXPECT_EQ(settings.disk, DiskProfile::ordered);
  EXPECT_EQ(settings.cache, 32U << 20);
  EXPECT_TRUE(settings.heal_at_end);
}

TEST(Tables, FaultsAreCountedByKind) {
  const auto faults = [](std::string_view line) { return faults_of(read_lowered(line).value()); };
  using Kinds = std::vector<std::string>;
  EXPECT_EQ(faults("! 1s cut n1 -> n2"), Kinds{"cut"});
  EXPECT_EQ(faults("! 1s power-fail n1 torn"), (Kinds{"power-fail", "torn"}));
  EXPECT_EQ(faults("! 1s stop n1"), Kinds{"stop"});
  EXPECT_EQ(faults("! 1s stop L1"), Kinds{}) << "of a load";
  EXPECT_EQ(faults("! 1s heal n1"), Kinds{});
}

TEST(Tables, HelpFitsATerminalAndKnowsEveryWord) {
  std::istringstream lines(help());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
  }
  for (const auto& row : verbs()) {
    ASSERT_TRUE(help(row.name).has_value()) << row.name;
    EXPECT_NE(help(row.name)->find(row.example), std::string::npos);
    EXPECT_NE(help().find("\n  " + std::string(row.name) + " "), std::string::npos) << row.name;
    EXPECT_NE(reference_page().find("`" + std::string(row.example) + "`"), std::string::npos) << row.name;
  }
  for (const auto& row : predicates()) {
    EXPECT_TRUE(help(row.name).has_value()) << row.name;
  }
  EXPECT_EQ(help("drop").value(), R"(drop NODES -> NODES P [kind=KIND]

  loses messages by chance.
  Each message is lost with this chance. On a stream a lost message costs the connection, as a stall
  and a reset would.

words
  p               probability: chance for each message (must be given)

options
  kind            kind of message: only messages of this kind (default any)

  for example    drop n1 <-> all 10%
  backends       simulator and processes
  counts as      drop
)");
  EXPECT_EQ(help("crush").error(), "no help on 'crush'; did you mean 'crash'?");
}

// Written anew with: kiwi-fault help --page > docs/lab-verbs.md
TEST(Tables, TheReferencePageIsWhatTheTablesSay) {
  std::ifstream file(KIWI_SOURCE_DIR "/docs/lab-verbs.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == reference_page()) << "docs/lab-verbs.md is not what the tables give";
}

}  // namespace
}  // namespace kiwi::lab::script
