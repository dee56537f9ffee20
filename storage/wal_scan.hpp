#pragma once

// Reads RocksDB's write-ahead-log files and tells a torn tail from damage, which no recovery mode of RocksDB
// does (rule 5). Reads only; run before the database is opened for writing.
//
// A file is a row of blocks of 32 KiB; a batch is one or more fragments, none of which crosses a block:
//
//   fragment  masked crc32c of type and payload u32 | length u16 | type u8 | payload      little-endian
//   type      1 full, 2 first, 3 middle, 4 last   (5 to 8 belong to recycled files, which are never used
//   here) batch     sequence u64 | count u32 | operations; the first operation writes the log state
//   (log_format.hpp)
//
// Why this is enough. Every batch is synced before the next is written, so at most the newest batch is
// un-synced, and only that may be torn. Sequence numbers have no gaps. Hence damage is:
//   - a bad batch with a good batch of ours behind it in the same file, looked for at every offset, because a
//     damaged length loses the framing;
//   - a sequence number that is not the one expected, in the same file or at the start of the next;
//   - a good batch with an operation in a column family that it must not be in. RocksDB leaves out what
//   belongs
//     to a family that it does not know, and says nothing.
// Zeroes up to the end of a file were written ahead (zeroed_ahead.hpp): the file ends where they begin.
// Everything else is a torn tail. A batch counts as "of ours" when its state carries this directory's
// instance and a later serial: bytes that a client stored, even a copy of an old log file, do not.
//
// What it cannot see: damage to (or loss of) the newest batch looks like a torn one, and a file that was cut,
// or zeroed from there on, exactly between two batches looks like one that ends there.

#include <rocksdb/env.h>

#include <cstdint>
#include <optional>
#include <string>

#include "storage/log_format.hpp"
#include "storage/log_marker.hpp"

namespace kiwi::storage {

struct WalDamage {
  std::string file;          // name without directory
  std::uint64_t offset = 0;  // of the first bad byte known: the start of the bad batch
  std::string why;
};

struct WalScan {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;           // good ones
  std::uint64_t next_sequence = 0;     // the one after the last good batch; 0: no batch
  std::uint64_t torn_bytes = 0;        // behind the last good batch, without zeroes at the end
  std::optional<LogState> last_state;  // after the last good batch
  std::optional<WalDamage> torn;       // the torn tail, when there is no damage
  std::optional<WalDamage> damage;
};

/// Scans the files numbered `oldest` and above; older ones are left-overs whose content is in tables. Holds
/// one file in memory at a time.
rocksdb::Status scan_wals(rocksdb::Env& env, const std::string& dir, std::uint64_t oldest,
                          const LogMarker& marker, WalScan& scan);

/// The bytes that a batch takes in a file when it is written at `offset`: fragment headers and block fillers
/// included.
std::uint64_t wal_bytes_of_batch(std::uint64_t offset, std::uint64_t batch_bytes);

}  // namespace kiwi::storage
