"""Kiwi beside a Redis that syncs every write, and etcd, in turns within one run on one machine.

    main.py [--quick] [--rounds N] [--seconds S] [--only TEXT] [--no-etcd] [--dir DIR] [--output FOLDER]

Writes FOLDER/bench.md, bench.json and a PNG for each kind of operation. --only takes the cells whose title holds TEXT, as
"SET c=50".
"""
import argparse
import dataclasses
import datetime
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
import machine  # noqa: E402
import measure  # noqa: E402
import plots  # noqa: E402
import tables  # noqa: E402
from cells import BESIDE_ETCD, FLOORS, quick_grid, whole_grid  # noqa: E402
from servers import Etcd, Kiwi, Redis  # noqa: E402

COMMON_REQUESTS = 60_000  # of redis-benchmark, by 50 connections; fewer for one


class Progress:
    def __init__(self, steps):
        self.steps, self.done, self.begin = steps, 0, time.monotonic()

    def say(self, text):
        self.done += 1
        left = (time.monotonic() - self.begin) / self.done * (self.steps - self.done)
        print(f"[{self.done}/{self.steps}, {left:4.0f} s left] {text}", file=sys.stderr, flush=True)


def common_requests(cell):
    return (COMMON_REQUESTS // 10 if cell.clients == 1 else COMMON_REQUESTS) * (4 if cell.pipeline > 1 else 1)


def measure_all(options, program, cells):
    results = {cell: {} for cell in cells}
    common_cells = [cell for cell in cells if cell.value_bytes == 100 and (cell.what, cell.clients, cell.pipeline) in FLOORS]
    common = {cell: {} for cell in common_cells}
    with Redis() as redis, Kiwi(3) as three, Kiwi(1) as one:
        servers = [redis, three, one]
        progress = Progress(options.rounds * len(servers) * (len(cells) + len(common)))
        for number in range(options.rounds):
            # Each round begins with another server: who comes first finds a quieter disk.
            turn = servers[number % 3:] + servers[:number % 3]
            for cell in cells:
                for server in turn:
                    run = measure.one_run(program, server, cell, options.seconds, 1 + number)
                    results[cell].setdefault(server.name, []).append(run)
                    progress.say(f"{cell.title}, {server.name}: {run['rate']:,.0f}/s, P99 {run['p99'] / 1000:.2f} ms")
            for cell in common_cells:
                for server in turn:
                    run = measure.redis_benchmark(server, cell, common_requests(cell))
                    common[cell].setdefault(server.name, []).append(run)
                    progress.say(f"{cell.title}, {server.name}, redis-benchmark: {run['rate']:,.0f}/s")
        titles = {server.name: server.title for server in servers}
    order = list(titles)
    for by_server in list(results.values()) + list(common.values()):
        for name in order:
            by_server[name] = by_server.pop(name)
    return results, common, titles


def beside_etcd(options, program, number):
    """One round of etcd by its own generator, then Kiwi with as many connections."""
    with Etcd() as etcd:
        rate, slowest = etcd.writes_per_second()
    seen = {"rate": rate, "slowest": slowest, "kiwi": {}}
    with Kiwi(3) as three:
        for cell in BESIDE_ETCD:
            seen["kiwi"][cell.title] = measure.one_run(program, three, cell, options.seconds, 1 + number)["rate"]
    print(f"etcd, round {number + 1}: {rate:,} writes/s; Kiwi: " +
          ", ".join(f"{title} {kiwi:,.0f}/s" for title, kiwi in seen["kiwi"].items()), file=sys.stderr, flush=True)
    return seen


def as_json(results):
    return [{**dataclasses.asdict(cell), "servers": by_server} for cell, by_server in results.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="six cells in about three minutes, without etcd")
    parser.add_argument("--rounds", type=int, help="default: 3")
    parser.add_argument("--seconds", type=float, help="of each run; default: 4, quick 2")
    parser.add_argument("--only", default="", help="cells whose title holds this text")
    parser.add_argument("--no-etcd", action="store_true")
    parser.add_argument("--dir", help="where the data lies while measuring (default: the temporary folder)")
    parser.add_argument("--output", default="bench-results", help="folder (default: %(default)s)")
    options = parser.parse_args()
    options.rounds = options.rounds or 3
    options.seconds = options.seconds or (2.0 if options.quick else 4.0)
    cells = [cell for cell in (quick_grid() if options.quick else whole_grid()) if options.only in cell.title]
    if not cells:
        parser.error(f"no cell's title holds {options.only!r}")
    program = os.path.join(ROOT, "build", "bench", "kiwi-load")
    folder = tempfile.mkdtemp(prefix="kiwi-bench-", dir=options.dir)
    os.environ["KIWI_TEST_DIR"] = folder
    report = {"date": datetime.date.today().isoformat(), "quick": options.quick, "rounds": options.rounds,
              "seconds": options.seconds, "machine": machine.describe()}
    try:
        report["fdatasync_us"] = machine.fdatasync_us(folder)
        results, common, report["servers"] = measure_all(options, program, cells)
        if not options.no_etcd and not options.quick:
            report["etcd"] = [beside_etcd(options, program, number) for number in range(options.rounds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(options.output, exist_ok=True)
    text = tables.whole(report, results, common)
    report.update(cells=as_json(results), redis_benchmark=as_json(common))
    with open(os.path.join(options.output, "bench.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    pictures = plots.draw(results, options.output)
    with open(os.path.join(options.output, "bench.md"), "w", encoding="utf-8") as file:
        file.write("# Benchmark\n\n" + text + "\n" + "\n".join(f"![{name}]({name})" for name in pictures) + "\n")
    print(text)
    print(f"written: {options.output}/bench.md, bench.json, {', '.join(pictures)}", file=sys.stderr)


if __name__ == "__main__":
    main()
