#!/usr/bin/env bash
# Runs the fault laboratory: every scenario once on the simulator, a random campaign, every mutant on the seed
# that found it (tests/scenarios/mutants.seeds), and a sum of it all. The last line is "N passed, N failed".
#
#   scripts/laboratory.sh [--full] [--count-to FILE]
#
#   --full           every scenario on 50 seeds, those that processes support on processes, 2,000 campaign seeds,
#                    mutants on up to 1,000 seeds each
#   --count-to FILE  also writes "passed failed" there
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

full=no
count_to=
while [ $# -gt 0 ]; do
  case "$1" in
    --full) full=yes ;;
    --count-to) shift && count_to="${1:-}" ;;
    --help) sed -n '2,10s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "unknown argument '$1' (known: --full, --count-to FILE, --help)" ;;
  esac
  shift
done

fault="$build/lab/fault/kiwi-fault"
[ -x "$fault" ] || fail "$fault is not built"
scenarios="$root/tests/scenarios"
reports="$build/laboratory"
rm -rf "$reports"
jobs="$(nproc)"
passed=0
failed=0

# part NAME COMMAND...: one part, counted as one test. What does not pass leaves its folder in $reports.
part() {
  local name="$1"
  shift
  step "$name"
  local code=0
  "$@" || code=$?
  if [ "$code" -eq 0 ]; then
    passed=$((passed + 1))
    say "passed  $name"
  else
    failed=$((failed + 1))
    say "FAILED  $name (exit code $code); runs that did not pass are in $reports"
  fi
}

tally="$reports/tally"
mkdir -p "$tally"
recorded="$scenarios/mutants.seeds"
by_scenario="$scenarios/mutants.scenarios"

# Says which mutants have no seed on record: the campaign has not found these.
unrecorded() {
  local name
  for name in $("$fault" mutants --list | sed -n '/^mutants/,/^marks/s/^  [XK][0-9]* *\([a-z_]*\):.*/\1/p'); do
    grep -q "^$name " "$recorded" "$by_scenario" || say "no seed of mutant $name in $recorded"
  done
}

# Each mutant of the list makes its scenario fail, not merely do nothing.
mutants_by_scenario() {
  local name scenario seed verdict missed=0
  while read -r name scenario seed; do
    verdict="$("$fault" run "$scenarios/$scenario.scenario" --seed "$seed" --mutant "$name" \
      --report "$reports/mutants" 2>&1 || true)"
    if grep -q "^fail  *$scenario " <<<"$verdict"; then
      say "  $name fails $scenario, seed $seed"
    else
      say "  $name is not found by $scenario, seed $seed"
      missed=1
    fi
  done < <(grep -v '^#' "$by_scenario")
  return "$missed"
}

# Leases rest on the rates of clocks (docs/reads.md). Beyond the bound that is declared reads come from the past:
# a laboratory that does not see them there proves nothing within.
stale_reads_beyond_the_bound() {
  local verdict
  verdict="$("$fault" run "$scenarios/clocks_drift_within_the_bound_of_leases.scenario" --seed 1 --param slow=0.6 \
    --report "$reports/beyond" 2>&1 || true)"
  grep "^fail .*invariant 18" <<<"$verdict"
}

if [ "$full" = yes ]; then
  part "scenarios, 50 seeds each" "$fault" run "$scenarios" --seeds 1..50 --jobs "$jobs" --report "$reports" \
    --tally "$tally/scenarios.json"
  part "scenarios on processes" "$fault" run "$scenarios"/*.scenario --backend process --skip-unsupported --jobs 4 \
    --report "$reports"
  part "campaign, 2,000 seeds" "$fault" fuzz --seeds 1..2000 --jobs "$jobs" --report "$reports" \
    --tally "$tally/campaign.json"
  part "mutants, up to 1,000 seeds" "$fault" mutants --seeds 1000 --jobs "$jobs"
else
  part "scenarios" "$fault" run "$scenarios" --jobs "$jobs" --report "$reports" --tally "$tally/scenarios.json"
  part "campaign, 270 seeds" "$fault" fuzz --seeds 1..270 --jobs "$jobs" --report "$reports" \
    --tally "$tally/campaign.json"
  part "campaign, 30 seeds twice" "$fault" fuzz --seeds 271..300 --twice --jobs "$jobs" --report "$reports" \
    --tally "$tally/twice.json"
  part "mutants, each on its recorded seed" "$fault" mutants --recorded "$recorded" --jobs "$jobs"
fi
part "mutants that a scenario finds" mutants_by_scenario
part "clocks beyond the bound of leases give stale reads" stale_reads_beyond_the_bound
unrecorded
# Prints simulated time, events, faults by kind, marks and unknowns; fails when a mark was never passed.
part "all runs together pass every mark" "$fault" tally "$tally"/*.json

[ -z "$count_to" ] || say "$passed $failed" >"$count_to"
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
