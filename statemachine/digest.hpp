#pragma once

// Digests of the state, for comparing nodes: XXH3-128 over all rows of the data database but the format row,
// in row order, each as le64 length and bytes of row key and row value. The state row is among them, so
// counters, clock, applied id and membership are compared too. Not so the initial membership: a node that
// joins later and applies the log from its beginning does not know it before the first entry that has one.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "statemachine/data_format.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi {

/// Takes the rows in their order, whoever reads them.
class RowDigest {
 public:
  RowDigest();
  ~RowDigest();
  RowDigest(const RowDigest&) = delete;
  RowDigest& operator=(const RowDigest&) = delete;
  /// The format row is left out, and the membership row while it is the initial one.
  void add(std::string_view row, std::string_view value);
  /// 32 hex digits.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::optional<std::string> membership_;  // until the state row behind it says whether it counts
};

class Digests {
 public:
  Digests(Database& database, std::size_t limit);
  ~Digests();

  /// Pins the state as the database holds it now, which is the state as of `index`.
  void request(Index index, std::uint64_t keys);
  /// A slice of bounded size. True: there is more to do. Throws StorageFailure.
  bool work();
  std::optional<StateDigest> find(Index index) const;

 private:
  struct Job;
  Database& database_;
  std::size_t limit_;
  std::deque<std::unique_ptr<Job>> jobs_;  // the first one is being computed
  std::deque<StateDigest> done_;
};

/// Of all that the database holds now, at once. `state` is what its state row says. Throws StorageFailure.
std::optional<StateDigest> digest_of_database(Database& database, const data_format::SystemState& state);

}  // namespace kiwi
