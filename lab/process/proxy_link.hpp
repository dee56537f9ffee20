#pragma once

// One direction of one pair of nodes, as the proxy bends it: what is wrong with it, and what it did.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "lab/chance.hpp"
#include "lab/time.hpp"
#include "messages/ids.hpp"

namespace kiwi::lab {

/// A chance for each frame, perhaps of one kind only.
struct FrameOdds {
  double p = 0;
  std::string kind = "any";
  bool concern(std::string_view what) const { return p > 0 && (kind == "any" || kind == what); }
  friend bool operator==(const FrameOdds&, const FrameOdds&) = default;
};

struct ProxyFaults {
  bool cut = false;
  bool clogged = false;
  FrameOdds drop, duplicate, reorder, corrupt;
  std::pair<Time, Time> delay{};
  std::string delay_kind = "any";
  Time jitter{0};
  std::uint64_t bandwidth = 0;                                       // bytes per second; 0: no limit
  std::uint64_t slice = 0;                                           // pieces of so many bytes; 0: whole
  bool newer_offers = false;                                         // of snapshots
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;  // by kind or "any": how many more
  Counts hold, drop_next, duplicate_next;
  /// Nothing may pass.
  bool stopped() const { return cut || clogged; }
  friend bool operator==(const ProxyFaults&, const ProxyFaults&) = default;
};

struct ProxyCounts {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t held = 0;
  std::uint64_t resets = 0;
  std::uint64_t replayed = 0;
  std::uint64_t newer = 0;
};

struct ProxyLink {
  ProxyLink(std::uint64_t seed, NodeId from_node, NodeId to_node)
      : from(from_node),
        to(to_node),
        name("link " + to_string(from) + "->" + to_string(to)),
        delay(seed, name, "delay"),
        drop(seed, name, "drop"),
        duplicate(seed, name, "duplicate"),
        reorder(seed, name, "reorder"),
        corrupt(seed, name, "corrupt"),
        replay(seed, name, "replay") {}

  NodeId from;
  NodeId to;
  std::string name;
  ProxyFaults faults;
  std::pair<Time, Time> latency{};  // without any fault
  bool lossy = false;               // net=lossy: each message by itself; one that is lost costs nothing else
  double loss = 0;                  // of a lossy link, without any fault
  double double_odds = 0;           // that a message comes twice, likewise
  Time busy_until{0};               // of the bandwidth limit
  /// The latest frames that passed, for replay-old. Oldest first.
  static constexpr std::size_t kRemembered = 32;
  static constexpr std::size_t kRememberedBytes = 64 << 10;
  struct Old {
    std::string_view kind;
    std::string bytes;
  };
  std::deque<Old> passed;
  ChanceStream delay, drop, duplicate, reorder, corrupt, replay;
};

}  // namespace kiwi::lab
