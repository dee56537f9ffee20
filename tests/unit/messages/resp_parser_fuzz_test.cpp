// Random, mostly plausible input, cut at random: the parser never crashes, never holds more than it says, and
// gives the same however the input was cut. The seeds are fixed, so a failure repeats.

#include <gtest/gtest.h>

#include <random>

#include "messages/resp_parser.hpp"
#include "tests/unit/messages/allocation_counter.hpp"
#include "tests/unit/messages/resp_transcript.hpp"

namespace kiwi::test {
namespace {

constexpr RespLimits kLimits{
    .max_bulk_bytes = 3000, .max_request_bytes = 5000, .max_arguments = 40, .max_inline_bytes = 300};
constexpr std::size_t kLargestPiece = 2000;

using Random = std::mt19937_64;

std::string random_text(Random& random, std::size_t size) {
  std::string text(size, '\0');
  for (auto& c : text) c = "\r\n$*0123456789abcXYZ \"'\\x\t\0\xff"[random() % 28];
  return text;
}

std::string random_command(Random& random) {
  switch (random() % 12) {
    case 0:
      return random_text(random, random() % 30);
    case 1:
      return "*" + std::to_string(random() % 60) + "\r\n";
    case 2:
      return "SET \"" + random_text(random, random() % 10) + "\" b\r\n";
    case 3:
      return "GET " + std::string(random() % 320, 'k') + "\r\n";
    default:
      break;
  }
  const std::size_t count = random() % 6 == 0 ? random() % 41 : random() % 5;
  std::string text = "*" + std::to_string(count) + "\r\n";
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = random() % 20 == 0 ? random() % 3010 : random() % 20;
    text += "$" + std::to_string(size) + "\r\n" + random_text(random, size) + "\r\n";
  }
  return text;
}

std::string random_input(Random& random) {
  std::string text;
  for (std::uint64_t i = random() % 20; i > 0; --i) text += random_command(random);
  if (!text.empty() && random() % 3 == 0)
    text[random() % text.size()] = static_cast<char>(random());
  return text;
}

std::vector<std::size_t> random_cuts(Random& random, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t largest = 1 + random() % kLargestPiece;
  for (std::size_t at = 0; (at += 1 + random() % largest) < size;) cuts.push_back(at);
  return cuts;
}

TEST(RespParserFuzz, CutsMakeNoDifference) {
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    Random random(seed);
    const std::string text = random_input(random);
    ASSERT_EQ(parse_at_cuts(text, random_cuts(random, text.size()), kLimits), parse(text, kLimits))
        << "seed " << seed;
  }
}

TEST(RespParserFuzz, MemoryStaysWithinItsBound) {
  // As resp_parser.hpp says: three times the larger of a request and a piece, and the windows (which double
  // as they grow); and a little for an error's text. max_request_bytes leaves out headers: 14 bytes an
  // argument at most.
  const std::size_t windows = 3 * kLimits.max_arguments * sizeof(Bytes);
  const std::size_t bound =
      3 * (kLimits.max_request_bytes + 14 * kLimits.max_arguments + kLargestPiece) + windows + 1024;
  std::size_t largest_seen = 0;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    Random random(seed);
    const std::string text = random_input(random);
    const auto cuts = random_cuts(random, text.size());
    const AllocationCounter counter;
    RespParser parser(kLimits);
    std::size_t start = 0;
    for (const auto cut : cuts) {
      parser.feed(std::string_view(text).substr(start, cut - start));
      while (parser.next()) {
      }
      start = cut;
      ASSERT_LE(parser.buffered_bytes(), bound) << "seed " << seed;
    }
    ASSERT_LE(counter.peak_bytes(), bound) << "seed " << seed;
    largest_seen = std::max(largest_seen, counter.peak_bytes());
  }
  EXPECT_GE(largest_seen, kLimits.max_request_bytes)
      << "the input never came near the limit: the test is too tame";
}

TEST(RespParserFuzz, NoiseNeverCrashes) {
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string noise(random() % 600, '\0');
    for (auto& c : noise) c = static_cast<char>(random());
    if (round % 2 == 0)
      noise.insert(0, "*3\r\n$3\r\nSET\r\n$" + std::to_string(random() % 100) + "\r\n");
    EXPECT_EQ(parse_in_pieces(noise, 1 + random() % 50, kLimits), parse(noise, kLimits)) << "round " << round;
  }
}

}  // namespace
}  // namespace kiwi::test
