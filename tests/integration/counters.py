"""Concurrent INCR across forced changes of the leader: the final value is the number of acknowledged increments
plus at most the unknown ones, and no two acknowledged increments gave the same value."""
import random
import threading
import time

from kiwi.check import eventually, expect, run
from kiwi.cluster import Cluster
from kiwi.load import Seeker

CLIENTS = 8
COUNTER = "counter"


class Incrementer(threading.Thread):
    def __init__(self, ports, seed, stop):
        super().__init__(daemon=True)
        self.seeker = Seeker(ports, random.Random(seed), 2.0)
        self.stop = stop
        self.values = []
        self.unknown = 0
        self.problem = None

    def run(self):
        while not self.stop.is_set():
            outcome = self.seeker.attempt("INCR", COUNTER)
            if outcome is None or outcome.kind == "refused":
                time.sleep(0.005)
            elif outcome.kind == "unknown":
                self.unknown += 1
            elif isinstance(outcome.value, int):
                self.values.append(outcome.value)
            else:
                self.problem = f"INCR answered {outcome.value!r}"
                return
        self.seeker.close()


def change_leader(cluster, how):
    """Kills or pauses the leader; the others elect a new one."""
    leader = cluster.wait_leader()
    others = [node for node in cluster.nodes if node is not leader]
    if how == "kill":
        leader.kill9()
        cluster.wait_leader(among=others)
        leader.start().wait_port()
    else:
        leader.pause()
        cluster.wait_leader(among=others)
        leader.resume()


def main(options):
    rng = random.Random(options.seed)
    stop = threading.Event()
    with Cluster(3) as cluster:
        clients = [Incrementer([n.redis_port for n in cluster.nodes], f"{options.seed}/{i}", stop)
                   for i in range(CLIENTS)]
        for client in clients:
            client.start()
        for _ in range(options.rounds):
            before = sum(len(client.values) for client in clients)
            eventually(20.0, "increments under way",
                       lambda b=before: sum(len(client.values) for client in clients) > b + 100)
            change_leader(cluster, rng.choice(("kill", "pause")))
        stop.set()
        for client in clients:
            client.join()
            expect(client.problem is None, client.problem)
        final = int(cluster.wait_leader().call("GET", COUNTER))
    values = [value for client in clients for value in client.values]
    unknown = sum(client.unknown for client in clients)
    print(f"final {final}, acknowledged {len(values)}, unknown {unknown}, {options.rounds} changes of the leader")
    expect(len(set(values)) == len(values), "two acknowledged increments gave the same value")
    expect(len(values) <= final <= len(values) + unknown, "lost or doubled increments")
    expect(max(values) <= final, "an acknowledged value is above the final one")
    for client in clients:
        expect(client.values == sorted(client.values), "one client saw the counter go back")


if __name__ == "__main__":
    run(main, rounds=(6, 2))
