#pragma once

// rocksdb::Status -> StorageError: the only place where RocksDB's error kinds are interpreted.

#include <rocksdb/status.h>

#include <string>
#include <string_view>

#include "messages/storage_error.hpp"

namespace kiwi::storage {

/// What was being done when a status came back.
struct Doing {
  StorageSubject subject = StorageSubject::log;
  StorageVerb verb = StorageVerb::read;
  /// What is known about the effect. A write that reached RocksDB and failed is always `unknown`: the record
  /// may lie in the file, whole, without having been synced.
  StorageOutcome outcome = StorageOutcome::not_written;
};

/// Requires !status.ok(). `what` names the file or index and is put before RocksDB's own words.
StorageError to_error(const rocksdb::Status& status, Doing doing, std::string_view what);
/// The same for a store that must exist: a missing file, or what RocksDB calls an invalid argument (no
/// CURRENT file, an unknown comparator), is corruption there.
StorageError to_open_error(const rocksdb::Status& status, Doing doing, std::string_view what);

/// An error of our own.
StorageError make_error(Doing doing, StorageKind kind, std::string cause);

}  // namespace kiwi::storage
