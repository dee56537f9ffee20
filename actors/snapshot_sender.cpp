#include "actors/snapshot_sender.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "actors/snapshot_coding.hpp"
#include "messages/content_hash.hpp"
#include "messages/limits.hpp"

namespace kiwi {

namespace {

/// How often a file that somebody begins again is looked at for damage, and in what pieces.
constexpr std::uint8_t kMaxLooks = 3;
constexpr std::uint64_t kLookBytes = 256 << 10;

/// After this many parts of a file that LZ4 did not make smaller, the rest of it travels as it is.
constexpr std::uint8_t kTriesPerFile = 3;

bool within(const SnapshotManifest& manifest, const SnapshotFetch& fetch) {
  if (fetch.file >= manifest.files.size() || fetch.bytes == 0 || fetch.bytes > kMaxSnapshotPartBytes)
    return false;
  const auto size = manifest.files[fetch.file].bytes;
  return fetch.offset < size && fetch.bytes <= size - fetch.offset;
}

bool same_place(const SnapshotFetch& a, const SnapshotFetch& b) {
  return a.file == b.file && a.offset == b.offset && a.snapshot_id == b.snapshot_id;
}

}  // namespace

SnapshotSender::SnapshotSender(storage::SnapshotFiles& files, Options options)
    : files_(files), options_(std::move(options)) {
  if (options_.rate != 0)
    per_tick_ = std::max(options_.rate, kLeastSnapshotRate) * kPaceTickMs / 1000;
  budget_ = static_cast<std::int64_t>(per_tick_);
}

void SnapshotSender::add(SnapshotManifest manifest) {
  Built built;
  built.files.resize(manifest.files.size());
  auto id = manifest.meta.snapshot_id;
  built.manifest = std::move(manifest);
  built_.insert_or_assign(std::move(id), std::move(built));
}

const SnapshotManifest* SnapshotSender::newest() const {
  const SnapshotManifest* newest = nullptr;
  for (const auto& [id, built] : built_)
    if (newest == nullptr || newest->meta.last_log_id < built.manifest.meta.last_log_id)
      newest = &built.manifest;
  return newest;
}

SnapshotSender::Built* SnapshotSender::find(const std::string& id) {
  auto it = built_.find(id);
  return it == built_.end() ? nullptr : &it->second;
}

void SnapshotSender::touch(const std::string& id) {
  if (auto* built = find(id))
    built->unused_ms = 0;
}

std::vector<SnapshotManifest> SnapshotSender::built() const {
  std::vector<SnapshotManifest> all;
  for (const auto& [id, built] : built_) all.push_back(built.manifest);
  return all;
}

void SnapshotSender::age(std::uint64_t passed_ms) {
  const auto* last = newest();
  std::vector<std::string> old;
  for (auto& [id, built] : built_) {
    built.unused_ms += passed_ms;
    const bool replaced = &built.manifest != last;
    const auto keep = replaced ? std::min(options_.keep_ms, options_.keep_replaced_ms) : options_.keep_ms;
    if (built.unused_ms >= keep)
      old.push_back(id);
  }
  for (const auto& id : old) remove(id, "unused");
}

void SnapshotSender::remove(const std::string& id, const char* reason) {
  built_.erase(id);
  options_.log->info("event=snapshot_removed id={} reason={}", id, reason);
  if (auto removed = files_.remove_folder(options_.folder + "/" + id); !removed)
    options_.log->warn("event=snapshot_remove_failed id={} error=\"{}\"", id, to_string(removed.error()));
}

void SnapshotSender::fetch(NodeId peer, const SnapshotFetch& fetch) {
  if (fetch.snapshot_id.size() > kMaxSnapshotIdBytes)
    return;
  const auto* built = find(fetch.snapshot_id);
  if (built != nullptr && !within(built->manifest, fetch))
    return;
  auto& queue = peers_[peer].waiting;
  // Asked for again while the first question waits for its turn: one answer does.
  const bool known = std::any_of(queue.begin(), queue.end(),
                                 [&](const auto& waiting) { return same_place(waiting, fetch); });
  if (!known && queue.size() < kQueuedFetches)
    queue.push_back(fetch);
}

bool SnapshotSender::may(const Peer& peer) const {
  return !peer.waiting.empty() && peer.parts < kPartsPerTick;
}

bool SnapshotSender::can_serve() const {
  return (per_tick_ == 0 || budget_ > 0) &&
         std::any_of(peers_.begin(), peers_.end(), [&](const auto& peer) { return may(peer.second); });
}

bool SnapshotSender::needs_ticks() const {
  if (counted_ || (per_tick_ != 0 && budget_ < static_cast<std::int64_t>(per_tick_)))
    return true;
  return std::any_of(peers_.begin(), peers_.end(),
                     [](const auto& peer) { return !peer.second.waiting.empty(); });
}

void SnapshotSender::tick() {
  counted_ = false;
  for (auto& [id, peer] : peers_) peer.parts = 0;
  // What was not used is not saved up: the rate holds over every tick but for the last part.
  const auto full = static_cast<std::int64_t>(per_tick_);
  budget_ = std::min(budget_ + full, full);
}

std::optional<SnapshotSender::Answer> SnapshotSender::serve() {
  if (!can_serve())
    return std::nullopt;
  auto next = peers_.upper_bound(served_last_);
  for (;;) {
    if (next == peers_.end())
      next = peers_.begin();
    if (may(next->second))
      break;
    ++next;
  }
  auto& [id, peer] = *next;
  served_last_ = id;
  const auto fetch = std::move(peer.waiting.front());
  peer.waiting.pop_front();
  ++peer.parts;
  counted_ = true;
  return answer(id, fetch);
}

Result<void> SnapshotSender::look_again(const SnapshotFile& file, const std::string& path) {
  ContentHasher hasher;
  for (std::uint64_t offset = 0; offset < file.bytes; offset += kLookBytes) {
    auto bytes = files_.read(path, offset, std::min(kLookBytes, file.bytes - offset));
    if (!bytes)
      return tl::unexpected(bytes.error());
    hasher.add(*bytes);
  }
  if (hasher.hash() == hash_of(file))
    return {};
  return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::read, StorageKind::corruption,
                                     path + " is not what its manifest says", StorageOutcome::not_written});
}

SnapshotSender::Answer SnapshotSender::answer(NodeId peer, const SnapshotFetch& fetch) {
  auto* built = find(fetch.snapshot_id);
  if (built == nullptr || !within(built->manifest, fetch))
    return {peer, make_gone(fetch)};
  const auto& described = built->manifest.files[fetch.file];
  const auto path = options_.folder + "/" + fetch.snapshot_id + "/" + described.file;
  auto& file = built->files[fetch.file];
  Result<void> intact;
  // Who begins a file again may have found it to be wrong. Not for ever: reading it all costs more than
  // asking.
  if (fetch.offset == 0 && !file.begun.insert(peer).second && file.looks < kMaxLooks) {
    ++file.looks;
    intact = look_again(described, path);
  }
  auto bytes = intact ? files_.read(path, fetch.offset, fetch.bytes)
                      : Result<std::string>(tl::unexpected(intact.error()));
  if (!bytes) {
    // What cannot be read here cannot be had from here: the asker must hear it, and the next offer is of
    // another.
    options_.log->error("event=snapshot_read_failed id={} error=\"{}\"", fetch.snapshot_id,
                        to_string(bytes.error()));
    remove(fetch.snapshot_id, "unreadable");
    return {peer, make_gone(fetch)};
  }
  built->unused_ms = 0;
  const bool pack = file.in_vain < kTriesPerFile;
  Answer answer{peer, make_part(fetch, std::move(*bytes), pack)};
  if (answer.part.coding == PartCoding::lz4)
    file.in_vain = 0;
  else if (pack)
    ++file.in_vain;
  const auto size = answer.part.data.size();
  auto& sent = built->sent[peer];
  if (sent == 0)
    options_.log->info("event=snapshot_sending id={} node={} bytes={}", fetch.snapshot_id, peer.value,
                       built->manifest.bytes());
  sent += size;
  sent_bytes_ += size;
  ++sent_parts_;
  if (per_tick_ != 0)
    budget_ -= static_cast<std::int64_t>(size);
  return answer;
}

}  // namespace kiwi
