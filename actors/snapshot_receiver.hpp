#pragma once

// Pulls one snapshot from its sender: a window of parts, asked for again when they do not come. Plain: no
// actor, no clock. Time comes as ticks of kPaceTickMs from the actor that owns this; ticks that come late
// because the disk was slow do not make anybody else look slow.
//
// Memory: the window's parts at most, whatever the snapshot's size.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/snapshot_incoming.hpp"
#include "messages/ids.hpp"
#include "messages/limits.hpp"
#include "messages/peer_messages.hpp"
#include "messages/storage_error.hpp"

namespace kiwi {

class SnapshotReceiver {
 public:
  struct Options {
    /// Parts that are asked for and not yet written. At least 1.
    std::size_t window = 4;
    std::uint32_t part_bytes = kMaxSnapshotPartBytes;
    /// A part that did not come is asked for again; each time half as long again is waited, up to
    /// most_patience_ms.
    std::uint32_t patience_ms = 2'000;
    std::uint32_t most_patience_ms = 8'000;
    /// Without a new byte for so long the transfer ends with an error.
    std::uint32_t give_up_ms = 10'000;
  };

  SnapshotReceiver(SnapshotIncoming::Place place, Options options);

  /// Begins to receive. Requires !active() and !manifest_fault(manifest).
  void begin(NodeId from, SnapshotManifest manifest);
  /// The same snapshot has another sender now. Requires active().
  void redirect(NodeId from);
  /// Forgets the transfer; its files stay.
  void give_up();

  bool active() const { return incoming_.has_value(); }
  NodeId from() const { return from_; }
  /// Empty: none is being received.
  const std::string& id() const;
  const SnapshotIncoming& incoming() const { return *incoming_; }

  /// A part of a stranger, of another snapshot, or that was not asked for is ignored.
  void part(NodeId peer, const SnapshotPart& part);
  /// A slice of work on the disk. True: call it again.
  bool work();
  bool has_work() const { return active() && !ended_ && incoming_->has_work(); }
  void tick();
  /// What is to be sent to from() now.
  std::vector<PeerMessage> take_fetches();

  /// How it ended, once: nothing (whole), or why it did not work. active() until give_up().
  std::optional<Result<void>> take_outcome() { return std::exchange(outcome_, std::nullopt); }
  bool ended() const { return ended_; }

  std::uint64_t fetched_bytes() const { return fetched_bytes_; }  // as they travelled, since start
  std::uint64_t bad_parts() const { return bad_parts_; }          // their checksum was wrong, since start
  std::size_t outstanding() const { return asked_.size(); }
  std::size_t held() const { return early_.size(); }

 private:
  /// File, offset.
  using Spot = std::pair<std::uint32_t, std::uint64_t>;
  struct Asked {
    std::uint32_t bytes = 0;
    std::uint32_t patience_ms = 0;
    std::uint32_t left_ms = 0;
    bool was_bad = false;
  };

  void ask_more();
  std::uint64_t next_offset(std::uint32_t file) const;
  void ask(Spot spot, std::uint32_t bytes);
  void write(Spot spot, std::string content);
  void end(Result<void> how);
  void fail(StorageKind kind, std::string cause);

  SnapshotIncoming::Place place_;
  Options options_;
  NodeId from_;
  std::optional<SnapshotIncoming> incoming_;
  std::map<Spot, Asked> asked_;
  std::map<Spot, std::string> early_;  // came before what lies in front of them
  std::vector<PeerMessage> fetches_;
  std::uint32_t idle_ms_ = 0;  // since the last new byte or slice of work
  bool ended_ = false;
  std::optional<Result<void>> outcome_;
  std::uint64_t fetched_bytes_ = 0;
  std::uint64_t bad_parts_ = 0;
};

}  // namespace kiwi
