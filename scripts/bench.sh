#!/usr/bin/env bash
# Measures Kiwi beside a Redis that syncs every write, and a three-node etcd, in turns within one run: rates, latencies,
# CPU, syncs and bytes written for each operation. Installs what is missing, builds, writes bench-results/.
#
#   scripts/bench.sh            all cells, 3 rounds: about 50 minutes
#   scripts/bench.sh --quick    six cells: about 3 minutes
#   scripts/bench.sh --help     the other flags
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case " $* " in
  *" --help "* | *" -h "*) exec "$python" "$root/bench/grid/main.py" --help ;;
esac
"$root/scripts/deps.sh" --bench
"$root/scripts/build.sh"
cd "$root"
exec "$python" bench/grid/main.py "$@"
