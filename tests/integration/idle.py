"""Three idle nodes together use less than 3 % of one core, and an empty node less than 60 MB of memory."""
import time

from kiwi.check import expect, run
from kiwi.cluster import Cluster

LIMIT_CORE_PERCENT = 3.0
LIMIT_RESIDENT_BYTES = 60_000_000


def main(options):
    with Cluster(3) as cluster:
        time.sleep(2.0)  # the start is not what is measured
        begin, before = time.monotonic(), [node.process.cpu_seconds() for node in cluster.nodes]
        time.sleep(options.duration)
        elapsed = time.monotonic() - begin
        used = [node.process.cpu_seconds() - b for node, b in zip(cluster.nodes, before)]
        percent = 100.0 * sum(used) / elapsed
        resident = [node.process.resident_bytes() for node in cluster.nodes]
        print(f"{percent:.2f} % of one core over {elapsed:.0f} s "
              f"({', '.join(f'{100 * u / elapsed:.2f}' for u in used)}); "
              f"resident {', '.join(f'{r / 1e6:.1f}' for r in resident)} MB")
        expect(percent < LIMIT_CORE_PERCENT, f"{percent:.2f} % is not below {LIMIT_CORE_PERCENT} %")
        expect(max(resident) < LIMIT_RESIDENT_BYTES, f"{max(resident)} bytes are not below {LIMIT_RESIDENT_BYTES}")


if __name__ == "__main__":
    run(main, duration=(20.0, 8.0))
