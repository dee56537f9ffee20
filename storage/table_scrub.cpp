#include "storage/table_scrub.hpp"

#include <rocksdb/metadata.h>

#include <algorithm>
#include <utility>

#include "messages/fault_points.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {

namespace {
std::string name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }
}  // namespace

std::shared_ptr<rocksdb::FileChecksumGenFactory> table_checksums() {
  return rocksdb::GetFileChecksumGenCrc32cFactory();
}

TableScrub::TableScrub(rocksdb::Env& env, rocksdb::DB& db, StorageSubject subject)
    : env_(env), db_(db), subject_(subject) {}

void TableScrub::list() {
  std::vector<rocksdb::LiveFileMetaData> files;
  db_.GetLiveFilesMetaData(&files);
  left_.clear();
  for (const auto& file : files)
    left_.push_back({file.db_path + file.name, file.size, file.file_checksum, file.file_checksum_func_name});
  std::sort(left_.begin(), left_.end(), [](const Table& a, const Table& b) { return a.path > b.path; });
}

StorageError TableScrub::damaged(const std::string& where, const std::string& what) const {
  return make_error({subject_, StorageVerb::read, StorageOutcome::not_written}, StorageKind::corruption,
                    "scrub: " + where + ": " + what);
}

Result<void> TableScrub::begin(const Table& table) {
  offset_ = 0;
  rocksdb::FileChecksumGenContext context;
  context.file_name = table.path;
  context.requested_checksum_func_name = table.function;
  sum_ = table_checksums()->CreateFileChecksumGenerator(context);
  const auto status = env_.GetFileSystem()->NewSequentialFile(table.path, {}, &file_, nullptr);
  if (status.ok())
    return {};
  file_ = nullptr;
  // Compaction removes tables at any time; that a table in use is missing is found by whoever reads it.
  if (status.IsNotFound() || status.IsPathNotFound() || !env_.FileExists(table.path).ok())
    return {};
  return tl::unexpected(
      to_error(status, {subject_, StorageVerb::read, StorageOutcome::not_written}, "scrub: " + table.path));
}

Result<void> TableScrub::end(const Table& table) {
  sum_->Finalize();
  if (sum_->GetChecksum() != table.checksum && !KIWI_MUTANT(scrub_believes))
    return tl::unexpected(damaged(
        table.path,
        "its " + std::to_string(offset_) + " bytes do not have the checksum that it was written with"));
  ++figures_.tables;
  return {};
}

Result<bool> TableScrub::step(std::uint64_t max_bytes) {
  if (!std::exchange(round_begun_, true))
    list();
  const auto fail = [this](StorageError error) {
    ++figures_.errors;
    KIWI_MARK("scrub.damage_found");
    return tl::unexpected(std::move(error));
  };
  const auto next = [this] {
    file_ = nullptr;
    sum_ = nullptr;
    left_.pop_back();
  };
  while (!left_.empty()) {
    const auto& table = left_.back();
    if (!file_) {
      if (table.function != table_checksums()->CreateFileChecksumGenerator({})->Name()) {
        ++figures_.unverified;
        next();
        continue;
      }
      if (auto begun = begin(table); !begun)
        return fail(begun.error());
      if (!file_) {
        next();
        continue;
      }
    }
    buffer_.resize(max_bytes);
    file_->InvalidateCache(offset_, max_bytes).PermitUncheckedError();
    rocksdb::Slice read;
    const auto status = file_->Read(max_bytes, {}, &read, buffer_.data(), nullptr);
    if (!status.ok())
      return fail(to_error(status, {subject_, StorageVerb::read, StorageOutcome::not_written},
                           "scrub: " + table.path + " at " + std::to_string(offset_)));
    sum_->Update(read.data(), read.size());
    offset_ += read.size();
    figures_.bytes += read.size();
    figures_.position = name_of(table.path) + ":" + std::to_string(offset_);
    if (read.empty() || offset_ >= table.size) {
      if (auto whole = end(table); !whole)
        return fail(whole.error());
      next();
    }
    return false;
  }
  round_begun_ = false;
  ++figures_.rounds;
  figures_.position.clear();
  KIWI_MARK("scrub.round");
  return true;
}

}  // namespace kiwi::storage
