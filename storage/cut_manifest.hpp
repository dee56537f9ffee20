#pragma once

// A look at a database as if the torn tail of its MANIFEST were cut (torn_manifest.hpp), without cutting it.

#include <rocksdb/env.h>

#include <memory>
#include <string>

namespace kiwi::storage {

/// An Env like `base`, which must live longer, but the MANIFEST of `dir` reads as if it ended before its torn
/// tail. Null: it has none, or it cannot be read. For opening read-only.
std::unique_ptr<rocksdb::Env> with_torn_tail_hidden(rocksdb::Env& base, const std::string& dir);

}  // namespace kiwi::storage
