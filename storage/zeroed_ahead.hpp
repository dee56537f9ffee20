#pragma once

// A file system whose write-ahead-log files are zeroed a stretch ahead of what is written.
//
// An append that makes a file longer costs three waits at its sync on common file systems: the data, the
// journal (the new size, the new blocks), the flush; and the syncs of all files of that file system queue for
// the one journal. Bytes that are written over zeroes which lie on the disk already change nothing but
// themselves. So whenever a file gets to the end of its zeroes, the next stretch of them is written with it,
// and one sync in many pays for the size (docs/performance.md has the figures).
//
// What it leaves: a file that was closed ends where its records end. After a crash the newest one may end in
// zeroes, which the scan of the log takes for its end (wal_scan.hpp), as RocksDB does.

#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>

namespace kiwi::storage {

inline constexpr std::uint64_t kZeroedAheadBytes = 1u << 20;

/// Forwards everything to `base`; the files are those named *.log. Where it can be had they are written past
/// the page cache (direct_wal_file.hpp). When zeroes cannot be written (a full disk, a limit of file sizes)
/// they are cut, and the file goes on without: what is wrong with a disk shows at the records and their sync.
std::shared_ptr<rocksdb::FileSystem> zeroed_ahead(std::shared_ptr<rocksdb::FileSystem> base,
                                                  std::uint64_t stretch_bytes = kZeroedAheadBytes);

}  // namespace kiwi::storage
