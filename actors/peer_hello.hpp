#pragma once

// The handshake of nodes. The dialer of a connection sends its Hello; the other side asks its replica and
// answers with its own Hello, whose reason is empty for "welcome". Nothing else is sent before that.

#include <string>

#include "messages/peer_messages.hpp"

namespace kiwi {

inline constexpr std::uint8_t kControlLane = 0;
inline constexpr std::uint8_t kBulkLane = 1;
inline constexpr std::uint8_t kLanes = 2;

/// Heartbeats must never wait behind bulk: appends and snapshots have a connection of their own.
std::uint8_t lane_of(const PeerMessage& message);

/// Why `theirs` does not fit `own`: protocol version, cluster, or not meant for us. Empty: it fits. What a
/// node alone knows (is the sender a member, is its instance the bound one) the replica must ask itself.
std::string hello_mismatch(const Hello& theirs, const Hello& own);

/// Text from another node, made harmless for a quoted value in a log line: printable ASCII, at most 200
/// bytes.
std::string for_the_log(const std::string& foreign);

}  // namespace kiwi
