#include "storage/testing/power_cut.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/testing/power_cut_parts.hpp"

namespace kiwi::sim {

std::vector<DirtyFile> dirty_files(const SimDisk& disk) {
  std::vector<DirtyFile> found;
  std::map<std::string, int> uses;
  std::set<const SimInode*> seen;
  const auto look = [&](const std::string& path, const InodePtr& file) {
    if (!file || file->unsynced.empty() || !seen.insert(file.get()).second) {
      return;
    }
    auto name = disk.described(path);
    if (const auto n = ++uses[name]; n > 1) {
      name += "~" + std::to_string(n);
    }
    found.push_back({std::move(name), file});
  };
  for (const auto& [path, file] : disk.files()) {
    look(path, file);
  }
  for (const auto& [path, file] : disk.durable_files()) {
    look(path, file);
  }
  for (const auto& change : disk.name_changes()) {
    look(change.to.empty() ? change.from : change.to, change.file);
  }
  std::sort(found.begin(), found.end(),
            [](const DirtyFile& a, const DirtyFile& b) { return a.path < b.path; });
  return found;
}

std::vector<std::string> change_texts(const SimDisk& disk) {
  std::vector<std::string> texts;
  std::map<std::string, int> uses;
  for (const auto& change : disk.name_changes()) {
    auto text = disk.described(change);
    if (const auto n = ++uses[text]; n > 1) {
      text += "#" + std::to_string(n);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

// --- From a description to an image

namespace {

/// Takes bytes [begin, end) of the file as they were after the write at `upto`, as far as they are un-synced.
void take_upto(const SimInode& file, std::size_t upto, std::uint64_t begin, std::uint64_t end,
               Content& image) {
  std::size_t first = upto;
  while (first > 0 && file.unsynced[first - 1].offset + file.unsynced[first - 1].size > begin) {
    --first;
  }
  for (auto i = first; i <= upto; ++i) {
    const auto& write = file.unsynced[i];
    const auto from = std::max(begin, write.offset);
    const auto to = std::min(end, write.offset + write.size);
    if (!write.lost && from < to) {
      image.take(file.bytes, from, to);
    }
  }
}

void keep_write(const SimInode& file, std::size_t at, const std::vector<std::uint32_t>& sectors,
                Content& image) {
  const auto& write = file.unsynced[at];
  if (write.cuts) {
    image.resize(std::min(image.size(), write.offset));
    return;
  }
  const auto begin = write.offset / kCutSectorBytes * kCutSectorBytes;
  const auto end = write.offset + write.size;
  if (sectors.empty()) {
    take_upto(file, at, begin, end, image);
  }
  for (const auto sector : sectors) {
    const auto from = begin + sector * kCutSectorBytes;
    take_upto(file, at, from, std::min(end, from + kCutSectorBytes), image);
  }
}

Content everything_of(const SimInode& file) {
  auto image = file.disk;
  for (std::size_t i = 0; i < file.unsynced.size(); ++i) {
    keep_write(file, i, {}, image);
  }
  return image;
}

Content survivors(const SimInode& file, const FileCut& cut, std::vector<std::string>& unmatched) {
  auto image = file.disk;
  if (cut.bytes && !file.unsynced.empty()) {
    const auto begin = file.unsynced.front().offset;
    const auto& last = file.unsynced.back();
    take_upto(file, file.unsynced.size() - 1, begin, std::min(begin + *cut.bytes, last.offset + last.size),
              image);
  }
  for (const auto& kept : cut.writes) {
    const auto at = std::find_if(file.unsynced.begin(), file.unsynced.end(),
                                 [&kept](const SimWrite& write) { return write.number == kept.write; });
    if (at == file.unsynced.end()) {
      unmatched.push_back(cut.path + " write " + std::to_string(kept.write));
      continue;
    }
    keep_write(file, static_cast<std::size_t>(at - file.unsynced.begin()), kept.sectors, image);
  }
  if (cut.size) {
    image.resize(*cut.size);
  }
  return image;
}

}  // namespace

AfterCut apply(const SimDisk& disk, const PowerCut& cut) {
  AfterCut after;
  auto names = disk.durable_files();
  auto dirs = disk.durable_dirs();
  auto wanted = cut.names;
  const auto texts = change_texts(disk);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto found = std::find(wanted.begin(), wanted.end(), texts[i]);
    if (cut.everything || found != wanted.end()) {
      SimDisk::apply(disk.name_changes()[i], names, dirs);
    }
    if (found != wanted.end()) {
      wanted.erase(found);
    }
  }
  std::map<const SimInode*, Content> bytes;  // looked up only
  for (const auto& dirty : dirty_files(disk)) {
    const auto found = std::find_if(cut.files.begin(), cut.files.end(),
                                    [&dirty](const FileCut& file) { return file.path == dirty.path; });
    if (cut.everything) {
      bytes[dirty.file.get()] = everything_of(*dirty.file);
    } else if (found != cut.files.end()) {
      bytes[dirty.file.get()] = survivors(*dirty.file, *found, after.unmatched);
    }
  }
  for (const auto& file : cut.files) {
    const auto all = dirty_files(disk);
    if (std::none_of(all.begin(), all.end(), [&file](const DirtyFile& d) { return d.path == file.path; })) {
      after.unmatched.push_back(file.path);
    }
  }
  after.unmatched.insert(after.unmatched.end(), wanted.begin(), wanted.end());
  after.image = disk.image_of(names, dirs, [&bytes](const InodePtr& file) {
    const auto kept = bytes.find(file.get());
    return kept == bytes.end() ? file->disk : kept->second;
  });
  return after;
}

PowerCutResult power_cut(const SimDisk& disk, CrashProfile profile, const Chooser& chooser) {
  auto cut = choose_power_cut(disk, profile, chooser);
  auto after = apply(disk, cut);
  return {std::move(after.image), std::move(cut)};
}

}  // namespace kiwi::sim
