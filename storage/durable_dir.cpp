#include "storage/durable_dir.hpp"
#include "messages/fault_points.hpp"

#include <memory>

namespace kiwi::storage {
namespace {

std::string parent_of(const std::string& dir) {
  const auto slash = dir.find_last_not_of('/');
  const auto trimmed = slash == std::string::npos ? std::string("/") : dir.substr(0, slash + 1);
  const auto cut = trimmed.rfind('/');
  if (cut == std::string::npos) {
    return ".";
  }
  return cut == 0 ? "/" : trimmed.substr(0, cut);
}

}  // namespace

rocksdb::Status sync_dir(rocksdb::Env& env, const std::string& dir) {
  if (KIWI_MUTANT(no_dir_sync)) {
    return rocksdb::Status::OK();
  }
  std::unique_ptr<rocksdb::Directory> handle;
  if (auto status = env.NewDirectory(dir, &handle); !status.ok()) {
    return status;
  }
  return handle->Fsync();
}

rocksdb::Status make_dir_durably(rocksdb::Env& env, const std::string& dir) {
  const auto parent = parent_of(dir);
  if (env.FileExists(dir).ok()) {
    // Whoever made it may have been killed before its name was durable.
    return sync_dir(env, parent);
  }
  if (parent != dir) {
    if (auto status = make_dir_durably(env, parent); !status.ok()) {
      return status;
    }
  }
  if (auto status = env.CreateDirIfMissing(dir); !status.ok()) {
    return status;
  }
  return sync_dir(env, parent);
}

rocksdb::Status write_file_durably(rocksdb::Env& env, const std::string& dir, const std::string& name,
                                   const std::string& bytes) {
  const auto temporary = dir + "/" + name + ".tmp";
  if (auto status = rocksdb::WriteStringToFile(&env, bytes, temporary, true); !status.ok()) {
    return status;
  }
  if (auto status = env.RenameFile(temporary, dir + "/" + name); !status.ok()) {
    return status;
  }
  return sync_dir(env, dir);
}

rocksdb::Status remove_file_durably(rocksdb::Env& env, const std::string& dir, const std::string& name) {
  auto status = env.DeleteFile(dir + "/" + name);
  if (status.ok()) {
    return sync_dir(env, dir);
  }
  return env.FileExists(dir + "/" + name).IsNotFound() ? rocksdb::Status::OK() : status;
}

}  // namespace kiwi::storage
