// An offer of a snapshot that a newer program would send is whole, and only that message is touched.

#include "lab/formats/newer_offer.hpp"

#include <gtest/gtest.h>

#include <variant>

#include "messages/codec.hpp"

namespace kiwi::lab {
namespace {

InstallSnapshotRequest some_offer() {
  InstallSnapshotRequest offer;
  offer.term = Term(3);
  offer.manifest.meta.last_log_id = {Term(2), Index(9)};
  offer.manifest.meta.snapshot_id = "2-9-0000000000000001";
  offer.manifest.format = 1;
  offer.manifest.files.push_back({"000007.sst", 5, 6, 7});
  return offer;
}

TEST(NewerOffer, HasTheNextFormatAndIsWholeOtherwise) {
  const auto offer = some_offer();
  const auto newer = newer_offer(encode_frame(PeerMessage(offer)));
  ASSERT_TRUE(newer.has_value());
  const auto header = decode_frame_header(newer->substr(0, kFrameHeaderBytes));
  ASSERT_TRUE(header);
  const auto body = decode_frame_body(*header, Bytes::copy_of(newer->substr(kFrameHeaderBytes)));
  ASSERT_TRUE(body) << "its checksums are right";
  auto manifest = std::get<InstallSnapshotRequest>(std::get<PeerMessage>(*body)).manifest;
  EXPECT_EQ(manifest.format, 2U);
  manifest.format = 1;
  EXPECT_EQ(manifest, offer.manifest);
}

TEST(NewerOffer, OtherMessagesAreNoOffers) {
  EXPECT_FALSE(newer_offer(encode_frame(PeerMessage(VoteRequest{}))));
  EXPECT_FALSE(newer_offer("short"));
  auto broken = encode_frame(PeerMessage(some_offer()));
  broken.back() = static_cast<char>(broken.back() ^ 1);
  EXPECT_FALSE(newer_offer(broken));
}

}  // namespace
}  // namespace kiwi::lab
