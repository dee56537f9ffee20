#pragma once

// A small run with all that a page shows: three nodes, a cut and a crash, a load on two keys whose history
// fails.

#include "lab/run/record.hpp"

namespace kiwi::lab::report {

RunRecord sample_run();
/// `count` further operations of load L1, one every microsecond.
void add_operations(RunRecord& record, std::uint64_t count);

}  // namespace kiwi::lab::report
