"""What a bounded log and a catching-up node cost, on real processes of one machine:

    updates      1,000,000 updates of 1,000 keys: how large the data directories get
    catch-up     a node that missed 1,000,000 keys comes back by a snapshot while clients write: time, memory, and
                 the latency of those writes before and meanwhile; then again after 1 % of the keys changed
    interrupted  the same with its link cut three times and the node killed twice: bytes sent

    catch_up.py [--keys N] [--rate MB] [--writes PER_SECOND] [--dir DIR] [--only PART] [--output FILE]

Values are 200 random bytes, which do not compress. Writes whose latency is taken are sent by a process of its own at a
fixed rate over 8 connections, each timed from the moment at which it was due (no coordinated omission).
"""
import argparse
import multiprocessing
import os
import re
import random
import selectors
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "integration"))
from kiwi import resp  # noqa: E402
from kiwi.bulk import Watch, folder_bytes, received_snapshots, set_many  # noqa: E402
from kiwi.check import eventually  # noqa: E402
from kiwi.client import Connection  # noqa: E402
from kiwi.cluster import Cluster  # noqa: E402

MB = 1_000_000
CONNECTIONS = 8


def steady_writes(port, host, per_second, stop, results):
    """Sends SETs at a fixed rate until `stop`; puts [(due, latency in seconds)] into `results`."""
    rng = random.Random(7)
    chooser = selectors.DefaultSelector()
    idle, done = [], []
    for number in range(CONNECTIONS):
        connection = Connection(port, host=host, timeout=60.0)
        chooser.register(connection.socket, selectors.EVENT_READ, (connection, number))
        idle.append(connection)
    due = time.monotonic()
    sent = {}
    while not stop.is_set():
        now = time.monotonic()
        while due <= now and idle:
            connection = idle.pop()
            connection.send("SET", f"steady:{rng.randrange(10_000)}", rng.randbytes(200))
            sent[connection] = due
            due += 1.0 / per_second
        for key, _ in chooser.select(max(0.0, min(0.05, due - time.monotonic())) if idle else 0.05):
            connection = key.data[0]
            reply = connection.read_reply()
            if isinstance(reply, resp.Error):
                raise SystemExit(f"a write was refused: {reply}")
            begun = sent.pop(connection)
            done.append((begun, time.monotonic() - begun))
            idle.append(connection)
    results.put(done)


def p99_ms(samples):
    latencies = sorted(latency for _, latency in samples)
    return 1000 * latencies[int(len(latencies) * 0.99)] if latencies else float("nan")


def log_times(node, event):
    """Seconds since the epoch at which the node logged `event`."""
    with open(node.log_path, encoding="utf-8", errors="replace") as log:
        stamps = re.findall(r"^(\S+)\+00:00 .* event=" + event + r" ", log.read(), re.MULTILINE)
    return [time.mktime(time.strptime(s[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(s[19:]) for s in stamps]


def level(leader, follower):
    return follower.applied() >= int(leader.info()["raft_commit_index"]) - 2000


def left_behind(cluster, names, seed):
    """Loads while one follower is down, until the log is purged past it. (leader, follower, seconds)"""
    leader = cluster.wait_leader()
    follower = cluster.followers(leader)[0]
    before = int(leader.info()["raft_last_log_index"])
    follower.kill9()
    seconds = set_many(leader.redis_port, names, host=leader.host, seed=seed)
    eventually(60.0, "the log is purged past the follower",
               lambda: int(leader.info()["raft_log_purged_index"]) > before)
    return leader, follower, seconds


def come_back(leader, follower):
    """Starts the follower; waits until it is level by a snapshot. Figures."""
    before = {name: int(value) for name, value in leader.info().items() if name == "raft_snapshot_sent_bytes"}
    leader_rss = leader.process.resident_bytes()
    begin = time.monotonic()
    follower.start().wait_port()
    follower_rss = follower.process.resident_bytes()
    with Watch(leader.process.resident_bytes) as of_leader, Watch(follower.process.resident_bytes) as of_follower:
        eventually(600.0, "the snapshot is installed", lambda: int(follower.info()["raft_snapshots_installed"]) > 0)
        eventually(600.0, "the follower is level", lambda: level(leader, follower))
        seconds = time.monotonic() - begin
    transfer = log_times(follower, "snapshot_received")[-1] - log_times(follower, "snapshot_receiving")[-1]
    return {"begin": begin, "end": begin + seconds, "seconds": seconds, "transfer": max(transfer, 0.001),
            "bytes": list(received_snapshots(follower).values())[-1],
            "sent": int(leader.info()["raft_snapshot_sent_bytes"]) - before["raft_snapshot_sent_bytes"],
            "leader_grew": of_leader.most - leader_rss, "follower_grew": of_follower.most - follower_rss}


def updates(options, say):
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        names = (f"key:{number % 1000}" for number in range(options.keys))
        folders = [Watch(lambda d=node.dir: folder_bytes(d), 0.2) for node in cluster.nodes]
        for watch in folders:
            watch.__enter__()
        seconds = set_many(leader.redis_port, names)
        for watch in folders:
            watch.__exit__()
        most = max(watch.most for watch in folders)
        say(f"| {options.keys:,} updates of 1,000 keys: largest data directory | {most / MB:.0f} MB | "
            f"{options.keys / seconds:,.0f} updates/s |")


def catch_up(options, say):
    extra = ["--snapshot-rate", f"{options.rate}MiB"] if options.rate is not None else []
    with Cluster(3, extra=extra) as cluster:
        leader, follower, seconds = left_behind(cluster, (f"key:{n}" for n in range(options.keys)), 1)
        say(f"| {options.keys:,} keys of 200 bytes loaded while one node is down | {seconds:.0f} s | |")
        stop, results = multiprocessing.Event(), multiprocessing.Queue()
        writer = multiprocessing.Process(target=steady_writes, daemon=True,
                                         args=(leader.redis_port, leader.host, options.writes, stop, results))
        writer.start()
        time.sleep(options.before)
        first = come_back(leader, follower)
        stop.set()
        samples = results.get(timeout=60)
        writer.join()
        calm = p99_ms([s for s in samples if first["begin"] - options.before + 2 < s[0] < first["begin"]])
        busy = p99_ms([s for s in samples if first["begin"] <= s[0] < first["end"]])
        say(f"| catch-up: snapshot, start of the node to level | {first['bytes'] / MB:.0f} MB, {first['seconds']:.1f} s | "
            f"transfer {first['transfer']:.1f} s, {first['bytes'] / MB / first['transfer']:.0f} MB/s |")
        say(f"| memory: leader, receiver | +{first['leader_grew'] / MB:.0f} MB, +{first['follower_grew'] / MB:.0f} MB | "
            "largest RSS meanwhile, less that before |")
        say(f"| P99 of {options.writes} writes/s before, meanwhile | {calm:.1f} ms, {busy:.1f} ms | ratio {busy / calm:.2f} |")
        digests = {str(digest) for digest in cluster.digests(120.0).values()}
        rng = random.Random(3)
        follower.kill9()
        time.sleep(12.0)  # longer than a follower counts as live
        names = [f"key:{rng.randrange(options.keys)}" for _ in range(options.keys // 100)]
        set_many(leader.redis_port, names, host=leader.host, seed=2)
        # The log is as long as the options say, so that 1 % alone does not purge it: one key is written for that.
        purge_past = int(leader.info()["raft_last_log_index"])

        def purged():
            set_many(leader.redis_port, ["filler"] * 20_000, host=leader.host, seed=4)
            return int(leader.info()["raft_log_purged_index"]) > purge_past
        eventually(300.0, "the log is purged past the follower", purged)
        second = come_back(leader, follower)
        say(f"| catch-up again after 1 % of the keys changed: sent | {second['sent'] / MB:.0f} MB | "
            f"{second['sent'] / first['sent']:.2f} of the first ({first['sent'] / MB:.0f} MB) |")
        again = {str(digest) for digest in cluster.digests(120.0).values()}
        say(f"| digests of the three nodes | {'equal' if len(digests) == len(again) == 1 else 'DIFFERENT'} | |")


def interrupted(options, say):
    rate = max(1, options.keys * 220 // 25 // MB)  # so that it takes some 25 s
    with Cluster(3, extra=["--snapshot-rate", f"{rate}MiB"], links=True) as cluster:
        leader, follower, _ = left_behind(cluster, (f"key:{n}" for n in range(options.keys)), 1)
        follower.start().wait_port()

        def sent():
            return int(leader.info()["raft_snapshot_sent_bytes"])
        for number, kind in enumerate(("cut", "kill", "cut", "kill", "cut"), 1):
            size = eventually(60.0, "a transfer", lambda: max(received_snapshots(follower).values()))
            eventually(120.0, f"part {number} is sent", lambda n=number, s=size: sent() > n * s / 7)
            if kind == "kill":
                follower.kill9()
                follower.start().wait_port()
            else:
                follower.link.cut()
                eventually(20.0, "the leader sees the link cut",
                           lambda: str(follower.id) not in leader.info()["raft_connected_peers"].split())
                follower.link.mend()
        eventually(600.0, "the snapshot is installed", lambda: int(follower.info()["raft_snapshots_installed"]) > 0)
        digests = {str(digest) for digest in cluster.digests(120.0).values()}
        say(f"| link cut 3 times, receiver killed 2 times: sent | {sent() / MB:.0f} MB | "
            f"{sent() / size:.2f} of the snapshot's {size / MB:.0f} MB; digests {'equal' if len(digests) == 1 else 'DIFFERENT'} |")


PARTS = {"updates": updates, "catch-up": catch_up, "interrupted": interrupted}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, help="--snapshot-rate of the nodes in MiB (default: theirs)")
    parser.add_argument("--writes", type=int, default=1000, help="writes per second meanwhile")
    parser.add_argument("--before", type=float, default=15.0, help="seconds of writes before the node comes back")
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
