#include "storage/wal_file.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <limits>

#include "storage/little_endian.hpp"
#include "storage/log_format.hpp"

namespace kiwi::storage {
namespace {

constexpr std::uint8_t kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4;
constexpr std::uint64_t kBatchHeaderBytes = 12;
/// Batch header, then tag, key length, key and value length of the state, then the state.
constexpr std::uint64_t kHeadBytes = kBatchHeaderBytes + 4 + kStateBytes;

/// crc32c (Castagnoli), masked as RocksDB stores it.
std::uint32_t masked_crc(std::string_view type_and_payload) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(type_and_payload.data(), type_and_payload.size());
  const std::uint32_t plain = crc.checksum();
  return ((plain >> 15) | (plain << 17)) + 0xa282ead8u;
}

void append_head(std::string& head, std::string_view payload) {
  head.append(payload.substr(0, kHeadBytes - std::min<std::uint64_t>(kHeadBytes, head.size())));
}

}  // namespace

std::uint64_t skip_block_filler(std::uint64_t offset) {
  const auto left = kWalBlockBytes - offset % kWalBlockBytes;
  return left < kWalHeaderBytes ? offset + left : offset;
}

std::optional<WalFile::Fragment> WalFile::fragment_at(std::uint64_t offset, std::string& why) const {
  if (offset + kWalHeaderBytes > bytes_.size()) {
    why = "incomplete header";
    return std::nullopt;
  }
  const char* header = bytes_.data() + offset;
  const auto length = load_little<std::uint16_t>(header + 4);
  const auto type = static_cast<std::uint8_t>(header[6]);
  if (type < kFull || type > kLast) {
    why = type == 0 && length == 0 ? "zeroes" : "unknown record type " + std::to_string(type);
    return std::nullopt;
  }
  if (offset + kWalHeaderBytes + length > bytes_.size()) {
    why = "record longer than the file";
    return std::nullopt;
  }
  const auto checked = bytes_.substr(offset + 6, 1u + length);
  if (masked_crc(checked) != load_little<std::uint32_t>(header)) {
    why = "checksum mismatch";
    return std::nullopt;
  }
  return Fragment{type, checked.substr(1), offset + kWalHeaderBytes + length};
}

std::optional<WalRecord> WalFile::record_at(std::uint64_t offset, std::string& why) const {
  why.clear();
  auto at = skip_block_filler(offset);
  if (at >= bytes_.size()) {
    return std::nullopt;
  }
  WalRecord record;
  for (bool first = true;; first = false) {
    const auto fragment = fragment_at(skip_block_filler(at), why);
    if (!fragment) {
      return std::nullopt;
    }
    const bool begins = fragment->type == kFull || fragment->type == kFirst;
    if (begins != first) {
      why = first ? "a record without its beginning" : "a record without its end";
      return std::nullopt;
    }
    append_head(record.head, fragment->payload);
    at = fragment->end;
    if (fragment->type == kFull || fragment->type == kLast) {
      break;
    }
  }
  record.end = at;
  return record;
}

std::optional<WalBatch> WalFile::batch_at(std::uint64_t offset, std::string& why) const {
  auto record = record_at(offset, why);
  if (!record) {
    return std::nullopt;
  }
  if (record->head.size() < kBatchHeaderBytes) {
    why = "a record too short for a batch";
    return std::nullopt;
  }
  const char* head = record->head.data();
  return WalBatch{load_little<std::uint64_t>(head), load_little<std::uint32_t>(head + 8), record->end,
                  std::move(record->head)};
}

std::uint64_t WalFile::end_of_nonzero(std::uint64_t from) const {
  const auto last = bytes_.find_last_not_of('\0');
  return std::max(from, last == std::string_view::npos ? 0 : static_cast<std::uint64_t>(last) + 1);
}

bool WalFile::any_record_behind(std::uint64_t from) const {
  std::string why;
  for (auto at = from; at + kWalHeaderBytes <= bytes_.size(); ++at) {
    const auto type = static_cast<std::uint8_t>(bytes_[at + 6]);
    if ((type == kFull || type == kFirst) && fragment_at(at, why)) {
      return true;
    }
  }
  return false;
}

bool WalFile::may_begin_batch(std::uint64_t offset, std::uint64_t sequence_above) const {
  const char* header = bytes_.data() + offset;
  const auto type = static_cast<std::uint8_t>(header[6]);
  if (type != kFull && type != kFirst) {
    return false;
  }
  const auto length = load_little<std::uint16_t>(header + 4);
  if (length < kBatchHeaderBytes || offset + kWalHeaderBytes + length > bytes_.size()) {
    return false;
  }
  // RocksDB's sequence numbers have 56 bits.
  const auto sequence = load_little<std::uint64_t>(header + kWalHeaderBytes);
  return sequence > sequence_above && sequence < (1ull << 56);
}

std::optional<std::string> WalFile::readable_head(std::uint64_t offset) const {
  std::string why;
  const auto fragment = fragment_at(offset, why);
  if (!fragment) {
    return std::nullopt;
  }
  if (auto whole = batch_at(offset, why)) {
    return std::move(whole->head);
  }
  return std::string(fragment->payload.substr(0, kHeadBytes));
}

}  // namespace kiwi::storage
