#pragma once

// A write-ahead-log file whose appends go to the disk past the page cache (O_DIRECT), zeroed ahead
// (zeroed_ahead.hpp). It takes appends of any size, and a sync is what it was: only then is anything durable.
//
// An append that begins and ends at a sector is written directly; log_store.cpp fills its batches up so that
// nearly all do. Any other goes through the page cache, by the handle that writes the zeroes. The kernel
// keeps the two ways in step, and one fdatasync counts for both.

#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <string>

namespace kiwi::storage {

/// Null: not here, make the file the ordinary way. File systems refuse O_DIRECT when a file is opened, when
/// it is written, or do not say what they do with it; so a new file is tried with one sector.
std::unique_ptr<rocksdb::FSWritableFile> new_direct_wal_file(rocksdb::FileSystem& base,
                                                             const std::string& path,
                                                             const rocksdb::FileOptions& options,
                                                             std::uint64_t stretch_bytes,
                                                             rocksdb::IODebugContext* debug);

}  // namespace kiwi::storage
