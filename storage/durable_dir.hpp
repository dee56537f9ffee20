#pragma once

// Names that survive a power failure. A file's sync makes its bytes durable, not its name: creating, renaming
// and removing need a sync of the directory as well. All calls go through the Env that is given.

#include <rocksdb/env.h>

#include <string>

namespace kiwi::storage {

rocksdb::Status sync_dir(rocksdb::Env& env, const std::string& dir);
/// Makes `dir` and every missing directory above it, each durably. One that exists is made durable in the
/// directory above it: it may be new.
rocksdb::Status make_dir_durably(rocksdb::Env& env, const std::string& dir);
/// Replaces or makes `dir`/`name` with exactly `bytes`: the old content or the new, whatever happens.
/// On return the new one is durable.
rocksdb::Status write_file_durably(rocksdb::Env& env, const std::string& dir, const std::string& name,
                                   const std::string& bytes);
/// Removes `dir`/`name` if it is there, durably.
rocksdb::Status remove_file_durably(rocksdb::Env& env, const std::string& dir, const std::string& name);

}  // namespace kiwi::storage
