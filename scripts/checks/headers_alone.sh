#!/usr/bin/env bash
# Every public or internal header compiles as the only include of a file, without warnings. Writes only into a
# temporary folder. Precompiles CAF's big header once, as most of the time would go into it.
#
#   scripts/checks/headers_alone.sh [--all]
#
# Without --all it leaves out headers that the build itself shows to compile alone: those that are the first include
# of their own source file, in a folder that precompiles no headers.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"
all="${1:-}"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  -Winvalid-pch -I"$scratch/caf" -I"$root" -I"$root/include")
[ -e /usr/include/caf/all.hpp ] || fail "libcaf-dev is not installed (scripts/deps.sh)"

mkdir -p "$scratch/caf/caf"
printf '#pragma GCC system_header\n#include_next <caf/all.hpp>\n' >"$scratch/caf/caf/all.hpp"
g++ -std=c++20 -w -x c++-header -o "$scratch/caf/caf/all.hpp.gch" "$scratch/caf/caf/all.hpp"

# $1: header. The name of the header, on failure, goes to a list, so that parallel jobs need no lock.
check_one() {
  printf '#include "%s"\n' "${1#include/}" >"$scratch/$(tr / _ <<<"$1").cpp"
  g++ "${flags[@]}" "$scratch/$(tr / _ <<<"$1").cpp" || { say "$1: does not compile alone" && return 1; }
}
export -f check_one say
export scratch
declare -p flags >"$scratch/flags.sh"
# Does the build compile it alone?
first_in_its_source() {
  local source="${1%.hpp}.cpp" first
  [ -f "$source" ] || return 1
  first="$(grep -m1 '^#include' "$source")"
  [ "$first" = "#include \"$1\"" ] || return 1
  ! grep -qE 'PCH|precompile_headers' "$(dirname "$1")/CMakeLists.txt" 2>/dev/null
}
tracked '*.hpp' |
  while read -r header; do
    [ "$all" != --all ] && first_in_its_source "$header" || say "$header"
  done |
  xargs -r -P "$(compile_jobs)" -I{} bash -c 'source "$scratch/flags.sh"; check_one {}'
