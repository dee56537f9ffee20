#include "storage/direct_wal_file.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "messages/assert.hpp"
#include "storage/zeroes.hpp"

namespace kiwi::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// What lies at an odd address is copied in pieces of this size at most.
constexpr std::size_t kCopyBytes = 1u << 20;

struct Free {
  void operator()(char* bytes) const { std::free(bytes); }
};
using AlignedBytes = std::unique_ptr<char, Free>;

/// `bytes`: a multiple of `alignment`, a power of two.
AlignedBytes aligned_bytes(std::size_t alignment, std::size_t bytes) {
  auto* memory = static_cast<char*>(std::aligned_alloc(alignment, bytes));
  KIWI_ASSERT(memory != nullptr, "out of memory");
  return AlignedBytes(memory);
}

class DirectWalFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  DirectWalFile(std::unique_ptr<rocksdb::FSWritableFile> direct,
                std::unique_ptr<rocksdb::FSRandomRWFile> buffered, std::uint64_t stretch_bytes)
      : FSWritableFileOwnerWrapper(std::move(direct)),
        buffered_(std::move(buffered)),
        alignment_(target()->GetRequiredBufferAlignment()),
        zeroes_(stretch_bytes) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (!failed_.ok()) {
      return failed_;
    }
    failed_ = write(data, options, debug);
    if (failed_.ok()) {
      end_ += data.size();
    }
    return failed_;
  }
  /// The checksum is a hint that a file may ignore.
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  /// A file has either this or Append().
  IOStatus PositionedAppend(const Slice&, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("PositionedAppend");
  }
  IOStatus PositionedAppend(const Slice&, std::uint64_t, const IOOptions&,
                            const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return IOStatus::NotSupported("PositionedAppend");
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
    buffered_.reset();
    if (failed_.ok() && zeroes_.lie_behind(end_)) {
      // Zeroes that stay do no harm.
      target()->Truncate(end_, options, debug).PermitUncheckedError();
    }
    return target()->Close(options, debug);
  }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return end_; }

  /// So RocksDB calls Append() with what there is, instead of writing the last page again and again.
  bool use_direct_io() const override { return false; }

  // The file below knows nothing of what went through the other handle. Had it preallocated, it would cut the
  // file to what it wrote itself when it is closed.
  void SetPreallocationBlockSize(std::size_t) override {}
  void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}
  IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  IOStatus write(const Slice& data, const IOOptions& options, IODebugContext* debug) {
    if (!zeroes_.reach(end_ + data.size(), *buffered_, options)) {
      // What there is of room is for the record.
      if (auto status = target()->Truncate(end_, options, debug); !status.ok()) {
        return status;
      }
    }
    if (end_ % alignment_ != 0 || data.size() % alignment_ != 0) {
      return buffered_->Write(end_, data, options, debug);
    }
    if (reinterpret_cast<std::uintptr_t>(data.data()) % alignment_ == 0) {
      return target()->PositionedAppend(data, end_, options, debug);
    }
    return write_copied(data, options, debug);
  }

  IOStatus write_copied(const Slice& data, const IOOptions& options, IODebugContext* debug) {
    if (!copy_) {
      copy_ = aligned_bytes(alignment_, kCopyBytes);
    }
    for (std::size_t done = 0; done < data.size();) {
      const auto piece = std::min(data.size() - done, kCopyBytes);
      std::memcpy(copy_.get(), data.data() + done, piece);
      if (auto status = target()->PositionedAppend(Slice(copy_.get(), piece), end_ + done, options, debug);
          !status.ok()) {
        return status;
      }
      done += piece;
    }
    return IOStatus::OK();
  }

  std::unique_ptr<rocksdb::FSRandomRWFile> buffered_;
  std::size_t alignment_;
  Zeroes zeroes_;
  AlignedBytes copy_;
  std::uint64_t end_ = 0;  // of what was appended
  /// Of the first append that failed. Nobody knows what of it is there, so nothing is appended behind it.
  IOStatus failed_;
};

/// At the smallest offset, size and address that are to be taken. Leaves the file empty.
bool takes_direct_writes(rocksdb::FSWritableFile& file, IODebugContext* debug) {
  const auto alignment = file.GetRequiredBufferAlignment();
  if (!std::has_single_bit(alignment) || alignment < alignof(std::max_align_t) || alignment > kCopyBytes) {
    return false;
  }
  const auto memory = aligned_bytes(2 * alignment, 2 * alignment);
  std::memset(memory.get(), 0, 2 * alignment);
  const Slice sector(memory.get() + alignment, alignment);
  return file.PositionedAppend(sector, alignment, {}, debug).ok() && file.Truncate(0, {}, debug).ok();
}

}  // namespace

std::unique_ptr<rocksdb::FSWritableFile> new_direct_wal_file(rocksdb::FileSystem& base,
                                                             const std::string& path,
                                                             const rocksdb::FileOptions& options,
                                                             std::uint64_t stretch_bytes,
                                                             IODebugContext* debug) {
  auto direct_options = options;
  direct_options.use_direct_writes = true;
  direct_options.use_mmap_writes = false;
  std::unique_ptr<rocksdb::FSWritableFile> direct;
  std::unique_ptr<rocksdb::FSRandomRWFile> buffered;
  if (!base.NewWritableFile(path, direct_options, &direct, debug).ok() || !direct->use_direct_io() ||
      !takes_direct_writes(*direct, debug) || !base.NewRandomRWFile(path, options, &buffered, debug).ok()) {
    return nullptr;
  }
  return std::make_unique<DirectWalFile>(std::move(direct), std::move(buffered), stretch_bytes);
}

}  // namespace kiwi::storage
