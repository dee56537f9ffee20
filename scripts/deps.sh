#!/usr/bin/env bash
# Installs the Debian packages that building and testing Kiwi needs. Touches the network only when something
# is missing. Starts no service.
#
#   scripts/deps.sh            install what is missing
#   scripts/deps.sh --bench    those of scripts/bench.sh, too
#   scripts/deps.sh --list     print the package names
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=(
  g++ cmake ninja-build ccache
  libcaf-dev librocksdb-dev libcereal-dev libspdlog-dev libfmt-dev
  libcli11-dev libexpected-dev libboost-dev libxxhash-dev liblz4-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev googletest libbenchmark-dev
  clang-format redis-server redis-tools python3 python3-redis
)

if [ "${1:-}" = --bench ]; then
  packages+=(etcd-server etcd-client python3-matplotlib)
  shift
fi
if [ "${1:-}" = --list ]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi
[ $# -eq 0 ] || fail "unknown argument '$1' (known: --bench, --list)"
command -v apt-get >/dev/null || fail "this script installs with apt-get; elsewhere, see 'scripts/deps.sh --list'"

missing=()
for package in "${packages[@]}"; do
  state="$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)"
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  say "all ${#packages[@]} packages are installed"
  exit 0
fi

say "installing: ${missing[*]}"
# The Debian package of redis-server starts a server on port 6379 when it is installed. A policy that says no
# is asked for only while installing, and only where there is none already.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  # shellcheck disable=SC2016
  as_root sh -c 'printf "#!/bin/sh\nexit 101\n" > "$1" && chmod 755 "$1"' sh "$policy"
  trap 'as_root rm -f "$policy"' EXIT
fi
as_root env DEBIAN_FRONTEND=noninteractive apt-get update
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
