"""SET throughput and latency of three Kiwi nodes beside Debian's redis-server that syncs every write, in turns
within one run, on the same disk, with redis-benchmark. Also the raw time of fdatasync on that disk.

    throughput.py [--rounds N] [--requests N] [--clients N] [--dir DIR] [--output FILE]

Writes a markdown table with medians over the rounds.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "integration"))
from kiwi.cluster import Cluster  # noqa: E402
from kiwi.redis_reference import RedisReference  # noqa: E402

FIELDS = ("rps", "avg", "min", "p50", "p95", "p99", "max")


def fdatasync_ms(folder, seconds=2.0):
    """Sorted times of appending 4 KiB and syncing them."""
    path = os.path.join(folder, "fdatasync-probe")
    times, end = [], time.monotonic() + seconds
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        while time.monotonic() < end:
            begin = time.perf_counter()
            os.write(descriptor, b"\x5a" * 4096)
            os.fdatasync(descriptor)
            times.append(1000 * (time.perf_counter() - begin))
    finally:
        os.close(descriptor)
        os.unlink(path)
    return sorted(times)


def benchmark(port, name, options, pipeline=1):
    """One run of redis-benchmark: a dict of FIELDS; latencies in milliseconds."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", name, "-n", str(options.requests * pipeline), "-c",
         str(options.clients), "-P", str(pipeline), "-d", "100", "-r", "100000", "--csv"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    output = done.stdout.decode()
    row = re.search(r'^"' + name + r'",(.*)$', output, re.MULTILINE | re.IGNORECASE)
    if done.returncode != 0 or not row:
        raise SystemExit(f"redis-benchmark failed:\n{output[-2000:]}")
    return dict(zip(FIELDS, (float(x.strip('"')) for x in row.group(1).split(","))))


def table(results):
    lines = ["| | operations/s | P50 ms | P99 ms | compared with redis |", "|---|---|---|---|---|"]
    for case, by_server in results.items():
        for server, runs in by_server.items():
            median = {field: statistics.median(run[field] for run in runs) for field in FIELDS}
            # Of each round, so that what the machine does besides touches both.
            ratio = statistics.median(a["rps"] / b["rps"] for a, b in zip(runs, by_server["redis"]))
            lines.append(f"| {case}, {server} | {median['rps']:,.0f} | {median['p50']:.2f} | {median['p99']:.2f} "
                         f"| {ratio:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=30000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--dir", help="where the data lies while measuring (default: the temporary folder)")
    parser.add_argument("--output", help="write the table here, too")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kiwi-bench-", dir=options.dir)
    os.environ["KIWI_TEST_DIR"] = folder
    cases = {"SET": ("set", 1), "SET, pipelines of 16": ("set", 16), "GET": ("get", 1)}
    results = {case: {"redis": [], "kiwi, 3 nodes": []} for case in cases}
    try:
        syncs = fdatasync_ms(folder)
        with RedisReference("--appendonly", "yes", "--appendfsync", "always") as redis, Cluster(3) as cluster:
            leader = cluster.wait_leader()
            for port in (redis.redis_port, leader.redis_port):
                benchmark(port, "set", argparse.Namespace(requests=2000, clients=options.clients))
            for number in range(options.rounds):
                for case, (name, pipeline) in cases.items():
                    for server, port in (("redis", redis.redis_port), ("kiwi, 3 nodes", leader.redis_port)):
                        results[case][server].append(benchmark(port, name, options, pipeline))
                        print(f"round {number + 1}, {case}, {server}: {results[case][server][-1]['rps']:,.0f}/s",
                              file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = (f"{options.clients} connections, values of 100 bytes, every write synced, medians of {options.rounds} "
            f"rounds in turns, {os.cpu_count()} cores for servers and clients together.\n"
            f"fdatasync of 4 KiB appended: median {statistics.median(syncs):.3f} ms, "
            f"P99 {syncs[int(len(syncs) * 0.99)]:.3f} ms.\n\n{table(results)}\n")
    print(text)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
