# Shared by the scripts beside it; source it, do not run it.
# Sets `root` (the source tree) and makes the shell strict.

set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build="${KIWI_BUILD_DIR:-$root/build}"
# Debian's interpreter: the one that sees python3-redis.
python=/usr/bin/python3

say() { printf '%s\n' "$*"; }
step() { printf '== %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or with sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "'$*' needs root and there is no sudo: run it as root, then try again"
  fi
}

# How many jobs to compile with: one per core, but no more than one per 1.5 GB of memory (CAF headers are big).
compile_jobs() {
  local cores memory_kb by_memory
  cores="$(nproc)"
  memory_kb="$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)"
  by_memory=$((memory_kb / 1500000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  [ "$cores" -le "$by_memory" ] && say "$cores" || say "$by_memory"
}

# Files that git tracks, of the given patterns, as they are in the working tree.
tracked() { git -C "$root" ls-files -- "$@" | while read -r file; do [ -f "$root/$file" ] && say "$file"; done; }

# True when something accepts connections on 127.0.0.1:$1.
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
