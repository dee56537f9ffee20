#pragma once

// Bytes that leave or outlive the process: cereal's portable binary (little-endian), read by a reader that
// believes no length. The only place that includes cereal is codec.cpp. Formats are versioned: the first byte
// of an encoded value is its format version, and an unknown one is an error.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/client.hpp"
#include "messages/entry.hpp"
#include "messages/membership.hpp"
#include "messages/peer_messages.hpp"
#include "messages/snapshot_meta.hpp"
#include "messages/vote.hpp"
#include "tl/expected.hpp"

namespace kiwi {

/// Why bytes could not be decoded, for a log line.
struct DecodeError {
  std::string what;
};
template <class T>
using Decoded = tl::expected<T, DecodeError>;

/// 64-bit checksum (XXH3) of `bytes`.
std::uint64_t checksum64(std::string_view bytes);

// --- ClientRequest <-> entry payload. decode keeps windows into `payload`: no copy of the arguments.
Bytes encode_request(const ClientRequest& request);
/// Appends the encoded request to `out`, for batches that share one buffer.
void encode_request_to(const ClientRequest& request, std::string& out);
/// The size that encode_request would give, without encoding.
std::uint64_t encoded_request_bytes(const ClientRequest& request);
Decoded<ClientRequest> decode_request(const Bytes& payload);

std::string encode_response(const ClientResponse& response);
Decoded<ClientResponse> decode_response(const Bytes& bytes);

std::string encode_membership(const Membership& membership);
Decoded<Membership> decode_membership(std::string_view bytes);
std::string encode_vote(const Vote& vote);
Decoded<Vote> decode_vote(std::string_view bytes);
std::string encode_snapshot_meta(const SnapshotMeta& meta);
Decoded<SnapshotMeta> decode_snapshot_meta(std::string_view bytes);

/// One entry as it lies in the log: version, kind, term, index, stamp, payload, then checksum64 of all before.
std::string encode_entry(const Entry& entry);
void encode_entry_to(const Entry& entry, std::string& out);
/// Keeps a window into `bytes` for the payload. A wrong checksum is an error that says so.
Decoded<Entry> decode_entry(const Bytes& bytes);

// --- Peer frames: [u32 length of body][u64 checksum of body][body], body = [u8 version][u8 type][message].
// All integers little-endian. See docs/architecture.md.
inline constexpr std::size_t kFrameHeaderBytes = 12;
/// A whole frame, header included.
std::string encode_frame(const PeerMessage& message);
std::string encode_frame(const Hello& hello);

struct FrameHeader {
  std::uint32_t body_bytes = 0;
  std::uint64_t checksum = 0;
};
/// `bytes` has kFrameHeaderBytes. Fails when the length is above kMaxFrameBytes or below 2.
Decoded<FrameHeader> decode_frame_header(std::string_view bytes);
/// Checks the checksum, then decodes. Entry payloads are windows into `body`.
Decoded<std::variant<PeerMessage, Hello>> decode_frame_body(const FrameHeader& header, const Bytes& body);

}  // namespace kiwi
