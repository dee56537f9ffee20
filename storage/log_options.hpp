#pragma once

// How RocksDB is set up to be a log: little memory, no compression, nothing that acts by itself after an
// error.

#include <rocksdb/options.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/log_purge.hpp"
#include "storage/log_store.hpp"

namespace kiwi::storage {

rocksdb::Env& env_of(const LogStoreOptions& options);
/// So many tables of the first level are merged with what they overlap.
inline constexpr std::size_t kTablesThatMerge = 4;
/// Tables of entries that have a family of their own do not overlap, unless entries were truncated. They
/// leave the first level at once, by a note in the MANIFEST: only below it can a purge remove them as a
/// whole.
inline constexpr std::size_t kEntryTablesThatMove = 1;

/// For the database itself (log_database.hpp). `purged` null: nothing is filtered.
rocksdb::Options database_options(const LogStoreOptions& options,
                                  std::shared_ptr<const PurgePoint> purged = nullptr);
/// The column families of a database of this format, each with its options, the one of entries last.
/// Their memtables together are no larger than options.write_buffer_size.
std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const rocksdb::Options& options,
                                                         std::uint32_t format);
/// For the look before it is opened in earnest: writes nothing, logs nothing.
rocksdb::Options inspection_options(const LogStoreOptions& options);

}  // namespace kiwi::storage
