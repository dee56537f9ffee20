// Bytes from a hostile sender: the checksum is right, the content lies.

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <optional>
#include <random>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/unit/messages/allocation_counter.hpp"
#include "tests/unit/messages/samples.hpp"

namespace kiwi::test {
namespace {

constexpr std::uint32_t kHuge = 0xffffffff;

void put_u32(std::string& bytes, std::size_t at, std::uint32_t x) {
  std::memcpy(bytes.data() + at, &x, sizeof x);
}

std::string with_checksum(std::string content) {
  const std::uint64_t sum = checksum64(content);
  content.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return content;
}

std::string frame_of(const std::string& body) {
  return frame_header(static_cast<std::uint32_t>(body.size()), checksum64(body)) + body;
}

/// Takes content without its checksum; gives what the decoded value encodes to (again without), or nothing.
struct Target {
  const char* name;
  std::string content;
  std::function<std::optional<std::string>(const std::string&)> recode;
};

std::string without_checksum(std::string bytes) {
  bytes.resize(bytes.size() - 8);
  return bytes;
}

template <class T>
std::function<std::optional<std::string>(const std::string&)> record_recoder(
    std::string (*encode)(const T&), Decoded<T> (*decode)(std::string_view)) {
  return [=](const std::string& content) -> std::optional<std::string> {
    const auto value = decode(with_checksum(content));
    if (!value)
      return std::nullopt;
    return without_checksum(encode(*value));
  };
}

std::vector<Target> targets() {
  const auto recode_frame = [](const std::string& body) -> std::optional<std::string> {
    const auto message = decode_frame(frame_of(body));
    if (!message)
      return std::nullopt;
    const auto* hello = std::get_if<Hello>(&*message);
    if (hello != nullptr && hello->protocol_version != kPeerProtocolVersion)
      return std::nullopt;  // nothing else of it was taken
    return std::visit([](const auto& x) { return encode_frame(x); }, *message).substr(kFrameHeaderBytes);
  };
  std::vector<Target> all = {
      {"request", encode_request(request_of({"SET", "key", "a value"})).str(),
       [](const std::string& c) -> std::optional<std::string> {
         const auto value = decode_request(Bytes::copy_of(c));
         return value ? std::optional(encode_request(*value).str()) : std::nullopt;
       }},
      {"response", encode_response({Index(42), sample_reply()}),
       [](const std::string& c) -> std::optional<std::string> {
         const auto value = decode_response(Bytes::copy_of(c));
         return value ? std::optional(encode_response(*value)) : std::nullopt;
       }},
      {"entry", without_checksum(encode_entry(sample_entry())),
       [](const std::string& c) -> std::optional<std::string> {
         const auto value = decode_entry(Bytes(with_checksum(c)));
         return value ? std::optional(without_checksum(encode_entry(*value))) : std::nullopt;
       }},
      {"vote", without_checksum(encode_vote({Term(1), NodeId(2)})), record_recoder(encode_vote, decode_vote)},
      {"membership", without_checksum(encode_membership(sample_membership())),
       record_recoder(encode_membership, decode_membership)},
      {"wide membership", without_checksum(encode_membership(sample_wide_membership())),
       record_recoder(encode_membership, decode_membership)},
      {"snapshot meta", without_checksum(encode_snapshot_meta(sample_snapshot_meta())),
       record_recoder(encode_snapshot_meta, decode_snapshot_meta)},
      {"hello", encode_frame(sample_hello()).substr(kFrameHeaderBytes), recode_frame}};
  for (const auto& message : sample_peer_messages())
    all.push_back({"frame", encode_frame(message).substr(kFrameHeaderBytes), recode_frame});
  return all;
}

/// What is decoded may cost at most this; the samples are small, so their strings and errors are in it.
std::size_t allowed_bytes(const std::string& content) { return 60 * content.size() + 4096; }

TEST(CodecHostile, HugeNumbersInAnyPlaceCostNoMemory) {
  for (const auto& target : targets())
    for (std::size_t at = 0; at + 4 <= target.content.size(); ++at)
      for (const std::uint32_t lie : {kHuge, kHuge >> 1, 1u << 24, 1u << 16, 300u}) {
        std::string content = target.content;
        put_u32(content, at, lie);
        const AllocationCounter counter;
        const auto back = target.recode(content);
        EXPECT_LE(counter.peak_bytes(), allowed_bytes(content)) << target.name << " at " << at;
        if (back) {
          EXPECT_EQ(*back, content) << target.name << " at " << at << ": two encodings of one value";
        }
      }
}

TEST(CodecHostile, WhateverDecodesEncodesToTheSameBytes) {
  std::mt19937_64 random(20261122);
  const auto all = targets();
  for (int round = 0; round < 60'000; ++round) {
    const auto& target = all[random() % all.size()];
    std::string content = target.content;
    for (std::uint64_t i = random() % 4; i > 0; --i)
      content[random() % content.size()] = static_cast<char>(random() % 3 == 0 ? random() : random() % 14);
    if (random() % 4 == 0)
      content.resize(random() % (content.size() + 8));
    const auto back = target.recode(content);
    if (back) {
      EXPECT_EQ(*back, content) << target.name << ": " << hex(content);
    }
  }
}

TEST(CodecHostile, OfAHelloOfAnotherProtocolItsVersionIsTakenAndNothingElse) {
  auto foreign = sample_hello();
  foreign.protocol_version = kPeerProtocolVersion - 1;
  const auto whole = encode_frame(foreign).substr(kFrameHeaderBytes);
  for (std::size_t size = 6; size <= whole.size(); ++size) {
    const auto decoded = decode_frame(frame_of(whole.substr(0, size)));
    ASSERT_TRUE(decoded) << size;
    Hello expected;
    expected.protocol_version = kPeerProtocolVersion - 1;
    EXPECT_EQ(encode_frame(std::get<Hello>(*decoded)), encode_frame(expected)) << size;
  }
  EXPECT_FALSE(decode_frame(frame_of(whole.substr(0, 5))));
}

TEST(CodecHostile, ClaimedLengthsAreNamedImpossible) {
  std::string many_args = encode_request(request_of({"GET", "k"})).str();
  put_u32(many_args, 1, kMaxArguments);
  EXPECT_EQ(decode_request(Bytes(std::move(many_args))).error().what, "impossible length");

  std::string body = encode_frame(PeerMessage(AppendRequest{})).substr(kFrameHeaderBytes);
  put_u32(body, body.size() - 4, 1u << 22);
  EXPECT_EQ(decode_frame(frame_of(body)).error().what, "impossible length");
}

TEST(CodecHostile, ManyTinyElementsCostASmallMultipleOfTheInput) {
  // A million empty replies: 17 bytes each on the wire.
  ClientResponse response;
  response.reply.type = Reply::Type::array;
  response.reply.elements.resize(1 << 20);
  const Bytes bytes(encode_response(response));
  response = {};
  const AllocationCounter counter;
  EXPECT_TRUE(decode_response(bytes));
  EXPECT_LE(counter.peak_bytes(), 20 * bytes.size());
}

TEST(CodecHostile, TooManyArgumentsAreRefusedBeforeTheyCostAnything) {
  ClientRequest request;
  request.command.args.resize(kMaxArguments);
  const Bytes largest = encode_request(request);
  request.command.args.emplace_back();
  const Bytes too_many = encode_request(request);
  request = {};
  {
    const AllocationCounter counter;
    EXPECT_EQ(decode_request(too_many).error().what, "too many arguments");
    EXPECT_LE(counter.peak_bytes(), 1024u);
  }
  const AllocationCounter counter;
  EXPECT_TRUE(decode_request(largest));
  EXPECT_LE(counter.peak_bytes(), 30 * largest.size());
}

/// Each level claims `count` elements; only the innermost has one.
std::string nested_reply(std::size_t levels, std::uint32_t count = 1) {
  const auto head = [](Reply::Type type, std::uint32_t elements) {
    std::string text(1, static_cast<char>(type));
    text.append(12, '\0');  // the integer, and an empty text
    text.append(reinterpret_cast<const char*>(&elements), sizeof elements);
    return text;
  };
  std::string bytes = std::string("\x01") + std::string(8, '\0');
  for (std::size_t i = 0; i < levels; ++i) bytes += head(Reply::Type::array, count);
  return bytes + head(Reply::Type::nil, 0);
}

TEST(CodecHostile, NestedClaimsOfTheSameBytesCostThemOnce) {
  const std::uint32_t claimed = 60'000;
  const Bytes bytes(nested_reply(kMaxNesting - 1, claimed) + std::string(17 * claimed, '\0'));
  const AllocationCounter counter;
  EXPECT_FALSE(decode_response(bytes));
  EXPECT_LE(counter.peak_bytes(), 20 * bytes.size());
}

TEST(CodecHostile, NestingIsBounded) {
  EXPECT_TRUE(decode_response(Bytes(nested_reply(kMaxNesting - 1))));
  EXPECT_EQ(decode_response(Bytes(nested_reply(kMaxNesting))).error().what, "nested too deeply");
  EXPECT_EQ(decode_response(Bytes(nested_reply(1'000'000))).error().what, "nested too deeply");
}

TEST(CodecHostile, EncodingWhatCannotBeDecodedIsABug) {
  Reply reply;
  for (std::size_t i = 0; i < kMaxNesting; ++i) reply = Reply::array({reply});
  EXPECT_EXIT(encode_response({Index(1), reply}), testing::ExitedWithCode(70), "nested too deeply");
}

TEST(CodecHostile, UnknownEnumsBooleansAndMessageNumbersAreErrors) {
  Entry entry = sample_entry();
  std::string content = without_checksum(encode_entry(entry));
  content[1] = 5;
  EXPECT_EQ(decode_entry(Bytes(with_checksum(content))).error().what, "unknown kind of entry");

  std::string body = encode_frame(PeerMessage(VoteResponse{Term(1), false, true})).substr(kFrameHeaderBytes);
  body.back() = 2;
  EXPECT_EQ(decode_frame(frame_of(body)).error().what, "not a boolean");
  body = encode_frame(PeerMessage(TimeoutNowRequest{})).substr(kFrameHeaderBytes);
  body[1] = static_cast<char>(std::variant_size_v<PeerMessage> + 1);
  EXPECT_EQ(decode_frame(frame_of(body)).error().what, "unknown message number");

  std::string response = encode_response({Index(1), Reply::nil()});
  response[9] = 12;
  EXPECT_EQ(decode_response(Bytes(std::move(response))).error().what, "unknown type of reply");
}

TEST(CodecHostile, FrameHeaderRefusesImpossibleLengths) {
  const auto header_with = [](std::uint32_t length) {
    return decode_frame_header(frame_header(length, 0)).has_value();
  };
  EXPECT_FALSE(header_with(0));
  EXPECT_FALSE(header_with(1));
  EXPECT_TRUE(header_with(2));
  EXPECT_TRUE(header_with(kMaxFrameBytes));
  EXPECT_FALSE(header_with(kMaxFrameBytes + 1));
  EXPECT_FALSE(header_with(kHuge));
}

// A reader that believed a flipped bit in the length would wait for bytes that never come.
TEST(CodecHostile, AnyFlippedBitOfAFrameHeaderIsSeenInTheHeader) {
  const std::string header = encode_frame(sample_hello()).substr(0, kFrameHeaderBytes);
  ASSERT_TRUE(decode_frame_header(header));
  for (std::size_t bit = 0; bit < 8 * kFrameHeaderBytes; ++bit) {
    std::string flipped = header;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto decoded = decode_frame_header(flipped);
    ASSERT_FALSE(decoded) << "bit " << bit;
    EXPECT_EQ(decoded.error().what, "wrong checksum of a frame header");
  }
}

}  // namespace
}  // namespace kiwi::test
