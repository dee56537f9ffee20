#pragma once

// Checks along one client, one connection or the log, whatever the keys say together.

#include <optional>

#include "lab/history/check.hpp"
#include "lab/history/key_model.hpp"
#include "lab/history/prepare.hpp"

namespace kiwi::lab::history {

/// What a client sees of one key never goes back behind what it has seen or written before. Also without
/// linearizability. Looks at registers with different values and at counters that go one way.
std::optional<Finding> check_session(const History& history, const KeyHistory& key);

/// One reply per request, in the order of the requests, on each connection. Operations without a connection
/// are left out.
std::optional<Finding> check_replies(const History& history);

/// Where log indexes are known: what was called after another write returned has a higher one, over all keys.
std::optional<Finding> check_commit_order(const History& history, const Prepared& prepared);

}  // namespace kiwi::lab::history
