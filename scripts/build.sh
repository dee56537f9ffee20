#!/usr/bin/env bash
# Builds everything into build/ with Ninja.
#
#   scripts/build.sh [Release|RelWithDebInfo|Debug]     default Release
#
# KIWI_BUILD_DIR chooses another folder, KIWI_BUILD_TARGETS a part of the targets.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

type="${1:-Release}"
case "$type" in
  Release | RelWithDebInfo | Debug) ;;
  *) fail "unknown build type '$type' (known: Release, RelWithDebInfo, Debug)" ;;
esac

step "build ($type) in $build"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE="$type" >"$build.configure.log" 2>&1 || {
  cat "$build.configure.log" >&2
  fail "cmake failed"
}
mkdir -p "$build" && mv "$build.configure.log" "$build/configure.log"
# shellcheck disable=SC2086
ninja -C "$build" -j "$(compile_jobs)" ${KIWI_BUILD_TARGETS:-all}
