#pragma once

// Bytes that leave or outlive the process: cereal archives of the messages' fields(), read by a reader that
// believes no length. Only codec.cpp and its codec_archives.hpp include cereal. Formats are versioned: the
// first byte of an encoded value is its format version, and an unknown one is an error. It is 1; what holds a
// membership with `joining`, `replaced` or `removed` set has 2: in version 1 a membership ends before these
// fields. So a directory or a cluster whose membership never changed is the same to a program that knows
// version 1 only.
//
// "fields" below means the members in the order of fields(), as cereal's portable binary archive writes them
// on a little-endian machine, except that the archive's leading byte of endianness is left out and lengths
// have 32 bits (nothing that is encoded may come near 4 GiB, see limits.hpp; it halves the overhead of a
// small command):
//
//   integers, enums    their own width, little-endian     bool    one byte, 0 or 1
//   string, Bytes      [u32 length][bytes]                vector  [u32 count][elements]
//
//   ClientRequest    [u8 1][fields], so: [u8 1][u32 count] and for each argument [u32 length][bytes]
//   ClientResponse   [u8 1][fields]
//   Membership       [u8 1 or 2][fields][u64 checksum64 of all before]; so are Vote, SnapshotMeta,
//   SnapshotManifest Entry            [u8 1][u8 kind][u64 term][u64 index][u64 stamp_ms][payload][u64
//   checksum64 of all
//                    before]; the payload is all that lies between, without a length
//   peer frame       below
//
// Every decoder takes exactly one value: bytes left over are an error, and so are an unknown enum value, a
// bool above 1, and more than kMaxNesting vectors within each other. So each value has one encoding only. A
// decoder allocates at most a small multiple (below 30) of its input, whatever the input claims.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
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

/// Vectors within vectors (nested replies). Encoding a deeper value is a bug.
inline constexpr std::size_t kMaxNesting = 32;
/// An encoded request takes kRequestFixedBytes + the sum of (kRequestArgumentBytes + length) over its
/// arguments.
inline constexpr std::uint64_t kRequestFixedBytes = 5;
inline constexpr std::uint64_t kRequestArgumentBytes = 4;
/// An encoded entry takes this and its payload.
inline constexpr std::uint64_t kEntryFixedBytes = 34;

/// 64-bit checksum (XXH3) of `bytes`.
std::uint64_t checksum64(std::string_view bytes);

// --- ClientRequest <-> entry payload. decode keeps windows into `payload`: no copy of the arguments. At
// least one argument, at most kMaxArguments, at most kMaxRequestBytes in all; else decode fails.
Bytes encode_request(const ClientRequest& request);
/// Appends the encoded request of this command to `out`, for batches that share one buffer.
void encode_request_to(const RedisCommand& command, std::string& out);
/// The size that encode_request would give, without encoding.
std::uint64_t encoded_request_bytes(const RedisCommand& command);
Decoded<ClientRequest> decode_request(const Bytes& payload);

std::string encode_response(const ClientResponse& response);
Decoded<ClientResponse> decode_response(const Bytes& bytes);

std::string encode_membership(const Membership& membership);
Decoded<Membership> decode_membership(std::string_view bytes);
std::string encode_vote(const Vote& vote);
Decoded<Vote> decode_vote(std::string_view bytes);
std::string encode_snapshot_meta(const SnapshotMeta& meta);
Decoded<SnapshotMeta> decode_snapshot_meta(std::string_view bytes);
std::string encode_snapshot_manifest(const SnapshotManifest& manifest);
Decoded<SnapshotManifest> decode_snapshot_manifest(std::string_view bytes);

/// One entry as it lies in the log: version, kind, term, index, stamp, payload, then checksum64 of all
/// before.
std::string encode_entry(const Entry& entry);
void encode_entry_to(const Entry& entry, std::string& out);
/// Keeps a window into `bytes` for the payload. A wrong checksum is an error that says so.
Decoded<Entry> decode_entry(const Bytes& bytes);

// --- Peer frames: [u32 length of body][u64 checksum of body][u32 checksum of these 12 bytes][body],
// body = [u8 version][u8 type][fields]. The header has its own checksum, because a reader that believed a
// flipped bit in the length would wait for bytes that never come. The checksum of a header is the low half of
// its checksum64. type: 0 for Hello, 1 + the place in PeerMessage for the others. All integers little-endian.
// A frame above kMaxFrameBytes is a bug of the sender (asserted). See docs/architecture.md.
inline constexpr std::size_t kFrameHeaderBytes = 16;
/// Largest body of the first frame of a connection. A longer Hello is a bug of the sender (asserted).
inline constexpr std::uint64_t kMaxHelloBytes = 4096;
/// A whole frame, header included.
std::string encode_frame(const PeerMessage& message);
std::string encode_frame(const Hello& hello);

struct FrameHeader {
  std::uint32_t body_bytes = 0;
  std::uint64_t checksum = 0;
};
/// `bytes` has kFrameHeaderBytes. Fails when its checksum is wrong, or the length is above kMaxFrameBytes or
/// below 2.
Decoded<FrameHeader> decode_frame_header(std::string_view bytes);
/// Checks the checksum, then decodes. Entry payloads are windows into `body`.
Decoded<std::variant<PeerMessage, Hello>> decode_frame_body(const FrameHeader& header, const Bytes& body);

}  // namespace kiwi
