#include "messages/frame_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "messages/limits.hpp"
#include "tests/unit/messages/allocation_counter.hpp"
#include "tests/unit/messages/samples.hpp"

namespace kiwi::test {
namespace {

std::string sample_stream() {
  std::string stream = encode_frame(sample_hello());
  for (const auto& message : sample_peer_messages()) stream += encode_frame(message);
  return stream;
}

void expect_sample_stream(const std::vector<FrameReader::Frame>& frames) {
  const auto messages = sample_peer_messages();
  ASSERT_EQ(frames.size(), messages.size() + 1);
  EXPECT_TRUE(same(std::get<Hello>(frames[0]), sample_hello()));
  for (std::size_t i = 0; i < messages.size(); ++i)
    EXPECT_TRUE(same_message(std::get<PeerMessage>(frames[i + 1]), messages[i])) << i;
}

TEST(FrameReader, PiecesOfAnySizeGiveTheSameFrames) {
  const std::string stream = sample_stream();
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader;
    std::vector<FrameReader::Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(at, piece), frames));
    expect_sample_stream(frames);
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(FrameReader, GarbageEndsTheStreamForGood) {
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  EXPECT_FALSE(reader.feed("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", frames));
  EXPECT_FALSE(reader.feed(sample_stream(), frames));
  EXPECT_TRUE(frames.empty());
  EXPECT_EQ(reader.buffered_bytes(), 0u);
}

TEST(FrameReader, FramesBeforeADamagedOneAreDelivered) {
  std::string stream = encode_frame(sample_hello());
  std::string damaged = encode_frame(PeerMessage(TimeoutNowRequest{Term(3)}));
  damaged.back() ^= 1;
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  const auto result = reader.feed(stream + damaged + stream, frames);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "wrong checksum");
  EXPECT_EQ(frames.size(), 1u);
}

TEST(FrameReader, ADamagedLengthEndsTheStreamAtOnce) {
  std::string damaged = encode_frame(PeerMessage(TimeoutNowRequest{Term(3)}));
  damaged[1] ^= 1;  // 256 bytes more, which never come
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  const auto result = reader.feed(damaged, frames);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "wrong checksum of a frame header");
}

TEST(FrameReader, AllocatesForBytesThatCameNotForALengthThatIsClaimed) {
  const std::string header = frame_header(static_cast<std::uint32_t>(kMaxFrameBytes), 0);
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  const AllocationCounter counter;
  ASSERT_TRUE(reader.feed(header + "some bytes", frames));
  EXPECT_LE(counter.peak_bytes(), 1024u);
  EXPECT_EQ(reader.buffered_bytes(), header.size() + 10);
}

TEST(FrameReader, ABigFrameIsCopiedAFewTimesAndEndsInABufferOfItsSize) {
  SnapshotPart part;
  part.data = Bytes(std::string(4 << 20, 'x'));
  PeerMessage large = part;
  const std::string stream = encode_frame(large);
  for (const std::size_t piece : {std::size_t{100}, std::size_t{65536}, stream.size()}) {
    FrameReader reader;
    std::vector<FrameReader::Frame> frames;
    const AllocationCounter counter;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(at, piece), frames));
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_TRUE(same_message(std::get<PeerMessage>(frames[0]), large));
    EXPECT_LE(counter.total_bytes(), 4 * stream.size()) << "in pieces of " << piece;
    EXPECT_LE(counter.live_bytes(), stream.size() + 8192) << "in pieces of " << piece;
  }
}

TEST(FrameReader, BeforeHelloOnlySmallFramesPass) {
  SnapshotPart part;
  part.data = Bytes(std::string(kMaxHelloBytes, 'x'));
  PeerMessage large = part;
  std::vector<FrameReader::Frame> frames;
  FrameReader stranger(kMaxHelloBytes);
  EXPECT_FALSE(stranger.feed(encode_frame(large), frames));
  FrameReader known(kMaxHelloBytes);
  ASSERT_TRUE(known.feed(encode_frame(sample_hello()), frames));
  known.set_max_body_bytes(kMaxFrameBytes);
  EXPECT_TRUE(known.feed(encode_frame(large), frames));
  EXPECT_EQ(frames.size(), 2u);
}

}  // namespace
}  // namespace kiwi::test
