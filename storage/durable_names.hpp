#pragma once

// An Env under which no rename survives a power failure without what was created before it in the same
// directory.
//
// RocksDB writes a new MANIFEST, syncs the file, renames CURRENT to point at it, and only then syncs the
// directory. Common file systems make a file's name durable with its first sync; POSIX does not ask for it,
// and where they do not, the rename alone may survive: CURRENT names a file that is not there, and the
// database cannot be opened any more (Pillai and others, All File Systems Are Not Created Equal, OSDI 2014).
// Renames are rare: a database makes three when it is opened.

#include <rocksdb/env.h>

#include <memory>

namespace kiwi::storage {

/// Forwards everything to `base` (null: RocksDB's default), which must live longer; before each rename it
/// syncs the directory of the new name. That sync's error is the rename's.
std::unique_ptr<rocksdb::Env> with_durable_names(rocksdb::Env* base);

}  // namespace kiwi::storage
