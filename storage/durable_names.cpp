#include "storage/durable_names.hpp"
#include "messages/fault_points.hpp"

#include <rocksdb/file_system.h>

#include <string>

namespace kiwi::storage {
namespace {

class SyncsBeforeRename : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "KiwiSyncsBeforeRename"; }

  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const auto slash = to.find_last_of('/');
    const auto dir = slash == std::string::npos ? std::string(".") : slash == 0 ? "/" : to.substr(0, slash);
    if (KIWI_MUTANT(no_dir_sync)) {
      return target()->RenameFile(from, to, options, debug);
    }
    std::unique_ptr<rocksdb::FSDirectory> handle;
    if (auto status = target()->NewDirectory(dir, options, &handle, debug); !status.ok()) {
      return status;
    }
    if (auto status = handle->Fsync(options, debug); !status.ok()) {
      return status;
    }
    return target()->RenameFile(from, to, options, debug);
  }
};

/// RocksDB takes its files from the Env's file system; the Env's own file calls go to `base`.
class DurableNamesEnv : public rocksdb::EnvWrapper {
 public:
  explicit DurableNamesEnv(rocksdb::Env* base) : EnvWrapper(base) {
    file_system_ = std::make_shared<SyncsBeforeRename>(base->GetFileSystem());
  }
  const char* Name() const override { return "KiwiDurableNames"; }

  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override {
    return file_system_->RenameFile(from, to, {}, nullptr);
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> with_durable_names(rocksdb::Env* base) {
  return std::make_unique<DurableNamesEnv>(base == nullptr ? rocksdb::Env::Default() : base);
}

}  // namespace kiwi::storage
