#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

namespace kiwi {

/// A 64-bit number that cannot be mixed up with one of another kind.
template <class Tag>
struct Number {
  static constexpr const char* name = Tag::name;
  std::uint64_t value = 0;

  constexpr Number() = default;
  constexpr explicit Number(std::uint64_t v) : value(v) {}
  auto fields() { return std::tie(value); }

  friend constexpr auto operator<=>(const Number&, const Number&) = default;
  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr Number operator+(Number a, std::uint64_t n) { return Number(a.value + n); }
  /// Requires a.value >= n.
  friend constexpr Number operator-(Number a, std::uint64_t n) { return Number(a.value - n); }
  friend constexpr std::uint64_t operator-(Number a, Number b) { return a.value - b.value; }
  constexpr Number& operator++() {
    ++value;
    return *this;
  }
};

template <class Tag>
std::string to_string(Number<Tag> x) {
  return std::to_string(x.value);
}

struct NodeIdTag {
  static constexpr const char* name = "NodeId";
};
struct TermTag {
  static constexpr const char* name = "Term";
};
struct IndexTag {
  static constexpr const char* name = "Index";
};

/// Names a node for ever; 0 means "nobody". Never used twice (safety rule 11).
using NodeId = Number<NodeIdTag>;
/// Raft section 5.1. 0 is before the first election.
using Term = Number<TermTag>;
/// Position in the log. The first entry has index 1; 0 means "before the log".
using Index = Number<IndexTag>;

/// Names one entry: no two different entries ever have the same term and index (Raft 5.3, log matching).
/// Ordered as "more up to date" of Raft 5.4.1: by term, then by index.
struct LogId {
  static constexpr const char* name = "LogId";
  Term term;
  Index index;
  auto fields() { return std::tie(term, index); }
  friend constexpr auto operator<=>(const LogId&, const LogId&) = default;
};

inline std::string to_string(LogId x) { return to_string(x.term) + "/" + to_string(x.index); }

/// Draws the name of one data directory's life; see safety rule 11. 0 means "unknown".
struct InstanceIdTag {
  static constexpr const char* name = "InstanceId";
};
using InstanceId = Number<InstanceIdTag>;
/// Hash of the initial cluster and the cluster token. 0 means "no cluster yet".
struct ClusterIdTag {
  static constexpr const char* name = "ClusterId";
};
using ClusterId = Number<ClusterIdTag>;

}  // namespace kiwi
