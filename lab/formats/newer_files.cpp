#include "lab/formats/newer_files.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "messages/codec.hpp"
#include "statemachine/data_format.hpp"
#include "storage/little_endian.hpp"
#include "storage/log_format.hpp"
#include "storage/log_marker.hpp"
#include "storage/log_options.hpp"

namespace kiwi::lab {
namespace {

using Done = tl::expected<std::string, std::string>;

/// With all column families that it has, the one of entries last.
struct Database {
  std::unique_ptr<rocksdb::DB> db;  // outlives the handles
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> families;
};

/// Where the version stands in a value and what its checksum begins with.
struct Row {
  std::string key;
  std::string value;
  rocksdb::ColumnFamilyHandle* family = nullptr;
};

tl::unexpected<std::string> failed(const rocksdb::Status& status) {
  return tl::unexpected(status.ToString());
}

Done newer_marker(rocksdb::Env& env, const std::string& dir) {
  const auto path = dir + "/" + storage::kMarkerFile;
  std::string text;
  if (auto status = rocksdb::ReadFileToString(&env, path, &text); !status.ok())
    return failed(status);
  const auto at = text.find("\nformat ");
  const auto checksum = text.rfind("checksum ");
  if (at == std::string::npos || checksum == std::string::npos)
    return tl::unexpected(path + " is no marker of a log");
  text.resize(checksum);
  const auto end = text.find('\n', at + 1);
  text.replace(at, end + 1 - at, "\nformat " + std::to_string(storage::kLogFormatVersion + 1) + "\n");
  char line[32];
  std::snprintf(line, sizeof line, "checksum %016llx\n", static_cast<unsigned long long>(checksum64(text)));
  if (auto status = rocksdb::WriteStringToFile(&env, text + line, path, true); !status.ok())
    return failed(status);
  return path;
}

/// The version is the first byte, the checksum the last eight; `before` is counted in.
std::string next_version(std::string value, std::string_view before) {
  ++value[0];
  value.resize(value.size() - sizeof(std::uint64_t));
  storage::put_little(value, checksum64(std::string(before).append(value)));
  return value;
}

tl::expected<Row, std::string> newer_row(const Database& opened, std::string_view record) {
  auto& db = *opened.db;
  Row row;
  if (record == "entry") {
    const std::unique_ptr<rocksdb::Iterator> i(db.NewIterator({}, opened.families.back().get()));
    i->SeekForPrev(storage::entry_key(Index(~std::uint64_t{0})));
    if (!i->Valid() || !storage::is_entry_key(i->key().ToStringView()))
      return tl::unexpected(std::string("the log has no entry"));
    row = {i->key().ToString(), i->value().ToString(), opened.families.back().get()};
    row.value = next_version(std::move(row.value), "");
    return row;
  }
  const bool data = record == "data";
  row.family = opened.families.front().get();
  row.key = data ? data_format::kFormatRow : storage::kStateKey;
  if (auto status = db.Get({}, row.key, &row.value); !status.ok())
    return failed(status);
  if (data) {
    row.value.assign(data_format::kMagic);
    storage::put_little(row.value, data_format::kFormatVersion + 1);
  } else {
    row.value = next_version(std::move(row.value), row.key);
  }
  return row;
}

tl::expected<Database, std::string> open(rocksdb::Env* env, const std::string& dir) {
  storage::LogStoreOptions options;
  options.dir = dir;
  options.env = env;
  options.simulated = true;  // no threads, and no log of RocksDB's own
  auto o = storage::database_options(options);
  o.disable_auto_compactions = true;
  std::vector<std::string> names;  // by number
  if (auto status = rocksdb::DB::ListColumnFamilies(o, dir, &names); !status.ok())
    return failed(status);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) families.emplace_back(name, o);
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  if (auto status = rocksdb::DB::Open(o, dir, families, &handles, &raw); !status.ok())
    return failed(status);
  Database opened;
  opened.db.reset(raw);
  for (auto* handle : handles) opened.families.emplace_back(handle);
  return opened;
}

}  // namespace

Done make_newer(rocksdb::Env* env, const std::string& node_dir, std::string_view record,
                const std::function<void()>& run_jobs) {
  if (record == "marker")
    return newer_marker(env == nullptr ? *rocksdb::Env::Default() : *env, node_dir + "/log");
  if (record != "state" && record != "entry" && record != "data")
    return tl::unexpected("there is no record '" + std::string(record) + "'");
  const auto dir = node_dir + (record == "data" ? "/data" : "/log");
  std::string said;
  // The second time RocksDB puts what the first one wrote into a table, without a background job. A row in a
  // write-ahead log of its own would be refused as a foreign record.
  for (const bool write : {true, false}) {
    auto db = open(env, dir);
    if (!db)
      return tl::unexpected(db.error());
    if (write) {
      const auto row = newer_row(*db, record);
      if (!row)
        return tl::unexpected(row.error());
      rocksdb::WriteOptions synced;
      synced.sync = true;
      if (auto status = db->db->Put(synced, row->family, row->key, row->value); !status.ok())
        return failed(status);
      said = dir + " " + std::string(record);
    }
    if (run_jobs)
      run_jobs();
  }
  return said;
}

}  // namespace kiwi::lab
