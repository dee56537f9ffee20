#include "storage/wal_diagnosis.hpp"

#include <rocksdb/write_batch.h>

#include "storage/little_endian.hpp"
#include "storage/log_format.hpp"
#include "storage/wal_file.hpp"

namespace kiwi::storage {
namespace {

constexpr std::uint8_t kFull = 1, kLast = 4;
constexpr std::size_t kMostRows = 8;

/// The payload of the record at `offset`, fragments put together, unchecked. Empty: the framing is bad.
std::string payload_at(std::string_view file, std::uint64_t offset) {
  std::string payload;
  for (auto at = skip_block_filler(offset);; at = skip_block_filler(at)) {
    if (at + kWalHeaderBytes > file.size()) {
      return {};
    }
    const auto length = load_little<std::uint16_t>(file.data() + at + 4);
    const auto type = static_cast<std::uint8_t>(file[at + 6]);
    at += kWalHeaderBytes;
    if (type < kFull || type > kLast || at + length > file.size()) {
      return {};
    }
    payload.append(file.substr(at, length));
    at += length;
    if (type == kFull || type == kLast) {
      return payload;
    }
  }
}

class BadRows : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    if (fault_of_row(key.ToStringView(), value.ToStringView()) && rows.size() < kMostRows) {
      rows.push_back(name_of_row(key.ToStringView()));
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}

  std::vector<std::string> rows;
};

/// Stops at the first operation that is not in its family.
class Families : public rocksdb::WriteBatch::Handler {
 public:
  explicit Families(std::uint32_t format) : entries_(family_of_entries(format)) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice&) override {
    return look(family, key);
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    return look(family, key);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t family, const rocksdb::Slice& begin,
                                const rocksdb::Slice&) override {
    return look(family, begin);
  }
  rocksdb::Status SingleDeleteCF(std::uint32_t, const rocksdb::Slice&) override { return unknown(); }
  rocksdb::Status MergeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return unknown();
  }
  void LogData(const rocksdb::Slice&) override {}

  std::string why;

 private:
  rocksdb::Status look(std::uint32_t family, const rocksdb::Slice& key) {
    const auto right = is_entry_key(key.ToStringView()) ? entries_ : 0;
    if (family == right) {
      return rocksdb::Status::OK();
    }
    why = name_of_row(key.ToStringView()) + " is in column family " + std::to_string(family) +
          " and must be in " + std::to_string(right);
    return rocksdb::Status::Corruption();
  }
  rocksdb::Status unknown() {
    why = "an operation that no log has";
    return rocksdb::Status::Corruption();
  }

  std::uint32_t entries_;
};

}  // namespace

std::string name_of_row(std::string_view key) {
  if (is_entry_key(key)) {
    return "entry " + to_string(index_of_entry_key(key));
  }
  if (is_binding_key(key)) {
    return "a peer binding";
  }
  if (key == kMembersKey) {
    return "the membership as of the purge point";
  }
  if (key == kStateKey) {
    return "the vote and the ends of the log";
  }
  return key == kIdentityKey ? "the identity" : "a row that is not of a log";
}

std::optional<std::string> fault_of_row(std::string_view key, std::string_view value) {
  if (is_entry_key(key)) {
    const auto entry = decode_entry(Bytes(nullptr, value));
    if (!entry) {
      return entry.error().what;
    }
    return entry->id.index == index_of_entry_key(key)
               ? std::nullopt
               : std::optional<std::string>("it is that of index " + to_string(entry->id.index));
  }
  const auto why = [](const auto& decoded) {
    return decoded ? std::nullopt : std::optional<std::string>(decoded.error().what);
  };
  if (is_binding_key(key)) {
    return why(decode_binding(key, value));
  }
  if (key == kMembersKey) {
    return why(decode_members(value));
  }
  if (key == kStateKey) {
    return why(decode_state(value));
  }
  return key == kIdentityKey ? why(decode_identity(value)) : std::optional<std::string>("unknown key");
}

std::string foreign_family_in_batch(std::string_view file, std::uint64_t offset, std::uint32_t format) {
  Families families(format);
  const rocksdb::WriteBatch batch(payload_at(file, offset));
  if (const auto status = batch.Iterate(&families); !status.ok() && families.why.empty()) {
    return "a batch that cannot be read: " + status.ToString();
  }
  return families.why;
}

std::vector<std::string> bad_rows_of_batch(std::string_view file, std::uint64_t offset) {
  BadRows handler;
  // A batch that breaks off in the middle of a row has told of those before it.
  const rocksdb::WriteBatch batch(payload_at(file, offset));
  batch.Iterate(&handler).PermitUncheckedError();
  return handler.rows;
}

}  // namespace kiwi::storage
