#include "actors/snapshot_receiver.hpp"

#include <algorithm>

#include "actors/snapshot_coding.hpp"
#include "actors/snapshot_sender.hpp"
#include "messages/assert.hpp"

namespace kiwi {

SnapshotReceiver::SnapshotReceiver(SnapshotIncoming::Place place, Options options)
    : place_(std::move(place)), options_(options) {
  options_.window = std::max<std::size_t>(options_.window, 1);
  options_.part_bytes =
      std::clamp<std::uint32_t>(options_.part_bytes, 1, static_cast<std::uint32_t>(kMaxSnapshotPartBytes));
}

void SnapshotReceiver::begin(NodeId from, SnapshotManifest manifest) {
  KIWI_ASSERT(!active(), "one snapshot is received at a time");
  from_ = from;
  incoming_.emplace(place_, std::move(manifest));
  idle_ms_ = 0;
  ended_ = false;
  outcome_.reset();
}

void SnapshotReceiver::redirect(NodeId from) {
  KIWI_ASSERT(active(), "nothing is being received");
  if (from == from_)
    return;
  from_ = from;
  idle_ms_ = 0;
  fetches_.clear();
  for (const auto& [spot, asked] : asked_) ask(spot, asked.bytes);
}

void SnapshotReceiver::give_up() {
  incoming_.reset();
  asked_.clear();
  early_.clear();
  fetches_.clear();
  outcome_.reset();
  ended_ = false;
}

const std::string& SnapshotReceiver::id() const {
  static const std::string none;
  return active() ? incoming_->manifest().meta.snapshot_id : none;
}

void SnapshotReceiver::part(NodeId peer, const SnapshotPart& part) {
  if (!active() || ended_ || peer != from_ || part.snapshot_id != id())
    return;
  if (part.gone) {
    fail(StorageKind::unavailable, "its sender does not have it any more");
    return;
  }
  const Spot spot{part.file, part.offset};
  auto asked = asked_.find(spot);
  if (asked == asked_.end())
    return;
  auto content = content_of(part, asked->second.bytes);
  if (!content) {
    ++bad_parts_;
    // At once, but only once: a sender that is always wrong must not keep both sides busy.
    if (!std::exchange(asked->second.was_bad, true))
      ask(spot, asked->second.bytes);
    return;
  }
  asked_.erase(asked);
  fetched_bytes_ += part.data.size();
  idle_ms_ = 0;
  write(spot, std::move(*content));
  ask_more();
}

void SnapshotReceiver::write(Spot spot, std::string content) {
  early_.emplace(spot, std::move(content));
  const auto file = spot.first;
  for (;;) {
    auto next = early_.find({file, incoming_->have(file)});
    if (next == early_.end())
      return;
    const auto bytes = std::move(next->second);
    early_.erase(next);
    if (auto appended = incoming_->append(file, bytes); !appended) {
      end(tl::unexpected(appended.error()));
      return;
    }
  }
}

std::uint64_t SnapshotReceiver::next_offset(std::uint32_t file) const {
  // Everything up to the last one that is asked for or held was asked for.
  auto next = incoming_->have(file);
  const Spot behind{file + 1, 0};
  if (auto it = asked_.lower_bound(behind); it != asked_.begin() && (--it)->first.first == file)
    next = std::max(next, it->first.second + it->second.bytes);
  if (auto it = early_.lower_bound(behind); it != early_.begin() && (--it)->first.first == file)
    next = std::max(next, it->first.second + it->second.size());
  return next;
}

void SnapshotReceiver::ask_more() {
  if (ended_ || !incoming_->surveyed())
    return;
  for (auto file : incoming_->wanted()) {
    const auto size = incoming_->manifest().files[file].bytes;
    auto offset = next_offset(file);
    for (; offset < size; offset += options_.part_bytes) {
      if (asked_.size() + early_.size() >= options_.window)
        return;
      const auto bytes =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(options_.part_bytes, size - offset));
      asked_.emplace(Spot{file, offset}, Asked{bytes, options_.patience_ms, options_.patience_ms, false});
      ask({file, offset}, bytes);
    }
  }
}

void SnapshotReceiver::ask(Spot spot, std::uint32_t bytes) {
  fetches_.emplace_back(SnapshotFetch{id(), spot.first, spot.second, bytes});
}

std::vector<PeerMessage> SnapshotReceiver::take_fetches() { return std::exchange(fetches_, {}); }

bool SnapshotReceiver::work() {
  if (!active() || ended_)
    return false;
  auto more = incoming_->work();
  if (!more) {
    end(tl::unexpected(more.error()));
    return false;
  }
  if (incoming_->whole()) {
    end({});
    return false;
  }
  // A file that turned out wrong is wanted again.
  ask_more();
  if (*more)
    idle_ms_ = 0;
  return *more;
}

void SnapshotReceiver::tick() {
  if (!active() || ended_)
    return;
  idle_ms_ += kPaceTickMs;
  if (idle_ms_ >= options_.give_up_ms) {
    fail(StorageKind::unavailable, "its sender has been silent for " + std::to_string(idle_ms_) + " ms");
    return;
  }
  for (auto& [spot, asked] : asked_) {
    if (asked.left_ms > kPaceTickMs) {
      asked.left_ms -= kPaceTickMs;
      continue;
    }
    asked.patience_ms = std::min(asked.patience_ms + asked.patience_ms / 2, options_.most_patience_ms);
    asked.left_ms = asked.patience_ms;
    asked.was_bad = false;
    ask(spot, asked.bytes);
  }
}

void SnapshotReceiver::fail(StorageKind kind, std::string cause) {
  end(tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::read, kind,
                                  "snapshot " + id() + ": " + std::move(cause),
                                  StorageOutcome::not_written}));
}

void SnapshotReceiver::end(Result<void> how) {
  ended_ = true;
  outcome_ = std::move(how);
  asked_.clear();
  early_.clear();
  fetches_.clear();
}

}  // namespace kiwi
