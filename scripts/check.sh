#!/usr/bin/env bash
# Checks what a compiler does not: format, include rules, headers that compile alone, forbidden calls, faults that
# no scenario covers, names of the developer's machine, shell syntax. Writes nothing into the tree; scripts/fix.sh repairs the format.
# (Warnings as errors are part of the build itself, see cmake/KiwiTargets.cmake.)
#
#   scripts/check.sh [--fast]     --fast leaves out the headers, which take minutes
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

fast=no
case "${1:-}" in
  '') ;;
  --fast) fast=yes ;;
  *) fail "unknown argument '$1' (known: --fast)" ;;
esac

mapfile -t sources < <(tracked '*.cpp' '*.hpp')
mapfile -t shell_scripts < <(tracked '*.sh' .ci/run)
mapfile -t python_scripts < <(tracked '*.py')

check_format() {
  printf '%s\n' "${sources[@]}" | xargs -r -P "$(nproc)" -I{} sh -c \
    'clang-format --dry-run --Werror "{}" 2>/dev/null || { echo "{}: not formatted (scripts/fix.sh)"; exit 1; }'
}
check_includes() { "$python" scripts/checks/include_rules.py "$root" "${sources[@]}"; }
check_calls() { "$python" scripts/checks/forbidden_calls.py "$root" scripts/checks/allowed_calls.txt "${sources[@]}"; }
check_lab_coverage() { "$python" scripts/checks/lab_coverage.py "$root"; }
check_fault_points() { "$python" scripts/checks/fault_points.py "$root" "${sources[@]}"; }
check_headers() { scripts/checks/headers_alone.sh; }
check_shell() {
  local file bad=0
  for file in "${shell_scripts[@]}"; do bash -n "$file" || bad=1; done
  return "$bad"
}
check_python() {
  # Compiles in memory: nothing is written.
  "$python" - "${python_scripts[@]}" <<'PYTHON'
import sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        compile(file.read(), path, "exec")
PYTHON
}
# A file that names a home or scratch folder works on one machine only.
check_machine_names() {
  ! git grep -nE '(^|[^A-Za-z0-9_.$}])/(work|home|root)/' -- ':!scripts/check.sh' &&
    ! git grep -nE '(^|[^A-Za-z0-9_.$}])/tmp/' -- '*.cpp' '*.hpp' '*.md' '*.cmake' 'CMakeLists.txt'
}
# Sizes that a reader can hold: 500 lines at most.
check_sizes() {
  local file lines bad=0
  for file in "${sources[@]}" "${python_scripts[@]}" "${shell_scripts[@]}"; do
    lines="$(wc -l <"$file")"
    [ "$lines" -le 500 ] || { say "$file: $lines lines; split it (at most 500)" && bad=1; }
  done
  return "$bad"
}

failed=0
run_check() {
  local name="$1" begin=$SECONDS
  shift
  if "$@"; then
    printf 'ok      %-32s %s s\n' "$name" "$((SECONDS - begin))"
  else
    printf 'FAILED  %-32s %s s\n' "$name" "$((SECONDS - begin))"
    failed=$((failed + 1))
  fi
}
run_check "format" check_format
run_check "include rules" check_includes
run_check "forbidden calls" check_calls
run_check "marks and mutants" check_fault_points
run_check "faults and scenarios" check_lab_coverage
run_check "names of one machine" check_machine_names
run_check "shell syntax" check_shell
run_check "python syntax" check_python
run_check "file sizes" check_sizes
[ "$fast" = yes ] || run_check "headers compile alone" check_headers
[ "$failed" -eq 0 ] || fail "$failed check(s) failed"
