#pragma once

// What a file of a node is for, told from its path, and what is done with files: the words with which faults
// are placed and unsynced bytes are counted.

#include <cstdint>
#include <optional>
#include <string_view>

namespace kiwi::sim {

enum class DiskOp : std::uint8_t { append, sync, read, create, rename, remove, sync_dir };
const char* to_string(DiskOp op);
std::optional<DiskOp> parse_disk_op(std::string_view word);

/// The vote has no file of its own: it is in the log's write-ahead log. `current` is RocksDB's CURRENT (and
/// the temporary file that becomes it), `marker` the small files that say what a directory is: KIWI-*,
/// IDENTITY, LOCK. `directory`: what DiskOp::sync_dir syncs.
enum class FileClass : std::uint8_t {
  any,
  log_wal,
  log_table,
  log_manifest,
  log_current,
  log_options,
  data_wal,
  data_table,
  data_manifest,
  data_current,
  data_options,
  snapshot,
  marker,
  directory,
  other,
};
inline constexpr std::size_t kFileClasses = 15;

/// "log-wal" and so on.
const char* to_string(FileClass where);
std::optional<FileClass> parse_file_class(std::string_view word);
/// By the last path components: DIR/log/000004.log is log_wal wherever DIR is.
FileClass class_of(std::string_view path);

}  // namespace kiwi::sim
