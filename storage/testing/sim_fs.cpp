#include "storage/testing/sim_fs.hpp"

#include <algorithm>
#include <utility>

#include "storage/testing/sim_files.hpp"

namespace kiwi::sim {
namespace {

using rocksdb::IOStatus;

IOStatus missing(const std::string& path) {
  return IOStatus::PathNotFound(path, "No such file or directory");
}
IOStatus machine_is_off() { return IOStatus::IOError("the machine is off"); }

struct SimLock : rocksdb::FileLock {
  explicit SimLock(std::string p) : path(std::move(p)) {}
  std::string path;
};

constexpr std::uint64_t kPrime = 1099511628211ull;  // FNV-1a

}  // namespace

SimFs::Place::Place(std::string p)
    : path(std::move(p)), where(class_of(path)), hash(14695981039346656037ull) {
  for (const char c : path) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  }
}

void SimFs::inject(const DiskFault& fault) {
  Fault full;
  full.kind = fault.drops ? FaultKind::sync_drops : FaultKind::error;
  full.op = fault.op;
  full.in_path = fault.in_name;
  full.nth = fault.nth;
  full.times = fault.lasting ? kAlways : 1;
  faults_.arm(std::move(full));
}

void SimFs::trace(DiskOp op, const Place& place, std::uint64_t bytes) {
  ++operations_;
  for (const auto part : {static_cast<std::uint64_t>(op) + 1, place.hash, bytes}) {
    trace_ = (trace_ ^ part) * kPrime;
    trace_ ^= trace_ >> 29;
  }
}

IOStatus SimFs::enter(DiskOp op, const Place& place, std::uint64_t bytes, const Fault** hit) {
  if (frozen_) {
    return machine_is_off();
  }
  if (op != DiskOp::read) {
    if (operations_left_ != ~std::uint64_t{0} && operations_left_-- == 0) {
      frozen_ = true;
      return machine_is_off();
    }
    trace(op, place, bytes);
    if (hook_) {
      hook_(std::string(to_string(op)) + " " + place.path + " " + std::to_string(bytes));
    }
  }
  const auto* fault = faults_.any() ? faults_.hit(op, place.where, place.path) : nullptr;
  if (fault == nullptr) {
    return IOStatus::OK();
  }
  auto status = status_of(*fault, op, place.path);
  if (hit != nullptr) {
    *hit = fault;
  }
  return status;
}

IOStatus SimFs::NewSequentialFile(const std::string& raw_path, const FileOptions&,
                                  std::unique_ptr<rocksdb::FSSequentialFile>* out, Debug*) {
  auto path = normalised(raw_path);
  auto file = disk_.find(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimReader>(*this, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::NewRandomAccessFile(const std::string& raw_path, const FileOptions&,
                                    std::unique_ptr<rocksdb::FSRandomAccessFile>* out, Debug*) {
  auto path = normalised(raw_path);
  auto file = disk_.find(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimReader>(*this, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::NewWritableFile(const std::string& raw_path, const FileOptions&,
                                std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) {
  auto path = normalised(raw_path);
  if (auto status = enter(DiskOp::create, Place(path)); !status.ok()) {
    return status;
  }
  auto file = disk_.create(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimWritableFile>(*this, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::ReopenWritableFile(const std::string& raw_path, const FileOptions& options,
                                   std::unique_ptr<rocksdb::FSWritableFile>* out, Debug* debug) {
  auto path = normalised(raw_path);
  auto file = disk_.find(path);
  if (!file) {
    return NewWritableFile(path, options, out, debug);
  }
  *out = std::make_unique<SimWritableFile>(*this, std::move(path), std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::Truncate(const std::string& raw_path, std::size_t size, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  const auto file = disk_.find(path);
  if (!file) {
    return missing(path);
  }
  return SimWritableFile(*this, path, file).Truncate(size, {}, nullptr);
}

IOStatus SimFs::NewDirectory(const std::string& raw_path, const IOOptions&,
                             std::unique_ptr<rocksdb::FSDirectory>* out, Debug*) {
  const auto path = normalised(raw_path);
  if (!disk_.is_dir(path)) {
    return missing(path);
  }
  *out = std::make_unique<SimDirectory>(*this, path);
  return IOStatus::OK();
}

IOStatus SimFs::FileExists(const std::string& raw_path, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  return disk_.find(path) || disk_.is_dir(path) ? IOStatus::OK() : IOStatus::NotFound();
}

IOStatus SimFs::GetChildren(const std::string& raw_dir, const IOOptions&, std::vector<std::string>* out,
                            Debug*) {
  const auto dir = normalised(raw_dir);
  if (!disk_.is_dir(dir)) {
    return missing(dir);
  }
  *out = disk_.children(dir);
  return IOStatus::OK();
}

IOStatus SimFs::DeleteFile(const std::string& raw_path, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  if (!disk_.find(path)) {
    return missing(path);
  }
  if (auto status = enter(DiskOp::remove, Place(path)); !status.ok()) {
    return status;
  }
  disk_.remove(path);
  return IOStatus::OK();
}

IOStatus SimFs::CreateDir(const std::string& raw_path, const IOOptions& options, Debug* debug) {
  const auto path = normalised(raw_path);
  if (disk_.is_dir(path)) {
    return IOStatus::IOError(path, "File exists");
  }
  return CreateDirIfMissing(path, options, debug);
}

IOStatus SimFs::CreateDirIfMissing(const std::string& raw_path, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  if (disk_.is_dir(path)) {
    return IOStatus::OK();
  }
  if (auto status = enter(DiskOp::create, Place(path)); !status.ok()) {
    return status;
  }
  return disk_.make_dir(path) ? IOStatus::OK() : missing(path);
}

IOStatus SimFs::DeleteDir(const std::string& raw_path, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  if (auto status = enter(DiskOp::remove, Place(path)); !status.ok()) {
    return status;
  }
  return disk_.remove_dir(path) ? IOStatus::OK() : missing(path);
}

IOStatus SimFs::GetFileSize(const std::string& raw_path, const IOOptions&, std::uint64_t* size, Debug*) {
  const auto path = normalised(raw_path);
  const auto file = disk_.find(path);
  *size = file ? file->bytes.size() : 0;
  return file || disk_.is_dir(path) ? IOStatus::OK() : missing(path);
}

IOStatus SimFs::GetFileModificationTime(const std::string& raw_path, const IOOptions&, std::uint64_t* time,
                                        Debug*) {
  const auto path = normalised(raw_path);
  *time = 0;
  return disk_.find(path) ? IOStatus::OK() : missing(path);
}

IOStatus SimFs::RenameFile(const std::string& raw_from, const std::string& raw_to, const IOOptions&, Debug*) {
  const auto from = normalised(raw_from);
  const auto to = normalised(raw_to);
  if (!disk_.find(from) && !disk_.is_dir(from)) {
    return missing(from);
  }
  if (auto status = enter(DiskOp::rename, Place(from + " -> " + to)); !status.ok()) {
    return status;
  }
  return disk_.rename(from, to) ? IOStatus::OK() : missing(to);
}

IOStatus SimFs::LinkFile(const std::string& raw_from, const std::string& raw_to, const IOOptions&, Debug*) {
  const auto from = normalised(raw_from);
  const auto to = normalised(raw_to);
  if (auto status = enter(DiskOp::create, Place(to)); !status.ok()) {
    return status;
  }
  return disk_.link(from, to) ? IOStatus::OK() : missing(from);
}

IOStatus SimFs::LockFile(const std::string& raw_path, const IOOptions&, rocksdb::FileLock** lock, Debug*) {
  const auto path = normalised(raw_path);
  if (!disk_.is_dir(parent_of(path))) {
    return missing(path);
  }
  if (!locked_.insert(path).second) {
    return IOStatus::IOError("lock " + path, "already held by this machine (simulated)");
  }
  *lock = new SimLock(path);
  return IOStatus::OK();
}

IOStatus SimFs::UnlockFile(rocksdb::FileLock* lock, const IOOptions&, Debug*) {
  const std::unique_ptr<SimLock> owned(static_cast<SimLock*>(lock));
  locked_.erase(owned->path);
  return IOStatus::OK();
}

IOStatus SimFs::GetTestDirectory(const IOOptions&, std::string* path, Debug*) {
  *path = "/test";
  return IOStatus::OK();
}

IOStatus SimFs::GetAbsolutePath(const std::string& raw_path, const IOOptions&, std::string* out, Debug*) {
  const auto path = normalised(raw_path);
  *out = path;
  return IOStatus::OK();
}

IOStatus SimFs::GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* bytes, Debug*) {
  if (frozen_) {
    return IOStatus::IOError("frozen");
  }
  const auto used = disk_.size();
  *bytes = capacity_ > used ? capacity_ - used : 0;
  return IOStatus::OK();
}

IOStatus SimFs::IsDirectory(const std::string& raw_path, const IOOptions&, bool* is, Debug*) {
  const auto path = normalised(raw_path);
  *is = disk_.is_dir(path);
  return *is || disk_.find(path) ? IOStatus::OK() : missing(path);
}

}  // namespace kiwi::sim
