#pragma once

// Random changes of membership and transfers of leadership, as clients of the cluster ask for them, and what
// the replies of all of them must have in common. A refusal is always a proper answer.

#include <optional>
#include <string>
#include <vector>

#include "lab/chance.hpp"
#include "lab/history/history.hpp"
#include "lab/run/backend.hpp"
#include "lab/script/action.hpp"

namespace kiwi::lab {

/// A `do` on one node; nothing: there is nothing sensible to ask for now. `newest`: the number of the newest
/// configuration that a reply has told of; about half of the conditions (IF) are made with it, and the others
/// with older ones. Three voters are left.
std::optional<script::Action> draw_member_change(ChanceStream& chance, const Backend& backend,
                                                 const std::vector<NodeView>& nodes, Index newest);

/// The number in "OK configuration N: ..."; nothing: another reply.
std::optional<Index> configuration_of(const Reply& reply);

/// What is wrong with the replies to RAFT commands, of all clients: a reply that is none of theirs; one
/// configuration for two changes; a later change with an earlier number; a change on the condition of a
/// configuration that was not the newest any more. Empty: nothing is.
std::string wrong_member_replies(const history::History& history);

}  // namespace kiwi::lab
