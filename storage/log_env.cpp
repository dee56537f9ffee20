#include "storage/log_env.hpp"

#include <rocksdb/file_system.h>

#include <string>
#include <utility>

#include "storage/durable_names.hpp"
#include "storage/zeroed_ahead.hpp"

namespace kiwi::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using ByteCount = std::shared_ptr<std::atomic<std::uint64_t>>;

class MeteredFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  MeteredFile(std::unique_ptr<rocksdb::FSWritableFile> file, ByteCount bytes)
      : FSWritableFileOwnerWrapper(std::move(file)), bytes_(std::move(bytes)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    bytes_->fetch_add(data.size(), std::memory_order_relaxed);
    return target()->Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    bytes_->fetch_add(data.size(), std::memory_order_relaxed);
    return target()->Append(data, options, verification, debug);
  }

 private:
  ByteCount bytes_;
};

/// RocksDB's own log. A line that the disk does not take is lost: RocksDB 7.8 remembers the error of such a
/// file and fails an assertion at the next line (EnvLogger, WritableFileWriter), which ends a node whose disk
/// is merely full.
class InfoLogFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    target()->Append(data, options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    target()->Append(data, options, verification, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    target()->Flush(options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    target()->Close(options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
};

class InfoLogs : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "KiwiInfoLogs"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (status.ok()) {
      *out = std::make_unique<InfoLogFile>(std::move(*out));
    }
    return status;
  }
};

class Metered : public rocksdb::FileSystemWrapper {
 public:
  Metered(std::shared_ptr<rocksdb::FileSystem> base, std::shared_ptr<NewestWal> newest)
      : FileSystemWrapper(base),
        newest_(std::move(newest)),
        info_logs_(rocksdb::NewCompositeEnv(std::make_shared<InfoLogs>(base))) {}
  const char* Name() const override { return "KiwiMetered"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (status.ok() && path.ends_with(".log")) {
      auto bytes = std::make_shared<std::atomic<std::uint64_t>>(0);
      *out = std::make_unique<MeteredFile>(std::move(*out), bytes);
      newest_->begin(std::move(bytes));
    }
    return status;
  }
  IOStatus NewLogger(const std::string& path, const IOOptions&, std::shared_ptr<rocksdb::Logger>* result,
                     IODebugContext*) override {
    return rocksdb::status_to_io_status(rocksdb::NewEnvLogger(path, info_logs_.get(), result));
  }

 private:
  std::shared_ptr<NewestWal> newest_;
  std::unique_ptr<rocksdb::Env> info_logs_;
};

/// RocksDB takes its files from the Env's file system; the Env's own file calls go to `base`.
class MeteredEnv : public rocksdb::EnvWrapper {
 public:
  MeteredEnv(rocksdb::Env* base, std::shared_ptr<NewestWal> newest) : EnvWrapper(base) {
    file_system_ = std::make_shared<Metered>(base->GetFileSystem(), std::move(newest));
  }
  const char* Name() const override { return "KiwiLogEnv"; }
};

}  // namespace

LogEnv::LogEnv(rocksdb::Env* base) : newest_(std::make_shared<NewestWal>()) {
  if (base == nullptr) {
    real_ = rocksdb::NewCompositeEnv(zeroed_ahead(rocksdb::FileSystem::Default()));
    base = real_.get();
  }
  names_ = with_durable_names(base);
  top_ = std::make_unique<MeteredEnv>(names_.get(), newest_);
}

}  // namespace kiwi::storage
