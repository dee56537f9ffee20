#pragma once

// The bytes of one SnapshotPart: packed where that makes them fewer, and checked before anybody looks at
// them.

#include <optional>
#include <string>

#include "messages/peer_messages.hpp"

namespace kiwi {

/// Answers `fetch` with these bytes of the file. LZ4 is tried only if `pack`, and kept only if it saves at
/// least a sixteenth: unpacking is not free either.
SnapshotPart make_part(const SnapshotFetch& fetch, std::string bytes, bool pack);

/// "I do not have it (any more)."
SnapshotPart make_gone(const SnapshotFetch& fetch);

/// The bytes of the file, if they are `bytes` many and as their sender checksummed them. Never takes more
/// memory than `bytes`, whatever the part says; requires bytes <= kMaxSnapshotPartBytes.
std::optional<std::string> content_of(const SnapshotPart& part, std::uint32_t bytes);

}  // namespace kiwi
