#include "storage/testing/sim_disk.hpp"

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi::sim {
namespace {

/// What lies on the platters after a power failure.
std::string surviving(const SimInode& file, const PowerFailure& failure) {
  auto image = file.disk;
  const auto kept = std::min(file.bytes.size(), file.clean + failure.torn_bytes);
  if (kept > file.clean) {
    image.resize(file.clean, '\0');  // what a failed sync dropped is a hole
    image.append(file.bytes, file.clean, kept - file.clean);
  }
  if (failure.sizes_kept && image.size() < file.bytes.size()) {
    image.resize(file.bytes.size(), '\0');
  }
  return image;
}

}  // namespace

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  KIWI_ASSERT(slash != std::string::npos, "paths on a simulated disk are absolute");
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string normalised(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') {
      out.push_back(c);
    }
  }
  if (out.size() > 1 && out.back() == '/') {
    out.pop_back();
  }
  return out;
}

SimDisk SimDisk::after_power_failure(const PowerFailure& failure) const {
  auto names = durable_files_;
  auto dirs = durable_dirs_;
  for (std::size_t i = 0; i < std::min(failure.names_kept, pending_.size()); ++i) {
    apply(pending_[i], names, dirs);
  }
  SimDisk image;
  for (const auto& dir : dirs) {
    // A directory whose own name is lost takes everything in it along. The set is in order, parents first.
    const auto parent = parent_of(dir);
    if (image.is_dir(parent)) {
      image.dirs_.insert(dir);
    }
  }
  std::map<InodePtr, InodePtr> copies;  // looked up only: two names of one file stay one file
  for (const auto& [path, file] : names) {
    if (!image.is_dir(parent_of(path))) {
      continue;
    }
    auto& copy = copies[file];
    if (!copy) {
      auto bytes = surviving(*file, failure);
      const auto size = bytes.size();
      copy = std::make_shared<SimInode>(SimInode{bytes, std::move(bytes), size});
    }
    image.files_[path] = copy;
  }
  image.durable_files_ = image.files_;
  image.durable_dirs_ = image.dirs_;
  return image;
}

SimDisk SimDisk::after_kill() const {
  SimDisk image;
  std::map<InodePtr, InodePtr> copies;
  const auto copy_of = [&copies](const InodePtr& file) {
    if (!file) {
      return file;
    }
    auto& copy = copies[file];
    if (!copy) {
      copy = std::make_shared<SimInode>(*file);
    }
    return copy;
  };
  for (const auto& [path, file] : files_) {
    image.files_[path] = copy_of(file);
  }
  for (const auto& [path, file] : durable_files_) {
    image.durable_files_[path] = copy_of(file);
  }
  for (auto change : pending_) {
    change.file = copy_of(change.file);
    image.pending_.push_back(std::move(change));
  }
  image.dirs_ = dirs_;
  image.durable_dirs_ = durable_dirs_;
  return image;
}

InodePtr SimDisk::create(const std::string& path) {
  if (!is_dir(parent_of(path)) || is_dir(path)) {
    return nullptr;
  }
  auto file = std::make_shared<SimInode>();
  change({}, path, file);
  return file;
}

InodePtr SimDisk::find(const std::string& path) const {
  const auto i = files_.find(path);
  return i == files_.end() ? nullptr : i->second;
}

bool SimDisk::remove(const std::string& path) {
  const auto file = find(path);
  if (file) {
    change(path, {}, file);
  }
  return file != nullptr;
}

bool SimDisk::rename(const std::string& from, const std::string& to) {
  const auto file = find(from);
  if (!file || !is_dir(parent_of(to))) {
    return false;
  }
  KIWI_ASSERT(parent_of(from) == parent_of(to), "the simulated disk renames within one directory only");
  change(from, to, file);
  return true;
}

bool SimDisk::link(const std::string& from, const std::string& to) {
  const auto file = find(from);
  if (!file || !is_dir(parent_of(to)) || find(to)) {
    return false;
  }
  change({}, to, file);
  return true;
}

bool SimDisk::make_dir(const std::string& path) {
  if (!is_dir(parent_of(path)) || find(path)) {
    return false;
  }
  if (!is_dir(path)) {
    change({}, path, nullptr);
  }
  return true;
}

bool SimDisk::remove_dir(const std::string& path) {
  if (!dirs_.contains(path) || !children(path).empty()) {
    return false;
  }
  change(path, {}, nullptr);
  return true;
}

std::vector<std::string> SimDisk::children(const std::string& dir) const {
  const auto prefix = dir == "/" ? dir : dir + "/";
  std::vector<std::string> names;
  const auto take = [&](const std::string& path) {
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos) {
      names.push_back(path.substr(prefix.size()));
    }
  };
  for (const auto& path : dirs_) {
    take(path);
  }
  for (const auto& [path, file] : files_) {
    take(path);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void SimDisk::sync(SimInode& file) {
  if (file.clean < file.bytes.size()) {
    file.disk.resize(file.clean, '\0');
    file.disk.append(file.bytes, file.clean);
    file.clean = file.bytes.size();
  }
}

void SimDisk::sync_dir(const std::string& dir) {
  std::vector<NameChange> rest;
  for (auto& pending : pending_) {
    if (pending.dir == dir) {
      apply(pending, durable_files_, durable_dirs_);
    } else {
      rest.push_back(std::move(pending));
    }
  }
  pending_ = std::move(rest);
}

void SimDisk::flip(const std::string& path, std::uint64_t bit) {
  const auto file = find(path);
  KIWI_ASSERT(file && bit / 8 < file->bytes.size(), "a flip beyond the end of a file");
  const auto mask = static_cast<char>(1u << (bit % 8));
  file->bytes[bit / 8] = static_cast<char>(file->bytes[bit / 8] ^ mask);
  if (bit / 8 < file->disk.size()) {
    file->disk[bit / 8] = static_cast<char>(file->disk[bit / 8] ^ mask);
  }
}

std::uint64_t SimDisk::size() const {
  std::uint64_t sum = 0;
  for (const auto& [path, file] : files_) {
    sum += file->bytes.size();
  }
  return sum;
}

void SimDisk::change(std::string from, std::string to, InodePtr file) {
  auto dir = parent_of(to.empty() ? from : to);
  pending_.push_back({std::move(dir), std::move(from), std::move(to), std::move(file)});
  apply(pending_.back(), files_, dirs_);
}

void SimDisk::apply(const NameChange& change, std::map<std::string, InodePtr>& files,
                    std::set<std::string>& dirs) {
  if (!change.from.empty()) {
    files.erase(change.from);
    dirs.erase(change.from);
  }
  if (!change.to.empty()) {
    if (change.file) {
      files[change.to] = change.file;
    } else {
      dirs.insert(change.to);
    }
  }
}

}  // namespace kiwi::sim
