#include "messages/resp_writer.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace kiwi {
namespace {

std::string written(const Reply& reply, RespVersion version) {
  std::string out;
  write_reply(reply, version, out);
  return out;
}
std::string resp2(const Reply& reply) { return written(reply, RespVersion::resp2); }
std::string resp3(const Reply& reply) { return written(reply, RespVersion::resp3); }

void expect_both(const Reply& reply, const std::string& text) {
  EXPECT_EQ(resp2(reply), text);
  EXPECT_EQ(resp3(reply), text);
}

TEST(RespWriter, TypesThatAreTheSameInBoth) {
  expect_both(Reply::ok(), "+OK\r\n");
  expect_both(Reply::error("WRONGTYPE no"), "-WRONGTYPE no\r\n");
  expect_both(Reply::of(0), ":0\r\n");
  expect_both(Reply::of(std::numeric_limits<std::int64_t>::min()), ":-9223372036854775808\r\n");
  expect_both(Reply::of(std::numeric_limits<std::int64_t>::max()), ":9223372036854775807\r\n");
  expect_both(Reply::bulk("ab\r\nc"), "$5\r\nab\r\nc\r\n");
  expect_both(Reply::bulk(""), "$0\r\n\r\n");
  expect_both(Reply::array({}), "*0\r\n");
  expect_both(Reply::array({Reply::of(1), Reply::array({Reply::bulk("x")})}),
              "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n");
}

TEST(RespWriter, TypesThatDiffer) {
  EXPECT_EQ(resp2(Reply::nil()), "$-1\r\n");
  EXPECT_EQ(resp3(Reply::nil()), "_\r\n");
  EXPECT_EQ(resp2(Reply::nil_array()), "*-1\r\n");
  EXPECT_EQ(resp3(Reply::nil_array()), "_\r\n");
  const auto map = Reply::map({Reply::bulk("k"), Reply::of(1), Reply::bulk("l"), Reply::nil()});
  EXPECT_EQ(resp2(map), "*4\r\n$1\r\nk\r\n:1\r\n$1\r\nl\r\n$-1\r\n");
  EXPECT_EQ(resp3(map), "%2\r\n$1\r\nk\r\n:1\r\n$1\r\nl\r\n_\r\n");
  EXPECT_EQ(resp2(Reply::set({Reply::of(1)})), "*1\r\n:1\r\n");
  EXPECT_EQ(resp3(Reply::set({Reply::of(1)})), "~1\r\n:1\r\n");
  EXPECT_EQ(resp2(Reply::number("1.5")), "$3\r\n1.5\r\n");
  EXPECT_EQ(resp3(Reply::number("1.5")), ",1.5\r\n");
  EXPECT_EQ(resp2(Reply::boolean(true)), ":1\r\n");
  EXPECT_EQ(resp3(Reply::boolean(true)), "#t\r\n");
  EXPECT_EQ(resp2(Reply::boolean(false)), ":0\r\n");
  EXPECT_EQ(resp3(Reply::boolean(false)), "#f\r\n");
  EXPECT_EQ(resp2(Reply::verbatim("text")), "$4\r\ntext\r\n");
  EXPECT_EQ(resp3(Reply::verbatim("text")), "=8\r\ntxt:text\r\n");
}

TEST(RespWriter, ALineCannotBeBrokenByItsText) {
  expect_both(Reply::error("ERR bad 'a\r\n+OK'"), "-ERR bad 'a  +OK'\r\n");
  expect_both(Reply::simple("a\nb"), "+a b\r\n");
}

TEST(RespWriter, Appends) {
  std::string out = "before\n";
  write_reply(Reply::error("ERR a\nb"), RespVersion::resp2, out);
  write_reply(Reply::of(2), RespVersion::resp2, out);
  EXPECT_EQ(out, "before\n-ERR a b\r\n:2\r\n");
}

TEST(RespWriter, AMapWithoutItsLastValueIsABug) {
  EXPECT_EXIT(resp3(Reply::map({Reply::of(1)})), testing::ExitedWithCode(70), "key without a value");
}

}  // namespace
}  // namespace kiwi
