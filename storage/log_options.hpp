#pragma once

// How RocksDB is set up to be a log: little memory, no compression, nothing that acts by itself after an
// error.

#include <rocksdb/options.h>

#include <cstddef>

#include "storage/log_purge.hpp"
#include "storage/log_store.hpp"

namespace kiwi::storage {

rocksdb::Env& env_of(const LogStoreOptions& options);
/// So many tables of the first level are merged with what they overlap.
inline constexpr std::size_t kTablesThatMerge = 4;

/// For the database itself. Never creates one; create() sets that. `purged` null: nothing is filtered.
rocksdb::Options database_options(const LogStoreOptions& options,
                                  std::shared_ptr<const PurgePoint> purged = nullptr);
/// For the look before it is opened in earnest: writes nothing, logs nothing.
rocksdb::Options inspection_options(const LogStoreOptions& options);

}  // namespace kiwi::storage
