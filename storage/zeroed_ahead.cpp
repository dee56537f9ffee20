#include "storage/zeroed_ahead.hpp"

#include <string>
#include <utility>

#include "storage/direct_wal_file.hpp"
#include "storage/zeroes.hpp"

namespace kiwi::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

/// The zeroes go through a second handle: the first one keeps its place, and its sync counts for both.
class ZeroedFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ZeroedFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::unique_ptr<rocksdb::FSRandomRWFile> zeroes,
             std::uint64_t stretch_bytes)
      : FSWritableFileOwnerWrapper(std::move(file)), handle_(std::move(zeroes)), zeroes_(stretch_bytes) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (auto status = zero_ahead_of(data.size(), options); !status.ok()) {
      return status;
    }
    return appended(data.size(), target()->Append(data, options, debug));
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    if (auto status = zero_ahead_of(data.size(), options); !status.ok()) {
      return status;
    }
    return appended(data.size(), target()->Append(data, options, verification, debug));
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    auto status = target()->Truncate(size, options, debug);
    if (status.ok()) {
      end_ = size;
      zeroes_.file_ends_at(size);
    }
    return status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    if (handle_) {
      handle_.reset();
      if (zeroes_.lie_behind(end_)) {
        // Zeroes that stay do no harm.
        target()->Truncate(end_, options, debug).PermitUncheckedError();
      }
    }
    return target()->Close(options, debug);
  }

 private:
  /// After a failed append nobody knows where the first handle stands: no zeroes any more, and no cut.
  IOStatus appended(std::uint64_t bytes, IOStatus status) {
    if (status.ok()) {
      end_ += bytes;
    } else {
      handle_.reset();
    }
    return status;
  }

  IOStatus zero_ahead_of(std::uint64_t bytes, const IOOptions& options) {
    if (!handle_ || zeroes_.reach(end_ + bytes, *handle_, options)) {
      return IOStatus::OK();
    }
    // What there is of room is for the record. A cut does not move the first handle.
    handle_.reset();
    return target()->Truncate(end_, options, nullptr);
  }

  std::unique_ptr<rocksdb::FSRandomRWFile> handle_;  // null: without zeroes
  Zeroes zeroes_;
  std::uint64_t end_ = 0;  // of what was appended
};

class ZeroedAhead : public rocksdb::FileSystemWrapper {
 public:
  ZeroedAhead(std::shared_ptr<rocksdb::FileSystem> base, std::uint64_t stretch_bytes)
      : FileSystemWrapper(std::move(base)), stretch_bytes_(stretch_bytes) {}
  const char* Name() const override { return "KiwiZeroedAhead"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    if (!path.ends_with(".log")) {
      return target()->NewWritableFile(path, options, out, debug);
    }
    if (auto direct = new_direct_wal_file(*target(), path, options, stretch_bytes_, debug)) {
      *out = std::move(direct);
      return IOStatus::OK();
    }
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (!status.ok()) {
      return status;
    }
    std::unique_ptr<rocksdb::FSRandomRWFile> zeroes;
    if (target()->NewRandomRWFile(path, options, &zeroes, debug).ok()) {
      *out = std::make_unique<ZeroedFile>(std::move(*out), std::move(zeroes), stretch_bytes_);
    }
    return status;
  }

 private:
  std::uint64_t stretch_bytes_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> zeroed_ahead(std::shared_ptr<rocksdb::FileSystem> base,
                                                  std::uint64_t stretch_bytes) {
  return std::make_shared<ZeroedAhead>(std::move(base), stretch_bytes);
}

}  // namespace kiwi::storage
