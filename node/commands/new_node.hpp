#pragma once

// What the commands that make a new cluster share.

#include <memory>
#include <string>

#include "messages/entry.hpp"
#include "messages/storage_calls.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

/// Drawn from the system; never 0.
InstanceId draw_instance();

/// The first thing that a new cluster's log holds behind `last`: its membership, in a term of its own. It
/// counts as soon as it is in the log (Raft 6), so all nodes of the cluster must begin with the same.
LogWrite founding_entry(LogId last, Term newest_term, NodeId vote, std::uint64_t stamp_ms,
                        const Membership& membership);

}  // namespace kiwi
