#pragma once

// All checksums of a log store that nobody has open, and what it says about itself. Writes nothing: no lock,
// no torn tail cut, no MANIFEST mended. The caller keeps others away (DIR/LOCK).

#include <optional>

#include "storage/log_format.hpp"
#include "storage/log_store.hpp"
#include "storage/verify_files.hpp"

namespace kiwi::storage {

struct LogReport {
  bool there = false;  // a log store was made here
  Findings findings;
  /// The newest that can be read, damaged or not. Nothing: it cannot be known.
  std::optional<LogState> state;
  std::optional<Identity> identity;
  /// Only when the whole log is as it must be (torn tail or not): what the next start would find.
  std::optional<Recovered> recovered;
  std::uint64_t tables = 0;
  std::uint64_t wal_files = 0;
  std::uint64_t bytes = 0;  // of all files
  bool stopped = false;     // `piece` said so; the rest was not looked at
};

/// Checks the marker, the MANIFEST, every table, every record of the write-ahead log, every row, and that the
/// log is one log, as LogStore::open() does. options.durable_applied and options.installed as there.
LogReport verify_log(const LogStoreOptions& options, const VerifyPiece& piece);

/// The identity alone, also while a node runs on this log: then RocksDB may take away what is just being
/// read, which is unavailable; ask again.
Result<Identity> read_identity(const LogStoreOptions& options);

}  // namespace kiwi::storage
