"""One node grows to three and to five, and shrinks to three and to one, while clients write and kill -9 hits
random nodes at each step. Fresh nodes come in by RAFT.CLUSTER JOIN, others leave by RAFT.NODE REMOVE. At the end
every acknowledged write is there, and the last node works alone.

    --duration S (pause between two steps) --seed N
"""
import random
import time

from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.load import Load
from kiwi.members import fresh_node, join, leave, voters

WRITERS = 4


class Story:
    def __init__(self, cluster, load, rng, pause):
        self.cluster = cluster
        self.load = load
        self.rng = rng
        self.pause = pause
        self.kills = 0

    def writes_go_on(self, about):
        moment = time.monotonic()
        eventually(10.0, f"a write is acknowledged {about}", lambda: self.load.first_ack_sent_after(moment))

    def kill_one(self):
        """Any of the members, as long as a majority stays; in a cluster of one or two it is an outage."""
        node = self.rng.choice(self.cluster.nodes)
        node.kill9()
        self.kills += 1
        time.sleep(self.rng.uniform(0.0, 0.3))
        node.start()
        node.wait_port()

    def grow(self):
        node = fresh_node(self.cluster)
        self.load.ports.append(node.redis_port)
        join(self.cluster, node)
        if self.rng.random() < 0.5:
            self.kill_one()  # perhaps the node that catches up, perhaps who leads it
        eventually(20.0, f"node {node.id} is a voter", lambda: node.id in voters(self.cluster))
        self.writes_go_on(f"with node {node.id}")
        self.kill_one()
        time.sleep(self.pause)

    def shrink(self):
        node = self.rng.choice(self.cluster.nodes)
        leave(self.cluster, node)
        if len(self.cluster.nodes) > 2:
            self.kill_one()
        eventually(20.0, f"node {node.id} is out", lambda: node.id not in voters(self.cluster))
        self.writes_go_on(f"without node {node.id}")
        expect_equal(node.stop(), 0, "the exit code of a removed node")
        self.load.ports.remove(node.redis_port)
        time.sleep(self.pause)


def main(options):
    rng = random.Random(options.seed)
    with Cluster(1) as cluster:
        with Load([cluster.nodes[0].redis_port], WRITERS, options.seed) as load:
            story = Story(cluster, load, rng, options.duration)
            for size in (3, 5, 3, 1):
                while len(cluster.nodes) != size:
                    if len(cluster.nodes) < size:
                        story.grow()
                    else:
                        story.shrink()
                print(f"  {size} nodes: {sorted(voters(cluster))}, {load.summary()}", flush=True)
        last = cluster.wait_leader()
        expect_equal(voters(cluster), {last.id}, "voters at the end")
        with last.connect(60.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, first: {problems[:3]}")
        expect(load.acknowledged_count() > 100, f"only {load.summary()}")
        print(f"  {story.kills} kills, {load.summary()}")


if __name__ == "__main__":
    run(main, duration=(0.3, 0.0))
