#pragma once

// The first bad step from close by, as HTML.

#include <string>

#include "lab/report/focus.hpp"
#include "lab/run/record.hpp"

namespace kiwi::lab::report {

/// The failing operations and their neighbours as bars: those on the same key, or, when no key is to blame,
/// all that were under way. Empty: there are none.
std::string operation_bars(const RunRecord& record, const Focus& focus);

/// Messages between nodes and events on them just before and after, one line each, arrows between the columns
/// of the nodes. Empty: there are none.
std::string message_ladder(const RunRecord& record, const Focus& focus);

}  // namespace kiwi::lab::report
