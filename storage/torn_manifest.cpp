#include "storage/torn_manifest.hpp"

#include "messages/fault_points.hpp"
#include "storage/wal_file.hpp"

namespace kiwi::storage {

rocksdb::Status find_torn_manifest(rocksdb::Env& env, const std::string& dir, TornManifest& torn) {
  std::string current;
  if (auto status = rocksdb::ReadFileToString(&env, dir + "/CURRENT", &current); !status.ok()) {
    return status;
  }
  torn.name = current.substr(0, current.find('\n'));
  if (!torn.name.starts_with("MANIFEST-") || torn.name.find('/') != std::string::npos) {
    return rocksdb::Status::OK();
  }
  if (auto status = rocksdb::ReadFileToString(&env, dir + "/" + torn.name, &torn.original); !status.ok()) {
    return status;
  }
  const WalFile file(torn.original);
  std::uint64_t at = 0;
  std::string why;
  while (const auto record = file.record_at(at, why)) {
    at = record->end;
  }
  torn.found = !why.empty() && at > 0 && !file.any_record_behind(at + 1);
  if (torn.found) {
    KIWI_MARK("manifest.torn_tail_cut");
    torn.good = torn.original.substr(0, at);
  }
  return rocksdb::Status::OK();
}

}  // namespace kiwi::storage
