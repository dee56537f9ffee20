#include "storage/testing/file_class.hpp"

#include <array>

namespace kiwi::sim {
namespace {

constexpr std::array<const char*, 7> kOps = {"append", "sync",   "read",    "create",
                                             "rename", "remove", "sync_dir"};
constexpr std::array<const char*, kFileClasses> kClasses = {
    "any",          "log-wal",  "log-table",  "log-manifest",  "log-current",
    "log-options",  "data-wal", "data-table", "data-manifest", "data-current",
    "data-options", "snapshot", "marker",     "directory",     "other"};

template <class Enum, std::size_t n>
std::optional<Enum> find_word(const std::array<const char*, n>& words, std::string_view word) {
  for (std::size_t i = 0; i < n; ++i) {
    if (word == words[i]) {
      return static_cast<Enum>(i);
    }
  }
  return std::nullopt;
}

FileClass in_database(std::string_view name, bool log) {
  if (name.ends_with(".log")) {
    return log ? FileClass::log_wal : FileClass::data_wal;
  }
  if (name.ends_with(".sst")) {
    return log ? FileClass::log_table : FileClass::data_table;
  }
  if (name.starts_with("MANIFEST-")) {
    return log ? FileClass::log_manifest : FileClass::data_manifest;
  }
  if (name.starts_with("OPTIONS-")) {
    return log ? FileClass::log_options : FileClass::data_options;
  }
  if (name.starts_with("CURRENT") || name.ends_with(".dbtmp")) {
    return log ? FileClass::log_current : FileClass::data_current;
  }
  return FileClass::other;
}

}  // namespace

const char* to_string(DiskOp op) { return kOps[static_cast<std::size_t>(op)]; }
std::optional<DiskOp> parse_disk_op(std::string_view word) { return find_word<DiskOp>(kOps, word); }

const char* to_string(FileClass where) { return kClasses[static_cast<std::size_t>(where)]; }
std::optional<FileClass> parse_file_class(std::string_view word) {
  return find_word<FileClass>(kClasses, word);
}

FileClass class_of(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dirs = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  if (dirs.find("/snapshots") != std::string_view::npos || dirs.starts_with("snapshots")) {
    return FileClass::snapshot;
  }
  if (name.starts_with("KIWI-") || name.starts_with("IDENTITY") || name.starts_with("LOCK")) {
    return FileClass::marker;
  }
  const auto last = dirs.rfind('/');
  const auto dir = last == std::string_view::npos ? dirs : dirs.substr(last + 1);
  if (dir == "log" || dir == "data") {
    return in_database(name, dir == "log");
  }
  return FileClass::other;
}

}  // namespace kiwi::sim
