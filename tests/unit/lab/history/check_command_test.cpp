// kiwi-fault check FILE, as text.

#include "lab/history/check_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kiwi::lab::history {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ran {
  int code;
  std::string out;
  std::string errors;
};
Ran run(const std::string& text) {
  std::istringstream in(text);
  std::ostringstream out;
  std::ostringstream errors;
  const auto code = check_command(in, "run.jsonl", {}, out, errors);
  return {code, out.str(), errors.str()};
}

const std::string kStart =
    "{\"kiwi_history\":1,\"time_unit\":\"ns\"}\n"
    R"({"op":1,"client":1,"node":2,"invoked":1000000,"returned":2000000,"command":["SET","k","a b"],"outcome":"done","reply":{"simple":"OK"}})"
    "\n";

TEST(CheckCommand, PassSaysWhatWasChecked) {
  const auto ran = run(kStart);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("pass [zones]: 1 operations on 1 keys hold\n"));
  EXPECT_THAT(ran.out, HasSubstr("  zones: 1 keys, 1 operations\n"));
  EXPECT_EQ(ran.errors, "");
}

TEST(CheckCommand, FailShowsTheOperations) {
  const auto ran = run(
      kStart +
      R"({"op":2,"client":2,"node":1,"invoked":3000000,"returned":4000000,"command":["GET","k"],"outcome":"done","reply":{"nil":true}})"
      "\n");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, StartsWith("fail [zones]: key k: "));
  EXPECT_THAT(ran.out, HasSubstr("stale read (invariant 18, found by zones)\n"));
  EXPECT_THAT(ran.out, HasSubstr("#1 client 1 at n2  0.001000000s .. 0.002000000s  SET k \"a b\" -> OK\n"));
  EXPECT_THAT(ran.out, HasSubstr("#2 client 2 at n1  0.003000000s .. 0.004000000s  GET k -> (nil)\n"));
}

TEST(CheckCommand, VacuousAndUnreadableHaveCodesOfTheirOwn) {
  EXPECT_EQ(run("{\"kiwi_history\":1}\n").code, 3);
  const auto ran = run(kStart + "{]\n");
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.errors, "run.jsonl: line 3: not JSON\n");
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace kiwi::lab::history
