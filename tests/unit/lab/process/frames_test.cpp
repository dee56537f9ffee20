#include "lab/process/frames.hpp"

#include <gtest/gtest.h>

#include "messages/codec.hpp"

namespace kiwi::lab {
namespace {

std::vector<CutFrame> all(FrameCutter& cutter) {
  std::vector<CutFrame> frames;
  while (auto frame = cutter.next()) {
    frames.push_back(std::move(*frame));
  }
  return frames;
}

TEST(FrameCutter, cuts_a_stream_wherever_it_was_split) {
  VoteRequest pre_vote;
  pre_vote.pre_vote = true;
  const std::vector<std::pair<std::string, std::string>> sent = {
      {"hello", encode_frame(Hello{})},
      {"pre-vote", encode_frame(PeerMessage(pre_vote))},
      {"vote", encode_frame(PeerMessage(VoteRequest{}))},
      {"append", encode_frame(PeerMessage(AppendRequest{}))},
      {"heartbeat-reply", encode_frame(PeerMessage(HeartbeatResponse{}))}};
  std::string stream;
  for (const auto& [kind, bytes] : sent) {
    stream += bytes;
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    FrameCutter cutter;
    std::vector<CutFrame> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      cutter.feed(std::string_view(stream).substr(at, piece));
      for (auto& frame : all(cutter)) {
        got.push_back(std::move(frame));
      }
    }
    ASSERT_EQ(got.size(), sent.size()) << "pieces of " << piece;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(got[i].kind, sent[i].first);
      EXPECT_EQ(got[i].bytes, sent[i].second);
    }
    EXPECT_EQ(cutter.rest(), "");
  }
}

TEST(FrameCutter, passes_what_is_no_frame) {
  FrameCutter cutter;
  const std::string nonsense(40, '\xff');
  cutter.feed(nonsense);
  const auto got = all(cutter);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].kind, "bytes");
  EXPECT_EQ(got[0].bytes, nonsense);
  cutter.feed("more");
  EXPECT_EQ(cutter.next()->bytes, "more");
}

TEST(FrameCutter, gives_back_half_a_frame_at_the_end) {
  FrameCutter cutter;
  const auto frame = encode_frame(PeerMessage(AppendRequest{}));
  cutter.feed(frame.substr(0, frame.size() - 1));
  EXPECT_FALSE(cutter.next());
  EXPECT_EQ(cutter.rest(), frame.substr(0, frame.size() - 1));
}

}  // namespace
}  // namespace kiwi::lab
