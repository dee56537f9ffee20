#include "storage/zeroed_ahead.hpp"

#include <algorithm>
#include <string>
#include <utility>

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
      : FSWritableFileOwnerWrapper(std::move(file)),
        zeroes_(std::move(zeroes)),
        stretch_bytes_(stretch_bytes) {}

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
      end_ = zeroed_to_ = size;
    }
    return status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    if (zeroes_) {
      zeroes_.reset();
      if (zeroed_to_ > end_) {
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
      zeroes_.reset();
    }
    return status;
  }

  IOStatus zero_ahead_of(std::uint64_t bytes, const IOOptions& options) {
    const auto end = end_ + bytes;
    if (end <= zeroed_to_ || !zeroes_) {
      return IOStatus::OK();
    }
    static const std::string kZeroes(64u << 10, '\0');
    const auto to = (end / stretch_bytes_ + 1) * stretch_bytes_;
    for (auto at = end; at < to;) {
      const auto piece = std::min<std::uint64_t>(to - at, kZeroes.size());
      if (!zeroes_->Write(at, rocksdb::Slice(kZeroes.data(), piece), options, nullptr).ok()) {
        // What there is of room is for the record. A cut does not move the first handle.
        zeroes_.reset();
        return target()->Truncate(end_, options, nullptr);
      }
      at += piece;
    }
    zeroed_to_ = to;
    return IOStatus::OK();
  }

  std::unique_ptr<rocksdb::FSRandomRWFile> zeroes_;  // null: without
  std::uint64_t stretch_bytes_;
  std::uint64_t end_ = 0;  // of what was appended
  std::uint64_t zeroed_to_ = 0;
};

class ZeroedAhead : public rocksdb::FileSystemWrapper {
 public:
  ZeroedAhead(std::shared_ptr<rocksdb::FileSystem> base, std::uint64_t stretch_bytes)
      : FileSystemWrapper(std::move(base)), stretch_bytes_(stretch_bytes) {}
  const char* Name() const override { return "KiwiZeroedAhead"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, out, debug);
    if (!status.ok() || !path.ends_with(".log")) {
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
