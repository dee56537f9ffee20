#include "messages/codec.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <type_traits>
#include <utility>

#include "messages/assert.hpp"
#include "messages/codec_archives.hpp"
#include "messages/limits.hpp"

namespace kiwi::codec {

inline void check_known(EntryKind kind) {
  if (kind > EntryKind::digest)
    throw cereal::Exception("unknown kind of entry");
}
inline void check_known(Reply::Type type) {
  if (type > Reply::Type::verbatim)
    throw cereal::Exception("unknown type of reply");
}
inline void check_known(InstallState state) {
  if (state > InstallState::not_needed)
    throw cereal::Exception("unknown state of an install");
}
inline void check_known(DiskRoom room) {
  if (room > DiskRoom::none)
    throw cereal::Exception("unknown state of a disk");
}
inline void check_known(PartCoding coding) {
  if (coding > PartCoding::lz4)
    throw cereal::Exception("unknown coding of a snapshot's part");
}
template <class T>
void check_known(const T&) {}

// --- One list of fields for both ways

template <class Archive, Message T>
void serialize(Archive& archive, T& x) {
  std::apply([&](auto&... field) { archive(field...); }, x.fields());
  if constexpr (std::is_same_v<Archive, Input>)
    std::apply([&](auto&... field) { (check_known(field), ...); }, x.fields());
}

// --- Memberships: in version 1 without their later fields

inline bool is_wide(const Membership& m) { return m.joining || m.replaced || !m.removed.empty(); }
inline bool is_wide(const SnapshotMeta& m) { return is_wide(m.membership); }
inline bool is_wide(const SnapshotManifest& m) { return is_wide(m.meta); }
inline bool is_wide(const InstallSnapshotRequest& m) { return is_wide(m.manifest); }
template <class T>
constexpr bool is_wide(const T&) {
  return false;
}
template <class T>
std::uint8_t version_of(const T& x) {
  return is_wide(x) ? kWideMembershipVersion : kFormatVersion;
}

template <class Archive>
void serialize(Archive& archive, Membership& m) {
  archive(m.voters, m.outgoing_voters, m.learners, m.members);
  if (archive.version() >= kWideMembershipVersion)
    archive(m.joining, m.replaced, m.removed);
}

// --- Whole values

// fields() serves both ways, so it is not const; writing only reads through it.
template <class T>
void write_message(Output& archive, const T& x) {
  archive(const_cast<T&>(x));
}

template <class T>
T read_message(Input& archive) {
  T x;
  archive(x);
  archive.expect_end();
  if (archive.version() != version_of(x))
    throw cereal::Exception("another format version than its content needs");
  return x;
}

template <class Read>
auto guarded(Read read) -> Decoded<decltype(read())> {
  try {
    return read();
  } catch (const std::exception& e) {  // cereal::Exception, and std::bad_alloc or std::length_error
    return tl::unexpected(DecodeError{e.what()});
  }
}

/// The bytes without the checksum at their end.
inline std::string_view checked(std::string_view bytes) {
  if (bytes.size() < kChecksumBytes)
    throw cereal::Exception("too short");
  const auto content = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::uint64_t expected;
  std::memcpy(&expected, bytes.data() + content.size(), sizeof expected);
  if (expected != checksum64(content))
    throw cereal::Exception("wrong checksum");
  return content;
}

inline void append_checksum(std::string& out, std::size_t start) {
  const std::uint64_t sum = checksum64(std::string_view(out).substr(start));
  out.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

template <class T>
std::string encode_record(const T& x) {
  std::string out;
  Output archive(out);
  archive.write_version(version_of(x));
  write_message(archive, x);
  append_checksum(out, 0);
  return out;
}

template <class T>
Decoded<T> decode_record(std::string_view bytes) {
  return guarded([&] {
    const Bytes content(nullptr, checked(bytes));
    Input archive(content);
    archive.expect_version(kWideMembershipVersion);
    return read_message<T>(archive);
  });
}

// --- Frames: the message number is 0 for Hello, and 1 + the place in PeerMessage for the others.

constexpr std::uint8_t kHelloNumber = 0;
constexpr std::size_t kFrameFixedBytes = 64;  // more than the fixed fields of any message

inline std::size_t estimated_bytes(const PeerMessage& message) {
  std::size_t bytes = kFrameHeaderBytes + 2 * kFrameFixedBytes;
  if (const auto* append = std::get_if<AppendRequest>(&message))
    for (const auto& entry : append->entries) bytes += wire_minimum<Entry>() + entry.payload.size();
  else if (const auto* install = std::get_if<InstallSnapshotRequest>(&message))
    bytes += kFrameFixedBytes *
                 (2 + install->manifest.meta.membership.members.size() + install->manifest.files.size()) +
             sizeof(NodeId) * install->manifest.meta.membership.removed.size();
  else if (const auto* part = std::get_if<SnapshotPart>(&message))
    bytes += part->data.size() + kFrameFixedBytes;
  return bytes;
}

inline constexpr std::size_t kHeaderChecksumAt = 12;

std::uint32_t header_checksum(std::string_view header) {
  return static_cast<std::uint32_t>(checksum64(header.substr(0, kHeaderChecksumAt)));
}

template <class T>
void write_frame(std::uint8_t number, const T& message, std::string& out) {
  out.append(kFrameHeaderBytes, '\0');
  Output archive(out);
  archive.write_version(version_of(message));
  archive.write_plain(number);
  write_message(archive, message);
  const auto body = std::string_view(out).substr(kFrameHeaderBytes);
  KIWI_ASSERT(body.size() <= kMaxFrameBytes, "a frame above its limit");
  const auto length = static_cast<std::uint32_t>(body.size());
  const std::uint64_t sum = checksum64(body);
  std::memcpy(out.data(), &length, sizeof length);
  std::memcpy(out.data() + sizeof length, &sum, sizeof sum);
  const std::uint32_t header = header_checksum(out);
  std::memcpy(out.data() + kHeaderChecksumAt, &header, sizeof header);
}

template <std::size_t I = 0>
PeerMessage read_peer_message(Input& archive, std::size_t place) {
  if constexpr (I == std::variant_size_v<PeerMessage>) {
    throw cereal::Exception("unknown message number");
  } else {
    if (place == I)
      return read_message<std::variant_alternative_t<I, PeerMessage>>(archive);
    return read_peer_message<I + 1>(archive, place);
  }
}

}  // namespace kiwi::codec

CEREAL_SETUP_ARCHIVE_TRAITS(kiwi::codec::Input, kiwi::codec::Output)

namespace kiwi {

using namespace codec;  // NOLINT: this file's own

std::uint64_t checksum64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t encoded_request_bytes(const RedisCommand& command) {
  std::uint64_t bytes = kRequestFixedBytes;
  for (const auto& arg : command.args) bytes += kRequestArgumentBytes + arg.size();
  return bytes;
}

void encode_request_to(const RedisCommand& command, std::string& out) {
  out.reserve(out.size() + encoded_request_bytes(command));
  Output archive(out);
  archive.write_plain(kFormatVersion);
  write_message(archive, command);  // as a ClientRequest, which holds nothing else
}

Bytes encode_request(const ClientRequest& request) {
  std::string out;
  encode_request_to(request.command, out);
  return Bytes(std::move(out));
}

Decoded<ClientRequest> decode_request(const Bytes& payload) {
  return guarded([&] {
    if (payload.size() > kMaxRequestBytes)
      throw cereal::Exception("request too large");
    Input archive(payload);
    archive.expect_version();
    if (archive.peek_length() > kMaxArguments)  // before there is memory for them
      throw cereal::Exception("too many arguments");
    auto request = read_message<ClientRequest>(archive);
    if (request.command.args.empty())
      throw cereal::Exception("no command");
    return request;
  });
}

std::string encode_response(const ClientResponse& response) {
  std::string out;
  Output archive(out);
  archive.write_plain(kFormatVersion);
  write_message(archive, response);
  return out;
}

Decoded<ClientResponse> decode_response(const Bytes& bytes) {
  return guarded([&] {
    Input archive(bytes);
    archive.expect_version();
    return read_message<ClientResponse>(archive);
  });
}

std::string encode_membership(const Membership& membership) { return encode_record(membership); }
Decoded<Membership> decode_membership(std::string_view bytes) { return decode_record<Membership>(bytes); }
std::string encode_vote(const Vote& vote) { return encode_record(vote); }
Decoded<Vote> decode_vote(std::string_view bytes) { return decode_record<Vote>(bytes); }
std::string encode_snapshot_meta(const SnapshotMeta& meta) { return encode_record(meta); }
Decoded<SnapshotMeta> decode_snapshot_meta(std::string_view bytes) {
  return decode_record<SnapshotMeta>(bytes);
}
std::string encode_snapshot_manifest(const SnapshotManifest& manifest) { return encode_record(manifest); }
Decoded<SnapshotManifest> decode_snapshot_manifest(std::string_view bytes) {
  return decode_record<SnapshotManifest>(bytes);
}

void encode_entry_to(const Entry& entry, std::string& out) {
  const std::size_t start = out.size();
  Output archive(out);
  archive.write_plain(kFormatVersion);
  archive.write_plain(entry.kind);
  archive.write_plain(entry.id.term.value);
  archive.write_plain(entry.id.index.value);
  archive.write_plain(entry.stamp_ms);
  archive.write(entry.payload.view().data(), entry.payload.size());
  append_checksum(out, start);
}

std::string encode_entry(const Entry& entry) {
  std::string out;
  out.reserve(kEntryFixedBytes + entry.payload.size());
  encode_entry_to(entry, out);
  return out;
}

Decoded<Entry> decode_entry(const Bytes& bytes) {
  return guarded([&] {
    const Bytes content = bytes.window(checked(bytes.view()));
    Input archive(content);
    archive.expect_version();
    Entry entry;
    entry.kind = archive.take_plain<EntryKind>();
    check_known(entry.kind);
    entry.id.term = Term(archive.take_plain<std::uint64_t>());
    entry.id.index = Index(archive.take_plain<std::uint64_t>());
    entry.stamp_ms = archive.take_plain<std::uint64_t>();
    entry.payload = archive.take_rest(0);
    return entry;
  });
}

std::string encode_frame(const PeerMessage& message) {
  std::string out;
  out.reserve(estimated_bytes(message));
  const auto number = static_cast<std::uint8_t>(message.index() + 1);
  std::visit([&](const auto& x) { write_frame(number, x, out); }, message);
  return out;
}

std::string encode_frame(const Hello& hello) {
  std::string out;
  write_frame(kHelloNumber, hello, out);
  KIWI_ASSERT(out.size() <= kFrameHeaderBytes + kMaxHelloBytes, "a Hello above its limit");
  return out;
}

Decoded<FrameHeader> decode_frame_header(std::string_view bytes) {
  if (bytes.size() != kFrameHeaderBytes)
    return tl::unexpected(DecodeError{"a frame header of another size"});
  std::uint32_t sum = 0;
  std::memcpy(&sum, bytes.data() + codec::kHeaderChecksumAt, sizeof sum);
  if (sum != codec::header_checksum(bytes))
    return tl::unexpected(DecodeError{"wrong checksum of a frame header"});
  FrameHeader header;
  std::memcpy(&header.body_bytes, bytes.data(), sizeof header.body_bytes);
  std::memcpy(&header.checksum, bytes.data() + sizeof header.body_bytes, sizeof header.checksum);
  if (header.body_bytes > kMaxFrameBytes || header.body_bytes < 2)
    return tl::unexpected(DecodeError{"impossible frame length " + std::to_string(header.body_bytes)});
  return header;
}

/// The protocol version stands first in every Hello. What else programs of another version say is not known:
/// their version is all that is taken, so that it can be named.
Hello read_hello(Input& archive, const Bytes& body) {
  Input again(body);
  again.expect_version(kWideMembershipVersion);
  again.take_plain<std::uint8_t>();  // the number
  Hello version_only;
  again(version_only.protocol_version);
  return version_only.protocol_version == kPeerProtocolVersion ? read_message<Hello>(archive) : version_only;
}

Decoded<std::variant<PeerMessage, Hello>> decode_frame_body(const FrameHeader& header, const Bytes& body) {
  return guarded([&]() -> std::variant<PeerMessage, Hello> {
    if (body.size() != header.body_bytes)
      throw cereal::Exception("a frame body of another length");
    if (checksum64(body.view()) != header.checksum)
      throw cereal::Exception("wrong checksum");
    Input archive(body);
    archive.expect_version(kWideMembershipVersion);
    const auto number = archive.take_plain<std::uint8_t>();
    if (number == kHelloNumber)
      return read_hello(archive, body);
    return read_peer_message(archive, number - 1u);
  });
}

}  // namespace kiwi
