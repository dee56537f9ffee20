#pragma once

// A script for fewer nodes.

#include <optional>
#include <string>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/shrink/attempts.hpp"

namespace kiwi::lab::shrinking {

/// The same without these nodes: those left are numbered anew in their order, lines and checks that concern
/// only nodes that are gone are gone too. Follows `candidate.check` when it is the text of an expectation or
/// a check. Nothing: the check itself concerns only nodes that are gone.
std::optional<Candidate> without_nodes(const Candidate& candidate, const std::vector<NodeId>& gone);

}  // namespace kiwi::lab::shrinking
