#pragma once

// What open() does before it lets RocksDB write anything: look at everything, change
// nothing (but see the MANIFEST below).
//
//   1. Open the database read-only. RocksDB replays its write-ahead log into memory up to the first bad
//   record.
//   2. Scan the write-ahead-log files that still matter (wal_scan.hpp): torn tail or damage?
//   3. Read every key: checksums, no gap in the indexes, and that the log begins and ends where the state
//   says.
//
// RocksDB copes with a MANIFEST that ends early, but not with one whose last record has its size and not its
// data. A power failure can leave that, so such a tail is cut when (and only when) everything holds without
// it.
//
// Only when all of it holds is the database opened for writing: opening deletes files that RocksDB believes
// to be obsolete, and what a damaged MANIFEST forgets must stay there for whoever repairs it.

#include <rocksdb/db.h>

#include "storage/log_format.hpp"
#include "storage/log_marker.hpp"
#include "storage/log_shape.hpp"
#include "storage/log_store.hpp"

namespace kiwi::storage {

struct Contents {
  Recovered recovered;
  LogState state;
};

/// Checks the store in options.dir, which has this marker. Any doubt is StorageKind::corruption with
/// the first bad index, as well as it can be known.
Result<Contents> inspect(const LogStoreOptions& options, const LogMarker& marker);
/// The same, but a torn MANIFEST is left as it is, and so is corruption: nothing is written.
Result<Contents> inspect_as_it_is(const LogStoreOptions& options, const LogMarker& marker);

/// Takes out of `recovered` what `shape`, which begins later, does not hold any more.
void forget_purged(Recovered& recovered, const LogShape& shape);

/// The state as the database has it now. Its absence is corruption.
Result<LogState> read_state(rocksdb::DB& db);

}  // namespace kiwi::storage
