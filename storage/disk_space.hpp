#pragma once

// How much room a disk has left, asked through the same door as everything else.

#include <cstdint>
#include <optional>
#include <string>

namespace rocksdb {
class Env;
}

namespace kiwi::storage {

/// Bytes that may still be written below `dir` (a data directory: itself, its log and its data, which may be
/// on different file systems; the least of them). Nothing: the file system does not say. `env` null: the
/// system's. Costs three calls of the operating system; waits when the disk hangs.
std::optional<std::uint64_t> free_bytes(rocksdb::Env* env, const std::string& dir);
/// Of the files right in `dir`, together, about: they may come and go meanwhile. 0: it cannot be read.
std::uint64_t file_bytes(rocksdb::Env& env, const std::string& dir);

}  // namespace kiwi::storage
