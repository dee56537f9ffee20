#pragma once

// Words that the checks share.

#include <optional>
#include <string>
#include <vector>

#include "lab/invariants/ledger.hpp"
#include "raft/core.hpp"

namespace kiwi::lab::invariants {

/// "n1,n3"; "nobody".
std::string list_of(const std::vector<NodeId>& nodes);
std::string list_of(NodeSet nodes);
/// "3/17" (term/index), or that there is none.
std::string text_of(const std::optional<Term>& term, Index index);
/// The terms of the entries after the purge point.
std::vector<Term> terms_of(const raft::Restored& found);

}  // namespace kiwi::lab::invariants
