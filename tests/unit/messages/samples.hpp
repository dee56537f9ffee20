#pragma once

// One example of everything that is encoded.

#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "messages/codec.hpp"

namespace kiwi::test {

ClientRequest request_of(std::initializer_list<std::string_view> args);
Membership sample_membership();
/// With every field of a change under way.
Membership sample_wide_membership();
SnapshotManifest sample_wide_manifest();
SnapshotMeta sample_snapshot_meta();
SnapshotManifest sample_snapshot_manifest();
Entry sample_entry();
Hello sample_hello();
/// A reply that holds one of every type, nested.
Reply sample_reply();
/// At least one of every alternative.
std::vector<PeerMessage> sample_peer_messages();

/// Not every message has operator==, but all have fields().
template <class T>
bool same(T a, T b) {
  return a.fields() == b.fields();
}
bool same_message(const PeerMessage& a, const PeerMessage& b);

/// "00 ff 41"
std::string hex(std::string_view bytes);

/// The frame's header and its body, taken apart as a connection would.
Decoded<std::variant<PeerMessage, Hello>> decode_frame(std::string_view frame);

/// The header of a frame whose body has this length and checksum, with the header's own checksum right.
std::string frame_header(std::uint32_t body_bytes, std::uint64_t checksum);

}  // namespace kiwi::test
