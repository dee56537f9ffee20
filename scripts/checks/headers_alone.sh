#!/usr/bin/env bash
# Every public or internal header compiles as the only include of a file, without warnings. Writes only into a
# temporary folder. Precompiles CAF's big header once, as most of the time would go into it.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

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
tracked '*.hpp' |
  xargs -r -P "$(compile_jobs)" -I{} bash -c 'source "$scratch/flags.sh"; check_one {}'
