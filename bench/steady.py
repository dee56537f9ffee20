"""Three nodes under a steady load for a long time, and under full load, on real processes of one machine:

    open loop   SETs at a share of the peak rate, each timed from the moment when it was due, while the log is compacted and
                a node that was away comes back by a snapshot: P50, P99, P99.9
    full load   as many SETs as are answered: does anybody stand for election who should not?

    steady.py [--minutes M] [--share S] [--clients N] [--keys N] [--dir DIR] [--only open-loop|full-load] [--output FILE]

The peak is the median of three runs of 5 s in a closed loop with the same connections, before.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
from kiwi.bulk import set_many  # noqa: E402
from kiwi.check import eventually  # noqa: E402
from kiwi.cluster import Cluster  # noqa: E402

PROGRAM = os.path.join(ROOT, "build", "bench", "kiwi-load")


def load(port, options, seconds, *flags):
    """Starts kiwi-load; result() waits for what it saw."""
    return subprocess.Popen([PROGRAM, "--port", str(port), "--clients", str(options.clients), "--seconds", str(seconds),
                             *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def result(process):
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"kiwi-load ended with {process.returncode}")
    return json.loads(out)


def peak(port, options):
    return statistics.median(result(load(port, options, 5))["rate"] for _ in range(3))


def elections(cluster):
    """Terms are counted by every node; an election that nobody wins raises them, too."""
    return max(int(node.info()["raft_term"]) for node in cluster.nodes if node.running())


def away_and_back(cluster, leader, seconds, notes):
    """After a sixth of the time a follower is killed; it is started once the log is purged past it."""
    time.sleep(seconds / 6)
    follower = cluster.followers(leader)[0]
    follower.kill9()
    before = int(leader.info()["raft_last_log_index"])
    eventually(seconds, "the log is purged past the node that is away",
               lambda: int(leader.info()["raft_log_purged_index"]) > before)
    follower.start().wait_port()
    begin = time.monotonic()
    eventually(seconds, "it has the snapshot", lambda: int(follower.info()["raft_snapshots_installed"]) > 0)
    notes.append(f"a snapshot installed {time.monotonic() - begin:.0f} s after the node came back")


def open_loop(options, say):
    seconds = 60 * options.minutes
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        set_many(leader.redis_port, (f"old:{number}" for number in range(options.keys)))
        rate = options.share * peak(leader.redis_port, options)
        term, purged, notes = elections(cluster), int(leader.info()["raft_log_purged_index"]), []
        other = threading.Thread(target=away_and_back, args=(cluster, leader, seconds, notes), daemon=True)
        other.start()
        # Twice as deep as the rate needs at 100 ms: who falls behind is seen as latency, not as fewer commands.
        seen = result(load(leader.redis_port, options, seconds, "--rate", str(rate), "--pipeline", "1000"))
        other.join(timeout=60)
        latency = seen["latency_us"]
        purged = int(leader.info()["raft_log_purged_index"]) - purged
        say(f"| open loop, {options.minutes:g} min at {rate:,.0f}/s ({options.share:.0%} of the peak), {options.clients} connections | "
            f"P50 {latency['p50'] / 1000:.2f} ms, P99 {latency['p99'] / 1000:.2f} ms, P99.9 {latency['p999'] / 1000:.2f} ms, "
            f"longest {latency['max'] / 1000:.0f} ms | {latency['count']:,} SETs, errors {seen['errors'] or 'none'}, never sent "
            f"{seen['behind']}; elections {elections(cluster) - term}; {purged:,} entries purged; "
            f"{', '.join(notes) or 'NO SNAPSHOT WAS SENT'} |")


def full_load(options, say):
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        term = elections(cluster)
        seen = result(load(leader.redis_port, options, 60 * options.minutes))
        say(f"| full load, {options.minutes:g} min, {options.clients} connections | {seen['rate']:,.0f}/s, P99 "
            f"{seen['latency_us']['p99'] / 1000:.2f} ms | elections {elections(cluster) - term}, errors {seen['errors'] or 'none'} |")


PARTS = {"open-loop": open_loop, "full-load": full_load}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--share", type=float, default=0.6, help="of the peak rate (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--keys", type=int, default=500_000, help="of 200 bytes, loaded before (default: %(default)s)")
    parser.add_argument("--dir", help="where the data lies while measuring (default: the temporary folder)")
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    parser.add_argument("--output", help="write the table here, too")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kiwi-bench-", dir=options.dir)
    os.environ["KIWI_TEST_DIR"] = folder
    lines = ["| | | |", "|---|---|---|"]

    def say(line):
        print(line, flush=True)
        lines.append(line)
    try:
        for name, part in PARTS.items():
            if not options.only or name in options.only:
                part(options, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as output:
            output.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
