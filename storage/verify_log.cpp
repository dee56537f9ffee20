#include "storage/verify_log.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_reader.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/cut_manifest.hpp"
#include "storage/log_database.hpp"
#include "storage/log_marker.hpp"
#include "storage/log_options.hpp"
#include "storage/log_recovery.hpp"
#include "storage/storage_status.hpp"
#include "storage/wal_diagnosis.hpp"
#include "storage/wal_scan.hpp"

namespace kiwi::storage {
namespace {

constexpr const char* kTable = "table of the log";
constexpr const char* kWal = "write-ahead log of the log";
constexpr std::size_t kMostRowsPerTable = 8;

class Verifier {
 public:
  Verifier(const LogStoreOptions& options, const VerifyPiece& piece)
      : options_(options), env_(env_of(options)), piece_(piece) {
    if ((without_tail_ = with_torn_tail_hidden(env_, options.dir))) {
      options_.env = without_tail_.get();
    }
  }

  LogReport run() {
    if (!look_at_marker()) {
      return std::move(report_);
    }
    if (auto found = verify_database_manifest(&env_, options_.dir, "MANIFEST of the log")) {
      report_.findings.push_back(std::move(*found));
    }
    open_database();
    if (tables()) {
      wals();
      whole();
    } else {
      report_.stopped = true;
    }
    db_.reset();
    return std::move(report_);
  }

 private:
  void add(FindingKind kind, std::string what, std::string where, std::string why) {
    report_.findings.push_back({kind, std::move(what), std::move(where), std::move(why)});
  }

  bool look_at_marker() {
    const auto kind = kind_of_dir(env_, options_.dir);
    if (kind && (*kind == DirKind::absent || *kind == DirKind::half_made)) {
      return false;
    }
    report_.there = true;
    report_.bytes = bytes_below(&env_, options_.dir);
    if (!kind) {
      add(FindingKind::damage, "log", options_.dir, kind.error().cause);
      return false;
    }
    if (*kind != DirKind::made) {
      add(FindingKind::damage, "log", options_.dir, "it has no marker file " + std::string(kMarkerFile));
    } else if (auto marker = read_marker(env_, options_.dir)) {
      marker_ = *marker;
    } else {
      add(FindingKind::damage, "marker of the log", options_.dir + "/" + kMarkerFile, marker.error().cause);
    }
    return true;
  }

  /// False: stop.
  bool tables() {
    const auto live = db_ ? live_tables(**db_) : std::vector<std::string>();
    const auto before = report_.findings.size();
    if (!verify_tables(&env_, options_.dir, db_ ? &live : nullptr, kTable, piece_, report_.findings)) {
      return false;
    }
    report_.tables = live.size();  // none when they are not known
    const auto after = report_.findings.size();
    for (auto i = before; i < after; ++i) {
      if (report_.findings[i].kind == FindingKind::damage) {
        tables_whole_ = false;
        name_bad_rows(std::string(report_.findings[i].where));
      }
    }
    return true;
  }

  /// Reads what can be read of a damaged table, and says which rows their own checksums refuse.
  void name_bad_rows(const std::string& path) {
    auto options = inspection_options(options_);
    rocksdb::SstFileReader reader(options);
    if (!reader.Open(path).ok()) {
      return;
    }
    rocksdb::ReadOptions read;
    read.verify_checksums = false;
    const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read));
    std::size_t bad = 0;
    for (it->SeekToFirst(); it->Valid() && bad < kMostRowsPerTable; it->Next()) {
      if (auto fault = fault_of_row(it->key().ToStringView(), it->value().ToStringView())) {
        add(FindingKind::damage, name_of_row(it->key().ToStringView()), path, *fault);
        ++bad;
      }
    }
  }

  void open_database() {
    format_ = marker_ ? marker_->format : format_by_families(options_);
    auto opened = LogDatabase::open_read_only(options_, format_);
    if (!opened) {
      add(FindingKind::damage, "log", options_.dir, "it cannot be opened: " + opened.error().cause);
      return;
    }
    db_.emplace(std::move(*opened));
    const auto& db = *db_;
    db->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &oldest_wal_);
    if (auto state = read_state(*db)) {
      report_.state = *state;
    }
    std::string value;
    if (db->Get({}, rocksdb::Slice(kIdentityKey.data(), kIdentityKey.size()), &value).ok()) {
      if (auto identity = decode_identity(value)) {
        report_.identity = std::move(*identity);
      }
    }
  }

  void wals() {
    auto marker = marker_;
    if (!marker && report_.state) {
      marker = LogMarker{format_, report_.state->instance};
    }
    if (!marker) {
      add(FindingKind::damage, kWal, options_.dir, "not looked at: whose log it is is not known");
      return;
    }
    WalScan scan;
    if (auto status = scan_wals(env_, options_.dir, oldest_wal_, *marker, scan); !status.ok()) {
      add(FindingKind::damage, kWal, options_.dir, status.ToString());
      return;
    }
    report_.wal_files = scan.files;
    if (scan.damage) {
      name_batch(FindingKind::damage, *scan.damage);
    } else if (scan.torn && scan.torn_bytes > 0) {
      name_batch(FindingKind::torn, *scan.torn);
    }
    if (scan.last_state && (!report_.state || report_.state->serial < scan.last_state->serial)) {
      report_.state = scan.last_state;
    }
  }

  void name_batch(FindingKind kind, const WalDamage& at) {
    std::string bytes, hurt;
    const auto path = options_.dir + "/" + at.file;
    if (rocksdb::ReadFileToString(&env_, path, &bytes).ok()) {
      for (const auto& row : bad_rows_of_batch(bytes, at.offset)) {
        hurt += (hurt.empty() ? " (" : ", ") + row;
      }
    }
    add(kind, kWal + (hurt.empty() ? hurt : hurt + ")"), path + " at offset " + std::to_string(at.offset),
        at.why);
  }

  /// That all of it together is one log. Its own words only when nothing was named before.
  void whole() {
    if (!marker_) {
      return;
    }
    auto contents = inspect_as_it_is(options_, *marker_);
    if (contents) {
      report_.state = contents->state;
      report_.identity = contents->recovered.identity;
      if (tables_whole_) {
        report_.recovered = std::move(contents->recovered);
      }
      return;
    }
    if (!has_damage(report_.findings)) {
      add(FindingKind::damage, "log", options_.dir, contents.error().cause);
    }
  }

  LogStoreOptions options_;  // its env hides a torn tail of the MANIFEST
  rocksdb::Env& env_;
  std::unique_ptr<rocksdb::Env> without_tail_;
  const VerifyPiece& piece_;
  LogReport report_;
  std::optional<LogMarker> marker_;
  std::uint32_t format_ = kLogFormatVersion;  // by the marker, or else by what is there
  std::optional<LogDatabase> db_;
  std::uint64_t oldest_wal_ = 0;
  bool tables_whole_ = true;
};

}  // namespace

LogReport verify_log(const LogStoreOptions& options, const VerifyPiece& piece) {
  return Verifier(options, piece).run();
}

Result<Identity> read_identity(const LogStoreOptions& options) {
  const auto failed = [&](const std::string& why) {
    return tl::unexpected(make_error({StorageSubject::identity, StorageVerb::read}, StorageKind::unavailable,
                                     "the identity in " + options.dir + " cannot be read: " + why));
  };
  // All but the entries is in the default family, in any format.
  rocksdb::DB* raw = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(inspection_options(options), options.dir, &raw);
      !status.ok()) {
    return failed(status.ToString());
  }
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string value;
  if (auto status = db->Get({}, rocksdb::Slice(kIdentityKey.data(), kIdentityKey.size()), &value);
      !status.ok()) {
    return failed(status.ToString());
  }
  auto identity = decode_identity(value);
  if (!identity) {
    return failed(identity.error().what);
  }
  return std::move(*identity);
}

}  // namespace kiwi::storage
