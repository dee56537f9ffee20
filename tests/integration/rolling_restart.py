"""All three nodes are restarted by SIGTERM, one after another, while 8 clients write and read: the leader hands
leadership over before it stops. No operation fails for a client that follows redirects and tries refusals again: none
is of unknown outcome, and no acknowledged write is lost.

    --rounds N --seed N
"""
import time

from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.load import Load

CLIENTS = 8


def caught_up(node):
    info = node.info()
    return info["raft_caught_up"] == "1" and info["raft_leader"] != "0"


def restart(cluster, node, load):
    before = load.acknowledged_count()
    was_leader = cluster.wait_leader() is node
    begin = time.monotonic()
    expect_equal(node.stop(), 0, f"exit code of node {node.id}")
    took = time.monotonic() - begin
    node.start().wait_port()
    eventually(20.0, f"node {node.id} has caught up", lambda: caught_up(node))
    eventually(10.0, "writes go on", lambda: load.acknowledged_count() > before + 50)
    print(f"  node {node.id}{' (the leader)' if was_leader else ''} stopped in {took:.2f} s", flush=True)
    return was_leader


def main(options):
    with Cluster(3) as cluster:
        with Load([node.redis_port for node in cluster.nodes], CLIENTS, options.seed, timeout=10.0) as load:
            eventually(10.0, "writes are acknowledged", lambda: load.acknowledged_count() > 100)
            leaders = 0
            for _ in range(options.rounds):
                # The leader first: so it moves to one that is restarted later.
                for node in sorted(cluster.nodes, key=lambda n, first=cluster.wait_leader(): n is not first):
                    leaders += restart(cluster, node, load)
        expect(leaders > 0, "no leader was restarted")
        expect_equal(load.unknowns(), [], "operations of unknown outcome")
        with cluster.wait_leader().connect(60.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, first: {problems[:3]}")
        print(f"  {leaders} leaders restarted, {load.summary()}")


if __name__ == "__main__":
    run(main, rounds=(2, 1))
