#pragma once

// A lowered script as a row of lines: its actions, then its expectations (blocks). Pure functions on
// scenarios.

#include <cstddef>
#include <string>
#include <vector>

#include "lab/script/ast.hpp"

namespace kiwi::lab::shrinking {

/// Lines are numbered from 0: the actions, then the blocks.
std::size_t line_count(const script::Scenario& scenario);
/// Null: it is a block.
const script::Action* action_of(const script::Scenario& scenario, std::size_t line);
Time time_of(const script::Scenario& scenario, std::size_t line);
void set_time(script::Scenario& scenario, std::size_t line, Time at);
/// By time; lines of the same time as they would run.
std::vector<std::size_t> by_time(const script::Scenario& scenario);
/// The scenario with those lines for which `keep` is true.
script::Scenario with_lines(const script::Scenario& scenario, const std::vector<bool>& keep);

/// The value of a key of the cluster line, or its default.
std::string cluster_value(const script::Scenario& scenario, const std::string& key);
std::string value_of(const std::vector<script::Setting>& settings, const std::string& key,
                     const std::string& fallback);
void set_value(std::vector<script::Setting>& settings, const std::string& key, const std::string& value);
/// False: it was not there.
bool erase_value(std::vector<script::Setting>& settings, const std::string& key);

/// It is a fault that some later line, or the end of the run, takes away.
bool is_fault(const script::Action& action);
/// It takes faults away.
bool is_ending(const script::Action& action);
/// For each line the lines after it that end the fault it is: up to the first that ends all of it.
std::vector<std::vector<std::size_t>> endings(const script::Scenario& scenario);
/// Of the endings, those that end something that is kept.
std::vector<bool> live_endings(const std::vector<std::vector<std::size_t>>& endings,
                               const std::vector<bool>& keep);
/// Without faults and without what ends them.
script::Scenario without_faults(const script::Scenario& scenario);

}  // namespace kiwi::lab::shrinking
