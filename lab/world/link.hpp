#pragma once

// One direction of one pair of nodes: what is wrong with it, and what waits on it.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "lab/chance.hpp"
#include "lab/time.hpp"
#include "lab/world/world_options.hpp"
#include "messages/ids.hpp"

namespace kiwi::lab {

/// One frame, or a piece of a handshake, on its way.
struct Parcel {
  std::uint64_t connection = 0;
  bool to_acceptor = true;
  std::uint8_t lane = 0;
  std::string_view kind;  // static: "append", "vote-reply", ..., "hello"
  std::string bytes;
  bool piece = false;  // not a whole frame
};

/// A chance for each message, perhaps of one kind only.
struct Odds {
  double p = 0;
  std::string kind = "any";
  bool concern(std::string_view what) const { return p > 0 && (kind == "any" || kind == what); }
  friend bool operator==(const Odds&, const Odds&) = default;
};

struct LinkFaults {
  bool cut = false;
  bool clogged = false;
  Odds drop, duplicate, reorder, corrupt;
  Spread delay{};  // on top of the usual
  std::string delay_kind = "any";
  Spread jitter{};
  std::uint64_t bandwidth = 0;  // bytes per second; 0: no limit
  std::uint32_t slice = 0;      // pieces of at most this many bytes; 0: whole
  bool newer_offers = false;    // of snapshots
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;  // by kind or "any": how many more
  Counts hold, drop_next, duplicate_next;
  friend bool operator==(const LinkFaults&, const LinkFaults&) = default;
};

/// What links did since the start, for figures and for the accounting of faults.
struct LinkCounts {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::uint64_t stalled = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t held = 0;
  std::uint64_t resets = 0;
  std::uint64_t replayed = 0;
  std::uint64_t newer = 0;
};

struct Link {
  Link(std::uint64_t seed, NodeId from_node, NodeId to_node)
      : from(from_node),
        to(to_node),
        name("link " + to_string(from) + "->" + to_string(to)),
        usual_delay(seed, name, "delay"),
        extra_delay(seed, name, "extra-delay"),
        drop(seed, name, "drop"),
        duplicate(seed, name, "duplicate"),
        reorder(seed, name, "reorder"),
        corrupt(seed, name, "corrupt"),
        slice(seed, name, "slice"),
        replay(seed, name, "replay") {}

  NodeId from;
  NodeId to;
  std::string name;
  LinkFaults faults;
  /// Stopped by a cut or a clog (stream), or held by kind. In order of sending.
  std::deque<Parcel> parked;
  std::deque<Parcel> held;
  /// The latest frames that passed, for replay-old. Oldest first, at most kRemembered.
  static constexpr std::size_t kRemembered = 32;
  std::deque<Parcel> passed;
  std::uint64_t connection = 0;  // the latest one opened by `from`
  Time busy_until{0};            // of the bandwidth limit
  ChanceStream usual_delay, extra_delay, drop, duplicate, reorder, corrupt, slice, replay;
};

}  // namespace kiwi::lab
