"""With 8 clients writing, all three nodes are replaced one after another by RAFT.NODE REPLACE, the leader among them.
No acknowledged write is lost, reads see each client's own writes, and the longest time without an acknowledged write
stays below 1 s. At the end all nodes hold the same bytes and name the new members to cluster clients.

    --duration S (pause between two replacements) --seed N
"""
import time

from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.load import Load
from kiwi.members import fresh_node, on_leader, settled, voters

WRITERS = 8
LONGEST_GAP_S = 1.0


def longest_gap(load, begin, end):
    """Longest time in [begin, end] in which no write of any client was acknowledged."""
    times = sorted(done for writer in load.writers for _, done in writer.acks if begin <= done <= end)
    moments = [begin] + times + [end]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


def replace(cluster, load, old):
    new = fresh_node(cluster)
    settled(cluster)
    reply = on_leader(cluster, "RAFT.NODE", "REPLACE", str(old.id), str(new.id), new.address)
    expect(str(reply).startswith("OK "), f"RAFT.NODE REPLACE answered {reply!r}")
    wanted = {node.id for node in cluster.nodes} - {old.id}
    load.ports.append(new.redis_port)
    eventually(20.0, f"node {new.id} has the place of node {old.id}", lambda: voters(cluster) == wanted)
    settled(cluster)
    cluster.nodes.remove(old)
    cluster.departed.append(old)
    eventually(5.0, f"node {old.id} knows", lambda: old.info()["raft_removed"] == "1")
    time.sleep(0.2)
    load.ports.remove(old.redis_port)
    expect_equal(old.stop(), 0, "the exit code of a replaced node")
    return new


def slots_name(cluster, node):
    """Ports that CLUSTER SLOTS of this node names, the leader first."""
    reply = node.call("CLUSTER", "SLOTS")
    return [entry[1] for entry in reply[0][2:]]


def main(options):
    with Cluster(3) as cluster:
        first = list(cluster.nodes)
        with Load([node.redis_port for node in first], WRITERS, options.seed) as load:
            begin = time.monotonic()
            eventually(10.0, "writes are acknowledged", lambda: load.acknowledged_count() > 100)
            for old in first:
                was_leader = cluster.wait_leader() is old
                since = time.monotonic()
                new = replace(cluster, load, old)
                gap = longest_gap(load, since, time.monotonic())
                print(f"  node {old.id}{' (the leader)' if was_leader else ''} -> {new.id}: longest gap "
                      f"{gap * 1000:.0f} ms, {load.summary()}", flush=True)
                time.sleep(options.duration)
            end = time.monotonic()
            leader = cluster.wait_leader()
            for node in cluster.nodes:
                eventually(5.0, f"node {node.id} names the new members",
                           lambda n=node: set(slots_name(cluster, n)) == {x.redis_port for x in cluster.nodes})
        expect_equal(voters(cluster), {node.id for node in cluster.nodes}, "voters at the end")
        gap = longest_gap(load, begin, end)
        with leader.connect(60.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, first: {problems[:3]}")
        expect(gap < LONGEST_GAP_S, f"no write was acknowledged for {gap:.2f} s")
        digests = cluster.digests()
        expect_equal(len({str(d) for d in digests.values()}), 1, f"digests {digests}")
        print(f"  longest gap {gap * 1000:.0f} ms, {load.summary()}")


if __name__ == "__main__":
    run(main, duration=(0.5, 0.0))
