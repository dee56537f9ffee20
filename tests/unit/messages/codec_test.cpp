#include "messages/codec.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "messages/limits.hpp"
#include "tests/unit/messages/samples.hpp"

namespace kiwi::test {
namespace {

// --- The format is a promise: these bytes lie on disks and travel between versions.

TEST(CodecFormat, RequestIsAVersionACountAndLengthPrefixedArguments) {
  EXPECT_EQ(hex(encode_request(request_of({"GET", "k"})).view()),
            "01 02 00 00 00 03 00 00 00 47 45 54 01 00 00 00 6b");
}

TEST(CodecFormat, EntryIsAFixedHeadItsPayloadAndAChecksum) {
  const Entry entry{LogId{Term(2), Index(0x0102)}, EntryKind::tick, 5, Bytes::copy_of("ab")};
  const std::string bytes = encode_entry(entry);
  ASSERT_EQ(bytes.size(), kEntryFixedBytes + 2);
  EXPECT_EQ(hex(std::string_view(bytes).substr(0, 28)),
            "01 03 02 00 00 00 00 00 00 00 02 01 00 00 00 00 00 00 05 00 00 00 00 00 00 00 61 62");
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + 28, sizeof sum);
  EXPECT_EQ(sum, checksum64(std::string_view(bytes).substr(0, 28)));
}

TEST(CodecFormat, FrameIsLengthChecksumsVersionNumberFields) {
  const std::string frame = encode_frame(PeerMessage(VoteResponse{Term(7), true, false, 5}));
  EXPECT_EQ(hex(std::string_view(frame).substr(0, 4)), "15 00 00 00");
  const auto own = static_cast<std::uint32_t>(checksum64(std::string_view(frame).substr(0, 12)));
  EXPECT_EQ(frame.substr(12, 4), std::string(reinterpret_cast<const char*>(&own), sizeof own));
  EXPECT_EQ(hex(std::string_view(frame).substr(16)),
            "01 02 07 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 01 00 00");
  EXPECT_EQ(hex(std::string_view(encode_frame(sample_hello())).substr(16, 6)), "01 00 06 00 00 00");
}

TEST(CodecFormat, VoteIsVersionedAndChecksummed) {
  const std::string bytes = encode_vote({Term(3), NodeId(2)});
  EXPECT_EQ(hex(std::string_view(bytes).substr(0, 17)), "01 03 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00");
  EXPECT_EQ(bytes.size(), 25u);
}

TEST(CodecFormat, ChecksumIsXxh3) {
  EXPECT_EQ(checksum64(""), 0x2d06800538d394c2u);  // XXH3_64bits of nothing, seed 0
}

// --- Round trips

TEST(CodecRoundTrip, Requests) {
  const std::string binary("\0\r\n\xff", 4);
  for (const auto& request :
       {request_of({"PING"}), request_of({"SET", "key", binary}), request_of({"SET", "", ""})}) {
    const Bytes bytes = encode_request(request);
    EXPECT_EQ(bytes.size(), encoded_request_bytes(request.command));
    const auto back = decode_request(bytes);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, request);
  }
}

TEST(CodecRoundTrip, RequestsAppendToASharedBuffer) {
  std::string batch = "before";
  encode_request_to(request_of({"A"}).command, batch);
  const std::size_t middle = batch.size();
  encode_request_to(request_of({"B", "c"}).command, batch);
  const auto whole = Bytes(std::move(batch));
  EXPECT_EQ(*decode_request(whole.window(whole.view().substr(6, middle - 6))), request_of({"A"}));
  EXPECT_EQ(*decode_request(whole.window(whole.view().substr(middle))), request_of({"B", "c"}));
}

TEST(CodecRoundTrip, ArgumentsAndPayloadsAreWindowsNotCopies) {
  const auto inside = [](const Bytes& part, const Bytes& whole) {
    return part.owner() == whole.owner() && part.view().data() >= whole.view().data() &&
           part.view().data() + part.size() <= whole.view().data() + whole.size();
  };
  const Bytes payload = encode_request(request_of({"SET", "key", "value"}));
  const auto request = decode_request(payload);
  ASSERT_TRUE(request);
  for (const auto& arg : request->command.args) EXPECT_TRUE(inside(arg, payload));

  const Bytes stored(encode_entry(sample_entry()));
  EXPECT_TRUE(inside(decode_entry(stored)->payload, stored));

  const std::string frame = encode_frame(PeerMessage(AppendRequest{Term(1), {}, {}, 0, 0, {sample_entry()}}));
  const Bytes body = Bytes::copy_of(std::string_view(frame).substr(kFrameHeaderBytes));
  const auto message =
      decode_frame_body(*decode_frame_header(std::string_view(frame).substr(0, kFrameHeaderBytes)), body);
  ASSERT_TRUE(message);
  EXPECT_TRUE(inside(std::get<AppendRequest>(std::get<PeerMessage>(*message)).entries.at(0).payload, body));
}

TEST(CodecRoundTrip, Responses) {
  const ClientResponse response{Index(42), sample_reply()};
  const auto back = decode_response(Bytes(encode_response(response)));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, response);
}

TEST(CodecRoundTrip, Records) {
  EXPECT_EQ(*decode_membership(encode_membership(sample_membership())), sample_membership());
  EXPECT_EQ(*decode_membership(encode_membership({})), Membership{});
  EXPECT_EQ(*decode_membership(encode_membership(sample_wide_membership())), sample_wide_membership());
  EXPECT_EQ(*decode_snapshot_manifest(encode_snapshot_manifest(sample_wide_manifest())),
            sample_wide_manifest());
  // Only what needs the newer version has it.
  EXPECT_EQ(encode_membership(sample_membership())[0], 1);
  EXPECT_EQ(encode_membership(sample_wide_membership())[0], 2);
  EXPECT_EQ(*decode_vote(encode_vote({Term(9), NodeId(3)})), (Vote{Term(9), NodeId(3)}));
  EXPECT_EQ(*decode_snapshot_meta(encode_snapshot_meta(sample_snapshot_meta())), sample_snapshot_meta());
  EXPECT_EQ(*decode_snapshot_manifest(encode_snapshot_manifest(sample_snapshot_manifest())),
            sample_snapshot_manifest());
}

TEST(CodecRoundTrip, EntriesOfEveryKind) {
  for (const auto kind :
       {EntryKind::blank, EntryKind::command, EntryKind::membership, EntryKind::tick, EntryKind::digest}) {
    Entry entry = sample_entry();
    entry.kind = kind;
    if (kind == EntryKind::blank)
      entry.payload = {};
    const auto back = decode_entry(Bytes(encode_entry(entry)));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, entry);
  }
}

TEST(CodecRoundTrip, EveryPeerMessage) {
  std::size_t seen = 0;
  for (const auto& message : sample_peer_messages()) {
    const auto back = decode_frame(encode_frame(message));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_TRUE(same_message(std::get<PeerMessage>(*back), message)) << message.index();
    seen |= std::size_t{1} << message.index();
  }
  EXPECT_EQ(seen, (std::size_t{1} << std::variant_size_v<PeerMessage>)-1) << "a message has no sample";
  const auto hello = decode_frame(encode_frame(sample_hello()));
  ASSERT_TRUE(hello);
  EXPECT_TRUE(same(std::get<Hello>(*hello), sample_hello()));
}

TEST(CodecRoundTrip, TheLargestEntryFitsIntoAFrame) {
  Entry entry = sample_entry();
  entry.payload = Bytes(std::string(kMaxRequestBytes, 'x'));
  const auto back = decode_frame(encode_frame(PeerMessage(AppendRequest{Term(1), {}, {}, 0, 0, {entry}})));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(std::get<AppendRequest>(std::get<PeerMessage>(*back)).entries.at(0), entry);
}

// --- Spoilt bytes. With a checksum, no truncation and no flipped bit may pass.

struct Spoilable {
  const char* name;
  std::string bytes;
  std::function<bool(std::string_view)> decodes;
};

std::vector<Spoilable> checksummed_values() {
  std::vector<Spoilable> values = {
      {"entry", encode_entry(sample_entry()),
       [](auto b) { return decode_entry(Bytes::copy_of(b)).has_value(); }},
      {"vote", encode_vote({Term(3), NodeId(2)}), [](auto b) { return decode_vote(b).has_value(); }},
      {"membership", encode_membership(sample_membership()),
       [](auto b) { return decode_membership(b).has_value(); }},
      {"wide membership", encode_membership(sample_wide_membership()),
       [](auto b) { return decode_membership(b).has_value(); }},
      {"snapshot meta", encode_snapshot_meta(sample_snapshot_meta()),
       [](auto b) { return decode_snapshot_meta(b).has_value(); }},
      {"hello", encode_frame(sample_hello()), [](auto b) { return decode_frame(b).has_value(); }}};
  for (const auto& message : sample_peer_messages())
    values.push_back({"frame", encode_frame(message), [](auto b) { return decode_frame(b).has_value(); }});
  return values;
}

TEST(CodecSpoilt, EveryTruncationIsAnError) {
  for (const auto& value : checksummed_values()) {
    ASSERT_TRUE(value.decodes(value.bytes)) << value.name;
    for (std::size_t n = 0; n < value.bytes.size(); ++n)
      EXPECT_FALSE(value.decodes(std::string_view(value.bytes).substr(0, n)))
          << value.name << " cut at " << n;
  }
}

TEST(CodecSpoilt, EveryFlippedBitIsAnError) {
  for (const auto& value : checksummed_values())
    for (std::size_t bit = 0; bit < value.bytes.size() * 8; ++bit) {
      std::string spoilt = value.bytes;
      spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ 1 << bit % 8);
      EXPECT_FALSE(value.decodes(spoilt)) << value.name << " with bit " << bit << " flipped";
    }
}

TEST(CodecSpoilt, BytesLeftOverAreAnError) {
  for (const auto& value : checksummed_values())
    EXPECT_FALSE(value.decodes(value.bytes + '\0')) << value.name;
  EXPECT_EQ(decode_request(Bytes(encode_request(request_of({"PING"})).str() + "x")).error().what,
            "bytes left over");
}

TEST(CodecSpoilt, TruncatedRequestsAndResponsesAreErrors) {
  const std::string request = encode_request(request_of({"SET", "k", "v"})).str();
  for (std::size_t n = 0; n < request.size(); ++n)
    EXPECT_FALSE(decode_request(Bytes::copy_of(std::string_view(request).substr(0, n)))) << n;
  const std::string response = encode_response({Index(1), sample_reply()});
  for (std::size_t n = 0; n < response.size(); ++n)
    EXPECT_FALSE(decode_response(Bytes::copy_of(std::string_view(response).substr(0, n)))) << n;
}

TEST(CodecSpoilt, ErrorsSayWhatIsWrong) {
  std::string spoilt = encode_entry(sample_entry());
  spoilt[30] ^= 1;
  EXPECT_EQ(decode_entry(Bytes(std::move(spoilt))).error().what, "wrong checksum");
  EXPECT_EQ(decode_request(Bytes::copy_of(std::string_view("\x02\0\0\0\0", 5))).error().what,
            "unknown format version 2");
  EXPECT_EQ(decode_request(Bytes::copy_of(std::string_view("\x01\0\0\0\0", 5))).error().what, "no command");
  EXPECT_EQ(decode_request(Bytes()).error().what, "too short");
}

}  // namespace
}  // namespace kiwi::test
