#include "statemachine/verify_snapshots.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/content_hash.hpp"
#include "rocksdb/env.h"
#include "statemachine/checkpoint.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/snapshot_install.hpp"

namespace kiwi {
namespace {

using storage::FindingKind;

constexpr const char* kBuilt = "built snapshot";
constexpr const char* kIncoming = "incoming snapshot";

class Verifier {
 public:
  Verifier(rocksdb::Env* env, std::string dir, const storage::VerifyPiece& piece)
      : env_(env == nullptr ? *rocksdb::Env::Default() : *env),
        dir_(std::move(dir)),
        piece_(piece),
        files_(storage::snapshot_files(&env_)) {}

  SnapshotsReport run() {
    if (auto pending = storage::pending_install(&env_, dir_))
      report_.pending = std::move(*pending);
    else
      add("intent of an install", dir_ + "/snapshots/INSTALL", pending.error().cause);
    const auto snapshots = dir_ + "/snapshots";
    for (const auto& name : folders_in(snapshots))
      if (name == "built")
        each(snapshots + "/built", &Verifier::built);
      else if (name == "incoming")
        each(snapshots + "/incoming", &Verifier::incoming);
      else
        leftover(snapshots + "/" + name);
    return std::move(report_);
  }

 private:
  void add(const char* what, std::string where, std::string why) {
    report_.findings.push_back({FindingKind::damage, what, std::move(where), std::move(why)});
  }

  std::vector<std::string> folders_in(const std::string& folder) {
    auto names = files_->list(folder);
    if (names)
      return std::move(names->folders);
    add("snapshots", folder, names.error().cause);
    return {};
  }

  void each(const std::string& parent, void (Verifier::*look)(const std::string&, const std::string&)) {
    for (const auto& name : folders_in(parent))
      if (!report_.stopped)
        (this->*look)(parent + "/" + name, name);
  }

  SnapshotFolder& note(SnapshotFolder::Kind kind, const std::string& path, const std::string& id) {
    return report_.folders.emplace_back(SnapshotFolder{kind, path, id, storage::bytes_below(&env_, path), 0});
  }

  void leftover(const std::string& path) { note(SnapshotFolder::Kind::leftover, path, ""); }

  void built(const std::string& path, const std::string& name) {
    if (name.starts_with("building"))
      return leftover(path);
    auto& folder = note(SnapshotFolder::Kind::built, path, name);
    folder.of = folder.bytes;
    const auto names = files_->list(path);
    if (!names)
      return add(kBuilt, path, names.error().cause);
    std::vector<SnapshotFile> hashed;
    bool whole = true;
    for (const auto& [file, bytes] : names->files) {
      SnapshotFile named{file, bytes, 0, 0};
      if (!hash(path + "/" + file, named))
        return;
      if (file.ends_with(".sst"))
        if (auto found = storage::verify_table(&env_, path + "/" + file, kBuilt)) {
          report_.findings.push_back(std::move(*found));
          whole = false;
        }
      hashed.push_back(std::move(named));
    }
    if (!whole)
      return;
    DatabaseOptions options;
    options.env = &env_;
    options.dir = path;
    const auto manifest = manifest_of_checkpoint(options, env_, path, std::move(hashed));
    if (!manifest)
      add(kBuilt, path, manifest.error().cause);
    else if (manifest->meta.snapshot_id != name)
      add(kBuilt, path, "its content is that of a snapshot " + manifest->meta.snapshot_id);
  }

  /// False: stop.
  bool hash(const std::string& path, SnapshotFile& named) {
    constexpr std::uint64_t kPieceBytes = 256u << 10;
    ContentHasher hasher;
    for (std::uint64_t at = 0; at < named.bytes;) {
      const auto part = files_->read(path, at, std::min(kPieceBytes, named.bytes - at));
      if (!part) {
        add(kBuilt, path, part.error().cause);
        return true;
      }
      hasher.add(*part);
      at += part->size();
      if (piece_ && !piece_(path, part->size())) {
        report_.stopped = true;
        return false;
      }
    }
    named.checksum_low = hasher.hash().low;
    named.checksum_high = hasher.hash().high;
    return true;
  }

  void incoming(const std::string& path, const std::string& name) {
    if (report_.pending && report_.pending->snapshot_id == name) {
      // Its manifest is gone: it is the next data database, and checked as one by whoever asked.
      note(SnapshotFolder::Kind::incoming, path, name);
      return;
    }
    auto& folder = note(SnapshotFolder::Kind::incoming, path, name);
    const auto manifest_path = path + "/" + storage::kSnapshotManifestName;
    if (env_.FileExists(manifest_path).IsNotFound())
      return;  // not begun
    std::string bytes;
    if (auto status = rocksdb::ReadFileToString(&env_, manifest_path, &bytes); !status.ok())
      return add(kIncoming, manifest_path, status.ToString());
    auto manifest = decode_snapshot_manifest(bytes);
    if (!manifest)
      return add(kIncoming, manifest_path, manifest.error().what);
    folder.of = manifest->bytes();
    // What is not complete has another name, and is checked when it is.
    const auto names = files_->list(path);
    if (!names)
      return add(kIncoming, path, names.error().cause);
    std::erase_if(manifest->files, [&](const auto& file) { return !names->files.contains(file.file); });
    if (!storage::verify_snapshot_files(&env_, path, *manifest, kIncoming, piece_, report_.findings))
      report_.stopped = true;
  }

  rocksdb::Env& env_;
  std::string dir_;
  const storage::VerifyPiece& piece_;
  std::unique_ptr<storage::SnapshotFiles> files_;
  SnapshotsReport report_;
};

}  // namespace

SnapshotsReport verify_snapshots(rocksdb::Env* env, const std::string& dir,
                                 const storage::VerifyPiece& piece) {
  return Verifier(env, dir, piece).run();
}

}  // namespace kiwi
