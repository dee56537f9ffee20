#pragma once

// The bytes of the data database (DIR/data): one RocksDB, one column family, no write-ahead log of its own.
// The Raft log is the write-ahead log (rule 6), and everything an entry changes is in one WriteBatch together
// with the applied state, so what a crash leaves is always the state after some whole entry.
//
//   space  row key                                     row value
//   'k'    'k' be64(hash) key                          record of the key, drawn below
//   'e'    'e' be64(deadline_ms) key                   empty: the index of keys that have a deadline
//   'c'    'c' be64(version) subkey                    reserved: elements of lists, hashes, sets, sorted sets
//   'g'    'g' be64(version)                           reserved: a deleted collection whose elements remain
//   's'    's' "format"                                magic "kiwi-data", le32(kFormatVersion)
//          's' "membership"                            messages/codec.hpp: encode_membership
//          's' "state"                                 the SystemState, drawn below
//
//   record:  u8 kRecordFormat | u8 type | u8 flags | le64 written_ms | [le64 expire_at_ms] | [le64 version] |
//   payload
//            flags: bits 0-1 StringEncoding; bit 2: has expire_at_ms; bit 3: has version; others 0
//            payload of a string: its bytes
//   state:   u8 kStateFormat | le64 each of: applied term, applied index, clock_ms, membership term,
//            membership index, keys, keys_with_expiry, next_version
//
// hash is XXH3-64 of the key's bytes, without a seed. Rows in hash order make a SCAN cursor a plain integer
// that means the same on every node: the upper kCursorBits bits of the next hash. 48 bits stay below 2^53, so
// that clients which keep numbers as doubles do not spoil it.
//
// Collections (later): the record holds version and element count, elements are rows under the version. A
// version is drawn from next_version and never used twice, so deleting or replacing a big collection is one
// 'g' row plus the record, and RENAME moves the record only. The rows are removed later, by range.
//
// What may never change without a new kFormatVersion: the spaces, the hash and its use, every layout above.
// All rows are the same bytes on every node at the same applied index, which is what digests compare.
// Anything that is true of one node only does not belong into this database.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/bytes.hpp"
#include "messages/ids.hpp"

namespace kiwi::data_format {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::string_view kMagic = "kiwi-data";
inline constexpr unsigned kCursorBits = 48;

inline constexpr char kKeySpace = 'k';
inline constexpr char kExpirySpace = 'e';
inline constexpr char kCollectionSpace = 'c';
inline constexpr char kGarbageSpace = 'g';
inline constexpr char kSystemSpace = 's';

inline constexpr std::string_view kFormatRow = "sformat";
inline constexpr std::string_view kMembershipRow = "smembership";
inline constexpr std::string_view kStateRow = "sstate";

/// The values are part of the format: never renumber.
enum class ValueType : std::uint8_t { string = 1, list = 2, hash = 3, set = 4, zset = 5 };

/// What OBJECT ENCODING is to say about a string beyond what its bytes show.
enum class StringEncoding : std::uint8_t {
  automatic = 0,  // int if it reads as an integer, else embstr or raw by its length
  raw = 1,        // changed in place (APPEND, SETRANGE)
  text = 2,       // never int, else by its length (INCRBYFLOAT)
};

/// All of a record but its payload.
struct Meta {
  ValueType type = ValueType::string;
  StringEncoding encoding = StringEncoding::automatic;
  std::uint64_t written_ms = 0;    // clock of the machine when last written
  std::uint64_t expire_at_ms = 0;  // 0: never
  std::uint64_t version = 0;       // 0: none (strings)
  std::uint64_t payload_bytes = 0;
};

struct Record {
  Meta meta;
  Bytes payload;
};

/// What the machine knows besides keys.
struct SystemState {
  LogId applied;
  std::uint64_t clock_ms = 0;  // the largest stamp applied (rule 8)
  LogId membership_id;
  std::uint64_t keys = 0;              // rows in space 'k'
  std::uint64_t keys_with_expiry = 0;  // rows in space 'e'
  std::uint64_t next_version = 1;
};

std::uint64_t key_hash(std::string_view key);

std::string key_row(std::uint64_t hash, std::string_view key);
/// The first row of space 'k' whose hash is at least `hash`.
std::string key_row_from(std::uint64_t hash);
struct KeyRowParts {
  std::uint64_t hash = 0;
  std::string_view key;
};
std::optional<KeyRowParts> parse_key_row(std::string_view row);

std::string expiry_row(std::uint64_t deadline_ms, std::string_view key);
struct ExpiryRowParts {
  std::uint64_t deadline_ms = 0;
  std::string_view key;
};
std::optional<ExpiryRowParts> parse_expiry_row(std::string_view row);

/// What stands before the payload. Kept apart from it so that a payload need not be copied to be written.
struct RecordHeader {
  char bytes[27];
  std::size_t size = 0;
  std::string_view view() const { return {bytes, size}; }
};
RecordHeader encode_record_header(const Meta& meta);
/// False: these bytes are no record of this format.
bool decode_record(std::string_view value, Meta& meta, std::string_view& payload);

std::string encode_state(const SystemState& state);
std::optional<SystemState> decode_state(std::string_view value);

std::string encode_format();
/// The version that the row tells, or nothing when it is not ours.
std::optional<std::uint32_t> decode_format(std::string_view value);

}  // namespace kiwi::data_format
