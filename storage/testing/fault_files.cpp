#include "storage/testing/fault_files.hpp"

#include <algorithm>
#include <cstring>

#include "storage/testing/sim_files.hpp"

namespace kiwi::sim {

using rocksdb::IOStatus;

IOStatus FaultWritableFile::Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                   rocksdb::IODebugContext*) {
  std::optional<Fault> hit;
  auto status = state_->enter(DiskOp::append, file_->where, path_, &hit);
  auto bytes = data.ToStringView();
  const std::lock_guard guard(file_->mutex);
  SimWrite write;
  if (hit) {
    if (hit->kind == FaultKind::short_write) {
      bytes = bytes.substr(0, bytes.size() / 2);
    } else if (!status.ok()) {
      return status;
    }
    write.lost = hit->kind == FaultKind::lost_write || hit->kind == FaultKind::misdirected;
  } else if (!status.ok()) {
    return status;
  }
  write.number = ++file_->write_count;
  write.offset = file_->on_disk + file_->tail.size();
  write.size = bytes.size();
  if (hit && hit->kind == FaultKind::misdirected && !hit->target.empty()) {
    file_->elsewhere[write.number] = {hit->target, hit->target_offset};
  }
  file_->tail.append(bytes);
  file_->writes.push_back(write);
  if (!state_->options.buffers && status.ok()) {
    return state_->write_back(*file_, options);
  }
  return status;
}

IOStatus FaultWritableFile::Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  std::optional<Fault> hit;
  auto status = state_->enter(DiskOp::sync, file_->where, path_, &hit);
  const std::lock_guard guard(file_->mutex);
  if (!status.ok()) {
    if (hit && hit->kind == FaultKind::sync_drops) {
      for (auto& write : file_->writes) {
        write.lost = true;
      }
    }
    return status;
  }
  if (status = state_->write_back(*file_, options); !status.ok()) {
    return status;
  }
  return file_->real->Sync(options, debug);
}

IOStatus FaultWritableFile::Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  const std::lock_guard guard(state_->mutex);
  const std::lock_guard file_guard(file_->mutex);
  if (!file_->writes.empty() || !file_->real) {
    return IOStatus::OK();
  }
  std::erase_if(state_->files, [this](const auto& named) { return named.second == file_; });
  auto status = file_->real->Close(options, debug);
  file_->real.reset();
  return status;
}

std::uint64_t FaultWritableFile::GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  const std::lock_guard guard(file_->mutex);
  return file_->on_disk + file_->tail.size();
}

IOStatus FaultReader::Read(std::size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                           char* scratch, rocksdb::IODebugContext* debug) {
  auto status = Read(at_, n, options, result, scratch, debug);
  at_ += result->size();
  return status;
}

IOStatus FaultReader::Read(std::uint64_t at, std::size_t n, const rocksdb::IOOptions& options,
                           rocksdb::Slice* result, char* scratch, rocksdb::IODebugContext* debug) const {
  *result = rocksdb::Slice(scratch, 0);
  std::optional<Fault> hit;
  if (auto status = state_->enter(DiskOp::read, where_, path_, &hit); !status.ok()) {
    return status;
  }
  std::string tail;
  auto on_disk = ~std::uint64_t{0};
  if (file_) {
    const std::lock_guard guard(file_->mutex);
    on_disk = file_->on_disk;
    const auto end = on_disk + file_->tail.size();
    if (at + n > on_disk && at < end) {
      tail = file_->tail.substr(std::max(at, on_disk) - on_disk, at + n - std::max(at, on_disk));
    }
  }
  std::size_t size = 0;
  if (at < on_disk) {
    rocksdb::Slice part;
    const auto wanted = std::min<std::uint64_t>(n, on_disk - at);
    if (auto status = real_->Read(at, wanted, options, &part, scratch, debug); !status.ok()) {
      return status;
    }
    if (part.data() != scratch) {
      std::memmove(scratch, part.data(), part.size());
    }
    size = part.size();
  }
  std::memcpy(scratch + size, tail.data(), tail.size());
  size += tail.size();
  if (hit && hit->kind == FaultKind::short_read) {
    size = size > 1 ? size / 2 : size;
  } else if (hit && hit->kind == FaultKind::stale_block) {
    std::memset(scratch, 0, std::min<std::size_t>(size, kDiskBlockBytes));
  }
  *result = rocksdb::Slice(scratch, size);
  return IOStatus::OK();
}

IOStatus FaultDirectory::Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  if (auto status = state_->enter(DiskOp::sync_dir, FileClass::directory, path_); !status.ok()) {
    return status;
  }
  if (auto status = real_->Fsync(options, debug); !status.ok()) {
    return status;
  }
  const std::lock_guard guard(state_->mutex);
  std::erase_if(state_->created, [this](const std::string& path) { return parent_of(path) == path_; });
  return IOStatus::OK();
}

}  // namespace kiwi::sim
