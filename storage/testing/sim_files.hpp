#pragma once

// The open files of a SimFs. They share the inode, so a file may be renamed or removed while it is in use.

#include <rocksdb/file_system.h>

#include <cstdint>
#include <string>

#include "storage/testing/sim_fs.hpp"

namespace kiwi::sim {

/// What a call that this fault hits returns; OK where the harm is done in silence.
rocksdb::IOStatus status_of(const Fault& fault, DiskOp op, const std::string& path);

/// Both of RocksDB's reading interfaces.
class SimReader : public rocksdb::FSSequentialFile, public rocksdb::FSRandomAccessFile {
 public:
  SimReader(SimFs& fs, std::string path, InodePtr file)
      : fs_(fs), place_(std::move(path)), file_(std::move(file)) {}
  using IOStatus = rocksdb::IOStatus;
  IOStatus Read(std::size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result, char* scratch,
                rocksdb::IODebugContext* debug) override;
  IOStatus Read(std::uint64_t at, std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result,
                char* scratch, rocksdb::IODebugContext*) const override;
  IOStatus Skip(std::uint64_t n) override;
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }
  bool use_direct_io() const override { return false; }
  std::size_t GetRequiredBufferAlignment() const override { return rocksdb::kDefaultPageSize; }

 private:
  bool show_stale(std::uint64_t at, std::uint64_t n, char* scratch) const;

  SimFs& fs_;
  SimFs::Place place_;
  InodePtr file_;
  std::uint64_t at_ = 0;
};

class SimWritableFile : public rocksdb::FSWritableFile {
 public:
  SimWritableFile(SimFs& fs, std::string path, InodePtr file)
      : fs_(fs), place_(std::move(path)), file_(std::move(file)) {}
  using IOStatus = rocksdb::IOStatus;
  using FSWritableFile::Append;
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  std::uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_->bytes.size();
  }

 private:
  IOStatus append_into_the_last_room(std::string_view bytes);
  InodePtr victim_of(const Fault& fault) const;

  SimFs& fs_;
  SimFs::Place place_;
  InodePtr file_;
};

class SimDirectory : public rocksdb::FSDirectory {
 public:
  SimDirectory(SimFs& fs, std::string path) : fs_(fs), place_(std::move(path)) {
    place_.where = FileClass::directory;
  }
  using IOStatus = rocksdb::IOStatus;
  IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }

 private:
  SimFs& fs_;
  SimFs::Place place_;
};

}  // namespace kiwi::sim
