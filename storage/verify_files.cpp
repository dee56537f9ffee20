#include "storage/verify_files.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>

#include <algorithm>

#include "messages/content_hash.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/wal_file.hpp"

namespace kiwi::storage {
namespace {

constexpr std::uint64_t kPieceBytes = 256u << 10;

rocksdb::Env& or_default(rocksdb::Env* env) { return env == nullptr ? *rocksdb::Env::Default() : *env; }

bool told(const VerifyPiece& piece, const std::string& path, std::uint64_t bytes) {
  return !piece || piece(path, bytes);
}

std::uint64_t size_of(rocksdb::Env& env, const std::string& path) {
  std::uint64_t bytes = 0;
  return env.GetFileSize(path, &bytes).ok() ? bytes : 0;
}

/// False: stop. `fault` says what is wrong with the file.
bool hash_file(SnapshotFiles& files, const std::string& path, const SnapshotFile& named,
               const VerifyPiece& piece, std::string& fault) {
  ContentHasher hasher;
  for (std::uint64_t at = 0; at < named.bytes;) {
    const auto part = files.read(path, at, std::min(kPieceBytes, named.bytes - at));
    if (!part) {
      fault = part.error().cause;
      return true;
    }
    hasher.add(*part);
    at += part->size();
    if (!told(piece, path, part->size())) {
      return false;
    }
  }
  if (hasher.hash() != hash_of(named)) {
    fault = "its content is not what the manifest names: checksum mismatch";
  }
  return true;
}

}  // namespace

const char* to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::damage:
      return "damage";
    case FindingKind::torn:
      return "torn";
    case FindingKind::note:
      return "note";
  }
  return "?";
}

bool has_damage(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.kind == FindingKind::damage; });
}

std::optional<Finding> verify_table(rocksdb::Env* env, const std::string& path, const std::string& what) {
  rocksdb::Options options;
  options.env = &or_default(env);
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::SstFileReader reader(options);
  auto status = reader.Open(path);
  if (status.ok()) {
    rocksdb::ReadOptions read;
    read.readahead_size = kPieceBytes;
    status = reader.VerifyChecksum(read);
  }
  if (status.ok()) {
    return std::nullopt;
  }
  return Finding{FindingKind::damage, what, path, status.ToString()};
}

std::optional<Finding> verify_database_manifest(rocksdb::Env* given, const std::string& dir,
                                                const std::string& what) {
  auto& env = or_default(given);
  std::string current;
  if (auto status = rocksdb::ReadFileToString(&env, dir + "/CURRENT", &current); !status.ok()) {
    return Finding{FindingKind::damage, what, dir + "/CURRENT", status.ToString()};
  }
  const auto name = current.substr(0, current.find('\n'));
  if (!name.starts_with("MANIFEST-") || name.find('/') != std::string::npos || !current.ends_with('\n')) {
    return Finding{FindingKind::damage, what, dir + "/CURRENT", "it names no MANIFEST"};
  }
  std::string bytes;
  if (auto status = rocksdb::ReadFileToString(&env, dir + "/" + name, &bytes); !status.ok()) {
    return Finding{FindingKind::damage, what, dir + "/" + name, status.ToString()};
  }
  const WalFile file(bytes);
  std::uint64_t at = 0;
  std::string why;
  while (const auto record = file.record_at(at, why)) {
    at = record->end;
  }
  if (why.empty() && at > 0) {
    return std::nullopt;
  }
  // The rule of torn_manifest.hpp.
  const bool torn = at > 0 && !file.any_record_behind(at + 1);
  return Finding{torn ? FindingKind::torn : FindingKind::damage, what,
                 dir + "/" + name + " at offset " + std::to_string(at),
                 why.empty() ? "it has no records" : why};
}

std::vector<std::string> live_tables(rocksdb::DB& db) {
  std::vector<rocksdb::LiveFileMetaData> tables;
  db.GetLiveFilesMetaData(&tables);
  std::vector<std::string> names;
  for (const auto& table : tables) {
    names.push_back(table.name.substr(table.name.find_first_not_of('/')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool verify_tables(rocksdb::Env* given, const std::string& dir, const std::vector<std::string>* live,
                   const std::string& what, const VerifyPiece& piece, Findings& findings) {
  auto& env = or_default(given);
  std::vector<std::string> names;
  if (auto status = env.GetChildren(dir, &names); !status.ok()) {
    findings.push_back({FindingKind::damage, what, dir, status.ToString()});
    return true;
  }
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".sst"); });
  std::sort(names.begin(), names.end());
  for (const auto& name : live == nullptr ? std::vector<std::string>() : *live) {
    if (!std::binary_search(names.begin(), names.end(), name)) {
      findings.push_back({FindingKind::damage, what, dir + "/" + name, "it is missing"});
    }
  }
  for (const auto& name : names) {
    const auto path = dir + "/" + name;
    if (auto found = verify_table(&env, path, what)) {
      if (live != nullptr && !std::binary_search(live->begin(), live->end(), name)) {
        found->kind = FindingKind::note;
        found->why += "; the database does not name it, the next start removes it";
      }
      findings.push_back(std::move(*found));
    }
    if (!told(piece, path, size_of(env, path))) {
      return false;
    }
  }
  return true;
}

bool verify_snapshot_files(rocksdb::Env* env, const std::string& folder, const SnapshotManifest& manifest,
                           const std::string& what, const VerifyPiece& piece, Findings& findings) {
  const auto files = snapshot_files(env);
  for (const auto& named : manifest.files) {
    const auto path = folder + "/" + named.file;
    const auto add = [&](std::string why) {
      findings.push_back({FindingKind::damage, what, path, std::move(why)});
    };
    if (auto there = or_default(env).FileExists(path); !there.ok()) {
      add(there.IsNotFound() ? "it is missing" : there.ToString());
      continue;
    }
    if (const auto bytes = size_of(or_default(env), path); bytes != named.bytes) {
      add("it has " + std::to_string(bytes) + " bytes and must have " + std::to_string(named.bytes));
      continue;
    }
    std::string fault;
    if (!hash_file(*files, path, named, piece, fault)) {
      return false;
    }
    if (!fault.empty()) {
      add(std::move(fault));
    }
  }
  return true;
}

std::uint64_t bytes_below(rocksdb::Env* env, const std::string& dir) {
  const auto names = snapshot_files(env)->list(dir);
  if (!names) {
    return 0;
  }
  std::uint64_t sum = 0;
  for (const auto& [name, bytes] : names->files) {
    sum += bytes;
  }
  for (const auto& inner : names->folders) {
    sum += bytes_below(env, dir + "/" + inner);
  }
  return sum;
}

}  // namespace kiwi::storage
