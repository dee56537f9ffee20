#!/usr/bin/env bash
# Formats all tracked C++ files in place. scripts/check.sh tells what else is wrong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
tracked '*.cpp' '*.hpp' | xargs -r clang-format -i
say "formatted $(tracked '*.cpp' '*.hpp' | wc -l) files"
