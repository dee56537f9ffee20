"""The log of the first members is purged: a node that joins catches up by a snapshot, also when it is killed while it
does. The entries that changed the membership are purged too: a node that loses its data, and one that is restarted,
still knows its members.

    --keys N --seed N
"""
import os
import random
import shutil
import time

from kiwi import bulk
from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.members import fresh_node, join, on_leader, settled, voters

SMALL_LOG = ["--log-keep", "64KiB", "--log-keep-entries", "64", "--log-laggard", "64KiB"]


def purged(node):
    return int(node.info()["raft_log_purged_index"])


def purge_behind(cluster, configuration):
    """Writes until no node has the entry of this configuration any more."""
    names = iter(range(10 ** 9))

    def written():
        bulk.set_many(cluster.wait_leader().redis_port, [f"more:{next(names)}" for _ in range(500)])
        return all(purged(node) >= configuration for node in cluster.nodes)
    eventually(30.0, f"configuration {configuration} is purged everywhere", written)


def configuration(cluster):
    return int(cluster.wait_leader().info()["raft_configuration"])


def main(options):
    rng = random.Random(options.seed)
    with Cluster(1, extra=SMALL_LOG) as cluster:
        first = cluster.nodes[0]
        bulk.set_many(first.redis_port, [f"k:{number}" for number in range(options.keys)])
        eventually(20.0, "the log is purged", lambda: purged(first) > 0)
        second, third = fresh_node(cluster, SMALL_LOG), fresh_node(cluster, SMALL_LOG)
        for node in (second, third):
            join(cluster, node)
            if node is second:
                time.sleep(rng.uniform(0.0, 0.3))
                node.kill9()
                node.start().wait_port()
            eventually(30.0, f"node {node.id} is a voter", lambda n=node: n.id in voters(cluster))
            expect(bulk.received_snapshots(node), f"node {node.id} joined without a snapshot")
        settled(cluster)
        wanted = {first.id, second.id, third.id}
        purge_behind(cluster, configuration(cluster))
        # A node whose data is gone finds its members in the log: by the initial ones it would be nobody.
        third.kill9()
        shutil.rmtree(os.path.join(third.dir, "data"))
        third.start().wait_port()
        expect_equal({int(word) for word in third.info()["raft_voters"].split()}, wanted, "voters without data")
        eventually(30.0, "its data is back", lambda: third.info()["raft_needs_snapshot"] == "0")
        # All at once: the first was once a cluster of its own, and must not be again.
        for node in cluster.nodes:
            node.kill9()
        first.start().wait_port()
        time.sleep(1.5)
        expect_equal(first.info()["raft_role"] == "leader", False, "the first alone leads")
        for node in (second, third):
            node.start().wait_port()
        cluster.wait_leader()
        expect_equal(eventually(10.0, "a settled cluster", lambda: voters(cluster)), wanted, "voters after all")
        digests = cluster.digests()
        expect_equal(len({str(d) for d in digests.values()}), 1, f"digests {digests}")
        expect(str(on_leader(cluster, "RAFT.NODE", "REMOVE", str(first.id))).startswith("OK"), "REMOVE")


if __name__ == "__main__":
    run(main, keys=(5000, 2000))
