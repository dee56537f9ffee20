#pragma once

#include <cstdint>

#include "messages/bytes.hpp"
#include "messages/ids.hpp"

namespace kiwi {

/// The values are part of the log's format and of the wire: never renumber.
enum class EntryKind : std::uint8_t {
  blank = 0,       // the leader's no-op at the start of its term (Raft 8)
  command = 1,     // payload: an encoded ClientRequest, see codec.hpp
  membership = 2,  // payload: an encoded Membership
  tick = 3,        // no payload: carries its stamp only (safety rule 8)
  digest = 4,      // payload: 8 bytes, the number of a RAFT.DIGEST marker
};

/// One log entry. stamp_ms: milliseconds since the Unix epoch as agreed by the leader (safety rule 8);
/// it never goes back from one index to the next.
struct Entry {
  static constexpr const char* name = "Entry";
  LogId id;
  EntryKind kind = EntryKind::blank;
  std::uint64_t stamp_ms = 0;
  Bytes payload;
  auto fields() { return std::tie(id, kind, stamp_ms, payload); }
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What an entry counts for against every limit in bytes: payload plus a fixed overhead.
inline constexpr std::uint64_t kEntryOverheadBytes = 64;
inline std::uint64_t weight_bytes(const Entry& e) { return e.payload.size() + kEntryOverheadBytes; }

}  // namespace kiwi
