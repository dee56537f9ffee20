// What other folders have of a snapshot that is received: found by content, taken by hard link, so that it is
// not sent again. None of it is trusted: all of it is checked like what was fetched.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/snapshot_incoming.hpp"
#include "actors/snapshot_manifest_check.hpp"
#include "messages/codec.hpp"

namespace kiwi {

namespace {

/// Transfers that were given up and are kept beside the present one, in case that their sender comes back.
constexpr std::size_t kKeptOthers = 2;
/// A manifest of the most files is smaller than this.
constexpr std::uint64_t kMaxManifestBytes = 32ull << 20;

std::optional<SnapshotManifest> manifest_in(storage::SnapshotFiles& files, const std::string& folder) {
  auto names = files.list(folder);
  if (!names)
    return std::nullopt;
  auto file = names->files.find(storage::kSnapshotManifestName);
  if (file == names->files.end() || file->second > kMaxManifestBytes)
    return std::nullopt;
  auto text = files.read(folder + "/" + file->first, 0, file->second);
  if (!text)
    return std::nullopt;
  auto manifest = decode_snapshot_manifest(*text);
  if (!manifest || manifest_fault(*manifest))
    return std::nullopt;
  return std::move(*manifest);
}

}  // namespace

Result<void> SnapshotIncoming::look_into_others() {
  auto& files = *place_.files;
  auto names = files.list(place_.incoming);
  if (!names)
    return tl::unexpected(names.error());
  struct Other {
    std::string folder;
    SnapshotManifest manifest;
  };
  std::vector<Other> others;
  for (const auto& name : names->folders) {
    if (name == manifest_.meta.snapshot_id)
      continue;
    const auto folder = place_.incoming + "/" + name;
    if (auto theirs = manifest_in(files, folder))
      others.push_back({folder, std::move(*theirs)});
    else if (auto removed = files.remove_folder(folder); !removed)
      return removed;
  }
  std::stable_sort(others.begin(), others.end(), [](const Other& a, const Other& b) {
    return b.manifest.meta.last_log_id < a.manifest.meta.last_log_id;
  });
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (auto looked = look_into_other(others[i].folder, others[i].manifest); !looked)
      return looked;
    if (i >= kKeptOthers)
      if (auto removed = files.remove_folder(others[i].folder); !removed)
        return removed;
  }
  return {};
}

Result<void> SnapshotIncoming::look_into_other(const std::string& folder, const SnapshotManifest& theirs) {
  auto& files = *place_.files;
  auto names = files.list(folder);
  if (!names)
    return tl::unexpected(names.error());
  Offers whole;
  Offers parts;
  for (const auto& file : theirs.files) {
    if (auto it = names->files.find(file.file); it != names->files.end() && it->second == file.bytes)
      whole.emplace(content(file), folder + "/" + file.file);
    else if (names->files.contains(file.file + std::string(kPartSuffix)))
      parts.emplace(content(file), file.file + std::string(kPartSuffix));
  }
  if (auto taken = take_links(whole); !taken)
    return taken;
  const auto missing = wanted_;
  for (auto file : missing) {
    auto part = parts.find(content(described(file)));
    if (part == parts.end())
      continue;
    const auto size = names->files.at(part->second);
    if (size <= have(file) || size > described(file).bytes)
      continue;
    // Appending goes on, so it must not have two names.
    if (auto moved = files.rename(folder + "/" + part->second, part_path(file)); !moved)
      return moved;
    parts.erase(part);
    found(file, size, false);
  }
  return {};
}

Result<void> SnapshotIncoming::look_into_own() {
  if (place_.builder == nullptr || wanted_.empty())
    return {};
  auto current = place_.builder->link_current_files(place_.own);
  Result<void> taken;
  if (current) {
    Offers offers;
    for (const auto& file : *current) offers.emplace(content(file), place_.own + "/" + file.file);
    taken = take_links(offers);
  } else {
    // All of it comes from the sender then.
    place_.log->warn("event=snapshot_reuse_failed error=\"{}\"", to_string(current.error()));
  }
  if (auto removed = place_.files->remove_folder(place_.own); !removed)
    return removed;
  return taken;
}

Result<void> SnapshotIncoming::take_links(const Offers& offers) {
  const auto missing = wanted_;
  for (auto file : missing) {
    auto offer = offers.find(content(described(file)));
    if (offer == offers.end() || described(file).bytes == 0)
      continue;
    // A link that cannot be made, e.g. to another file system, is no harm: the bytes are fetched.
    if (!place_.files->link(offer->second, have_path(file)))
      continue;
    if (auto removed = place_.files->remove(part_path(file)); !removed)
      return removed;
    found(file, described(file).bytes, true);
  }
  return {};
}

}  // namespace kiwi
