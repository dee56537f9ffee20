#include "storage/log_marker.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <vector>

#include "messages/codec.hpp"
#include "storage/durable_dir.hpp"
#include "storage/log_format.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {
namespace {

constexpr const char* kFirstLine = "kiwi log store";
constexpr Doing kOpening{StorageSubject::identity, StorageVerb::open, StorageOutcome::not_written};
constexpr Doing kCreating{StorageSubject::identity, StorageVerb::write, StorageOutcome::unknown};

std::string hex(std::uint64_t x) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, x);
  return text;
}

std::string marker_text(const LogMarker& marker) {
  auto text = std::string(kFirstLine) + "\nformat " + std::to_string(marker.format) + "\ninstance " +
              hex(marker.instance.value) + "\n";
  return text + "checksum " + hex(checksum64(text)) + "\n";
}

Result<std::vector<std::string>> names_in(rocksdb::Env& env, const std::string& dir) {
  std::vector<std::string> names;
  if (auto status = env.GetChildren(dir, &names); !status.ok()) {
    return tl::unexpected(to_error(status, kOpening, dir));
  }
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  std::sort(names.begin(), names.end());
  return names;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<DirKind> kind_of_dir(rocksdb::Env& env, const std::string& dir) {
  if (auto status = env.FileExists(dir); !status.ok()) {
    if (status.IsNotFound() || status.IsPathNotFound()) {
      return DirKind::absent;
    }
    return tl::unexpected(to_error(status, kOpening, dir));
  }
  bool is_directory = false;
  if (auto status = env.IsDirectory(dir, &is_directory); !status.ok()) {
    return tl::unexpected(to_error(status, kOpening, dir));
  }
  if (!is_directory) {
    return DirKind::not_a_directory;
  }
  const auto names = names_in(env, dir);
  if (!names) {
    return tl::unexpected(names.error());
  }
  if (names->empty()) {
    return DirKind::absent;
  }
  if (has(*names, kMarkerFile)) {
    return DirKind::made;
  }
  const auto unfinished_flag = std::string(kCreatingFile) + ".tmp";
  if (has(*names, kCreatingFile) || *names == std::vector<std::string>{unfinished_flag}) {
    return DirKind::half_made;
  }
  return DirKind::foreign;
}

Result<void> begin_creation(rocksdb::Env& env, const std::string& dir) {
  if (auto status = make_dir_durably(env, dir); !status.ok()) {
    return tl::unexpected(to_error(status, kCreating, dir));
  }
  const auto names = names_in(env, dir);
  if (!names) {
    return tl::unexpected(names.error());
  }
  for (const auto& name : *names) {
    if (name == kCreatingFile) {
      continue;
    }
    if (auto status = env.DeleteFile(dir + "/" + name); !status.ok()) {
      return tl::unexpected(to_error(status, kCreating, dir + "/" + name));
    }
  }
  if (auto status = write_file_durably(env, dir, kCreatingFile, "a log store is being made here\n");
      !status.ok()) {
    return tl::unexpected(to_error(status, kCreating, dir + "/" + kCreatingFile));
  }
  return {};
}

Result<void> finish_creation(rocksdb::Env& env, const std::string& dir, const LogMarker& marker) {
  if (auto status = write_file_durably(env, dir, kMarkerFile, marker_text(marker)); !status.ok()) {
    return tl::unexpected(to_error(status, kCreating, dir + "/" + kMarkerFile));
  }
  if (auto status = remove_file_durably(env, dir, kCreatingFile); !status.ok()) {
    return tl::unexpected(to_error(status, kCreating, dir + "/" + kCreatingFile));
  }
  return {};
}

Result<LogMarker> read_marker(rocksdb::Env& env, const std::string& dir) {
  const auto path = dir + "/" + kMarkerFile;
  std::string text;
  if (auto status = rocksdb::ReadFileToString(&env, path, &text); !status.ok()) {
    return tl::unexpected(to_open_error(status, kOpening, path));
  }
  const auto checksum_at = text.rfind("checksum ");
  const auto body = text.substr(0, checksum_at == std::string::npos ? text.size() : checksum_at);
  if (checksum_at == std::string::npos ||
      text.substr(checksum_at) != "checksum " + hex(checksum64(body)) + "\n") {
    return tl::unexpected(make_error(kOpening, StorageKind::corruption, path + ": checksum mismatch"));
  }
  std::istringstream lines(body);
  std::string first_line, word;
  std::uint32_t format = 0;
  std::getline(lines, first_line);
  lines >> word >> format;
  if (first_line != kFirstLine || word != "format") {
    return tl::unexpected(make_error(kOpening, StorageKind::mismatch, path + ": not a kiwi log store"));
  }
  if (format < kOldestLogFormatVersion || format > kLogFormatVersion) {
    return tl::unexpected(
        make_error(kOpening, StorageKind::mismatch,
                   path + ": format " + std::to_string(format) + ", this program knows only " +
                       std::to_string(kOldestLogFormatVersion) + " to " + std::to_string(kLogFormatVersion)));
  }
  std::uint64_t instance = 0;
  lines >> word >> std::hex >> instance;
  if (!lines || word != "instance") {
    return tl::unexpected(make_error(kOpening, StorageKind::corruption, path + ": no instance"));
  }
  return LogMarker{format, InstanceId(instance)};
}

Result<void> require_made(const std::string& dir, const Result<DirKind>& kind) {
  if (!kind) {
    return tl::unexpected(kind.error());
  }
  constexpr Doing kOpeningLog{StorageSubject::log, StorageVerb::open, StorageOutcome::not_written};
  const auto refuse = [&](const char* why) {
    return tl::unexpected(make_error(kOpeningLog, StorageKind::mismatch, dir + why));
  };
  switch (*kind) {
    case DirKind::made:
      return {};
    case DirKind::absent:
      return refuse(" holds no log store");
    case DirKind::half_made:
      return refuse(" holds a log store whose making was interrupted");
    case DirKind::foreign:
      return refuse(" holds files, but is no kiwi log store (no marker file)");
    case DirKind::not_a_directory:
      break;
  }
  return refuse(" is not a directory");
}

}  // namespace kiwi::storage
