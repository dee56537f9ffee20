#include "statemachine/verify_data.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "messages/codec.hpp"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "statemachine/checkpoint.hpp"
#include "statemachine/data_format.hpp"
#include "statemachine/digest.hpp"
#include "statemachine/engine/database.hpp"
#include "storage/cut_manifest.hpp"
#include "storage/snapshot_files.hpp"

namespace kiwi {
namespace {

using storage::FindingKind;

constexpr std::size_t kMostBadRows = 8;
constexpr std::uint64_t kReadAheadBytes = 1u << 20;
/// Rows are told in pieces of this many.
constexpr std::uint64_t kPieceRows = 4096;

std::string printable(std::string_view key) {
  constexpr std::size_t kMost = 40;
  std::string text;
  for (const char c : key.substr(0, kMost)) text += c >= 0x20 && c < 0x7f ? c : '?';
  return "'" + text + (key.size() > kMost ? "...'" : "'");
}

class Verifier {
 public:
  Verifier(rocksdb::Env* env, const std::string& folder, const storage::VerifyPiece& piece)
      : env_(env == nullptr ? *rocksdb::Env::Default() : *env), folder_(folder), piece_(piece) {
    options_.dir = folder;
    options_.env = &env_;
    if ((without_tail_ = storage::with_torn_tail_hidden(env_, folder)))
      options_.env = without_tail_.get();
  }

  DataReport run() {
    if (!look_at_names())
      return std::move(report_);
    if (auto found = storage::verify_database_manifest(&env_, folder_, "MANIFEST of the data database"))
      report_.findings.push_back(std::move(*found));
    open_database();
    const auto live = db_ ? storage::live_tables(*db_) : std::vector<std::string>();
    if (db_)
      report_.tables = live.size();
    if (!storage::verify_tables(&env_, folder_, db_ ? &live : nullptr, "table of the data database", piece_,
                                report_.findings)) {
      report_.stopped = true;
      return std::move(report_);
    }
    auto state = read_checkpoint(options_, *options_.env, folder_);
    const bool whole = !storage::has_damage(report_.findings);
    if (state)
      report_.state = std::move(*state);
    else
      add("data database", folder_, state.error().cause);
    if (state && whole && db_)
      read_rows();
    db_.reset();
    return std::move(report_);
  }

 private:
  void add(std::string what, std::string where, std::string why) {
    report_.findings.push_back({FindingKind::damage, std::move(what), std::move(where), std::move(why)});
  }

  bool look_at_names() {
    const auto names = storage::snapshot_files(&env_)->list(folder_);
    if (!names) {
      add("data database", folder_, names.error().cause);
      return false;
    }
    if (names->files.empty())
      return false;
    report_.there = true;
    for (const auto& [name, bytes] : names->files) {
      report_.bytes += bytes;
      if (name.ends_with(".sst")) {
        ++report_.tables;  // all of them, until it is known which the database names
        table_bytes_ += bytes;
      }
      if (name != kDamagedFile)
        continue;
      std::string cause;
      rocksdb::ReadFileToString(&env_, folder_ + "/" + name, &cause).PermitUncheckedError();
      add("data database", folder_, "the node found it damaged while it ran: " + cause);
    }
    return true;
  }

  void open_database() {
    auto o = rocksdb_options(options_, rocksdb::NewLRUCache(1u << 20, 0), true);
    rocksdb::DB* raw = nullptr;
    // What is wrong is said by read_checkpoint(), unless a table is.
    rocksdb::DB::OpenForReadOnly(o, folder_, &raw).PermitUncheckedError();
    db_.reset(raw);
  }

  void read_rows() {
    std::string state_row;
    if (db_->Get({}, rocksdb::Slice(data_format::kStateRow), &state_row).ok())
      state_ = data_format::decode_state(state_row).value_or(state_);
    rocksdb::ReadOptions read;
    read.fill_cache = false;
    read.readahead_size = kReadAheadBytes;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read));
    RowDigest digest;
    std::uint64_t rows = 0, told = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const auto row = it->key().ToStringView(), value = it->value().ToStringView();
      digest.add(row, value);
      take(row, value);
      if (++rows % kPieceRows != 0)
        continue;
      const auto share = share_of(rows);
      if (piece_ && !piece_(folder_, share - std::exchange(told, share))) {
        report_.stopped = true;
        return;
      }
    }
    if (piece_ && !piece_(folder_, table_bytes_ - told))
      report_.stopped = true;
    if (!it->status().ok())
      return add("data database", folder_, it->status().ToString());
    compare_counts();
    if (!storage::has_damage(report_.findings))
      report_.digest = digest.hex();
  }

  void take(std::string_view row, std::string_view value) {
    const auto bad = [&](const std::string& what) {
      if (++bad_rows_ <= kMostBadRows)
        add(what, folder_, "the row cannot be decoded, or is not in its place");
    };
    switch (row.empty() ? '\0' : row.front()) {
      case data_format::kKeySpace: {
        ++report_.keys;
        const auto parts = data_format::parse_key_row(row);
        data_format::Meta meta;
        std::string_view payload;
        if (!parts)
          bad("a key of the data database");
        else if (parts->hash != data_format::key_hash(parts->key) ||
                 !data_format::decode_record(value, meta, payload))
          bad("key " + printable(parts->key) + " of the data database");
        return;
      }
      case data_format::kExpirySpace:
        ++report_.keys_with_expiry;
        if (!data_format::parse_expiry_row(row))
          bad("a deadline of the data database");
        return;
      case data_format::kCollectionSpace:
      case data_format::kGarbageSpace:
        return;
      case data_format::kSystemSpace:
        return;  // read_checkpoint() decoded them
      default:
        bad("a row of the data database");
    }
  }

  /// Of the bytes of all tables, when so many rows are read.
  std::uint64_t share_of(std::uint64_t rows) const {
    const auto all = std::max<std::uint64_t>(1, state_.keys + state_.keys_with_expiry);
    const auto part = std::min(1.0, static_cast<double>(rows) / static_cast<double>(all));
    return static_cast<std::uint64_t>(part * static_cast<double>(table_bytes_));
  }

  void compare_counts() {
    const auto compare = [&](const char* what, std::uint64_t rows, std::uint64_t told) {
      if (rows != told)
        add("data database", folder_,
            "it has " + std::to_string(rows) + " " + what + ", and its applied state says " +
                std::to_string(told));
    };
    compare("keys", report_.keys, state_.keys);
    compare("keys with a deadline", report_.keys_with_expiry, state_.keys_with_expiry);
  }

  rocksdb::Env& env_;
  const std::string& folder_;
  const storage::VerifyPiece& piece_;
  DatabaseOptions options_;  // its env hides a torn tail of the MANIFEST
  std::unique_ptr<rocksdb::Env> without_tail_;
  std::unique_ptr<rocksdb::DB> db_;
  DataReport report_;
  data_format::SystemState state_;
  std::uint64_t table_bytes_ = 0;
  std::size_t bad_rows_ = 0;
};

}  // namespace

DataReport verify_data(rocksdb::Env* env, const std::string& folder, const storage::VerifyPiece& piece) {
  return Verifier(env, folder, piece).run();
}

}  // namespace kiwi
