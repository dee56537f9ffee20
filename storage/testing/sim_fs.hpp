#pragma once

// RocksDB's view of a SimDisk. Every operation passes through here: it is traced, counted, and made to fail
// on request. Not thread-safe: everything runs in one thread.

#include <rocksdb/file_system.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/testing/faults.hpp"
#include "storage/testing/sim_disk.hpp"

namespace kiwi::sim {

/// Makes an operation fail with EIO: the short form of a Fault.
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
  /// Armed faults by name (faults.hpp). slow and hang do nothing here: RocksDB must not wait in the only
  /// thread. Who runs the storage actor asks pending_delay() before a batch and lets virtual time pass.
  Faults& faults() { return faults_; }
  const Faults& faults() const { return faults_; }
  Delay pending_delay(DiskOp op, FileClass where) { return faults_.delay(op, where); }
  void inject(const DiskFault& fault);
  void heal() { faults_.clear(); }
  /// The machine is dead from now on: nothing reaches the disk any more, whoever asks. Calls fail, untraced.
  void freeze() { frozen_ = true; }
  /// The same after `operations` more operations that change the disk: a crash within a call. 0: at once.
  void freeze_after(std::uint64_t operations) { operations_left_ = operations; }
  bool frozen() const { return frozen_; }
  /// Bytes on the disk above which an append gives ENOSPC, after as much as fits was written. Counted as
  /// "full".
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  /// Called before each operation that changes the disk, with its name: the moment for a power failure.
  void before_change(std::function<void(const std::string&)> hook) { hook_ = std::move(hook); }

  // --- What happened
  /// Hash of all operations that change the disk, their names and sizes; not of bytes: RocksDB's tables and
  /// manifests hold random ids.
  std::uint64_t trace() const { return trace_; }
  std::uint64_t operations() const { return operations_; }
  std::uint64_t syncs() const { return syncs_; }
  /// Syncs of this class's files that failed.
  std::uint64_t failed_syncs(FileClass where) const { return failed_syncs_[static_cast<std::size_t>(where)]; }
  std::uint64_t faults_fired() const { return faults_.fired_in_all(); }
  SimDisk& disk() { return disk_; }
  const SimDisk& disk() const { return disk_; }

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
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) override;
  IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions&, Debug*) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock, Debug*) override;
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, Debug*) override;
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, Debug*) override;
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, Debug*) override;
  /// What set_capacity() leaves; without it as much as there can be.
  IOStatus GetFreeSpace(const std::string& path, const IOOptions&, std::uint64_t* bytes, Debug*) override;
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is, Debug*) override;

 private:
  friend class SimWritableFile;
  friend class SimReader;
  friend class SimDirectory;
  /// A path with what is looked up for each operation on it.
  struct Place {
    explicit Place(std::string p);
    std::string path;
    FileClass where;
    std::uint64_t hash;
  };
  /// Traces, tells the hook, and says whether the operation may go on. `hit`: the fault that struck; those
  /// that are no error of this call (sync_drops is one) are left to the caller.
  IOStatus enter(DiskOp op, const Place& place, std::uint64_t bytes = 0, const Fault** hit = nullptr);
  void trace(DiskOp op, const Place& place, std::uint64_t bytes);

  SimDisk& disk_;
  Faults faults_;
  std::function<void(const std::string&)> hook_;
  std::set<std::string> locked_;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  bool frozen_ = false;
  std::uint64_t operations_left_ = ~std::uint64_t{0};
  std::uint64_t trace_ = 14695981039346656037ull;  // FNV-1a
  std::uint64_t operations_ = 0;
  std::uint64_t syncs_ = 0;
  std::array<std::uint64_t, kFileClasses> failed_syncs_{};
};

}  // namespace kiwi::sim
