#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <tuple>

namespace kiwi {

/// What a storage operation was about.
enum class StorageSubject : std::uint8_t { log = 1, vote, state_machine, snapshot, identity };
/// What it tried to do.
enum class StorageVerb : std::uint8_t { open = 1, read, write, seek, remove, sync };
/// What went wrong.
enum class StorageKind : std::uint8_t {
  io = 1,           // the system or RocksDB reported an I/O error
  corruption,       // bytes at rest are not what was written
  no_space,         // ENOSPC
  invalid_request,  // the caller asked for what cannot be: a gap, an index below the purge point
  mismatch,         // the directory belongs to another cluster, node or format version
  unavailable,      // the storage actor is gone, stopped, or not of this epoch
  unsupported,      // not offered by this state machine
};
/// Whether the write surely did not happen, or may have (safety rule 9).
enum class StorageOutcome : std::uint8_t { not_written = 1, unknown };

/// The one error value from disk to reply.
struct StorageError {
  static constexpr const char* name = "StorageError";
  StorageSubject subject = StorageSubject::log;
  StorageVerb verb = StorageVerb::read;
  StorageKind kind = StorageKind::io;
  std::string cause;  // the original message, with file or index
  StorageOutcome outcome = StorageOutcome::unknown;
  auto fields() { return std::tie(subject, verb, kind, cause, outcome); }
  friend bool operator==(const StorageError&, const StorageError&) = default;
};

const char* to_string(StorageSubject);
const char* to_string(StorageVerb);
const char* to_string(StorageKind);
const char* to_string(StorageOutcome);
/// "log write io (unknown): <cause>"
std::string to_string(const StorageError&);

template <class T>
using Result = tl::expected<T, StorageError>;

}  // namespace kiwi
