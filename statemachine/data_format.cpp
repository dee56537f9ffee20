#include "statemachine/data_format.hpp"

#include <xxhash.h>

#include "messages/assert.hpp"

namespace kiwi::data_format {
namespace {

constexpr char kRecordFormat = 1;
constexpr char kStateFormat = 1;
constexpr unsigned char kEncodingMask = 3;
constexpr unsigned char kHasDeadline = 4;
constexpr unsigned char kHasVersion = 8;
constexpr std::size_t kFixedHeaderBytes = 3 + 8;

void put_be64(std::uint64_t x, char* to) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<char>(x >> (56 - 8 * i));
}
std::uint64_t get_be64(const char* from) {
  std::uint64_t x = 0;
  for (int i = 0; i < 8; ++i) x = x << 8 | static_cast<unsigned char>(from[i]);
  return x;
}
void put_le64(std::uint64_t x, char* to) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<char>(x >> (8 * i));
}
std::uint64_t get_le64(const char* from) {
  std::uint64_t x = 0;
  for (int i = 7; i >= 0; --i) x = x << 8 | static_cast<unsigned char>(from[i]);
  return x;
}

std::string space_and_number(char space, std::uint64_t number, std::string_view rest) {
  std::string row;
  row.reserve(9 + rest.size());
  row.push_back(space);
  char be[8];
  put_be64(number, be);
  row.append(be, sizeof be);
  row.append(rest);
  return row;
}

}  // namespace

std::uint64_t key_hash(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

std::string key_row(std::uint64_t hash, std::string_view key) {
  return space_and_number(kKeySpace, hash, key);
}
std::string key_row_from(std::uint64_t hash) { return space_and_number(kKeySpace, hash, {}); }

std::optional<KeyRowParts> parse_key_row(std::string_view row) {
  if (row.size() < 9 || row[0] != kKeySpace)
    return std::nullopt;
  return KeyRowParts{get_be64(row.data() + 1), row.substr(9)};
}

std::string expiry_row(std::uint64_t deadline_ms, std::string_view key) {
  return space_and_number(kExpirySpace, deadline_ms, key);
}

std::optional<ExpiryRowParts> parse_expiry_row(std::string_view row) {
  if (row.size() < 9 || row[0] != kExpirySpace)
    return std::nullopt;
  return ExpiryRowParts{get_be64(row.data() + 1), row.substr(9)};
}

RecordHeader encode_record_header(const Meta& meta) {
  RecordHeader header;
  auto flags = static_cast<unsigned char>(meta.encoding);
  header.bytes[0] = kRecordFormat;
  header.bytes[1] = static_cast<char>(meta.type);
  put_le64(meta.written_ms, header.bytes + 3);
  header.size = kFixedHeaderBytes;
  if (meta.expire_at_ms != 0) {
    flags |= kHasDeadline;
    put_le64(meta.expire_at_ms, header.bytes + header.size);
    header.size += 8;
  }
  if (meta.version != 0) {
    flags |= kHasVersion;
    put_le64(meta.version, header.bytes + header.size);
    header.size += 8;
  }
  header.bytes[2] = static_cast<char>(flags);
  return header;
}

bool decode_record(std::string_view value, Meta& meta, std::string_view& payload) {
  if (value.size() < kFixedHeaderBytes || value[0] != kRecordFormat)
    return false;
  const auto type = static_cast<unsigned char>(value[1]);
  const auto flags = static_cast<unsigned char>(value[2]);
  if (type < 1 || type > 5 || (flags & ~(kEncodingMask | kHasDeadline | kHasVersion)) != 0 ||
      (flags & kEncodingMask) > 2)
    return false;
  meta.type = static_cast<ValueType>(type);
  meta.encoding = static_cast<StringEncoding>(flags & kEncodingMask);
  meta.written_ms = get_le64(value.data() + 3);
  std::size_t at = kFixedHeaderBytes;
  auto optional_number = [&](unsigned char flag, std::uint64_t& to) {
    to = 0;
    if ((flags & flag) == 0)
      return true;
    if (value.size() < at + 8)
      return false;
    to = get_le64(value.data() + at);
    at += 8;
    return true;
  };
  if (!optional_number(kHasDeadline, meta.expire_at_ms) || !optional_number(kHasVersion, meta.version))
    return false;
  payload = value.substr(at);
  meta.payload_bytes = payload.size();
  return true;
}

std::string encode_state(const SystemState& state) {
  std::string out(1, kStateFormat);
  auto add = [&](std::uint64_t x) {
    char le[8];
    put_le64(x, le);
    out.append(le, sizeof le);
  };
  add(state.applied.term.value);
  add(state.applied.index.value);
  add(state.clock_ms);
  add(state.membership_id.term.value);
  add(state.membership_id.index.value);
  add(state.keys);
  add(state.keys_with_expiry);
  add(state.next_version);
  return out;
}

std::optional<SystemState> decode_state(std::string_view value) {
  if (value.size() != 1 + 8 * 8 || value[0] != kStateFormat)
    return std::nullopt;
  std::size_t at = 1;
  auto take = [&] {
    const auto x = get_le64(value.data() + at);
    at += 8;
    return x;
  };
  SystemState state;
  state.applied.term = Term(take());
  state.applied.index = Index(take());
  state.clock_ms = take();
  state.membership_id.term = Term(take());
  state.membership_id.index = Index(take());
  state.keys = take();
  state.keys_with_expiry = take();
  state.next_version = take();
  return state;
}

std::string encode_format() {
  std::string out(kMagic);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(kFormatVersion >> (8 * i)));
  return out;
}

std::optional<std::uint32_t> decode_format(std::string_view value) {
  if (value.size() != kMagic.size() + 4 || !value.starts_with(kMagic))
    return std::nullopt;
  std::uint32_t version = 0;
  for (int i = 3; i >= 0; --i)
    version = version << 8 | static_cast<unsigned char>(value[kMagic.size() + static_cast<std::size_t>(i)]);
  return version;
}

}  // namespace kiwi::data_format
