"""Throughput against the number of connections, and past the point where the machine is full: three nodes, one kiwi-load.

    growth.py [--rounds N] [--seconds S] [--clients LIST] [--what set|get] [--pipeline P] [--value-bytes N]

The numbers of connections come in turns, up and down. Prints the medians of the rounds: rate, P50, P99, refusals, and the rate as
a share of the best one at fewer connections. Beyond the best rate, less than 0.9 of it is a fall (issue 6).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(HERE, "grid"), os.path.join(ROOT, "tests", "integration")]
from servers import Kiwi  # noqa: E402


def one_run(port, clients, options, seed):
    done = subprocess.run(
        [os.path.join(ROOT, "build", "bench", "kiwi-load"), "--port", str(port), "--what", options.what, "--clients", str(clients),
         "--pipeline", str(options.pipeline), "--value-bytes", str(options.value_bytes), "--seconds", str(options.seconds),
         "--warm-up", "1", "--seed", str(seed)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=options.seconds + 120, check=False)
    if done.returncode != 0:
        raise SystemExit(f"growth.py: kiwi-load ended with {done.returncode} at {clients} connections")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--clients", default="1,2,5,10,20,50,100,200,500,1000,2000")
    parser.add_argument("--what", default="set", choices=("set", "get"))
    parser.add_argument("--pipeline", type=int, default=1)
    parser.add_argument("--value-bytes", type=int, default=100)
    options = parser.parse_args()
    counts = [int(text) for text in options.clients.split(",")]
    seen = {count: [] for count in counts}
    with Kiwi(3) as server:
        port = server.port()
        for number in range(options.rounds):
            for count in counts if number % 2 == 0 else reversed(counts):
                seen[count].append(one_run(port, count, options, number + 1))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    print("| connections | operations/s | P50 us | P99 us | refused | share of the best before |\n|---|---|---|---|---|---|")
    best = 0.0
    for count in counts:
        rate = statistics.median(run["rate"] for run in seen[count])
        p50, p99 = (statistics.median(run["latency_us"][name] for run in seen[count]) for name in ("p50", "p99"))
        refused = sum(sum(run["errors"].values()) for run in seen[count])
        print(f"| {count} | {rate:,.0f} | {p50:,.0f} | {p99:,.0f} | {refused} | {rate / best if best else 1:.2f} |")
        best = max(best, rate)


if __name__ == "__main__":
    main()
