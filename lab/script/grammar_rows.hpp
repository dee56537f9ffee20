#pragma once

// What help and the reference page say about lines and selectors, which no table describes. Inside lab/script
// only.

#include <span>
#include <string_view>

namespace kiwi::lab::script {

struct GrammarRow {
  std::string_view name;
  std::string_view form;
  std::string_view summary;
  std::string_view example;  // a whole line; parsed by a test, within a scenario
};

/// Lines of the head and of checks.
std::span<const GrammarRow> head_rows();
/// at, after, when, every, fuzz, let, expect.
std::span<const GrammarRow> time_rows();
/// mark, msg, disk: what `when` waits for besides predicates.
std::span<const GrammarRow> event_rows();
std::span<const GrammarRow> selector_rows();

}  // namespace kiwi::lab::script
