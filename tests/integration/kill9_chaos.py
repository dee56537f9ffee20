"""Three nodes under 16 writing clients while kill -9, SIGSTOP and SIGCONT hit random nodes, and twice kill -9
hits all at once. At the end every acknowledged write is there, and all nodes hold the same bytes.

    --duration S --seed N --nodes N
"""
import random
import time

from kiwi.check import expect, run
from kiwi.cluster import Cluster
from kiwi.load import Load

WRITERS = 16


class Chaos:
    def __init__(self, cluster, rng):
        self.cluster = cluster
        self.rng = rng
        self.counts = {"kill": 0, "pause": 0, "kill all": 0}

    def kill_one(self):
        node = self.rng.choice(self.cluster.nodes)
        node.kill9()
        time.sleep(self.rng.uniform(0.0, 1.5))
        node.start()

    def pause_one(self):
        node = self.rng.choice(self.cluster.nodes)
        node.pause()
        time.sleep(self.rng.uniform(0.1, 2.0))
        node.resume()

    def kill_all(self):
        for node in self.cluster.nodes:
            node.kill9()
        time.sleep(self.rng.uniform(0.0, 0.5))
        for node in self.cluster.nodes:
            node.start()

    def strike(self, kind):
        self.counts[kind] += 1
        {"kill": self.kill_one, "pause": self.pause_one, "kill all": self.kill_all}[kind]()

    def check_alive(self):
        for node in self.cluster.nodes:
            expect(node.running(), f"node {node.id} ended by itself, exit code {node.process.popen.returncode}")


def torment(chaos, load, duration):
    """Faults of random kinds at random moments; the two kills of all come at a third and at two thirds."""
    begin = time.monotonic()
    all_at = [duration / 3, duration * 2 / 3]
    while time.monotonic() - begin < duration:
        time.sleep(chaos.rng.uniform(0.2, 2.0))
        chaos.check_alive()
        if all_at and time.monotonic() - begin > all_at[0]:
            all_at.pop(0)
            chaos.strike("kill all")
            before = load.acknowledged_count()
            chaos.cluster.wait_leader(30.0)
            deadline = time.monotonic() + 20.0
            while load.acknowledged_count() == before:
                expect(time.monotonic() < deadline, "no write was acknowledged within 20 s after kill -9 of all nodes")
                time.sleep(0.02)
        else:
            chaos.strike(chaos.rng.choice(("kill", "kill", "pause")))


def main(options):
    with Cluster(options.nodes) as cluster:
        chaos = Chaos(cluster, random.Random(options.seed))
        with Load([node.redis_port for node in cluster.nodes], WRITERS, options.seed) as load:
            torment(chaos, load, options.duration)
        chaos.check_alive()
        leader = cluster.wait_leader(30.0)
        print(f"seed {options.seed}: {load.summary()}; faults: {chaos.counts}")
        with leader.connect(30.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, the first ones:\n" + "\n".join(problems[:10]))
        expect(load.acknowledged_count() > 100, "hardly any write was acknowledged: the run says nothing")
        digests = cluster.digests()
        expect(len({repr(d) for d in digests.values()}) == 1, f"the nodes' data differ: {digests}")
        print(f"digest on all {len(digests)} nodes: {next(iter(digests.values()))}")


if __name__ == "__main__":
    run(main, duration=(60.0, 10.0), nodes=(3, 3))
