#include "storage/snapshot_files.hpp"

#include <rocksdb/env.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "storage/durable_dir.hpp"
#include "storage/storage_status.hpp"

namespace kiwi::storage {
namespace {

constexpr std::size_t kOpenForReading = 4;
/// A file that is received goes to the disk all along: one sync of a large file at its end would hold up
/// every other sync on that disk, those of a log among them.
constexpr std::uint64_t kWriteBackBytes = 1u << 20;

tl::unexpected<StorageError> failed(const rocksdb::Status& status, StorageVerb verb,
                                    const std::string& path) {
  const auto outcome = verb == StorageVerb::read ? StorageOutcome::not_written : StorageOutcome::unknown;
  return tl::unexpected(to_error(status, {StorageSubject::snapshot, verb, outcome}, path));
}

rocksdb::EnvOptions plain_files() {
  rocksdb::EnvOptions options;
  options.use_mmap_reads = false;
  options.use_mmap_writes = false;
  return options;
}

class EnvFiles : public SnapshotFiles {
 public:
  explicit EnvFiles(rocksdb::Env* env) : env_(env == nullptr ? rocksdb::Env::Default() : env) {}

  Result<void> make_folder(const std::string& folder) override {
    return checked(make_dir_durably(*env_, folder), StorageVerb::write, folder);
  }

  Result<Names> list(const std::string& folder) override {
    Names names;
    if (env_->FileExists(folder).IsNotFound())
      return names;
    std::vector<std::string> children;
    if (auto status = env_->GetChildren(folder, &children); !status.ok())
      return failed(status, StorageVerb::read, folder);
    for (auto& child : children) {
      if (child == "." || child == "..")
        continue;
      const auto path = folder + "/" + child;
      bool is_folder = false;
      if (auto status = env_->IsDirectory(path, &is_folder); !status.ok())
        return failed(status, StorageVerb::read, path);
      if (is_folder) {
        names.folders.push_back(std::move(child));
        continue;
      }
      std::uint64_t bytes = 0;
      if (auto status = env_->GetFileSize(path, &bytes); !status.ok())
        return failed(status, StorageVerb::read, path);
      names.files.emplace(std::move(child), bytes);
    }
    std::sort(names.folders.begin(), names.folders.end());
    return names;
  }

  Result<void> remove_folder(const std::string& folder) override {
    auto names = list(folder);
    if (!names)
      return tl::unexpected(names.error());
    if (env_->FileExists(folder).IsNotFound())
      return {};
    for (const auto& inner : names->folders)
      if (auto removed = remove_folder(folder + "/" + inner); !removed)
        return removed;
    for (const auto& [name, bytes] : names->files)
      if (auto removed = remove(folder + "/" + name); !removed)
        return removed;
    return checked(env_->DeleteDir(folder), StorageVerb::remove, folder);
  }

  Result<void> sync_folder(const std::string& folder) override {
    return checked(sync_dir(*env_, folder), StorageVerb::sync, folder);
  }

  Result<std::string> read(const std::string& path, std::uint64_t offset, std::size_t bytes) override {
    auto file = open_for_reading(path);
    if (!file)
      return tl::unexpected(file.error());
    std::string data(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
      rocksdb::Slice got;
      if (auto status = (*file)->Read(offset + have, bytes - have, &got, data.data() + have); !status.ok())
        return failed(status, StorageVerb::read, path);
      if (got.empty())
        return failed(rocksdb::Status::Corruption("the file ends at " + std::to_string(offset + have)),
                      StorageVerb::read, path);
      if (got.data() != data.data() + have)
        std::copy_n(got.data(), got.size(), data.data() + have);
      have += got.size();
    }
    return data;
  }

  Result<void> append(const std::string& path, std::string_view bytes) override {
    if (auto open = open_for_appending(path); !open)
      return open;
    auto status = appended_->Append(rocksdb::Slice(bytes.data(), bytes.size()));
    if (status.ok())
      status = appended_->Flush();
    if (status.ok())
      status = write_back();
    if (!status.ok())
      close(path);
    return checked(status, StorageVerb::write, path);
  }

  Result<void> sync_file(const std::string& path) override {
    // The descriptor that wrote is the one that surely hears of a failed write-back.
    if (auto open = open_for_appending(path); !open)
      return open;
    const auto status = appended_->Fsync();
    close(path);
    return checked(status, StorageVerb::sync, path);
  }

  Result<void> write_durably(const std::string& folder, const std::string& name,
                             const std::string& bytes) override {
    close(folder + "/" + name);
    return checked(write_file_durably(*env_, folder, name, bytes), StorageVerb::write, folder + "/" + name);
  }

  Result<void> link(const std::string& from, const std::string& to) override {
    return checked(env_->LinkFile(from, to), StorageVerb::write, to);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    close(from);
    close(to);
    return checked(env_->RenameFile(from, to), StorageVerb::write, to);
  }

  Result<void> remove(const std::string& path) override {
    close(path);
    if (env_->FileExists(path).IsNotFound())
      return {};
    return checked(env_->DeleteFile(path), StorageVerb::remove, path);
  }

 private:
  static Result<void> checked(const rocksdb::Status& status, StorageVerb verb, const std::string& path) {
    if (!status.ok())
      return failed(status, verb, path);
    return {};
  }

  Result<rocksdb::RandomAccessFile*> open_for_reading(const std::string& path) {
    for (auto& [name, file] : reading_)
      if (name == path)
        return file.get();
    std::unique_ptr<rocksdb::RandomAccessFile> file;
    if (auto status = env_->NewRandomAccessFile(path, &file, plain_files()); !status.ok())
      return failed(status, StorageVerb::read, path);
    if (reading_.size() == kOpenForReading)
      reading_.pop_front();
    reading_.emplace_back(path, std::move(file));
    return reading_.back().second.get();
  }

  Result<void> open_for_appending(const std::string& path) {
    if (appended_ && appended_path_ == path)
      return {};
    close(appended_path_);
    if (auto status = env_->ReopenWritableFile(path, &appended_, plain_files()); !status.ok()) {
      appended_.reset();
      return failed(status, StorageVerb::write, path);
    }
    appended_path_ = path;
    written_back_ = appended_->GetFileSize();
    return {};
  }

  /// Begins to write; only a sync waits for it.
  rocksdb::Status write_back() {
    const std::uint64_t size = appended_->GetFileSize();
    if (size - written_back_ < kWriteBackBytes)
      return rocksdb::Status::OK();
    const auto status = appended_->RangeSync(written_back_, size - written_back_);
    written_back_ = size;
    return status;
  }

  /// Nothing is lost by a failed close: what must last is synced first.
  void close(const std::string& path) {
    std::erase_if(reading_, [&](const auto& open) { return open.first == path; });
    if (appended_ && appended_path_ == path) {
      appended_->Close();
      appended_.reset();
    }
  }

  rocksdb::Env* env_;
  std::deque<std::pair<std::string, std::unique_ptr<rocksdb::RandomAccessFile>>> reading_;
  std::unique_ptr<rocksdb::WritableFile> appended_;
  std::string appended_path_;
  std::uint64_t written_back_ = 0;  // of it: its first so many bytes are on their way to the disk
};

}  // namespace

std::unique_ptr<SnapshotFiles> snapshot_files(rocksdb::Env* env) { return std::make_unique<EnvFiles>(env); }

}  // namespace kiwi::storage
