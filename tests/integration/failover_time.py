"""kill -9 of the leader under load: the next write that is sent is acknowledged within 3 s. Repeated."""
import statistics
import time

from kiwi.check import eventually, expect, run
from kiwi.cluster import Cluster
from kiwi.load import Load

LIMIT_S = 3.0


def main(options):
    times = []
    with Cluster(3) as cluster:
        with Load([node.redis_port for node in cluster.nodes], 8, options.seed, timeout=1.0) as load:
            for number in range(options.rounds):
                leader = cluster.wait_leader()
                before = load.acknowledged_count()
                eventually(10.0, "writes under way", lambda b=before: load.acknowledged_count() > b + 50)
                killed = time.monotonic()
                leader.kill9()
                first = eventually(20.0, "a write after the fail-over", lambda k=killed: load.first_ack_sent_after(k))
                times.append(first - killed)
                print(f"round {number + 1}: leader {leader.id} killed, next acknowledged write after {times[-1]:.2f} s",
                      flush=True)
                leader.start().wait_port()
        with cluster.wait_leader().connect(30.0) as connection:
            problems = load.problems(connection)
    expect(not problems, "\n".join(problems[:10]))
    expect(max(times) <= LIMIT_S, f"{max(times):.2f} s is more than {LIMIT_S} s")
    print(f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s, best {min(times):.2f} s")


if __name__ == "__main__":
    run(main, rounds=(5, 2))
