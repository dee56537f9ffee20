#pragma once

// How a failing database reaches apply() and query() from below a command's handler: as an exception that
// never leaves this folder. A handler cannot go on without its data, and no reply may be made of a failed
// read; the machine turns it into the StorageError it carries.

#include <exception>

#include "messages/storage_error.hpp"
#include "rocksdb/status.h"

namespace kiwi {

struct StorageFailure : std::exception {
  explicit StorageFailure(StorageError e) : error(std::move(e)) {}
  const char* what() const noexcept override { return error.cause.c_str(); }
  StorageError error;
};

StorageError state_machine_error(StorageVerb verb, StorageKind kind, std::string cause);
StorageError state_machine_error(StorageVerb verb, const rocksdb::Status& status, const std::string& what);

}  // namespace kiwi
