#include "storage/storage_status.hpp"

#include <utility>

namespace kiwi::storage {
namespace {

StorageKind kind_of(const rocksdb::Status& status) {
  // RocksDB reports ENOSPC as an I/O error with a sub-code; a full disk is not a broken one (rule 4).
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kNoSpace) {
    return StorageKind::no_space;
  }
  switch (status.code()) {
    case rocksdb::Status::kCorruption:
      return StorageKind::corruption;
    case rocksdb::Status::kInvalidArgument:
      return StorageKind::invalid_request;
    case rocksdb::Status::kNotSupported:
      return StorageKind::unsupported;
    case rocksdb::Status::kShutdownInProgress:
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTimedOut:
    case rocksdb::Status::kAborted:
      return StorageKind::unavailable;
    default:
      return StorageKind::io;
  }
}

std::string words(const rocksdb::Status& status, std::string_view what) {
  return std::string(what) + ": " + status.ToString();
}

}  // namespace

StorageError make_error(Doing doing, StorageKind kind, std::string cause) {
  return {doing.subject, doing.verb, kind, std::move(cause), doing.outcome};
}

StorageError to_error(const rocksdb::Status& status, Doing doing, std::string_view what) {
  return make_error(doing, kind_of(status), words(status, what));
}

StorageError to_open_error(const rocksdb::Status& status, Doing doing, std::string_view what) {
  StorageKind kind = kind_of(status);
  // RocksDB quotes the errno text only, so a missing file is told by sub-code or, on POSIX, by its words.
  const bool missing = status.IsNotFound() || status.IsPathNotFound() ||
                       status.subcode() == rocksdb::Status::SubCode::kPathNotFound;
  if (missing || kind == StorageKind::invalid_request || kind == StorageKind::unsupported) {
    kind = StorageKind::corruption;
  }
  return make_error(doing, kind, words(status, what));
}

}  // namespace kiwi::storage
