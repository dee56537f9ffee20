#pragma once

// The memberships that a log holds, and the one as of its purge point, whose entry is gone. A node whose data
// is lost knows from it by whom it may be outvoted (Raft 6 and 7): the applied state that says so otherwise
// is what it has lost.

#include <optional>
#include <utility>
#include <vector>

#include "messages/entry.hpp"
#include "messages/ids.hpp"
#include "messages/membership.hpp"
#include "messages/storage_calls.hpp"

namespace kiwi::storage {

/// A value. Empty `base`: none was brought by an entry up to the purge point, so the initial one of the
/// identity counts.
struct LogMembers {
  using Known = std::pair<LogId, Membership>;  // the entry that brought it
  std::optional<Known> base;
  std::vector<Known> later;  // of the entries behind the purge point, oldest first

  /// As LogShape::apply does, for the parts of a step in the same order.
  void reset_to(const LogWrite& step);
  void truncate_from(Index first);
  /// Requires an entry that can be decoded.
  void append(const Entry& entry);
  void purge_to(Index index);
};

}  // namespace kiwi::storage
