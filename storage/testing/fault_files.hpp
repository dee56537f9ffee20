#pragma once

// The open files of a FaultFileSystem, and what they share. Private to fault_fs.cpp and fault_files.cpp.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/testing/fault_fs.hpp"

namespace kiwi::sim {

/// A file with what is written and not yet synced. Stays after its handle is closed, as a page cache does.
struct UnsyncedFile {
  std::mutex mutex;  // guards the rest; taken after State::mutex where both are
  std::unique_ptr<rocksdb::FSWritableFile> real;
  FileClass where = FileClass::other;
  std::uint64_t on_disk = 0;     // bytes in the real file
  std::string tail;              // behind them
  std::vector<SimWrite> writes;  // what the tail is made of; offsets count from the file's begin
  std::uint64_t write_count = 0;
  /// misdirected writes by number: where their bytes go.
  std::map<std::uint64_t, std::pair<std::string, std::uint64_t>> elsewhere;
};
using UnsyncedPtr = std::shared_ptr<UnsyncedFile>;

struct FaultFileSystem::State {
  std::shared_ptr<rocksdb::FileSystem> base;
  FaultFileSystemOptions options;
  std::atomic<bool> frozen = false;
  std::atomic<bool> held = false;

  mutable std::mutex mutex;  // guards what follows
  Faults faults;
  std::map<std::string, UnsyncedPtr> files;  // those that were opened for writing, by their newest name
  std::vector<std::string> created;  // names that their directory's sync has not made durable, oldest first

  /// Waits as slow and hang want it, then says whether the call may go on. `hit`: a copy of the fault that
  /// struck, if one did.
  rocksdb::IOStatus enter(DiskOp op, FileClass where, const std::string& path,
                          std::optional<Fault>* hit = nullptr);
  UnsyncedPtr find(const std::string& path) const;
  /// A directory has another name: what is known of the files in it goes along. With `mutex` held.
  void move_directory(const std::string& from, const std::string& to);
  /// Brings the tail to the real file and syncs it. With file.mutex held.
  rocksdb::IOStatus write_back(UnsyncedFile& file, const rocksdb::IOOptions& options);
};

class FaultWritableFile : public rocksdb::FSWritableFile {
 public:
  FaultWritableFile(std::shared_ptr<FaultFileSystem::State> state, std::string path, UnsyncedPtr file)
      : state_(std::move(state)), path_(std::move(path)), file_(std::move(file)) {}
  using IOStatus = rocksdb::IOStatus;
  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Truncate(std::uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return IOStatus::OK();  // RocksDB cuts what it has preallocated: nothing here
  }
  IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  /// The real file stays open while something is un-synced.
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  std::uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;

 private:
  std::shared_ptr<FaultFileSystem::State> state_;
  std::string path_;
  UnsyncedPtr file_;
};

/// Reads the real file and, behind it, the un-synced tail.
class FaultReader : public rocksdb::FSSequentialFile, public rocksdb::FSRandomAccessFile {
 public:
  FaultReader(std::shared_ptr<FaultFileSystem::State> state, std::string path,
              std::unique_ptr<rocksdb::FSRandomAccessFile> real, UnsyncedPtr file)
      : state_(std::move(state)),
        path_(std::move(path)),
        where_(class_of(path_)),
        real_(std::move(real)),
        file_(std::move(file)) {}
  using IOStatus = rocksdb::IOStatus;
  IOStatus Read(std::size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                rocksdb::IODebugContext* debug) override;
  IOStatus Read(std::uint64_t at, std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result,
                char* scratch, rocksdb::IODebugContext*) const override;
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }
  bool use_direct_io() const override { return false; }
  std::size_t GetRequiredBufferAlignment() const override { return rocksdb::kDefaultPageSize; }

 private:
  std::shared_ptr<FaultFileSystem::State> state_;
  std::string path_;
  FileClass where_;
  std::unique_ptr<rocksdb::FSRandomAccessFile> real_;
  UnsyncedPtr file_;  // null: nobody has written it in this process
  std::uint64_t at_ = 0;
};

class FaultDirectory : public rocksdb::FSDirectory {
 public:
  FaultDirectory(std::shared_ptr<FaultFileSystem::State> state, std::string path,
                 std::unique_ptr<rocksdb::FSDirectory> real)
      : state_(std::move(state)), path_(std::move(path)), real_(std::move(real)) {}
  using IOStatus = rocksdb::IOStatus;
  IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return real_->Close(options, debug);
  }

 private:
  std::shared_ptr<FaultFileSystem::State> state_;
  std::string path_;
  std::unique_ptr<rocksdb::FSDirectory> real_;
};

}  // namespace kiwi::sim
