#include "actors/snapshot_incoming.hpp"

#include <algorithm>
#include <utility>

#include "actors/snapshot_manifest_check.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"

namespace kiwi {

namespace {

/// Read at once while a file is checked, and how often in one slice: 4 MiB, some milliseconds.
constexpr std::size_t kReadBytes = 256 << 10;
constexpr int kReadsPerSlice = 16;
/// A file that is wrong after it was fetched so often is wrong where it comes from.
constexpr std::uint32_t kMaxRefetches = 3;

}  // namespace

SnapshotIncoming::SnapshotIncoming(Place place, SnapshotManifest manifest)
    : place_(std::move(place)), manifest_(std::move(manifest)), state_(manifest_.files.size()) {
  for (std::uint32_t i = 0; i < state_.size(); ++i) wanted_.insert(wanted_.end(), i);
}

std::string SnapshotIncoming::part_path(std::uint32_t file) const {
  return path(file) + std::string(kPartSuffix);
}

std::string SnapshotIncoming::have_path(std::uint32_t file) const {
  return path(file) + std::string(kHaveSuffix);
}

std::string SnapshotIncoming::unchecked_path(std::uint32_t file) const {
  return state_[file].shared ? have_path(file) : part_path(file);
}

Result<bool> SnapshotIncoming::work() {
  Result<void> done;
  switch (step_) {
    case Step::prepare:
      done = prepare();
      step_ = Step::others;
      break;
    case Step::others:
      done = look_into_others();
      step_ = Step::own;
      break;
    case Step::own:
      done = look_into_own();
      if (done)
        done = make_empty_files();
      step_ = Step::checking;
      break;
    case Step::checking:
      if (done_ == state_.size())
        return finish();
      done = check_slice();
      break;
    case Step::whole:
      return false;
  }
  if (!done)
    return tl::unexpected(done.error());
  return has_work();
}

bool SnapshotIncoming::has_work() const {
  if (step_ == Step::checking)
    return check_ || !unchecked_.empty() || done_ == state_.size();
  return step_ != Step::whole;
}

Result<void> SnapshotIncoming::prepare() {
  auto& files = *place_.files;
  if (auto made = files.make_folder(folder()); !made)
    return made;
  auto text = encode_snapshot_manifest(manifest_);
  if (auto written = files.write_durably(folder(), storage::kSnapshotManifestName, text); !written)
    return written;
  auto names = files.list(folder());
  if (!names)
    return tl::unexpected(names.error());
  for (const auto& inner : names->folders)
    if (auto removed = files.remove_folder(folder() + "/" + inner); !removed)
      return removed;
  auto left = std::move(names->files);
  const auto take = [&left](const std::string& name) {
    auto it = left.find(name);
    std::optional<std::uint64_t> size;
    if (it != left.end())
      size = it->second;
    return std::pair(it, size);
  };
  for (std::uint32_t i = 0; i < state_.size(); ++i) {
    const auto& file = described(i);
    const auto [whole, whole_bytes] = take(file.file);
    const auto [have, have_bytes] = take(file.file + std::string(kHaveSuffix));
    const auto [part, part_bytes] = take(file.file + std::string(kPartSuffix));
    if (whole_bytes == file.bytes) {
      // It was right when it got this name. What the disk did to it since is seen by checking it again.
      if (auto renamed = files.rename(path(i), have_path(i)); !renamed)
        return renamed;
      left.erase(whole);
      if (have_bytes)
        left.erase(have);
      found(i, file.bytes, true);
    } else if (have_bytes == file.bytes) {
      left.erase(have);
      found(i, file.bytes, true);
    } else if (part_bytes && *part_bytes <= file.bytes) {
      left.erase(part);
      found(i, *part_bytes, false);
    }
  }
  left.erase(storage::kSnapshotManifestName);
  for (const auto& [name, bytes] : left)
    if (auto removed = files.remove(folder() + "/" + name); !removed)
      return removed;
  return {};
}

void SnapshotIncoming::found(std::uint32_t file, std::uint64_t have, bool shared) {
  auto& state = state_[file];
  have_bytes_ += have - state.have;
  state.have = state.reused = have;
  state.shared = shared;
  if (have == described(file).bytes) {
    wanted_.erase(file);
    unchecked_.push_back(file);
  }
}

Result<void> SnapshotIncoming::make_empty_files() {
  const auto missing = wanted_;
  for (auto file : missing) {
    if (described(file).bytes != 0)
      continue;
    if (auto made = append(file, {}); !made)
      return made;
  }
  return {};
}

Result<void> SnapshotIncoming::append(std::uint32_t file, std::string_view bytes) {
  auto& state = state_[file];
  KIWI_ASSERT(wanted_.contains(file) && bytes.size() <= described(file).bytes - state.have,
              "bytes that a snapshot's file does not lack");
  if (auto appended = place_.files->append(part_path(file), bytes); !appended)
    return appended;
  state.have += bytes.size();
  have_bytes_ += bytes.size();
  if (state.have == described(file).bytes) {
    wanted_.erase(file);
    unchecked_.push_back(file);
  }
  return {};
}

Result<void> SnapshotIncoming::check_slice() {
  if (!check_) {
    if (unchecked_.empty())
      return {};
    check_.emplace();
    check_->file = unchecked_.front();
    unchecked_.pop_front();
  }
  const auto file = check_->file;
  const auto size = described(file).bytes;
  for (int i = 0; i < kReadsPerSlice && check_->offset < size; ++i) {
    const auto bytes = std::min<std::uint64_t>(kReadBytes, size - check_->offset);
    auto data = place_.files->read(unchecked_path(file), check_->offset, bytes);
    if (!data) {
      check_.reset();
      if (data.error().kind == StorageKind::corruption)
        return begin_anew(file);
      return tl::unexpected(data.error());
    }
    check_->hasher.add(*data);
    check_->offset += bytes;
  }
  if (check_->offset < size)
    return {};
  const auto hash = check_->hasher.hash();
  check_.reset();
  return checked(file, hash);
}

Result<void> SnapshotIncoming::checked(std::uint32_t file, const ContentHash& hash) {
  if (hash != hash_of(described(file)))
    return begin_anew(file);
  auto& files = *place_.files;
  // The name says that the bytes are durable. Those of a shared file are: it was whole somewhere else.
  if (!state_[file].shared && !KIWI_MUTANT(snapshot_file_unsynced))
    if (auto synced = files.sync_file(part_path(file)); !synced)
      return synced;
  if (auto renamed = files.rename(unchecked_path(file), path(file)); !renamed)
    return renamed;
  reused_bytes_ += state_[file].reused;
  ++done_;
  return {};
}

Result<void> SnapshotIncoming::begin_anew(std::uint32_t file) {
  auto& state = state_[file];
  ++wrong_files_;
  const bool fetched = state.reused < state.have || described(file).bytes == 0;
  if (auto removed = place_.files->remove(unchecked_path(file)); !removed)
    return removed;
  have_bytes_ -= state.have;
  state.have = state.reused = 0;
  state.shared = false;
  wanted_.insert(file);
  if (fetched && ++state.refetched == kMaxRefetches)
    return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::read, StorageKind::corruption,
                                       "file " + described(file).file + " of snapshot " +
                                           manifest_.meta.snapshot_id +
                                           " is not what its manifest says, wherever it comes from",
                                       StorageOutcome::not_written});
  if (described(file).bytes == 0)
    return make_empty_files();
  return {};
}

Result<bool> SnapshotIncoming::finish() {
  auto& files = *place_.files;
  for (const auto& folder_to_sync : {folder(), place_.incoming})
    if (auto synced = files.sync_folder(folder_to_sync); !synced)
      return tl::unexpected(synced.error());
  step_ = Step::whole;
  return false;
}

}  // namespace kiwi
