#pragma once

// RocksDB's MANIFEST is framed like a write-ahead log. Its last record may be torn by a power failure; that
// changes nothing, because what a record replaces is removed only after the record is synced.

#include <rocksdb/env.h>

#include <string>

namespace kiwi::storage {

struct TornManifest {
  bool found = false;
  std::string name;      // without directory
  std::string original;  // all its bytes
  std::string good;      // those before the bad record
};
/// found: the MANIFEST that CURRENT names ends in a bad record, with no good one anywhere behind it. Reads
/// only.
rocksdb::Status find_torn_manifest(rocksdb::Env& env, const std::string& dir, TornManifest& torn);

}  // namespace kiwi::storage
