"""Programs against each other, in turns within one run: three real nodes of each, the same cells by kiwi-load. For judging a change.

    compare.py [--rounds N] [--seconds S] [--cells LIST] [--nodes N] NAME=KIWI_NODE[,FLAG,FLAG...] ...

LIST is WHAT:CLIENTS:PIPELINE[:VALUE_BYTES], with commas between cells; WHAT is set, get or mix. A NAME "redis" alone is the unreplicated
reference of scripts/bench.sh. Prints the medians of the rounds. Example:

    compare.py --cells set:50:1,set:1:1 before=old/kiwi-node after=build/node/kiwi-node lease=build/node/kiwi-node,--read-mode,lease redis
"""
import argparse
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(HERE, "grid"), os.path.join(ROOT, "tests", "integration")]
import measure  # noqa: E402
from cells import Cell  # noqa: E402
from kiwi.cluster import Cluster  # noqa: E402
from servers import Kiwi, Redis  # noqa: E402

COLUMNS = (("rate", "operations/s", 0), ("p50", "P50 us", 0), ("p99", "P99 us", 0), ("p999", "P99.9 us", 0),
           ("cpu_us", "CPU us/op", 1), ("switches", "switches/op", 2), ("syncs", "syncs/SET", 4))


class Program(Kiwi):
    def __init__(self, nodes, program, flags):
        super().__init__(nodes)
        self.program, self.flags = program, flags

    def __enter__(self):
        os.environ["KIWI_NODE"] = self.program
        self.cluster = Cluster(self.nodes, self.flags)
        self.cluster.__enter__()
        return self


def server(name, nodes):
    title, _, rest = name.partition("=")
    if title == "redis" and not rest:
        return Redis()
    program, *flags = rest.split(",")
    if not os.access(program, os.X_OK):
        raise SystemExit(f"compare.py: {program!r} of {name!r} is no program")
    return Program(nodes, os.path.abspath(program), flags)


def cell(text):
    what, *numbers = text.split(":")
    if what not in ("set", "get", "mix") or not 2 <= len(numbers) <= 3 or not all(n.isdigit() for n in numbers):
        raise SystemExit(f"compare.py: {text!r} is no WHAT:CLIENTS:PIPELINE[:VALUE_BYTES]")
    return Cell(what, *(int(n) for n in (numbers + ["100"])[:3]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--cells", default="set:50:1,set:50:16,get:50:1,set:1:1")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("programs", nargs="+", metavar="NAME=KIWI_NODE")
    options = parser.parse_args()
    cells = [cell(text) for text in options.cells.split(",")]
    seen = {}
    for number in range(options.rounds):
        for name in options.programs if number % 2 == 0 else reversed(options.programs):
            with server(name, options.nodes) as running:
                running.port()  # there is a leader
                for one in cells:
                    run = measure.one_run(os.path.join(ROOT, "build", "bench", "kiwi-load"), running, one, options.seconds, number + 1)
                    seen.setdefault((one, name), []).append(run)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    print("|  |  | " + " | ".join(title for _, title, _ in COLUMNS) + " |\n" + "|---" * (2 + len(COLUMNS)) + "|")
    for one in cells:
        for name in options.programs:
            row = []
            for key, _, digits in COLUMNS:
                values = [run[key] for run in seen[(one, name)] if run[key] is not None]
                row.append(f"{statistics.median(values):,.{digits}f}" if values else "")
            print(f"| {one.title} | {name.partition('=')[0]} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
