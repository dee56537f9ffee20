// What may happen to bytes at rest.

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"
#include "storage/testing/sim_disk.hpp"

namespace kiwi::sim {
namespace {

/// On the platters and in the cache; of a write-ahead log without the zeroes ahead of what is written.
std::uint64_t written_bytes(const SimInode& file) {
  auto size = file.disk.size();
  if (file.where == FileClass::log_wal) {
    const auto last = file.disk.str().find_last_not_of('\0');
    size = last == std::string::npos ? 0 : last + 1;
  }
  return std::min<std::uint64_t>(size, file.bytes.size());
}

}  // namespace

void SimDisk::zero_ahead(std::uint64_t stretch_bytes) {
  for (const auto& [path, file] : files_) {
    if (file->where != FileClass::log_wal || file->bytes.empty()) {
      continue;
    }
    file->bytes.resize((file->bytes.size() / stretch_bytes + 1) * stretch_bytes);
    if (file->unsynced.empty()) {
      file->disk.resize(file->bytes.size());
    }
  }
}

void SimDisk::flip(const std::string& path, std::uint64_t bit) {
  const auto file = find(path);
  KIWI_ASSERT(file && bit / 8 < file->bytes.size(), "a flip beyond the end of a file");
  file->bytes.flip(bit);
  if (bit / 8 < file->disk.size()) {
    file->disk.flip(bit);
  }
}

std::optional<SimDisk::Flipped> SimDisk::flip_any(FileClass where, const Chooser& chooser,
                                                  std::uint64_t counter) {
  std::vector<const std::string*> paths;
  for (const auto& [path, file] : files_) {
    if ((where == FileClass::any || file->where == where) && written_bytes(*file) > 0) {
      paths.push_back(&path);
    }
  }
  if (paths.empty()) {
    return std::nullopt;
  }
  const auto& path = *paths[chooser(to_string(where), "flip file", counter) % paths.size()];
  const auto file = find(path);
  const auto bits = 8 * written_bytes(*file);
  Flipped flipped{path, chooser(path, "flip bit", counter) % bits};
  flip(flipped.path, flipped.bit);
  return flipped;
}

void SimDisk::replace(const std::string& path, std::string_view bytes) {
  const auto file = find(path);
  KIWI_ASSERT(file, "another content for a file that is not there");
  file->bytes = Content(bytes);
  file->disk = file->bytes;
  file->unsynced.clear();
  file->dropped_bytes = 0;
  set_counted(*file, 0);
}

std::optional<std::string> SimDisk::older_block(const SimInode& file, std::uint64_t offset) const {
  const auto block = offset / kDiskBlockBytes;
  const auto begin = block * kDiskBlockBytes;
  const auto now = file.bytes.str(begin, kDiskBlockBytes);
  auto older = now.substr(0, block < file.older.size() ? file.older[block] : 0);
  // The rest is what the space held before: a removed file's bytes, else nothing.
  older +=
      removed_[static_cast<std::size_t>(file.where)].str(begin + older.size(), now.size() - older.size());
  older.resize(now.size(), '\0');
  return older == now ? std::nullopt : std::optional(std::move(older));
}

bool SimDisk::make_stale(const std::string& path, std::uint64_t offset) {
  const auto file = find(path);
  if (!file) {
    return false;
  }
  const auto begin = offset / kDiskBlockBytes * kDiskBlockBytes;
  const auto older = older_block(*file, offset);
  if (!older) {
    return false;
  }
  file->bytes.overwrite(begin, *older);
  if (begin < file->disk.size()) {
    file->disk.overwrite(begin, older->substr(0, file->disk.size() - begin));
  }
  return true;
}

void SimDisk::evict() {
  for (const auto& [path, file] : files_) {
    auto seen = file->disk;
    for (const auto& write : file->unsynced) {
      seen.take(file->bytes, write.offset, write.offset + write.size);
    }
    seen.resize(file->bytes.size());
    file->bytes = std::move(seen);
  }
}

}  // namespace kiwi::sim
