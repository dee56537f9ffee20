#pragma once

// RocksDB's view of a SimDisk. Every operation passes through here: it is traced, counted, and made to fail
// on request. Not thread-safe: everything runs in one thread.

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/testing/sim_disk.hpp"

namespace kiwi::sim {

enum class DiskOp : std::uint8_t { append, sync, read, create, rename, remove, sync_dir };
const char* to_string(DiskOp op);

/// Makes an operation fail with EIO.
struct DiskFault {
  DiskOp op = DiskOp::sync;
  std::uint64_t nth = 1;  // the n-th matching call from now on, 1 is the next
  bool lasting = false;   // and all after it
  bool drops = false;     // sync: what was dirty counts as clean from then on and never reaches the disk
  std::string in_name;    // only files whose path contains this
};

class SimFs : public rocksdb::FileSystem {
 public:
  /// `disk` must live longer.
  explicit SimFs(SimDisk& disk) : disk_(disk) {}
  const char* Name() const override { return "KiwiSimFs"; }

  // --- Switches; any of them may be used at any time
  void inject(DiskFault fault) { faults_.push_back({std::move(fault), 0}); }
  void heal() { faults_.clear(); }
  /// The machine is dead from now on: nothing reaches the disk any more, whoever asks.
  void freeze() { frozen_ = true; }
  /// Bytes on the disk above which an append gives ENOSPC, after as much as fits was written.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  /// Called before each operation that changes the disk, with its name: the moment for a power failure.
  void before_change(std::function<void(const std::string&)> hook) { hook_ = std::move(hook); }

  // --- What happened
  std::uint64_t trace() const { return trace_; }  // hash of all operations, their names and sizes
  std::uint64_t operations() const { return operations_; }
  std::uint64_t syncs() const { return syncs_; }
  std::uint64_t faults_fired() const { return fired_; }
  SimDisk& disk() { return disk_; }

  // --- rocksdb::FileSystem
  using IOStatus = rocksdb::IOStatus;
  using IOOptions = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;
  using FileOptions = rocksdb::FileOptions;
  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out, Debug*) override;
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* out, Debug*) override;
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* out,
                        Debug*) override;
  IOStatus FileExists(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus GetChildren(const std::string& dir, const IOOptions&, std::vector<std::string>* out,
                       Debug*) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus CreateDir(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus DeleteDir(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, Debug*) override;
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, std::uint64_t* time,
                                   Debug*) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, Debug*) override;
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, Debug*) override;
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, Debug*) override;
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, Debug*) override;
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is, Debug*) override;

 private:
  friend class SimWritableFile;
  friend class SimReader;
  friend class SimDirectory;
  struct Armed {
    DiskFault fault;
    std::uint64_t seen = 0;
  };
  /// Traces, tells the hook, and says whether the operation may go on. `drops`: see DiskFault.
  IOStatus enter(DiskOp op, const std::string& path, std::uint64_t bytes = 0, bool* drops = nullptr);
  IOStatus enter_read(const std::string& path);
  void note(const std::string& what);

  SimDisk& disk_;
  std::vector<Armed> faults_;
  std::function<void(const std::string&)> hook_;
  std::set<std::string> locked_;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  bool frozen_ = false;
  std::uint64_t trace_ = 14695981039346656037ull;  // FNV-1a
  std::uint64_t operations_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t fired_ = 0;
};

}  // namespace kiwi::sim
