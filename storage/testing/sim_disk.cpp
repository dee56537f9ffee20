#include "storage/testing/sim_disk.hpp"

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi::sim {
namespace {

/// What lies on the platters after a power failure.
Content surviving(const SimInode& file, const PowerFailure& failure) {
  auto image = file.disk;
  if (!file.unsynced.empty()) {
    const auto begin = std::min(file.unsynced.front().offset, file.bytes.size());
    const auto kept = begin + std::min<std::uint64_t>(file.bytes.size() - begin, failure.torn_bytes);
    if (kept > begin) {
      image.take(file.bytes, begin, kept);  // what a failed sync dropped before it is a hole
    }
  }
  if (failure.sizes_kept && image.size() < file.bytes.size()) {
    image.resize(file.bytes.size());
  }
  return image;
}

bool is_within(const std::string& path, const std::string& dir) {
  return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
}

/// `path` after this change, if that is a rename of a directory at or above it.
std::string moved(const NameChange& change, const std::string& path) {
  if (change.file || change.from.empty() || change.to.empty() ||
      (path != change.from && !is_within(path, change.from))) {
    return path;
  }
  return change.to + path.substr(change.from.size());
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

std::string SimDisk::described(const std::string& path) const {
  return !root_.empty() && is_within(path, root_) ? path.substr(root_.size() + 1) : path;
}

std::string SimDisk::described(const NameChange& change) const {
  if (change.from.empty()) {
    return (change.file ? "create " : "mkdir ") + described(change.to);
  }
  if (change.to.empty()) {
    return (change.file ? "remove " : "rmdir ") + described(change.from);
  }
  return "rename " + described(change.from) + " -> " + described(change.to);
}

SimDisk SimDisk::image_of(const Files& files, const Dirs& dirs,
                          const std::function<Content(const InodePtr&)>& bytes_of) const {
  SimDisk image;
  for (const auto& dir : dirs) {
    // A directory whose own name is lost takes everything in it along. The set is in order, parents first.
    if (image.is_dir(parent_of(dir))) {
      image.dirs_.insert(dir);
    }
  }
  std::map<InodePtr, InodePtr> copies;  // looked up only: two names of one file stay one file
  for (const auto& [path, file] : files) {
    if (!image.is_dir(parent_of(path))) {
      continue;
    }
    auto& copy = copies[file];
    if (!copy) {
      copy = std::make_shared<SimInode>();
      copy->bytes = bytes_of(file);
      copy->disk = copy->bytes;
      copy->older = file->older;
    }
    image.files_[path] = copy;
    image.take_name(*copy, path);
  }
  image.durable_files_ = image.files_;
  image.durable_dirs_ = image.dirs_;
  image.removed_ = removed_;
  image.root_ = root_;
  return image;
}

SimDisk SimDisk::after_power_failure(const PowerFailure& failure) const {
  auto names = durable_files_;
  auto dirs = durable_dirs_;
  for (std::size_t i = 0; i < std::min(failure.names_kept, pending_.size()); ++i) {
    apply(pending_[i], names, dirs);
  }
  auto image = image_of(names, dirs, [&failure](const InodePtr& file) { return surviving(*file, failure); });
  if (failure.zeroes_ahead > 0) {
    image.zero_ahead(failure.zeroes_ahead);
  }
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
    image.files_.emplace_hint(image.files_.end(), path, copy_of(file));
  }
  for (const auto& [path, file] : durable_files_) {
    image.durable_files_.emplace_hint(image.durable_files_.end(), path, copy_of(file));
  }
  for (auto change : pending_) {
    change.file = copy_of(change.file);
    image.pending_.push_back(std::move(change));
  }
  for (const auto& [path, file] : image.files_) {
    for (auto& write : file->unsynced) {
      write.victim = copy_of(write.victim);
    }
  }
  image.dirs_ = dirs_;
  image.durable_dirs_ = durable_dirs_;
  image.unsynced_ = unsynced_;
  image.removed_ = removed_;
  image.root_ = root_;
  return image;
}

// --- Names

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
  if (!is_dir(parent_of(to)) || (file ? is_dir(to) : !dirs_.contains(from) || find(to))) {
    return false;
  }
  if (!file && (is_within(to, from) || !children(to).empty())) {
    return false;
  }
  if (from != to) {
    change(from, to, file);
  }
  return true;
}

bool SimDisk::link(const std::string& from, const std::string& to) {
  const auto file = find(from);
  if (!file || !is_dir(parent_of(to)) || find(to) || is_dir(to)) {
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
    if (path.size() > prefix.size() && path.find('/', prefix.size()) == std::string::npos) {
      names.push_back(path.substr(prefix.size()));
    }
  };
  for (auto i = dirs_.lower_bound(prefix); i != dirs_.end() && i->starts_with(prefix); ++i) {
    take(*i);
  }
  for (auto i = files_.lower_bound(prefix); i != files_.end() && i->first.starts_with(prefix); ++i) {
    take(i->first);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void SimDisk::sync_dir(const std::string& dir) {
  // A change is told by the names of its time; since then a directory above it may have got another one.
  const auto concerns = [&](std::size_t i) {
    for (auto path : {pending_[i].to, pending_[i].from}) {
      if (path.empty()) {
        continue;
      }
      path = parent_of(path);
      for (auto later = i + 1; later < pending_.size(); ++later) {
        path = moved(pending_[later], path);
      }
      if (path == dir) {
        return true;
      }
    }
    return false;
  };
  std::vector<NameChange> left;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!concerns(i)) {
      left.push_back(pending_[i]);
      continue;
    }
    apply(pending_[i], durable_files_, durable_dirs_);
    for (auto& earlier : left) {
      earlier.from = moved(pending_[i], earlier.from);
      earlier.to = moved(pending_[i], earlier.to);
    }
  }
  pending_ = std::move(left);
}

void SimDisk::sync_dirs_only() {
  std::erase_if(pending_, [this](const NameChange& pending) {
    if (!pending.file) {
      apply(pending, durable_files_, durable_dirs_);
    }
    return !pending.file;
  });
}

void SimDisk::change(std::string from, std::string to, InodePtr file) {
  pending_.push_back({std::move(from), std::move(to), std::move(file)});
  const auto& now = pending_.back();
  if (!now.file) {
    apply(now, files_, dirs_);
    if (!now.from.empty() && !now.to.empty()) {
      recount_names();
    }
    return;
  }
  if (!now.from.empty()) {
    drop_name(*now.file);
  }
  if (const auto replaced = now.to.empty() ? nullptr : find(now.to)) {
    drop_name(*replaced);
  }
  apply(now, files_, dirs_);
  if (!now.to.empty()) {
    take_name(*now.file, now.to);
  }
}

void SimDisk::apply(const NameChange& change, Files& files, Dirs& dirs) {
  if (change.file) {
    if (!change.from.empty()) {
      files.erase(change.from);
    }
    if (!change.to.empty()) {
      files[change.to] = change.file;
    }
    return;
  }
  const bool was_there = change.from.empty() || dirs.erase(change.from) > 0;
  if (change.to.empty() || !was_there) {
    return;
  }
  dirs.insert(change.to);
  if (change.from.empty()) {
    return;
  }
  const auto prefix = change.from + "/";
  Files moved;
  for (auto i = files.lower_bound(prefix); i != files.end() && i->first.starts_with(prefix);) {
    moved[change.to + "/" + i->first.substr(prefix.size())] = i->second;
    i = files.erase(i);
  }
  files.merge(moved);
  Dirs moved_dirs;
  for (auto i = dirs.lower_bound(prefix); i != dirs.end() && i->starts_with(prefix);) {
    moved_dirs.insert(change.to + "/" + i->substr(prefix.size()));
    i = dirs.erase(i);
  }
  dirs.merge(moved_dirs);
}

void SimDisk::take_name(SimInode& file, const std::string& path) {
  if (++file.names == 1) {
    file.where = class_of(path);
    unsynced_[static_cast<std::size_t>(file.where)] += file.counted_unsynced;
  }
}

void SimDisk::drop_name(SimInode& file) {
  KIWI_ASSERT(file.names > 0, "a file loses a name that it does not have");
  if (--file.names == 0) {
    unsynced_[static_cast<std::size_t>(file.where)] -= file.counted_unsynced;
    removed_[static_cast<std::size_t>(file.where)] = file.disk;
  }
}

/// After a directory got another name.
void SimDisk::recount_names() {
  unsynced_ = {};
  for (const auto& [path, file] : files_) {
    file->names = 0;
  }
  for (const auto& [path, file] : files_) {
    take_name(*file, path);
  }
}

// --- Bytes

void SimDisk::set_counted(SimInode& file, std::uint64_t bytes) {
  if (file.names > 0) {
    unsynced_[static_cast<std::size_t>(file.where)] += bytes - file.counted_unsynced;
  }
  file.counted_unsynced = bytes;
}

void SimDisk::append(SimInode& file, std::string_view bytes) {
  file.unsynced.push_back({++file.writes, file.bytes.size(), bytes.size(), false, false, nullptr, 0});
  file.bytes.append(bytes);
  set_counted(file, file.counted_unsynced + bytes.size());
}

void SimDisk::append_lost(SimInode& file, std::string_view bytes, InodePtr victim,
                          std::uint64_t victim_offset) {
  file.unsynced.push_back(
      {++file.writes, file.bytes.size(), bytes.size(), true, false, std::move(victim), victim_offset});
  file.bytes.append(bytes);
}

void SimDisk::truncate(SimInode& file, std::uint64_t size) {
  if (size >= file.bytes.size()) {
    return;
  }
  std::uint64_t pending = file.dropped_bytes;
  for (auto& write : file.unsynced) {
    const auto end = std::min(write.offset + write.size, size);
    write.size = end > write.offset ? end - write.offset : 0;
    pending += write.lost ? 0 : write.size;
  }
  file.unsynced.push_back({++file.writes, size, 0, false, true, nullptr, 0});
  file.bytes.resize(size);
  set_counted(file, pending);
}

void SimDisk::sync(SimInode& file) {
  const auto before = file.disk.size();
  for (const auto& write : file.unsynced) {
    if (write.cuts) {
      file.disk.resize(std::min(file.disk.size(), write.offset));
    } else if (!write.lost) {
      file.disk.take(file.bytes, write.offset, write.offset + write.size);
    } else if (write.victim) {
      write.victim->disk.overwrite(write.victim_offset, file.bytes.str(write.offset, write.size));
    }
  }
  if (file.disk.size() > before) {
    const auto block = before / kDiskBlockBytes;
    file.older.resize(std::max<std::size_t>(file.older.size(), block + 1));
    file.older[block] = static_cast<std::uint16_t>(before % kDiskBlockBytes);
  }
  file.unsynced.clear();
  set_counted(file, file.dropped_bytes);
}

void SimDisk::drop_dirty(SimInode& file) {
  file.unsynced.clear();
  file.dropped_bytes = file.counted_unsynced;
}

// --- Looking

std::uint64_t SimDisk::size() const {
  std::uint64_t sum = 0;
  for (const auto& [path, file] : files_) {
    sum += file->bytes.size();
  }
  return sum;
}

std::uint64_t SimDisk::unsynced_bytes(FileClass where) const {
  std::uint64_t sum = 0;
  if (where == FileClass::any) {
    for (const auto bytes : unsynced_) {
      sum += bytes;
    }
  } else {
    sum = unsynced_[static_cast<std::size_t>(where)];
  }
  std::vector<const SimInode*> nameless;
  for (const auto& change : pending_) {
    const auto* file = change.to.empty() ? nullptr : change.file.get();
    if (file == nullptr || file->names == 0 || (where != FileClass::any && file->where != where) ||
        std::find(nameless.begin(), nameless.end(), file) != nameless.end()) {
      continue;
    }
    const auto durable = durable_files_.find(change.to);
    if (find(change.to) == change.file &&
        (durable == durable_files_.end() || durable->second != change.file)) {
      nameless.push_back(file);
      sum += file->bytes.size() - std::min(file->bytes.size(), file->counted_unsynced);
    }
  }
  return sum;
}

std::uint64_t SimDisk::digest() const {
  std::uint64_t h = 14695981039346656037ull;
  for (const auto& [path, file] : files_) {
    for (const char c : path) {
      h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
    h = (h ^ file->bytes.hash()) * 1099511628211ull;
  }
  return h;
}

bool same_image(const SimDisk& a, const SimDisk& b) {
  const auto same_files = [](const SimDisk::Files& x, const SimDisk::Files& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& f, const auto& g) {
      return f.first == g.first && f.second->bytes == g.second->bytes && f.second->disk == g.second->disk;
    });
  };
  return a.dirs_ == b.dirs_ && a.durable_dirs_ == b.durable_dirs_ && same_files(a.files_, b.files_) &&
         same_files(a.durable_files_, b.durable_files_);
}

}  // namespace kiwi::sim
