#pragma once

// What a page needs of a run beyond script, lowered script and history, as one JSON file (record.json in the
// folder of a run): so that the page can be made again.

#include <iosfwd>
#include <string>
#include <tl/expected.hpp>

#include "lab/run/record.hpp"

namespace kiwi::lab::report {

inline constexpr int kRecordVersion = 1;

/// Without script, lowered script, history and the nodes' logs, which are files of their own, and without the
/// voters of views.
void write_record(std::ostream& out, const RunRecord& record);

/// The error says what is wrong with the file. A file that was cut or edited is never an exception.
tl::expected<RunRecord, std::string> read_record(std::istream& in);

}  // namespace kiwi::lab::report
