#include "lab/report/page.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "sample_run.hpp"

namespace kiwi::lab::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& page, const std::string& what) {
  std::size_t found = 0;
  for (auto at = page.find(what); at != std::string::npos; at = page.find(what, at + 1)) {
    ++found;
  }
  return found;
}

/// The body up to the scripts: what a reader sees.
std::string body_of(const std::string& page) {
  const auto begin = page.find("<body>");
  return page.substr(begin, page.find("<script", begin) - begin);
}

TEST(Page, BeginsWithVerdictReasonAndTheCommandThatGivesTheRunAgain) {
  PageOptions options;
  options.replay = "kiwi-fault replay runs/sample-7";
  options.versions = {{"kiwi", "1.2.3"}};
  const std::string body = body_of(run_page(sample_run(), options));
  EXPECT_THAT(body, HasSubstr("<span class=\"outcome fail\">fail</span> sample"));
  EXPECT_THAT(body, HasSubstr("<p class=\"why\">GET k1 gave an old value</p>"));
  EXPECT_THAT(body, HasSubstr("kiwi-fault replay runs/sample-7"));
  EXPECT_THAT(body, HasSubstr("<dd>1.2.3</dd>"));
  EXPECT_THAT(body, HasSubstr("! 2.000000s  cut n1 -&gt; n2"));
}

TEST(Page, ShowsTheShrunkScriptInsteadOfTheLoweredOneWhenThereIsOne) {
  PageOptions options;
  options.shrunk = "scenario tiny\n";
  options.shrunk_page = "shrunk/report.html";
  const std::string body = body_of(run_page(sample_run(), options));
  EXPECT_THAT(body, HasSubstr("scenario tiny"));
  EXPECT_THAT(body, HasSubstr("<a href=\"shrunk/report.html\">"));
  EXPECT_THAT(body, Not(HasSubstr("! 2.000000s  cut n1 -&gt; n2</code>")));
}

TEST(Page, NamesTheBugThatWasPutBack) {
  RunRecord run = sample_run();
  EXPECT_THAT(body_of(run_page(run, {})), Not(HasSubstr("mutant")));
  run.mutant = "vote_forgotten";
  EXPECT_THAT(body_of(run_page(run, {})), HasSubstr("<dt>with the mutant</dt><dd>vote_forgotten</dd>"));
}

TEST(Page, HasALaneForEveryNodeAlsoForOneThatWasNeverSeen) {
  RunRecord run = sample_run();
  run.node_count = 4;
  const std::string body = body_of(run_page(run, {}));
  EXPECT_EQ(count(body, "<div class=\"row lane\">"), 4U);
  for (const char* node : {"n1", "n2", "n3", "n4"}) {
    EXPECT_THAT(body, HasSubstr("<div class=\"name\">" + std::string(node) + "</div>"));
  }
  EXPECT_EQ(count(body, "<span class=\"none\">not seen</span>"), 1U);
}

TEST(Page, NamesRoleAndTermInTheLanesAndMarksCrashes) {
  const std::string body = body_of(run_page(sample_run(), {}));
  EXPECT_THAT(body, HasSubstr("<b>leader t1</b>"));
  EXPECT_THAT(body, HasSubstr("<b>leader t2</b>"));
  EXPECT_THAT(body, HasSubstr("<b>down</b>"));
  EXPECT_THAT(body, HasSubstr("<title>crash of n1 at 4 s</title>"));
}

TEST(Page, HasAWindowForEveryFaultAndShadesThoseThatChangedSomething) {
  RunRecord run = sample_run();
  run.windows.push_back(run.windows[0]);
  run.windows.back().effective = false;
  const std::string body = body_of(run_page(run, {}));
  EXPECT_EQ(count(body, "<span class=\"fault "), run.windows.size());
  EXPECT_EQ(count(body, " idle\""), 1U);
  const auto shades = body.find("class=\"shades\"");
  ASSERT_NE(shades, std::string::npos);
  EXPECT_EQ(count(body.substr(shades, body.find("</svg>", shades) - shades), "<rect"), 2U);
}

TEST(Page, ShowsTheFailingOperationsAmongTheirNeighboursOnTheKey) {
  const std::string body = body_of(run_page(sample_run(), {}));
  EXPECT_EQ(count(body, "<div class=\"op failing\">"), 2U);
  EXPECT_EQ(count(body, "<div class=\"op\">"), 1U) << "the first write of k1; nothing of k2";
  EXPECT_THAT(body, HasSubstr("GET k1 \u2192"));
  EXPECT_THAT(body, Not(HasSubstr("SET k2 v3 \u2192")));
}

TEST(Page, JumpsToTheMomentAtWhichTheHistoryBecameImpossible) {
  const std::string page = run_page(sample_run(), {});
  EXPECT_THAT(page, HasSubstr("data-bad=\"6.001\""));
  EXPECT_THAT(page, HasSubstr("href=\"#first-bad\""));
  EXPECT_THAT(page, HasSubstr("id=\"first-bad\""));
  EXPECT_THAT(page, HasSubstr("<b>n2\u2192n3 append</b>"));
}

TEST(Page, MarksTheFailingLineOfTheScriptAndWhenLinesWereDone) {
  RunRecord run = sample_run();
  run.checks[0].outcome = Outcome::fail;
  run.verdict = {Outcome::fail, "expect leader = n2", "it was n1"};
  const std::string body = body_of(run_page(run, {}));
  EXPECT_THAT(body, HasSubstr("<li class=\"bad\" id=\"bad-line\"><code>at 2s     cut n1 -&gt; n2</code>"
                              "<small>2 s</small>"));
  EXPECT_THAT(body, HasSubstr("The first bad step: expect leader = n2 at 5 s"));
}

TEST(Page, NamesBothWaysOfACutLink) {
  RunRecord run = sample_run();
  run.windows[0].text = "! 2.000000s  cut n1 <-> n2";
  EXPECT_THAT(body_of(run_page(run, {})), HasSubstr("<b>cut n1 \u2194 n2</b>"));
  EXPECT_THAT(body_of(run_page(sample_run(), {})), HasSubstr("<b>cut n1 \u2192 n2</b>"));
}

TEST(Page, OfARunThatPassedShowsNoFailure) {
  RunRecord run = sample_run();
  run.verdict = {Outcome::pass, "", "all is well"};
  run.failing.clear();
  const std::string body = body_of(run_page(run, {}));
  EXPECT_THAT(body, Not(HasSubstr("first-bad\"")));
  EXPECT_THAT(body, Not(HasSubstr("id=\"closeup\"")));
}

TEST(Page, OfARunThatNeverStartedIsAPage) {
  RunRecord run;
  run.scenario = "refused";
  run.verdict = {Outcome::unsupported, "unsupported", "this backend has no starve"};
  EXPECT_THAT(body_of(run_page(run, {})), HasSubstr("this backend has no starve"));
}

TEST(Page, NeedsNothingFromOutside) {
  const std::string page = run_page(sample_run(), {});
  for (const char* foreign :
       {"http:", "https:", "//cdn", "src=", "@import", "url(", "<link", "<iframe", "fetch("}) {
    EXPECT_THAT(page, Not(HasSubstr(foreign)));
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Page, EscapesWhateverClientsScriptsAndNodesSay) {
  const std::string evil = "\"'></script><script>alert(1)</script><img onerror=alert(2)>{{js}}\xff";
  RunRecord run = sample_run();
  run.scenario = run.which = run.script = run.lowered = run.explanation = run.failing_key = evil;
  run.verdict.why = run.verdict.check = evil;
  run.others = {run.verdict};
  run.backend = evil;
  run.marks = {{evil, 1}};
  run.figures = {{evil, 1}};
  run.checks[0].text = run.checks[0].why = evil;
  run.views[3].view.failed = true;
  run.views[3].view.why = evil;
  for (FaultWindow& window : run.windows) {
    window.kind = window.text = evil;
    window.details = {{evil, evil}};
  }
  run.happenings.push_back({6s, NodeId(1), evil, {{evil, evil}}});
  run.happenings.push_back({6s, NodeId(1), "message", {{"kind", evil}, {"to", evil}}});
  run.happenings.push_back({6s, NodeId(1), "flip", {{"bits", evil}}});
  history::Operation operation;
  operation.load = evil;
  operation.invoked_at = 6s;
  operation.command = {evil, evil, evil};
  run.history.complete(run.history.append(operation),
                       {6s, history::Outcome::done, Reply::bulk(std::string(evil)), std::nullopt});
  PageOptions options;
  options.replay = options.shrunk = evil;
  options.versions = {{evil, evil}};

  const std::string page = run_page(run, options);
  const std::string body = body_of(page);
  EXPECT_EQ(count(body, "<script"), 0U);
  EXPECT_EQ(count(body, "<img"), 0U);
  EXPECT_EQ(count(page, "<script"), 2U);
  EXPECT_EQ(count(page, "</script>"), 2U);
  EXPECT_THAT(body, HasSubstr("&lt;img onerror=alert(2)&gt;{{js}}\\xff"));
  // No attribute was left early.
  EXPECT_FALSE(std::regex_search(body, std::regex("=\"[^\"<>]*\"'>")));
}

TEST(Page, EmbedsDataThatReadsBackAsJson) {
  const std::string page = run_page(sample_run(), {});
  const std::string head = "id=\"data\">";
  const auto begin = page.find(head) + head.size();
  const auto json = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(json.at("dots").size(), 5U);
}

TEST(Page, StaysSmallWithAMillionOperationsAndSaysWhatItLeftOut) {
  RunRecord run = sample_run();
  add_operations(run, 1'000'000);
  const std::string page = run_page(run, {});
  EXPECT_LT(page.size(), 5U << 20);
  EXPECT_THAT(page, HasSubstr("Too many operations to draw each"));
  EXPECT_EQ(count(page, "<div class=\"op failing\">"), 2U) << "the failing ones are drawn in any case";
  EXPECT_THAT(page, HasSubstr("800,00")) << "all of them count in the table";
}

TEST(Page, StaysSmallWithManyFaultsViewsAndEvents) {
  RunRecord run = sample_run();
  for (int i = 0; i < 100'000; ++i) {
    const Time at = std::chrono::microseconds(i * 90);
    run.windows.push_back(run.windows[0]);
    run.windows.back().from = at;
    run.windows.back().until = at + 40us;
    run.views.push_back(run.views[static_cast<std::size_t>(i) % 3]);
    run.views.back().at = at;
    run.views.back().view.term = Term(static_cast<std::uint64_t>(i));
    run.happenings.push_back({at, NodeId(1), "crash", {}});
    run.checks.push_back(run.checks[0]);
    run.script += "at 1s cut n1 -> n2\n";
  }
  const std::string page = run_page(run, {});
  EXPECT_LT(page.size(), 5U << 20);
  EXPECT_THAT(page, HasSubstr("the first 1,500 of 100,002"));
  EXPECT_THAT(page, HasSubstr("marks left out"));
}

}  // namespace
}  // namespace kiwi::lab::report
