#!/usr/bin/env bash
# Installs, builds, and runs every test. The last line is "N passed, N failed".
#
#   scripts/test.sh [--quick | --full]
#
#   --quick   only what ends within a minute together
#   --full    also the long forms of the laboratory: all scenarios on 50 seeds, on processes too, 2,000 campaign
#             seeds, all mutants
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

quick=no
laboratory=("$root/scripts/laboratory.sh")
for argument in "$@"; do
  case "$argument" in
    --quick) quick=yes ;;
    --full) laboratory+=(--full) ;;
    --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "unknown argument '$argument' (known: --quick, --full, --help)" ;;
  esac
done

"$root/scripts/deps.sh"
"$root/scripts/build.sh" Release
results="$build/test-results"
rm -rf "$results" && mkdir -p "$results"

# Each part writes "passed failed" into its own file, and one line per test on the terminal. A part that ends
# without a count is one failure.
run_part() {
  local name="$1"
  shift
  step "$name"
  "$@" </dev/null || true
  [ -s "$results/$name" ] || { say "FAILED  $name (ended without a result)" && say "0 1" >"$results/$name"; }
}
count_check() {
  local count="1 0"
  "$root/scripts/check.sh" || count="0 1"
  say "$count" >"$results/check"
}

unit_tests=("$python" "$root/scripts/unit_tests.py" "$build" --count-to "$results/unit")
integration_tests=("$python" "$root/tests/integration/run.py" --build "$build" --count-to "$results/integration")
if [ "$quick" = yes ]; then
  unit_tests+=(--quick)
  integration_tests+=(--quick)
else
  run_part check count_check
fi
run_part unit "${unit_tests[@]}"
run_part integration "${integration_tests[@]}"
[ "$quick" = yes ] || run_part laboratory "${laboratory[@]}" --count-to "$results/laboratory"

passed=0
failed=0
step "summary"
for file in "$results"/*; do
  read -r p f <"$file"
  printf '%-12s %s passed, %s failed\n' "$(basename "$file")" "$p" "$f"
  passed=$((passed + p))
  failed=$((failed + f))
done
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
