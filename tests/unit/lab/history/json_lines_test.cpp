// The format of docs/history.md: what is written is read back, and nothing is read as less than it says.

#include "lab/history/json_lines.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/lab/history/simulated_clients.hpp"

namespace kiwi::lab::history {
namespace {

const std::string kHeader = "{\"kiwi_history\":1,\"time_unit\":\"ns\"}\n";
const std::string kGet =
    R"({"op":1,"client":1,"invoked":5,"returned":6,"command":["GET","k"],"outcome":"done","reply":{"bulk":"v"}})";

tl::expected<History, ReadError> read(const std::string& text, const ReadLimits& limits = {}) {
  std::istringstream in(text);
  return read_json_lines(in, limits);
}
std::string written(const History& history) {
  std::ostringstream out;
  write_json_lines(out, history);
  return out.str();
}
/// The error of `line` behind the header; it must name that line.
std::string error_of(const std::string& line) {
  const auto history = read(kHeader + line + "\n");
  if (history)
    return "no error";
  EXPECT_EQ(history.error().line, 2U) << line;
  return history.error().what;
}

TEST(JsonLines, WhatIsWrittenIsReadBack) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::Clients clients;
    clients.lost_one_in = clients.refused_one_in = 5;
    clients.command = testing::mix({{"SET", "KEY", "UNIQUE"}, {"MGET", "KEY", "KEY"}, {"DEL", "KEY"}}, 3);
    auto history = testing::simulate_with_final_reads(clients, seed);
    history.about = {{"scenario", "x"}, {"seed", std::to_string(seed)}};
    const auto text = written(history);
    const auto back = read(text);
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(*back, history);
    EXPECT_EQ(written(*back), text);
  }
}

TEST(JsonLines, EveryTypeOfReplyAndEveryByteSurvives) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  const Reply replies[] = {Reply::ok(),
                           Reply::error("ERR no"),
                           Reply::of(-5),
                           Reply::of(INT64_MAX),
                           Reply::of(INT64_MIN),
                           Reply::bulk(bytes),
                           Reply::bulk(std::string()),
                           Reply::bulk(std::string("\xc3\xa4\0\n\"", 5)),
                           Reply::bulk(std::string("\xed\xa0\x80")),  // a surrogate: no UTF-8
                           Reply::bulk(std::string("\xc0\xaf")),      // an overlong '/'
                           Reply::bulk(std::string("\xf4\x90\x80\x80")),
                           Reply::nil(),
                           Reply::nil_array(),
                           Reply::array({Reply::nil(), Reply::array({Reply::of(1)})}),
                           Reply::map({Reply::bulk(std::string("a")), Reply::of(1)}),
                           Reply::set({Reply::of(1)}),
                           Reply::number("1.5"),
                           Reply::boolean(true),
                           Reply::boolean(false),
                           Reply::verbatim("text")};
  History history;
  std::uint64_t n = 0;
  for (const auto& reply : replies) {
    Operation operation;
    operation.client = operation.connection = ++n;
    operation.session = n;
    operation.serial = 1;
    operation.node = NodeId(3);
    operation.load = "L1";
    operation.invoked_at = Time(10 * static_cast<std::int64_t>(n));
    operation.command = {"GET", bytes, "{\"hex\":\"00\"}", ""};
    const auto number = history.append(operation);
    history.complete(number, {operation.invoked_at + Time(7), Outcome::done, reply, Index(9)});
  }
  Operation empty;
  empty.invoked_at = Time(1'000);
  history.append(empty);
  history.mark(kFinalReads, Time(9));
  history.surplus(3, Time(10), Reply::ok());
  const auto text = written(history);
  // The last one has no command: such a line is refused, so the others are read without it.
  const auto back = read(text.substr(0, text.find("{\"op\":21")) + text.substr(text.find("{\"marker\"")));
  ASSERT_TRUE(back) << to_string(back.error());
  ASSERT_EQ(back->operations().size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(back->operations()[i], history.operations()[i]) << i;
  EXPECT_EQ(back->markers(), history.markers());
  EXPECT_EQ(back->surplus_replies(), history.surplus_replies());
  EXPECT_FALSE(read(text));
}

TEST(JsonLines, TheHeaderComesFirstAndNamesAKnownVersion) {
  EXPECT_TRUE(read(kHeader));
  EXPECT_EQ(read("").error(), (ReadError{1, "an empty file"}));
  EXPECT_EQ(read(kGet + "\n").error().line, 1U);
  EXPECT_EQ(read("{\"kiwi_history\":2}\n").error().what,
            "version 2 of the format; this program reads version 1");
  EXPECT_FALSE(read("{\"kiwi_history\":\"1\"}\n"));
  EXPECT_FALSE(read("{\"kiwi_history\":1,\"time_unit\":\"ms\"}\n"));
  EXPECT_FALSE(read("{\"kiwi_history\":1,\"about\":{\"seed\":7}}\n"));
  EXPECT_FALSE(read("{\"kiwi_history\":1,\"surprise\":7}\n"));
  EXPECT_TRUE(read("{\"kiwi_history\":1,\"x_surprise\":7}\n"));
}

TEST(JsonLines, EveryFaultIsNamedWithItsLine) {
  const auto with = [](const std::string& fields) {
    return R"({"op":1,"client":1,"invoked":5,"command":["GET","k"],"outcome":"unknown")" + fields + "}";
  };
  EXPECT_EQ(error_of(kGet), "no error");
  EXPECT_EQ(error_of(with("")), "no error");
  EXPECT_EQ(error_of(with(",\"x_mine\":[1,{}]")), "no error");
  EXPECT_EQ(error_of(""), "an empty line");
  EXPECT_EQ(error_of("[1]"), "a line is a JSON object");
  EXPECT_EQ(error_of("{\"op\":1"), "not JSON");
  EXPECT_EQ(error_of("{\"op\":1}{}"), "not JSON");
  EXPECT_EQ(error_of("\xff"), "not JSON");
  EXPECT_EQ(error_of("{}"), R"(a line has one of the fields "op", "marker", "surplus_reply")");
  EXPECT_EQ(error_of("{\"op\":1}"), "an operation has a field \"client\"");
  EXPECT_EQ(error_of(with(",\"op\":2")), "the field \"op\" occurs twice");
  EXPECT_EQ(error_of(with(",\"opp\":2")), "unknown field \"opp\"");
  EXPECT_EQ(error_of(with(",\"node\":-1")), "\"node\" is a whole number from 0 to 2^62");
  EXPECT_EQ(error_of(with(",\"node\":1.5")), "\"node\" is a whole number from 0 to 2^62");
  EXPECT_EQ(error_of(with(",\"node\":18446744073709551615")), "\"node\" is a whole number from 0 to 2^62");
  EXPECT_EQ(error_of(with(",\"node\":null")), "\"node\" is a whole number from 0 to 2^62");
  EXPECT_EQ(error_of(with(",\"load\":1")), "\"load\" is a string");
  EXPECT_EQ(error_of(with(",\"session\":1")), R"("session" and "serial" come together)");
  EXPECT_EQ(error_of(with(",\"returned\":4")), "it returned before it was called");
  EXPECT_EQ(error_of(with(",\"returned\":6,\"invoked_order\":2")),
            R"("invoked_order" and "returned_order" are given for both events or for none)");
  EXPECT_EQ(error_of(with(",\"returned\":6,\"invoked_order\":2,\"returned_order\":2")),
            "its return comes before its call");
  EXPECT_EQ(error_of(R"({"op":0,"client":1,"invoked":5,"command":["GET","k"],"outcome":"unknown"})"),
            "\"op\" counts from 1");
  EXPECT_EQ(error_of(R"({"op":1,"client":1,"invoked":5,"command":["GET","k"],"outcome":"done"})"),
            "an operation that is done has \"returned\"");
  EXPECT_EQ(error_of(R"({"op":1,"client":1,"invoked":5,"command":["GET","k"],"outcome":"maybe"})"),
            R"("outcome" is "done", "not_done" or "unknown")");
  EXPECT_EQ(error_of(R"({"op":1,"client":1,"invoked":5,"command":[],"outcome":"unknown"})"),
            "\"command\" is an array of at least one word");
  EXPECT_EQ(error_of(R"({"op":1,"client":1,"invoked":5,"command":[{"hex":"0g"}],"outcome":"unknown"})"),
            "\"command\": hex digits are 0-9 and a-f");
  EXPECT_EQ(error_of(R"({"op":1,"client":1,"invoked":5,"command":[{"hex":"000"}],"outcome":"unknown"})"),
            "\"command\": hex digits come in pairs");
  EXPECT_EQ(error_of(with(R"(,"reply":{"bulk":"a","nil":true})")),
            "\"reply\": a reply is an object with one field, its type");
  EXPECT_EQ(error_of(with(R"(,"reply":{"blob":"a"})")), "\"reply\": unknown type of reply");
  EXPECT_EQ(error_of(with(R"(,"reply":{"integer":9223372036854775808})")),
            "\"reply\": an integer reply is a signed 64-bit number");
  EXPECT_EQ(error_of(with(R"(,"reply":{"nil":false})")),
            "\"reply\": a reply without content has the value true");
  EXPECT_EQ(error_of(with(R"(,"reply":{"map":[{"nil":true}]})")),
            "\"reply\": a map has keys and values in turn");
  EXPECT_EQ(error_of(R"({"marker":"m"})"), "a marker or a surplus reply has a field \"at\"");
  EXPECT_EQ(error_of(R"({"marker":"m","at":1,"connection":1})"), "unknown field \"connection\"");
}

TEST(JsonLines, NumbersAscendAndOrdersAgreeWithTimes) {
  const auto twice = read(kHeader + kGet + "\n" + kGet + "\n");
  EXPECT_EQ(twice.error(), (ReadError{3, "\"op\" ascends from line to line"}));
  const auto line = [](int n, int at, int order) {
    return "{\"op\":" + std::to_string(n) + ",\"client\":1,\"invoked\":" + std::to_string(at) +
           ",\"invoked_order\":" + std::to_string(order) +
           ",\"command\":[\"GET\",\"k\"],\"outcome\":\"unknown\"}\n";
  };
  EXPECT_TRUE(read(kHeader + line(1, 5, 1) + line(2, 5, 2)));
  EXPECT_EQ(read(kHeader + line(1, 5, 1) + line(2, 6, 1)).error().line, 3U);
  EXPECT_EQ(read(kHeader + line(1, 5, 1) + line(2, 4, 2)).error().line, 3U);
}

TEST(JsonLines, LinesAndNestingAreBounded) {
  ReadLimits limits;
  limits.line_bytes = 200;
  EXPECT_TRUE(read(kHeader + kGet + "\n", limits));
  const auto longer = read(kHeader + "{\"op\":1,\"x_\":\"" + std::string(1'000'000, 'a') + "\"}\n", limits);
  EXPECT_EQ(longer.error(), (ReadError{2, "longer than 200 bytes"}));
  limits = {};
  limits.operations = 1;
  EXPECT_FALSE(read(
      kHeader + kGet + "\n" + R"({"op":2,"client":1,"invoked":5,"command":["GET","k"],"outcome":"unknown"})",
      limits));
  std::string deep = R"({"op":1,"client":1,"invoked":5,"command":["GET","k"],"outcome":"unknown","reply":)";
  for (int i = 0; i < 100'000; ++i) deep += "{\"array\":[";
  EXPECT_EQ(error_of(deep), "nested too deeply");
  EXPECT_EQ(error_of(std::string(1'000'000, '[')), "nested too deeply");
}

// Cut or damaged anywhere, a file is refused or read as a history; never more than that happens.
TEST(JsonLines, DamagedFilesDoNoHarm) {
  testing::Clients clients;
  clients.operations = 6;
  clients.command = testing::mix({{"SET", "KEY", "UNIQUE"}, {"GET", "KEY"}}, 2);
  const auto text = written(testing::simulate_with_final_reads(clients, 1));
  testing::Random random(1);
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bad = text;
    if (i % 3 == 0)
      bad.resize(random.below(bad.size()));
    else
      bad[random.below(bad.size())] = static_cast<char>(random.below(256));
    const auto history = read(bad);
    refused += history ? 0 : 1;
    if (history)
      EXPECT_EQ(read(written(*history)).value(), *history);
    else
      EXPECT_GE(history.error().line, 1U);
  }
  EXPECT_GT(refused, 10'000U);
}

}  // namespace
}  // namespace kiwi::lab::history
