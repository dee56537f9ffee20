#pragma once

// What the clients of a run did, recorded while it runs or read from a file (json_lines.hpp).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/history/operation.hpp"

namespace kiwi::lab::history {

/// The name of the marker after which the final reads begin: faults have stopped, writers too.
inline constexpr std::string_view kFinalReads = "final-reads";

/// A moment of the run that checks refer to.
struct Marker {
  std::string name;
  Time at{0};
  friend bool operator==(const Marker&, const Marker&) = default;
};

/// A reply that nobody had asked for: always a failure (one reply per request).
struct SurplusReply {
  std::uint64_t connection = 0;
  Time at{0};
  Reply reply;
  friend bool operator==(const SurplusReply&, const SurplusReply&) = default;
};

/// How an operation ended.
struct Completion {
  Time at{0};
  Outcome outcome = Outcome::unknown;
  std::optional<Reply> reply;
  std::optional<Index> index;
};

/// A value. Recording is single-threaded: the order of the calls append() and complete() is the order of
/// events, and the times given never go back.
class History {
 public:
  /// A call. Sets number and invoked_order, clears what belongs to the return, and returns the number.
  std::uint64_t append(Operation operation);
  /// Its return, once. Requires a number from append(). An operation that is never completed stays unknown.
  void complete(std::uint64_t number, Completion completion);
  void mark(std::string_view name, Time at);
  void surplus(std::uint64_t connection, Time at, Reply reply);

  /// Takes an operation as it is, from a file. Requires its number above all before.
  void restore(Operation operation);

  /// In the order of their numbers.
  const std::vector<Operation>& operations() const { return operations_; }
  /// Null: no such number.
  const Operation* find(std::uint64_t number) const;
  const std::vector<Marker>& markers() const { return markers_; }
  const std::vector<SurplusReply>& surplus_replies() const { return surplus_; }
  /// The last marker of that name.
  std::optional<Time> marked_at(std::string_view name) const;

  /// Free text about the run for the header line: "scenario", "seed", "backend", ...
  std::map<std::string, std::string> about;

  friend bool operator==(const History&, const History&) = default;

 private:
  std::vector<Operation> operations_;
  std::vector<Marker> markers_;
  std::vector<SurplusReply> surplus_;
  std::uint64_t events_ = 0;
};

}  // namespace kiwi::lab::history
