#pragma once

// Why a key's history is impossible: a small part of it that is impossible by itself.
//
// An operation is never left out just so: without a write its reads would look wrong. It is forgotten
// instead, which allows more than was allowed before: of a read nothing remains, of a write that it may have
// happened at any time after its call or never. What is still impossible then was impossible because of the
// rest.

#include <cstdint>

#include "lab/history/check.hpp"
#include "lab/history/judge.hpp"

namespace kiwi::lab::history {

/// Requires: judge() called `key` bad with `verdict`. Spends at most `steps` on making the part small.
Finding explain(const History& history, KeyHistory& key, const KeyVerdict& verdict, std::uint64_t steps);

/// "what", then one line for each operation, then the others.
std::string explanation_text(const Finding& finding);

}  // namespace kiwi::lab::history
