#include "storage/cut_manifest.hpp"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/torn_manifest.hpp"

namespace kiwi::storage {
namespace {

class BytesFile : public rocksdb::FSSequentialFile {
 public:
  explicit BytesFile(std::string bytes) : bytes_(std::move(bytes)) {}

  rocksdb::IOStatus Read(std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext*) override {
    const auto size = std::min(n, bytes_.size() - at_);
    std::memcpy(scratch, bytes_.data() + at_, size);
    *result = rocksdb::Slice(scratch, size);
    at_ += size;
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Skip(std::uint64_t n) override {
    at_ += std::min<std::uint64_t>(n, bytes_.size() - at_);
    return rocksdb::IOStatus::OK();
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

class TailHidden : public rocksdb::FileSystemWrapper {
 public:
  TailHidden(const std::shared_ptr<rocksdb::FileSystem>& base, std::string path, std::string good)
      : FileSystemWrapper(base), path_(std::move(path)), good_(std::move(good)) {}
  const char* Name() const override { return "KiwiTornTailHidden"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    if (name == path_) {
      *file = std::make_unique<BytesFile>(good_);
      return rocksdb::IOStatus::OK();
    }
    return target()->NewSequentialFile(name, options, file, debug);
  }

 private:
  std::string path_, good_;
};

/// RocksDB takes its files from the Env's file system.
class TailHiddenEnv : public rocksdb::EnvWrapper {
 public:
  TailHiddenEnv(rocksdb::Env& base, std::string path, std::string good) : EnvWrapper(&base) {
    file_system_ = std::make_shared<TailHidden>(base.GetFileSystem(), std::move(path), std::move(good));
  }
  const char* Name() const override { return "KiwiTornTailHidden"; }
};

}  // namespace

std::unique_ptr<rocksdb::Env> with_torn_tail_hidden(rocksdb::Env& base, const std::string& dir) {
  TornManifest torn;
  if (!find_torn_manifest(base, dir, torn).ok() || !torn.found) {
    return nullptr;
  }
  return std::make_unique<TailHiddenEnv>(base, dir + "/" + torn.name, std::move(torn.good));
}

}  // namespace kiwi::storage
