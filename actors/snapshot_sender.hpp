#pragma once

// What is built and can be fetched, and the answers to those who fetch. Plain: no actor, no clock. Time comes
// as ticks of kPaceTickMs, from the actor that owns this.
//
// A peer costs at most kQueuedFetches remembered fetches and kPartsPerTick parts on their way per tick,
// whatever it asks for; with a rate, all peers together get at most that many bytes per second (as they
// travel).

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/peer_messages.hpp"
#include "messages/storage_error.hpp"
#include "storage/snapshot_files.hpp"

namespace spdlog {
class logger;
}

namespace kiwi {

inline constexpr std::uint32_t kPaceTickMs = 50;
inline constexpr std::size_t kQueuedFetches = 16;
inline constexpr std::size_t kPartsPerTick = 24;
/// A lower rate would starve a receiver's patience: it counts as this one. Bytes per second.
inline constexpr std::uint64_t kLeastSnapshotRate = 128ull << 10;
/// Longest snapshot id that is looked at.
inline constexpr std::size_t kMaxSnapshotIdBytes = 128;

class SnapshotSender {
 public:
  struct Options {
    std::string folder;      // DIR/snapshots/built
    std::uint64_t rate = 0;  // bytes per second to all peers together; 0: unlimited
    std::uint64_t keep_ms = 60'000;
    /// The same for a snapshot that is not the newest any more. Longer than a receiver is silent while it
    /// looks for what it has already.
    std::uint64_t keep_replaced_ms = 20'000;
    std::shared_ptr<spdlog::logger> log;
  };
  struct Answer {
    NodeId peer;
    SnapshotPart part;
  };

  SnapshotSender(storage::SnapshotFiles& files, Options options);

  // --- What there is
  /// Its files lie in folder/<id>.
  void add(SnapshotManifest manifest);
  /// Of the highest index; null: none. Good until the next call of add(), serve() or age().
  const SnapshotManifest* newest() const;
  /// Somebody was told of this one: it is kept as if it had been fetched from just now.
  void touch(const std::string& id);
  std::vector<SnapshotManifest> built() const;
  /// Removes what nobody fetched from for long enough. `passed_ms`: since the last call.
  void age(std::uint64_t passed_ms);

  // --- Who fetches
  /// Takes a fetch into the peer's queue. One that asks for what is not there, or comes when the queue is
  /// full, is forgotten.
  void fetch(NodeId peer, const SnapshotFetch& fetch);
  /// The next answer, peers in turn. Nothing: no fetch waits, or the rate is used up for this tick.
  std::optional<Answer> serve();
  bool can_serve() const;
  /// Ticks are needed: something waits, or what was sent is not paid for yet.
  bool needs_ticks() const;
  void tick();

  std::uint64_t sent_bytes() const { return sent_bytes_; }
  std::uint64_t sent_parts() const { return sent_parts_; }

 private:
  struct Built {
    SnapshotManifest manifest;
    std::uint64_t unused_ms = 0;
    struct File {
      std::uint8_t in_vain = 0;  // first parts that LZ4 did not make smaller
      std::uint8_t looks = 0;    // times that its checksum was taken again
      std::set<NodeId> begun;    // who fetched its first part
    };
    std::vector<File> files;  // by their places in the manifest
    std::map<NodeId, std::uint64_t> sent;
  };
  struct Peer {
    std::deque<SnapshotFetch> waiting;
    std::size_t parts = 0;  // in this tick
  };
  Built* find(const std::string& id);
  bool may(const Peer& peer) const;
  Answer answer(NodeId peer, const SnapshotFetch& fetch);
  Result<void> look_again(const SnapshotFile& file, const std::string& path);
  void remove(const std::string& id, const char* reason);

  storage::SnapshotFiles& files_;
  Options options_;
  std::uint64_t per_tick_ = 0;  // 0: unlimited
  std::map<std::string, Built> built_;
  std::map<NodeId, Peer> peers_;
  NodeId served_last_;
  std::int64_t budget_ = 0;  // below 0: overdrawn by less than one part, paid by the next ticks
  bool counted_ = false;     // something was sent in this tick
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t sent_parts_ = 0;
};

}  // namespace kiwi
