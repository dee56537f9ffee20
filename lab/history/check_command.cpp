#include "lab/history/check_command.hpp"

#include <istream>
#include <ostream>

#include "lab/history/json_lines.hpp"

namespace kiwi::lab::history {
namespace {

void line(std::ostream& out, std::uint64_t number, std::string_view what) {
  if (number > 0)
    out << "  " << number << ' ' << what << '\n';
}

}  // namespace

void print(std::ostream& out, const CheckResult& result) {
  const auto& s = result.statistics;
  out << to_string(result.verdict);
  if (!result.checker.empty())
    out << " [" << result.checker << ']';
  out << ": " << result.why << '\n';
  out << "  " << s.operations << " operations of " << s.clients << " clients: " << s.done << " done, "
      << s.not_done << " not done, " << s.unknown << " unknown; " << s.overlapping
      << " overlapped another one on their key\n";
  for (const auto& [name, counts] : s.checkers)
    out << "  " << name << ": " << counts.keys << " keys, " << counts.operations << " operations\n";
  line(out, s.keys_with_expiry, "keys with a time to live: checked as if they might vanish at any time");
  line(out, s.keys_not_checked, "keys NOT checked: touched by commands that no checker understands");
  line(out, s.operations_not_checked, "operations not checked");
  if (!s.commands_not_understood.empty()) {
    out << "  not understood:";
    for (const auto& name : s.commands_not_understood) out << ' ' << name;
    out << '\n';
  }
  line(out, s.keys_out_of_budget, "keys undecided: the budget ran out");
  line(out, s.keys_read_finally, "keys with acknowledged writes were read at the end");
  line(out, s.keys_not_read_finally, "keys with acknowledged writes were NOT read at the end");
  line(out, s.dropped_unknown_reads, "unknown reads left out");
  line(out, s.dropped_unseen_writes, "unknown writes left out, as nobody saw their value");
  line(out, s.merged_attempts, "attempts merged with the operation that they repeat");
  line(out, s.search_steps, "steps of search");
  for (const auto& finding : result.findings)
    out << '\n'
        << to_string(finding.kind) << " (invariant " << invariant_number(finding.kind) << ", found by "
        << finding.checker << ")\n"
        << finding.explanation;
}

int check_command(std::istream& in, const std::string& name, const Options& options, std::ostream& out,
                  std::ostream& errors) {
  const auto history = read_json_lines(in);
  if (!history) {
    errors << name << ": " << to_string(history.error()) << '\n';
    return kExitUnreadable;
  }
  const auto result = check(*history, options);
  print(out, result);
  return exit_code(result.verdict);
}

}  // namespace kiwi::lab::history
