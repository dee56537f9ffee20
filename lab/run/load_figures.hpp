#pragma once

// Figures about loads that predicates ask for.

#include <string>
#include <vector>

#include "lab/run/fault_ledger.hpp"
#include "lab/run/recorder.hpp"

namespace kiwi::lab {

/// Operations of the load that are done, and that began and ended while an effective fault of this kind was
/// in force (empty: all that are done; "any": whatever fault).
std::uint64_t served_during(const Recorder& recorder, const FaultLedger& faults, const std::string& load,
                            const std::string& kind);

/// The longest time without a success while the load ran; steps say when it started and stopped.
Time longest_gap(const LoadFigures& figures, const std::vector<Step>& steps, const std::string& load,
                 Time now);

}  // namespace kiwi::lab
