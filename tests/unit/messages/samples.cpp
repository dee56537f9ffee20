#include "tests/unit/messages/samples.hpp"

#include <cstdio>

namespace kiwi::test {

ClientRequest request_of(std::initializer_list<std::string_view> args) {
  ClientRequest request;
  for (const auto arg : args) request.command.args.push_back(Bytes::copy_of(arg));
  return request;
}

Membership sample_membership() {
  Membership m;
  m.voters = {NodeId(1), NodeId(2), NodeId(3)};
  m.outgoing_voters = {NodeId(2)};
  m.learners = {NodeId(4)};
  for (std::uint64_t id = 1; id <= 4; ++id)
    m.members.push_back({NodeId(id), {"host" + std::to_string(id), 7000, 17000}});
  return m;
}

Membership sample_wide_membership() {
  Membership m = sample_membership();
  m.outgoing_voters.clear();
  m.joining = NodeId(4);
  m.replaced = NodeId(2);
  m.removed = {NodeId(5), NodeId(7)};
  return m;
}

SnapshotManifest sample_wide_manifest() {
  SnapshotManifest m = sample_snapshot_manifest();
  m.meta.membership = sample_wide_membership();
  return m;
}

SnapshotMeta sample_snapshot_meta() {
  return {LogId{Term(3), Index(1000)}, "3-1000-0123456789abcdef", 1'700'000'000'000, sample_membership(),
          LogId{Term(2), Index(17)}};
}

SnapshotManifest sample_snapshot_manifest() {
  return {sample_snapshot_meta(), 1, {{"000012.sst", 123'456, 1, 2}, {"CURRENT", 16, 3, 0xffffffffffffffff}}};
}

Entry sample_entry() {
  return {LogId{Term(2), Index(7)}, EntryKind::command, 1'700'000'000'123,
          encode_request(request_of({"SET", "k", "v"}))};
}

Hello sample_hello() {
  return {kPeerProtocolVersion,
          ClusterId(77),
          NodeId(1),
          NodeId(2),
          InstanceId(0x1122334455667788),
          1,
          "no",
          NodeAddress{"10.0.0.1", 7001, 17001},
          true,
          true};
}

Reply sample_reply() {
  return Reply::array({Reply::ok(), Reply::error("ERR no"), Reply::of(-5),
                       Reply::bulk(std::string("b\0c", 3)), Reply::nil(), Reply::nil_array(),
                       Reply::map({Reply::of(1), Reply::array({})}), Reply::set({Reply::simple("x")}),
                       Reply::number("1.5"), Reply::boolean(true), Reply::verbatim("text")});
}

std::vector<PeerMessage> sample_peer_messages() {
  const LogId id{Term(4), Index(9)};
  const Entry blank{LogId{Term(4), Index(8)}, EntryKind::blank, 5, {}};
  return {
      VoteRequest{Term(4), id, true, false, 6},
      VoteResponse{Term(5), false, true, 7},
      VoteResponse{Term(5), true, false, 7, true},
      AppendRequest{Term(4), id, Index(3), 11, 12, {}},
      AppendRequest{Term(4), id, Index(3), 11, 12, {blank, sample_entry()}},
      AppendResponse{Term(4), true, Index(9), id, 11, 12, 1'700'000'000'456},
      HeartbeatRequest{Term(4), Index(9), 13},
      HeartbeatResponse{Term(4), 13, 1'700'000'000'789, true, DiskRoom::low, 2},
      InstallSnapshotRequest{Term(4), sample_snapshot_manifest()},
      InstallSnapshotRequest{Term(4), sample_wide_manifest()},
      InstallSnapshotResponse{Term(4), InstallState::receiving, id, "3-1000-0123456789abcdef", 77, "why", 5},
      TimeoutNowRequest{Term(4)},
      SnapshotFetch{"3-1000-0123456789abcdef", 1, 65536, 4096},
      SnapshotPart{"3-1000-0123456789abcdef", 1, 65536, false, 6, PartCoding::lz4, 99,
                   Bytes(std::string("data\0\xff", 6))}};
}

bool same_message(const PeerMessage& a, const PeerMessage& b) {
  return a.index() == b.index() &&
         std::visit([&]<class T>(const T& x) { return same(x, std::get<T>(b)); }, a);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x ", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += digits;
  }
  if (!text.empty())
    text.pop_back();
  return text;
}

Decoded<std::variant<PeerMessage, Hello>> decode_frame(std::string_view frame) {
  if (frame.size() < kFrameHeaderBytes)
    return tl::unexpected(DecodeError{"shorter than a header"});
  const auto header = decode_frame_header(frame.substr(0, kFrameHeaderBytes));
  if (!header)
    return tl::unexpected(header.error());
  return decode_frame_body(*header, Bytes::copy_of(frame.substr(kFrameHeaderBytes)));
}

std::string frame_header(std::uint32_t body_bytes, std::uint64_t checksum) {
  std::string header(reinterpret_cast<const char*>(&body_bytes), sizeof body_bytes);
  header.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  const auto own = static_cast<std::uint32_t>(checksum64(header));
  return header.append(reinterpret_cast<const char*>(&own), sizeof own);
}

}  // namespace kiwi::test
