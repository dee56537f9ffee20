#include "actors/snapshot_manifest_check.hpp"

#include <algorithm>
#include <set>

#include "actors/snapshot_sender.hpp"
#include "messages/limits.hpp"
#include "storage/snapshot_files.hpp"

namespace kiwi {

namespace {

constexpr std::size_t kMaxNameBytes = 128;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_plain(c) || c == '.' || c == '_'; }) &&
         !name.ends_with(kPartSuffix) && !name.ends_with(kHaveSuffix) && !name.ends_with(".tmp") &&
         name != storage::kSnapshotManifestName;
}

}  // namespace

bool is_snapshot_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxSnapshotIdBytes && std::all_of(id.begin(), id.end(), is_plain);
}

std::optional<std::string> manifest_fault(const SnapshotManifest& manifest) {
  if (!is_snapshot_id(manifest.meta.snapshot_id))
    return "the snapshot's id is not one";
  if (manifest.files.empty())
    return "the snapshot has no files";
  if (manifest.files.size() > kMaxSnapshotFiles)
    return "the snapshot has " + std::to_string(manifest.files.size()) + " files, more than " +
           std::to_string(kMaxSnapshotFiles);
  std::set<std::string_view> names;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    const auto& file = manifest.files[i];
    // The name itself is not repeated: it may hold anything.
    const auto which = "file " + std::to_string(i) + " of the snapshot ";
    if (!is_file_name(file.file))
      return which + "has no good name";
    if (!names.insert(file.file).second)
      return which + "has the name of another: " + file.file;
    if (file.bytes > kMaxSnapshotBytes || bytes + file.bytes > kMaxSnapshotBytes)
      return "the snapshot is larger than " + std::to_string(kMaxSnapshotBytes) + " bytes";
    bytes += file.bytes;
  }
  return std::nullopt;
}

}  // namespace kiwi
