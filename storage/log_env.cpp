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
using Meter = std::shared_ptr<std::atomic<std::uint64_t>>;

class MeteredFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  MeteredFile(std::unique_ptr<rocksdb::FSWritableFile> file, Meter meter)
      : FSWritableFileOwnerWrapper(std::move(file)), meter_(std::move(meter)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    meter_->fetch_add(data.size(), std::memory_order_relaxed);
    return target()->Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    meter_->fetch_add(data.size(), std::memory_order_relaxed);
    return target()->Append(data, options, verification, debug);
  }

 private:
  Meter meter_;
};

class Metered : public rocksdb::FileSystemWrapper {
 public:
  Metered(std::shared_ptr<rocksdb::FileSystem> base, Meter meter)
      : FileSystemWrapper(std::move(base)), meter_(std::move(meter)) {}
  const char* Name() const override { return "KiwiMetered"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (status.ok() && path.ends_with(".log")) {
      meter_->store(0, std::memory_order_relaxed);
      *out = std::make_unique<MeteredFile>(std::move(*out), meter_);
    }
    return status;
  }

 private:
  Meter meter_;
};

/// RocksDB takes its files from the Env's file system; the Env's own file calls go to `base`.
class MeteredEnv : public rocksdb::EnvWrapper {
 public:
  MeteredEnv(rocksdb::Env* base, Meter meter) : EnvWrapper(base) {
    file_system_ = std::make_shared<Metered>(base->GetFileSystem(), std::move(meter));
  }
  const char* Name() const override { return "KiwiLogEnv"; }
};

}  // namespace

LogEnv::LogEnv(rocksdb::Env* base) : wal_bytes_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  if (base == nullptr) {
    real_ = rocksdb::NewCompositeEnv(zeroed_ahead(rocksdb::FileSystem::Default()));
    base = real_.get();
  }
  names_ = with_durable_names(base);
  top_ = std::make_unique<MeteredEnv>(names_.get(), wal_bytes_);
}

}  // namespace kiwi::storage
