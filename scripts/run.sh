#!/usr/bin/env bash
# A Kiwi cluster on this machine, from nothing: installs what is missing, builds, starts the nodes, shows one
# write and one read, and stays until Ctrl-C. Data and logs are in ./kiwi-cluster and survive a second run.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
usage: scripts/run.sh [--nodes N] [--port P] [--fresh] [--help]

  --nodes N   nodes to start, 1 to 9 (default 3)
  --port P    Redis port of node 1; node i listens on P+i-1, and on P+i-1+10000 for the other nodes
              (default 7001)
  --fresh     delete the data of an earlier run first
  --help      this text

Data and logs: $data/node-*/ and $data/node-*.log
USAGE
}

data="$PWD/kiwi-cluster"
nodes=3
port=7001
fresh=no
while [ $# -gt 0 ]; do
  case "$1" in
    --nodes | --port) [ $# -ge 2 ] || fail "$1 needs a value" ;;
  esac
  case "$1" in
    --nodes) nodes="$2" && shift ;;
    --port) port="$2" && shift ;;
    --fresh) fresh=yes ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument '$1'" ;;
  esac
  shift
done
[[ "$nodes" =~ ^[1-9]$ ]] || fail "--nodes must be 1 to 9, not '$nodes'"
[[ "$port" =~ ^[0-9]{1,5}$ ]] && ((10#$port >= 1 && 10#$port + nodes - 1 + 10000 <= 65535)) ||
  fail "--port must be 1 to $((65535 - 10000 - nodes + 1)), not '$port'"
port=$((10#$port))

# KIWI_NODE names a program that is built already: nothing is installed or built then.
node_binary="${KIWI_NODE:-}"
if [ -z "$node_binary" ]; then
  "$root/scripts/deps.sh"
  KIWI_BUILD_TARGETS=kiwi-node "$root/scripts/build.sh" Release
  node_binary="$build/node/kiwi-node"
fi

redis_port() { say $((port + $1 - 1)); }
raft_port() { say $((port + $1 - 1 + 10000)); }
log_of() { say "$data/node-$1.log"; }

for ((i = 1; i <= nodes; i++)); do
  for p in "$(redis_port "$i")" "$(raft_port "$i")"; do
    ! port_taken "$p" || fail "port $p is in use (an earlier cluster? choose another with --port)"
  done
done
[ "$fresh" = no ] || rm -rf "$data"
mkdir -p "$data"
if [ -f "$data/cluster" ] && [ "$(cat "$data/cluster")" != "$nodes $port" ]; then
  read -r old_nodes old_port <"$data/cluster"
  fail "$data holds a cluster of --nodes $old_nodes --port $old_port: use these, or --fresh to delete it"
fi
say "$nodes $port" >"$data/cluster"

members=""
for ((i = 1; i <= nodes; i++)); do
  members+="${members:+,}$i=127.0.0.1:$(redis_port "$i")@$(raft_port "$i")"
done

# --- the nodes' lives
declare -A pid_of=()
stopping=no

# SIGTERM, wait, and say how each ended. The leader goes last, so that no one is elected meanwhile.
stop_node() {
  local i="$1" code=0
  [ -n "${pid_of[$i]:-}" ] || return 0
  kill -TERM "${pid_of[$i]}" 2>/dev/null || true
  while kill -0 "${pid_of[$i]}" 2>/dev/null; do
    wait "${pid_of[$i]}" && code=0 || code=$?
  done
  say "node $i stopped, exit code $code"
  unset "pid_of[$i]"
  [ "$code" -eq 0 ] || exit_code=1
}
stop_all() {
  trap '' INT TERM
  stopping=yes
  local leader i
  leader="$(find_leader)"
  say ""
  step "stopping"
  for ((i = 1; i <= nodes; i++)); do
    [ "$i" = "$leader" ] || stop_node "$i"
  done
  [ -z "$leader" ] || stop_node "$leader"
}
show_tail() {
  printf -- '--- last lines of %s\n' "$(log_of "$1")" >&2
  tail -n 15 "$(log_of "$1")" >&2
}
# The node that answers a linearizable read; nothing when there is none.
find_leader() {
  local i answer
  for i in "${!pid_of[@]}"; do
    answer="$(timeout 2 redis-cli -p "$(redis_port "$i")" EXISTS kiwi:who-leads 2>/dev/null || true)"
    if [[ "$answer" =~ ^[0-9]+$ ]]; then
      say "$i"
      return 0  # a bare return inside a trap would give the status from before the signal
    fi
  done
}
dead_node() {
  local i
  for i in "${!pid_of[@]}"; do
    kill -0 "${pid_of[$i]}" 2>/dev/null || { say "$i" && return 0; }
  done
}
# Reports a node that ended by itself, stops the others and ends the script.
node_died() {
  local i="$1" code=0
  wait "${pid_of[$i]}" && code=0 || code=$?
  unset "pid_of[$i]"
  printf 'error: node %s ended by itself, exit code %s\n' "$i" "$code" >&2
  show_tail "$i"
  stop_all
  exit 1
}

exit_code=0
trap 'stop_all; exit "$exit_code"' INT TERM
trap '[ "$stopping" = yes ] || stop_all' EXIT

step "starting $nodes node(s), data in $data"
for ((i = 1; i <= nodes; i++)); do
  # In a session of its own, so that Ctrl-C reaches this script only; and never outliving it.
  setsid setpriv --pdeathsig TERM "$node_binary" --id "$i" --dir "$data/node-$i" \
    --address "127.0.0.1:$(redis_port "$i")@$(raft_port "$i")" --initial-cluster "$members" \
    </dev/null >>"$(log_of "$i")" 2>&1 &
  pid_of[$i]=$!
  say "node $i: pid $!, redis port $(redis_port "$i"), raft port $(raft_port "$i"), log $(log_of "$i")"
done

deadline=$((SECONDS + 30))
leader=""
until [ -n "$leader" ]; do
  dead="$(dead_node)"
  [ -z "$dead" ] || node_died "$dead"
  if ((SECONDS >= deadline)); then
    for ((i = 1; i <= nodes; i++)); do show_tail "$i"; done
    fail "no leader after 30 s"
  fi
  leader="$(find_leader)"
  [ -n "$leader" ] || sleep 0.1
done

step "node $leader leads; a write and a read through node 1"
for command in "SET greeting hello-from-kiwi" "GET greeting"; do
  say "\$ redis-cli -c -p $port $command"
  # shellcheck disable=SC2086
  redis-cli -c -p "$port" $command
done
say ""
say "connect with:  redis-cli -c -p $port"
say "Ctrl-C stops the cluster; the data stays in $data"

while true; do
  wait -n "${pid_of[@]}" || true
  dead="$(dead_node)"
  [ -z "$dead" ] || node_died "$dead"
done
