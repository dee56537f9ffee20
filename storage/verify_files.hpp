#pragma once

// Checksums of files at rest, taken again: tables and MANIFEST of a RocksDB, files of a snapshot. Reads only,
// never repairs, and needs no open database: for a node that is stopped, and for tables of a running one,
// which never change. All functions go through the Env that is given; null: the system's.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "messages/snapshot_meta.hpp"
#include "messages/storage_error.hpp"

namespace rocksdb {
class DB;
class Env;
}  // namespace rocksdb

namespace kiwi::storage {

enum class FindingKind : std::uint8_t {
  damage = 1,  // bytes are not what was written, or cannot be read
  torn,        // the newest write of a file is not whole: left by a power cut, or damage to just that write
  note,        // nothing is wrong; worth knowing
};
const char* to_string(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::damage;
  std::string what;   // in words: "log table", "entry 17 of the log"
  std::string where;  // path, with the offset if it is known
  std::string why;
};
using Findings = std::vector<Finding>;
bool has_damage(const Findings& findings);

/// Called after each piece that was checked, with its bytes. False: stop there, find nothing more. May be
/// empty.
using VerifyPiece = std::function<bool(const std::string& path, std::uint64_t bytes)>;

/// Reads every block of the table against RocksDB's checksums. Nothing: it is whole. What a checksum does not
/// cover (some bytes of a table's footer) is not seen. Memory: a block, and the table's index.
std::optional<Finding> verify_table(rocksdb::Env* env, const std::string& path, const std::string& what);

/// The MANIFEST that CURRENT names, record by record; CURRENT itself. An unfinished last record is torn: the
/// next start cuts it.
std::optional<Finding> verify_database_manifest(rocksdb::Env* env, const std::string& dir,
                                                const std::string& what);

/// The tables that an open database consists of: names without a directory, sorted.
std::vector<std::string> live_tables(rocksdb::DB& db);

/// The tables of `dir`, in the order of names: each of `live` must be there. A bad one that is not among them
/// is a note: a crash left it half-written, or it was replaced, and the next opening removes it. `live` null:
/// it is not known which there must be, so every bad one is damage. False: `piece` said stop.
bool verify_tables(rocksdb::Env* env, const std::string& dir, const std::vector<std::string>* live,
                   const std::string& what, const VerifyPiece& piece, Findings& findings);

/// Every file that the manifest names: there, of its size, of its content. Files that the manifest does not
/// name are not looked at. False: `piece` said stop.
bool verify_snapshot_files(rocksdb::Env* env, const std::string& folder, const SnapshotManifest& manifest,
                           const std::string& what, const VerifyPiece& piece, Findings& findings);

/// Sum of the sizes of all files in `dir` and below; 0 when it is not there.
std::uint64_t bytes_below(rocksdb::Env* env, const std::string& dir);

}  // namespace kiwi::storage
