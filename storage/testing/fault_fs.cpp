#include "storage/testing/fault_fs.hpp"

#include <rocksdb/system_clock.h>

#include <algorithm>
#include <utility>

#include "storage/testing/fault_files.hpp"
#include "storage/testing/sim_files.hpp"

namespace kiwi::sim {

using rocksdb::IOStatus;

namespace {

constexpr std::uint64_t kHangSliceUs = 5000;

IOStatus machine_is_off() { return IOStatus::IOError("the machine is off"); }

}  // namespace

// --- What files share

IOStatus FaultFileSystem::State::enter(DiskOp op, FileClass where, const std::string& path,
                                       std::optional<Fault>* hit) {
  if (frozen) {
    return machine_is_off();
  }
  Delay delay;
  {
    const std::lock_guard guard(mutex);
    delay = faults.delay(op, where, path);
  }
  if (delay.us > 0) {
    options.wait(delay.us);
  }
  if (delay.hangs) {
    const auto hangs = [this] {
      const std::lock_guard guard(mutex);
      return faults.is_armed(FaultKind::hang);
    };
    while (!frozen && hangs()) {
      options.wait(kHangSliceUs);
    }
  }
  while (held && !frozen) {
    options.wait(kHangSliceUs);
  }
  const std::lock_guard guard(mutex);
  if (frozen) {
    return machine_is_off();
  }
  const auto* fault = faults.any() ? faults.hit(op, where, path) : nullptr;
  if (fault == nullptr) {
    return IOStatus::OK();
  }
  if (hit != nullptr) {
    *hit = *fault;
  }
  return status_of(*fault, op, path);
}

UnsyncedPtr FaultFileSystem::State::find(const std::string& path) const {
  const std::lock_guard guard(mutex);
  const auto i = files.find(path);
  return i == files.end() ? nullptr : i->second;
}

IOStatus FaultFileSystem::State::write_back(UnsyncedFile& file, const rocksdb::IOOptions& io) {
  if (frozen) {
    return machine_is_off();
  }
  for (const auto& write : file.writes) {
    const auto bytes = file.tail.substr(write.offset - file.on_disk, write.size);
    const auto status = file.real->Append(write.lost ? std::string(bytes.size(), '\0') : bytes, io, nullptr);
    if (!status.ok()) {
      return status;
    }
    const auto target = file.elsewhere.find(write.number);
    std::unique_ptr<rocksdb::FSRandomRWFile> victim;
    if (target != file.elsewhere.end() &&
        base->NewRandomRWFile(target->second.first, {}, &victim, nullptr).ok()) {
      victim->Write(target->second.second, bytes, io, nullptr).PermitUncheckedError();
    }
  }
  file.on_disk += file.tail.size();
  file.tail.clear();
  file.writes.clear();
  return file.real->Flush(io, nullptr);
}

// --- Switches

FaultFileSystem::FaultFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base,
                                 FaultFileSystemOptions options)
    : FileSystemWrapper(base), state_(std::make_shared<State>()) {
  state_->base = base;
  if (!options.wait) {
    options.wait = [](std::uint64_t us) {
      rocksdb::SystemClock::Default()->SleepForMicroseconds(static_cast<int>(us));
    };
  }
  state_->options = std::move(options);
}

/// An ordered end of the process: the machine goes on, and its cache reaches the disk some time.
FaultFileSystem::~FaultFileSystem() {
  for (const auto& [path, file] : state_->files) {
    const std::lock_guard guard(file->mutex);
    state_->write_back(*file, {}).PermitUncheckedError();
  }
}

void FaultFileSystem::arm(Fault fault) {
  const std::lock_guard guard(state_->mutex);
  state_->faults.arm(std::move(fault));
}
bool FaultFileSystem::disarm(std::string_view name) {
  const std::lock_guard guard(state_->mutex);
  return state_->faults.disarm(name);
}
void FaultFileSystem::heal() {
  const std::lock_guard guard(state_->mutex);
  state_->faults.clear();
}
std::map<std::string, std::uint64_t, std::less<>> FaultFileSystem::fired() const {
  const std::lock_guard guard(state_->mutex);
  return state_->faults.fired();
}
std::uint64_t FaultFileSystem::fired(std::string_view name) const {
  const std::lock_guard guard(state_->mutex);
  return state_->faults.fired(name);
}
void FaultFileSystem::hold() { state_->held = true; }
void FaultFileSystem::freeze() { state_->frozen = true; }

std::uint64_t FaultFileSystem::unsynced_bytes(FileClass where) const {
  const std::lock_guard guard(state_->mutex);
  std::uint64_t sum = 0;
  for (const auto& [path, file] : state_->files) {
    const std::lock_guard file_guard(file->mutex);
    sum += where == FileClass::any || file->where == where ? file->tail.size() : 0;
  }
  return sum;
}

PowerCut FaultFileSystem::power_fail(CrashProfile profile, const Chooser& chooser,
                                     const std::function<bool(const PowerCut&)>& again) {
  state_->frozen = true;
  const std::lock_guard guard(state_->mutex);
  // The same un-synced things on a simulated disk, whose synced bytes do not matter.
  SimDisk disk;
  const auto make_dirs = [&disk](const std::string& path) {
    for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      disk.make_dir(path.substr(0, slash));
    }
  };
  std::vector<std::string> in_order;
  for (const auto& [path, file] : state_->files) {
    if (std::find(state_->created.begin(), state_->created.end(), path) == state_->created.end()) {
      in_order.push_back(path);
    }
  }
  const auto durable = in_order.size();
  in_order.insert(in_order.end(), state_->created.begin(), state_->created.end());
  for (const auto& path : in_order) {
    make_dirs(path);
  }
  disk.sync_dirs_only();  // directories are the real file system's
  const auto add = [&](const std::string& path) {
    const auto twin = disk.create(path);
    const auto found = state_->files.find(path);
    if (!twin || found == state_->files.end()) {
      return;
    }
    const auto& file = *found->second;
    const std::lock_guard file_guard(found->second->mutex);
    disk.append(*twin, std::string(file.on_disk, '\0'));
    disk.sync(*twin);
    twin->writes = file.write_count - file.writes.size();
    for (const auto& write : file.writes) {
      const auto bytes = std::string_view(file.tail).substr(write.offset - file.on_disk, write.size);
      if (write.lost) {
        disk.append_lost(*twin, bytes);
      } else {
        disk.append(*twin, bytes);
      }
    }
  };
  std::for_each(in_order.begin(), in_order.begin() + static_cast<std::ptrdiff_t>(durable), add);
  for (std::size_t i = 0; i < durable; ++i) {
    disk.sync_dir(parent_of(in_order[i]));
  }
  std::for_each(in_order.begin() + static_cast<std::ptrdiff_t>(durable), in_order.end(), add);
  auto cut = choose_power_cut(disk, profile, chooser);
  while (again && again(cut)) {
    cut = choose_power_cut(disk, profile, chooser);
  }
  const PowerCutResult result{apply(disk, cut).image, cut};
  for (const auto& [path, file] : state_->files) {
    const auto left = result.image.find(path);
    const std::lock_guard file_guard(file->mutex);
    if (left && left->bytes.size() > file->on_disk) {
      file->real->Append(left->bytes.str(file->on_disk), {}, nullptr).PermitUncheckedError();
      file->real->Sync({}, nullptr).PermitUncheckedError();
    }
    file->tail.clear();
    file->writes.clear();
  }
  for (const auto& path : state_->created) {
    if (!result.image.find(path)) {
      state_->base->DeleteFile(path, {}, nullptr).PermitUncheckedError();
    }
  }
  return result.cut;
}

bool FaultFileSystem::flip(const std::string& path, std::uint64_t bit) {
  const auto mask = static_cast<char>(1u << (bit % 8));
  if (const auto file = state_->find(normalised(path))) {
    const std::lock_guard guard(file->mutex);
    if (bit / 8 >= file->on_disk) {
      const auto at = bit / 8 - file->on_disk;
      if (at >= file->tail.size()) {
        return false;
      }
      file->tail[at] = static_cast<char>(file->tail[at] ^ mask);
      return true;
    }
  }
  std::unique_ptr<rocksdb::FSRandomRWFile> real;
  if (!state_->base->NewRandomRWFile(path, {}, &real, nullptr).ok()) {
    return false;
  }
  char byte = 0;
  rocksdb::Slice read;
  if (!real->Read(bit / 8, 1, {}, &read, &byte, nullptr).ok() || read.size() != 1) {
    return false;
  }
  byte = static_cast<char>(read[0] ^ mask);
  return real->Write(bit / 8, rocksdb::Slice(&byte, 1), {}, nullptr).ok();
}

// --- rocksdb::FileSystem

IOStatus FaultFileSystem::NewSequentialFile(const std::string& raw_path, const FileOptions& options,
                                            std::unique_ptr<rocksdb::FSSequentialFile>* out, Debug* debug) {
  const auto path = normalised(raw_path);
  std::unique_ptr<rocksdb::FSRandomAccessFile> real;
  auto status = target()->NewRandomAccessFile(path, options, &real, debug);
  if (status.ok()) {
    *out = std::make_unique<FaultReader>(state_, path, std::move(real), state_->find(path));
  }
  return status;
}

IOStatus FaultFileSystem::NewRandomAccessFile(const std::string& raw_path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSRandomAccessFile>* out,
                                              Debug* debug) {
  const auto path = normalised(raw_path);
  std::unique_ptr<rocksdb::FSRandomAccessFile> real;
  auto status = target()->NewRandomAccessFile(path, options, &real, debug);
  if (status.ok()) {
    *out = std::make_unique<FaultReader>(state_, path, std::move(real), state_->find(path));
  }
  return status;
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& raw_path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* out, Debug* debug) {
  auto path = normalised(raw_path);
  if (auto status = state_->enter(DiskOp::create, class_of(path), path); !status.ok()) {
    return status;
  }
  const bool existed = target()->FileExists(path, options.io_options, debug).ok();
  auto file = std::make_shared<UnsyncedFile>();
  file->where = class_of(path);
  if (auto status = target()->NewWritableFile(path, options, &file->real, debug); !status.ok()) {
    return status;
  }
  const std::lock_guard guard(state_->mutex);
  state_->files[path] = file;
  if (!existed) {
    state_->created.push_back(path);
  }
  *out = std::make_unique<FaultWritableFile>(state_, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus FaultFileSystem::ReopenWritableFile(const std::string& raw_path, const FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* out, Debug* debug) {
  auto path = normalised(raw_path);
  auto file = state_->find(path);
  if (!file) {
    if (!target()->FileExists(path, options.io_options, debug).ok()) {
      return NewWritableFile(path, options, out, debug);
    }
    file = std::make_shared<UnsyncedFile>();
    file->where = class_of(path);
    if (auto status = target()->GetFileSize(path, options.io_options, &file->on_disk, debug); !status.ok()) {
      return status;
    }
    if (auto status = target()->ReopenWritableFile(path, options, &file->real, debug); !status.ok()) {
      return status;
    }
    const std::lock_guard guard(state_->mutex);
    state_->files[path] = file;
  }
  *out = std::make_unique<FaultWritableFile>(state_, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus FaultFileSystem::ReuseWritableFile(const std::string& path, const std::string& old_path,
                                            const FileOptions& options,
                                            std::unique_ptr<rocksdb::FSWritableFile>* out, Debug* debug) {
  if (auto status = RenameFile(old_path, path, options.io_options, debug); !status.ok()) {
    return status;
  }
  return NewWritableFile(path, options, out, debug);
}

IOStatus FaultFileSystem::NewDirectory(const std::string& raw_path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* out, Debug* debug) {
  const auto path = normalised(raw_path);
  std::unique_ptr<rocksdb::FSDirectory> real;
  auto status = target()->NewDirectory(path, options, &real, debug);
  if (status.ok()) {
    *out = std::make_unique<FaultDirectory>(state_, path, std::move(real));
  }
  return status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& raw_path, const IOOptions& options, Debug* debug) {
  const auto path = normalised(raw_path);
  if (auto status = state_->enter(DiskOp::remove, class_of(path), path); !status.ok()) {
    return status;
  }
  auto status = target()->DeleteFile(path, options, debug);
  if (status.ok()) {
    const std::lock_guard guard(state_->mutex);
    state_->files.erase(path);
    std::erase(state_->created, path);
  }
  return status;
}

IOStatus FaultFileSystem::CreateDir(const std::string& path, const IOOptions& options, Debug* debug) {
  auto status = state_->enter(DiskOp::create, class_of(path), path);
  return status.ok() ? target()->CreateDir(path, options, debug) : status;
}
IOStatus FaultFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options,
                                             Debug* debug) {
  auto status = state_->enter(DiskOp::create, class_of(path), path);
  return status.ok() ? target()->CreateDirIfMissing(path, options, debug) : status;
}
IOStatus FaultFileSystem::DeleteDir(const std::string& path, const IOOptions& options, Debug* debug) {
  auto status = state_->enter(DiskOp::remove, class_of(path), path);
  return status.ok() ? target()->DeleteDir(path, options, debug) : status;
}

IOStatus FaultFileSystem::GetFileSize(const std::string& raw_path, const IOOptions& options,
                                      std::uint64_t* size, Debug* debug) {
  const auto path = normalised(raw_path);
  const auto file = state_->find(path);
  if (!file) {
    return target()->GetFileSize(path, options, size, debug);
  }
  const std::lock_guard guard(file->mutex);
  *size = file->on_disk + file->tail.size();
  return IOStatus::OK();
}

void FaultFileSystem::State::move_directory(const std::string& from, const std::string& to) {
  const auto prefix = from + "/";
  std::map<std::string, UnsyncedPtr> moved;
  for (auto i = files.lower_bound(prefix); i != files.end() && i->first.starts_with(prefix);
       i = files.erase(i)) {
    moved[to + "/" + i->first.substr(prefix.size())] = i->second;
  }
  for (auto& [name, file] : moved) {
    files[name] = std::move(file);
  }
  for (auto& name : created) {
    if (name.starts_with(prefix)) {
      name = to + "/" + name.substr(prefix.size());
    }
  }
}

IOStatus FaultFileSystem::RenameFile(const std::string& raw_from, const std::string& raw_to,
                                     const IOOptions& options, Debug* debug) {
  const auto from = normalised(raw_from);
  const auto to = normalised(raw_to);
  if (auto status = state_->enter(DiskOp::rename, class_of(to), to); !status.ok()) {
    return status;
  }
  auto status = target()->RenameFile(from, to, options, debug);
  if (status.ok()) {
    const std::lock_guard guard(state_->mutex);
    std::erase(state_->created, from);
    const auto i = state_->files.find(from);
    if (i != state_->files.end()) {
      state_->files[to] = i->second;
      state_->files.erase(i);
    } else {
      state_->files.erase(to);
    }
    state_->move_directory(from, to);
  }
  return status;
}

IOStatus FaultFileSystem::LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                                   Debug* debug) {
  auto status = state_->enter(DiskOp::create, class_of(to), to);
  return status.ok() ? target()->LinkFile(from, to, options, debug) : status;
}

IOStatus FaultFileSystem::GetFreeSpace(const std::string& path, const IOOptions& options,
                                       std::uint64_t* bytes, Debug* debug) {
  {
    const std::lock_guard guard(state_->mutex);
    if (state_->faults.disk_is_full()) {
      *bytes = 0;
      return IOStatus::OK();
    }
  }
  return target()->GetFreeSpace(path, options, bytes, debug);
}

}  // namespace kiwi::sim
