#include "messages/resp_parser.hpp"

#include <gtest/gtest.h>

#include "messages/codec.hpp"
#include "tests/unit/messages/allocation_counter.hpp"
#include "tests/unit/messages/resp_transcript.hpp"

namespace kiwi::test {
namespace {

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// --- What clients send

TEST(RespParser, ArraysOfBulks) {
  EXPECT_EQ(parse("*1\r\n$4\r\nPING\r\n"), "[PING]\n");
  EXPECT_EQ(parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"), "[SET][k][]\n");
  EXPECT_EQ(parse("*2\r\n$3\r\nGET\r\n$4\r\n\r\n$1\r\n*1\r\n$4\r\nPING\r\n"), "[GET][\r\n$1]\n[PING]\n");
}

TEST(RespParser, EmptyAndNegativeArraysAndEmptyLinesAreSkipped) {
  EXPECT_EQ(parse("*0\r\n*-1\r\n*-10\r\n\r\n\n   \r\nPING\r\n"), "[PING]\n");
}

TEST(RespParser, InlineCommands) {
  EXPECT_EQ(parse("PING\r\nGET a\nSET \"x y\" 'z'\r\n"), "[PING]\n[GET][a]\n[SET][x y][z]\n");
  EXPECT_EQ(parse("PING\r\n*1\r\n$4\r\nPING\r\nECHO \"\\x41\"\n"), "[PING]\n[PING]\n[ECHO][A]\n");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "[GET][/][HTTP/1.1]\n[Host:][x]\n");
}

TEST(RespParser, IncompleteCommandsWait) {
  for (const char* text :
       {"*", "*1", "*1\r", "*1\r\n", "*1\r\n$4", "*1\r\n$4\r\nPIN", "*1\r\n$4\r\nPING\r", "PING"})
    EXPECT_EQ(parse(text), "") << text;
}

// --- Errors, in Redis' words

TEST(RespParser, BadArrayLengths) {
  const std::string error = "! Protocol error: invalid multibulk length\n";
  for (const char* length : {"", "x", "1x", " 1", "+1", "01", "00", "-0", "-", "1 ", "9223372036854775808",
                             "-9223372036854775809", "1.0", "0x1", "1000000", "262145"})
    EXPECT_EQ(parse("*" + std::string(length) + "\r\n"), error) << length;
  EXPECT_EQ(parse("*-9223372036854775808\r\nPING\r\n"), "[PING]\n");
  EXPECT_EQ(parse("*262144\r\n"), "");
}

TEST(RespParser, BadBulkLengths) {
  const std::string error = "! Protocol error: invalid bulk length\n";
  for (const char* length :
       {"", "x", "-1", "-0", "+1", "01", "33554433", "536870912", "99999999999999999999"})
    EXPECT_EQ(parse("*1\r\n$" + std::string(length) + "\r\n"), error) << length;
  EXPECT_EQ(parse("*1\r\n$33554432\r\n"), "");
}

TEST(RespParser, MissingDollar) {
  EXPECT_EQ(parse("*1\r\nx4\r\n"), "! Protocol error: expected '$', got 'x'\n");
  EXPECT_EQ(parse("*1\r\n:4\r\n"), "! Protocol error: expected '$', got ':'\n");
  EXPECT_EQ(parse("*1\r\n\r\n"), "! Protocol error: expected '$', got ' '\n");
  EXPECT_EQ(parse("*2\r\n$4\r\nPING\r\nPING\r\n"), "! Protocol error: expected '$', got 'P'\n");
}

TEST(RespParser, EndlessLines) {
  const std::string long_text(70'000, '1');
  EXPECT_EQ(parse("*" + long_text), "! Protocol error: too big mbulk count string\n");
  EXPECT_EQ(parse("*1\r\n$" + long_text), "! Protocol error: too big bulk count string\n");
  EXPECT_EQ(parse(long_text), "! Protocol error: too big inline request\n");
  EXPECT_EQ(parse(long_text + "\n"), "! Protocol error: too big inline request\n");
  EXPECT_EQ(parse(std::string(65'536, 'x') + "\n"), "[" + std::string(65'536, 'x') + "]\n");
}

TEST(RespParser, UnbalancedQuotes) {
  EXPECT_EQ(parse("GET \"a\r\n"), "! Protocol error: unbalanced quotes in request\n");
  EXPECT_EQ(parse("GET 'a'b\r\n"), "! Protocol error: unbalanced quotes in request\n");
}

TEST(RespParser, RequestsAboveTheLimitAreRefusedWhenTheyAreAnnounced) {
  RespLimits limits;
  limits.max_request_bytes = kRequestFixedBytes + 2 * kRequestArgumentBytes + 20;
  EXPECT_EQ(parse("*2\r\n" + bulk("0123456789") + bulk("0123456789"), limits), "[0123456789][0123456789]\n");
  EXPECT_EQ(parse("*2\r\n" + bulk("0123456789") + "$11\r\n", limits),
            "! Protocol error: request too large\n");
  EXPECT_EQ(parse("0123456789 0123456789x\r\n", limits), "! Protocol error: request too large\n");
  limits.max_arguments = 2;
  EXPECT_EQ(parse("a b\r\na b c\r\n", limits), "[a][b]\n! Protocol error: request too large\n");
}

TEST(RespParser, WhatPassesTheParserPassesTheCodec) {
  RespLimits limits;
  limits.max_request_bytes = 100;
  for (std::size_t size = 60; size < 110; ++size) {
    RespParser parser(limits);
    parser.feed("*2\r\n$3\r\nGET\r\n" + bulk(std::string(size, 'x')));
    const auto command = parser.next();
    const ClientRequest request{RedisCommand{{Bytes::copy_of("GET"), Bytes(std::string(size, 'x'))}}};
    EXPECT_EQ(command.has_value(), encoded_request_bytes(request.command) <= 100) << size;
  }
}

TEST(RespParser, AfterAnErrorItIsDead) {
  RespParser parser;
  parser.feed("PING\r\n*x\r\nPING\r\n");
  EXPECT_TRUE(parser.next());
  EXPECT_FALSE(parser.next());
  ASSERT_TRUE(parser.error());
  const std::string error = *parser.error();
  parser.feed("PING\r\n");
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(*parser.error(), error);
  EXPECT_EQ(parser.buffered_bytes(), 0u);
}

// --- How the bytes are cut makes no difference

TEST(RespParser, EverySplitGivesTheSameCommands) {
  const std::string long_line(600, 'y');
  const std::vector<std::string> corpus = {
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\n*1\r\n$4\r\nPING\r\nGET \"a "
      "b\"\r\n*0\r\n\r\nPING\n",
      "PING\r\n*1\r\n" + bulk(std::string(2000, 'v')) + "ECHO " + long_line + "\r\n*2\r\n$1\r\na\r\nb",
      "*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$-5\r\n",
      "*1\r\n$4\r\nPING\r\n*1\r\nfoo\r\n",
      "*-1\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n*12345678\r\n",
      "SET a 'b\r\n"};
  for (const auto& text : corpus) {
    const std::string expected = parse(text);
    EXPECT_EQ(parse_in_pieces(text, 1), expected);
    EXPECT_EQ(parse_in_pieces(text, 7), expected);
    for (std::size_t i = 0; i <= text.size(); ++i)
      EXPECT_EQ(parse_at_cuts(text, {i}), expected) << "cut at " << i;
    if (text.size() < 200) {
      for (std::size_t i = 0; i <= text.size(); ++i)
        for (std::size_t j = i; j <= text.size(); ++j)
          EXPECT_EQ(parse_at_cuts(text, {i, j}), expected) << "cut at " << i << " and " << j;
    }
  }
}

TEST(RespParser, EndlessLinesFailAlikeHoweverTheyAreCut) {
  RespLimits limits;
  limits.max_inline_bytes = 64;
  for (const std::string& text :
       {"*" + std::string(100, '1') + "\r\n", "*1\r\n$" + std::string(100, '1') + "\r\n",
        std::string(100, 'x') + "\n", std::string(64, 'x') + "\n", std::string(65, 'x') + "\n"})
    for (std::size_t i = 0; i <= text.size(); ++i)
      EXPECT_EQ(parse_at_cuts(text, {i}, limits), parse(text, limits)) << "cut at " << i;
}

// --- Buffers

TEST(RespParser, PipelinedCommandsOfOnePieceShareItsBuffer) {
  RespParser parser;
  parser.feed("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
  const auto first = parser.next();
  const auto second = parser.next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->args[0].owner(), second->args[1].owner());
}

TEST(RespParser, TakenArgumentsStayWhatTheyWereWhileTheParserGoesOnAndEnds) {
  std::vector<RedisCommand> taken;
  {
    RespParser parser;
    for (int i = 0; i < 2000; ++i) {
      const std::string text = "*2\r\n$4\r\nECHO\r\n" + bulk(std::to_string(i));
      parser.feed(std::string_view(text).substr(0, 9));
      EXPECT_FALSE(parser.next());
      parser.feed(std::string_view(text).substr(9));
      taken.push_back(parser.next().value());
    }
  }
  for (int i = 0; i < 2000; ++i)
    EXPECT_EQ(taken[static_cast<std::size_t>(i)].args[1].view(), std::to_string(i));
}

TEST(RespParser, AnIdleClientHoldsNoBuffer) {
  RespParser parser;
  const AllocationCounter counter;
  for (int i = 0; i < 100; ++i) {
    parser.feed("*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    EXPECT_TRUE(parser.next());
    EXPECT_FALSE(parser.next());
  }
  EXPECT_EQ(counter.live_bytes(), 0u);
}

TEST(RespParser, ClaimedLengthsAreNotBelieved) {
  const AllocationCounter counter;
  RespParser million, largest_array, half_gigabyte, largest_bulk;
  million.feed("*1000000\r\n");
  EXPECT_FALSE(million.next());
  EXPECT_TRUE(million.error());
  half_gigabyte.feed("*1\r\n$536870912\r\n");
  EXPECT_FALSE(half_gigabyte.next());
  EXPECT_TRUE(half_gigabyte.error());
  largest_array.feed("*262144\r\n");
  EXPECT_FALSE(largest_array.next());
  EXPECT_FALSE(largest_array.error());
  largest_bulk.feed("*1\r\n$33554432\r\nthe first bytes");
  EXPECT_FALSE(largest_bulk.next());
  largest_bulk.feed(std::string(1000, 'x'));
  EXPECT_FALSE(largest_bulk.next());
  EXPECT_FALSE(largest_bulk.error());
  EXPECT_LE(counter.peak_bytes(), 8192u);
}

TEST(RespParser, ABigBulkIsCopiedAFewTimesNotOncePerPiece) {
  const std::string value(4 << 20, 'v');
  const std::string text = "*2\r\n$4\r\nECHO\r\n" + bulk(value);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{65536}, text.size()}) {
    RespParser parser;
    const AllocationCounter counter;
    std::optional<RedisCommand> command;
    for (std::size_t at = 0; at < text.size() && !command; at += piece) {
      parser.feed(std::string_view(text).substr(at, piece));
      command = parser.next();
    }
    ASSERT_TRUE(command);
    EXPECT_EQ(command->args[1].view(), value);
    EXPECT_LE(counter.total_bytes(), 4 * text.size()) << "in pieces of " << piece;
    EXPECT_LE(counter.live_bytes(), 3 * text.size());
  }
}

TEST(RespParser, CountsWhatItHolds) {
  RespParser parser;
  parser.feed("PING\r\n*2\r\n$1\r\na\r\n$10\r\n0123");
  EXPECT_EQ(parser.buffered_bytes(), 26u);
  EXPECT_TRUE(parser.next());
  EXPECT_EQ(parser.buffered_bytes(), 20u);
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(parser.buffered_bytes(), 20u);
  parser.feed("456789\r\n");
  EXPECT_TRUE(parser.next());
  EXPECT_EQ(parser.buffered_bytes(), 0u);
}

}  // namespace
}  // namespace kiwi::test
