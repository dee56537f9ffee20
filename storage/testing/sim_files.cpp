#include "storage/testing/sim_files.hpp"

#include <algorithm>
#include <utility>

namespace kiwi::sim {

using rocksdb::IOStatus;

IOStatus status_of(const Fault& fault, DiskOp op, const std::string& path) {
  const auto what = std::string(to_string(op)) + " " + path;
  switch (fault.kind) {
    case FaultKind::error:
    case FaultKind::sync_drops:
    case FaultKind::short_write:
      return IOStatus::IOError(what, "Input/output error (simulated)");
    case FaultKind::full:
      return IOStatus::NoSpace(what, "No space left on device (simulated)");
    case FaultKind::read_only:
      return IOStatus::IOError(what, "Read-only file system (simulated)");
    case FaultKind::slow:
    case FaultKind::hang:
    case FaultKind::lost_write:
    case FaultKind::misdirected:
    case FaultKind::stale_block:
    case FaultKind::short_read:
      break;
  }
  return IOStatus::OK();
}

// --- Reading

IOStatus SimReader::Read(std::size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext* debug) {
  auto status = Read(at_, n, options, result, scratch, debug);
  at_ += result->size();
  return status;
}

IOStatus SimReader::Read(std::uint64_t at, std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext*) const {
  *result = rocksdb::Slice(scratch, 0);
  const Fault* hit = nullptr;
  if (auto status = fs_.enter(DiskOp::read, place_, n, &hit); !status.ok()) {
    return status;
  }
  auto size = file_->bytes.read(at, n, scratch);
  if (hit != nullptr) {
    const bool harmed = hit->kind == FaultKind::short_read ? size > 1 : show_stale(at, size, scratch);
    if (!harmed) {
      fs_.faults_.take_back(*hit);
    } else if (hit->kind == FaultKind::short_read) {
      size /= 2;
    }
  }
  *result = rocksdb::Slice(scratch, size);
  return IOStatus::OK();
}

/// The first block of the range that has an older version comes as that.
bool SimReader::show_stale(std::uint64_t at, std::uint64_t n, char* scratch) const {
  for (auto block = at / kDiskBlockBytes * kDiskBlockBytes; block < at + n; block += kDiskBlockBytes) {
    const auto older = fs_.disk_.older_block(*file_, block);
    if (!older) {
      continue;
    }
    const auto begin = std::max(at, block);
    const auto end = std::min(at + n, block + older->size());
    std::copy(older->begin() + static_cast<std::ptrdiff_t>(begin - block),
              older->begin() + static_cast<std::ptrdiff_t>(end - block), scratch + (begin - at));
    return true;
  }
  return false;
}

IOStatus SimReader::Skip(std::uint64_t n) {
  at_ = std::min<std::uint64_t>(file_->bytes.size(), at_ + n);
  return IOStatus::OK();
}

// --- Writing

IOStatus SimWritableFile::Append(const rocksdb::Slice& data, const rocksdb::IOOptions&,
                                 rocksdb::IODebugContext*) {
  const Fault* hit = nullptr;
  auto status = fs_.enter(DiskOp::append, place_, data.size(), &hit);
  const auto bytes = data.ToStringView();
  if (hit == nullptr) {
    if (!status.ok()) {
      return status;
    }
    if (fs_.capacity_ != ~std::uint64_t{0}) {
      return append_into_the_last_room(bytes);
    }
    fs_.disk_.append(*file_, bytes);
    return status;
  }
  if (hit->kind == FaultKind::short_write) {
    fs_.disk_.append(*file_, bytes.substr(0, bytes.size() / 2));
  } else if (hit->kind == FaultKind::lost_write) {
    fs_.disk_.append_lost(*file_, bytes);
  } else if (hit->kind == FaultKind::misdirected) {
    auto victim = victim_of(*hit);
    const auto size = victim ? victim->disk.size() : 0;
    const auto offset = size == 0 ? 0 : hit->target_offset % size;
    fs_.disk_.append_lost(*file_, bytes, std::move(victim), offset);
  }
  return status;
}

IOStatus SimWritableFile::append_into_the_last_room(std::string_view bytes) {
  const auto used = fs_.disk_.size();
  const auto room = fs_.capacity_ > used ? fs_.capacity_ - used : 0;
  if (room > 0) {
    fs_.disk_.append(*file_, bytes.substr(0, room));
  }
  if (bytes.size() <= room) {
    return IOStatus::OK();
  }
  fs_.faults_.count("full");
  return IOStatus::NoSpace("append " + place_.path, "No space left on device (simulated)");
}

InodePtr SimWritableFile::victim_of(const Fault& fault) const {
  if (!fault.target.empty()) {
    auto named = fs_.disk_.find(normalised(fault.target));
    return named == file_ ? nullptr : named;
  }
  for (const auto& [path, other] : fs_.disk_.files()) {
    if (other != file_ && other->where == file_->where && !other->disk.empty()) {
      return other;
    }
  }
  return nullptr;
}

IOStatus SimWritableFile::Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  const Fault* hit = nullptr;
  if (auto status = fs_.enter(DiskOp::sync, place_, 0, &hit); !status.ok()) {
    ++fs_.failed_syncs_[static_cast<std::size_t>(place_.where)];
    if (hit != nullptr && hit->kind == FaultKind::sync_drops) {
      fs_.disk_.drop_dirty(*file_);
    }
    return status;
  }
  fs_.disk_.sync(*file_);
  ++fs_.syncs_;
  return IOStatus::OK();
}

IOStatus SimWritableFile::Truncate(std::uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  if (size >= file_->bytes.size()) {
    return IOStatus::OK();  // RocksDB cuts what it has preallocated: nothing here
  }
  if (auto status = fs_.enter(DiskOp::append, place_, size); !status.ok()) {
    return status;
  }
  fs_.disk_.truncate(*file_, size);
  return IOStatus::OK();
}

IOStatus SimDirectory::Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) {
  if (auto status = fs_.enter(DiskOp::sync_dir, place_); !status.ok()) {
    return status;
  }
  fs_.disk_.sync_dir(place_.path);
  return IOStatus::OK();
}

}  // namespace kiwi::sim
