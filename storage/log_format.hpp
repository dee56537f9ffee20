#pragma once

// What lies in DIR/log, format version 2.
//
//   DIR/log/KIWI-LOG           marker, text, written last by create() (log_marker.hpp)
//   DIR/log/KIWI-LOCK          held while a process has the store open
//   DIR/log/*                  one RocksDB with two column families, "default" and "entries" (number 1). The
//                              keys 'e' are in "entries", the others in "default":
//
//   key                        value
//   'b' node[8, big-endian]    binding   sealed { node u64, instance u64 }
//   'e' index[8, big-endian]   entry     as messages/codec.hpp: encode_entry, with its own checksum
//   'i'                        identity  sealed { cluster u64, node u64, instance u64, redis_port u16,
//                                                 raft_port u16, host text, membership text
//                                                 [, origin text, when it is not empty] }
//   'm'                        members   sealed { term u64, index u64, membership text }: as of the purge
//                                                 point, and the entry that brought it; absent while that is
//                                                 the initial one
//   's'                        state     sealed { instance u64, serial u64, vote.term u64, vote.voted_for
//   u64,
//                                                 purged.term u64, purged.index u64, last.term u64,
//                                                 last.index u64, bindings u64 }
//
//   sealed { x } = version u8 (1), x, checksum64(key, version, x) u64.  Integers are little-endian unless
//   said otherwise; text is u32 length and bytes; membership is messages/codec.hpp: encode_membership.
//
// Every write is one WriteBatch, and the first thing in it is the state: what the log must look like after
// it. So whatever part of the database is lost, the newest batch that survives says how long the log must be,
// where it begins, what the vote is and how many bindings there are. `serial` counts the batches of this
// directory.
//
// Never changes, in any version: the name and the first line of KIWI-LOG, by which a version is recognised.
// Never changes within a version: the keys, the layouts above, which family a key is in, the state first in
// each batch.
//
// Version 1 is the same with all keys in "default", and no other family. A directory keeps the version that
// it was made with, and both are read and written; new ones are made with version 2. A program that knows
// only version 1 refuses the marker of version 2.

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/codec.hpp"
#include "messages/ids.hpp"
#include "messages/storage_calls.hpp"
#include "messages/vote.hpp"
#include "storage/log_store.hpp"

namespace kiwi::storage {

inline constexpr std::string_view kEntriesFamily = "entries";
inline constexpr std::string_view kStateKey = "s";
inline constexpr std::string_view kIdentityKey = "i";
inline constexpr std::string_view kMembersKey = "m";
inline constexpr char kEntryPrefix = 'e';
inline constexpr char kBindingPrefix = 'b';

/// The number of the column family with the entries, as it stands in batches. All else is in family 0.
std::uint32_t family_of_entries(std::uint32_t format);

std::string entry_key(Index index);
std::string binding_key(NodeId node);
/// Requires a key made by entry_key.
Index index_of_entry_key(std::string_view key);
bool is_entry_key(std::string_view key);
bool is_binding_key(std::string_view key);

/// What every batch says about the log after it.
struct LogState {
  InstanceId instance;
  std::uint64_t serial = 0;
  Vote vote;
  LogId purged;
  LogId last;  // equals purged when there is no entry
  std::uint64_t bindings = 0;
  friend bool operator==(const LogState&, const LogState&) = default;
};
/// The size of every encoded state.
inline constexpr std::size_t kStateBytes = 1 + 9 * 8 + 8;

std::string encode_state(const LogState& state);
Decoded<LogState> decode_state(std::string_view value);
std::string encode_identity(const Identity& identity);
Decoded<Identity> decode_identity(std::string_view value);
std::string encode_members(const std::pair<LogId, Membership>& known);
Decoded<std::pair<LogId, Membership>> decode_members(std::string_view value);
std::string encode_binding(const PeerBinding& binding);
/// Also fails when the binding is not the one that belongs under `key`.
Decoded<PeerBinding> decode_binding(std::string_view key, std::string_view value);

}  // namespace kiwi::storage
