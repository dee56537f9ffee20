#pragma once

// The faults of the simulated disk in front of real files, for the node's fault build. Un-synced bytes are
// kept in this process until their file is synced: a kill -9 is then a power failure. Thread-safe.
//
// Names are the real file system's: a creation is seen at once by everybody and survives a kill; power_fail()
// removes files whose creation was not synced by their directory. A removal or a rename that was not synced
// is not taken back.

#include <rocksdb/file_system.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/testing/faults.hpp"
#include "storage/testing/power_cut.hpp"

namespace kiwi::sim {

struct FaultFileSystemOptions {
  /// False: writes go to the real file at once, and only faults are added (a kill -9 loses nothing).
  bool buffers = true;
  /// What slow and hung calls wait with; microseconds. Empty: RocksDB's clock.
  std::function<void(std::uint64_t us)> wait;
};

class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base,
                           FaultFileSystemOptions options = {});
  ~FaultFileSystem() override;
  const char* Name() const override { return "KiwiFaultFileSystem"; }

  // --- Switches, from any thread
  void arm(Fault fault);
  bool disarm(std::string_view name);
  void heal();
  std::map<std::string, std::uint64_t, std::less<>> fired() const;
  std::uint64_t fired(std::string_view name) const;
  /// Un-synced bytes in this process.
  std::uint64_t unsynced_bytes(FileClass where = FileClass::any) const;
  /// The machine loses power: of what is un-synced, what the profile and the chooser keep goes to the real
  /// files, the rest is gone, and from now on every call fails. The caller ends the process. Returns what was
  /// kept.
  /// With `again` the drawing is repeated as long as it says so.
  PowerCut power_fail(CrashProfile profile, const Chooser& chooser,
                      const std::function<bool(const PowerCut&)>& again = {});
  /// Whoever calls waits from now on, until power_fail() or freeze(): what is un-synced at this moment stays
  /// so.
  void hold();
  /// Nothing reaches the disk any more; un-synced bytes are gone.
  void freeze();
  /// Flips one bit of a real file, or of its un-synced part. False: there is no such byte.
  bool flip(const std::string& path, std::uint64_t bit);

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
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) override;
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* out, Debug*) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* out,
                        Debug*) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus CreateDir(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus DeleteDir(const std::string& path, const IOOptions&, Debug*) override;
  IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, Debug*) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;
  /// None while a full disk is armed for all files.
  IOStatus GetFreeSpace(const std::string& path, const IOOptions&, std::uint64_t* bytes, Debug*) override;
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, Debug*) override;

 private:
  friend class FaultWritableFile;
  friend class FaultReader;
  friend class FaultDirectory;
  struct State;  // shared with open files
  std::shared_ptr<State> state_;
};

}  // namespace kiwi::sim
