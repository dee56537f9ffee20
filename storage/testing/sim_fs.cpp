#include "storage/testing/sim_fs.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kiwi::sim {
namespace {

using rocksdb::IOStatus;

IOStatus io_error(DiskOp op, const std::string& path) {
  return IOStatus::IOError(std::string(to_string(op)) + " " + path, "Input/output error (simulated)");
}
IOStatus missing(const std::string& path) {
  return IOStatus::PathNotFound(path, "No such file or directory");
}

struct SimLock : rocksdb::FileLock {
  explicit SimLock(std::string p) : path(std::move(p)) {}
  std::string path;
};

}  // namespace

const char* to_string(DiskOp op) {
  switch (op) {
    case DiskOp::append:
      return "append";
    case DiskOp::sync:
      return "sync";
    case DiskOp::read:
      return "read";
    case DiskOp::create:
      return "create";
    case DiskOp::rename:
      return "rename";
    case DiskOp::remove:
      return "remove";
    case DiskOp::sync_dir:
      return "sync_dir";
  }
  return "unknown";
}

/// Both of RocksDB's reading interfaces. Open files share the inode, so a file may go while it is in use.
class SimReader : public rocksdb::FSSequentialFile, public rocksdb::FSRandomAccessFile {
 public:
  SimReader(SimFs& fs, std::string path, InodePtr file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}

  IOStatus Read(std::size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                rocksdb::IODebugContext* debug) override {
    auto status = Read(at_, n, options, result, scratch, debug);
    at_ += result->size();
    return status;
  }
  IOStatus Read(std::uint64_t at, std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result,
                char* scratch, rocksdb::IODebugContext*) const override {
    *result = rocksdb::Slice(scratch, 0);
    if (auto status = fs_.enter_read(path_); !status.ok()) {
      return status;
    }
    const auto begin = std::min<std::uint64_t>(at, file_->bytes.size());
    const auto size = std::min<std::uint64_t>(n, file_->bytes.size() - begin);
    std::memcpy(scratch, file_->bytes.data() + begin, size);
    *result = rocksdb::Slice(scratch, size);
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ = std::min<std::uint64_t>(file_->bytes.size(), at_ + n);
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }
  bool use_direct_io() const override { return false; }
  std::size_t GetRequiredBufferAlignment() const override { return rocksdb::kDefaultPageSize; }

 private:
  SimFs& fs_;
  std::string path_;
  InodePtr file_;
  std::uint64_t at_ = 0;
};

class SimWritableFile : public rocksdb::FSWritableFile {
 public:
  SimWritableFile(SimFs& fs, std::string path, InodePtr file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (auto status = fs_.enter(DiskOp::append, path_, data.size()); !status.ok()) {
      return status;
    }
    const auto used = fs_.disk_.size();
    const auto room = fs_.capacity_ > used ? fs_.capacity_ - used : 0;
    file_->bytes.append(data.data(), std::min<std::uint64_t>(data.size(), room));
    return data.size() <= room ? IOStatus::OK()
                               : IOStatus::NoSpace("append " + path_, "No space left on device (simulated)");
  }
  IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    bool drops = false;
    if (auto status = fs_.enter(DiskOp::sync, path_, 0, &drops); !status.ok()) {
      if (drops) {
        SimDisk::drop_dirty(*file_);
      }
      return status;
    }
    SimDisk::sync(*file_);
    ++fs_.syncs_;
    return IOStatus::OK();
  }
  IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    file_->bytes.resize(std::min<std::uint64_t>(size, file_->bytes.size()));
    file_->clean = std::min(file_->clean, file_->bytes.size());
    return IOStatus::OK();
  }
  IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  std::uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_->bytes.size();
  }

 private:
  SimFs& fs_;
  std::string path_;
  InodePtr file_;
};

class SimDirectory : public rocksdb::FSDirectory {
 public:
  SimDirectory(SimFs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (auto status = fs_.enter(DiskOp::sync_dir, path_); !status.ok()) {
      return status;
    }
    fs_.disk_.sync_dir(path_);
    return IOStatus::OK();
  }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }

 private:
  SimFs& fs_;
  std::string path_;
};

void SimFs::note(const std::string& what) {
  ++operations_;
  for (const char c : what + "\n") {
    trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  }
}

IOStatus SimFs::enter(DiskOp op, const std::string& path, std::uint64_t bytes, bool* drops) {
  if (frozen_) {
    return IOStatus::IOError("the machine is off");
  }
  const auto what = std::string(to_string(op)) + " " + path + " " + std::to_string(bytes);
  note(what);
  if (hook_) {
    hook_(what);
  }
  for (auto& [fault, seen] : faults_) {
    if (fault.op != op || path.find(fault.in_name) == std::string::npos) {
      continue;
    }
    ++seen;
    if (seen == fault.nth || (fault.lasting && seen > fault.nth)) {
      ++fired_;
      if (drops != nullptr) {
        *drops = fault.drops;
      }
      return io_error(op, path);
    }
  }
  return IOStatus::OK();
}

IOStatus SimFs::enter_read(const std::string& path) {
  for (auto& [fault, seen] : faults_) {
    if (fault.op == DiskOp::read && path.find(fault.in_name) != std::string::npos) {
      ++seen;
      if (seen == fault.nth || (fault.lasting && seen > fault.nth)) {
        ++fired_;
        return io_error(DiskOp::read, path);
      }
    }
  }
  return IOStatus::OK();
}

IOStatus SimFs::NewSequentialFile(const std::string& raw_path, const FileOptions&,
                                  std::unique_ptr<rocksdb::FSSequentialFile>* out, Debug*) {
  const auto path = normalised(raw_path);
  auto file = disk_.find(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimReader>(*this, path, std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::NewRandomAccessFile(const std::string& raw_path, const FileOptions&,
                                    std::unique_ptr<rocksdb::FSRandomAccessFile>* out, Debug*) {
  const auto path = normalised(raw_path);
  auto file = disk_.find(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimReader>(*this, path, std::move(file));
  return IOStatus::OK();
}

IOStatus SimFs::NewWritableFile(const std::string& raw_path, const FileOptions&,
                                std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) {
  const auto path = normalised(raw_path);
  if (auto status = enter(DiskOp::create, path); !status.ok()) {
    return status;
  }
  auto file = disk_.create(path);
  if (!file) {
    return missing(path);
  }
  *out = std::make_unique<SimWritableFile>(*this, path, std::move(file));
  return IOStatus::OK();
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
  if (auto status = enter(DiskOp::remove, path); !status.ok()) {
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
  if (auto status = enter(DiskOp::create, path); !status.ok()) {
    return status;
  }
  return disk_.make_dir(path) ? IOStatus::OK() : missing(path);
}

IOStatus SimFs::DeleteDir(const std::string& raw_path, const IOOptions&, Debug*) {
  const auto path = normalised(raw_path);
  if (auto status = enter(DiskOp::remove, path); !status.ok()) {
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
  if (!disk_.find(from)) {
    return missing(from);
  }
  if (auto status = enter(DiskOp::rename, from + " -> " + to); !status.ok()) {
    return status;
  }
  return disk_.rename(from, to) ? IOStatus::OK() : missing(to);
}

IOStatus SimFs::LinkFile(const std::string& raw_from, const std::string& raw_to, const IOOptions&, Debug*) {
  const auto from = normalised(raw_from);
  const auto to = normalised(raw_to);
  if (auto status = enter(DiskOp::create, to); !status.ok()) {
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

IOStatus SimFs::IsDirectory(const std::string& raw_path, const IOOptions&, bool* is, Debug*) {
  const auto path = normalised(raw_path);
  *is = disk_.is_dir(path);
  return *is || disk_.find(path) ? IOStatus::OK() : missing(path);
}

}  // namespace kiwi::sim
