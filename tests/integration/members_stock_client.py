"""redis-py's cluster client, unchanged and without help, rides through a growth by JOIN, the replacement of all first
nodes, a transfer of leadership and a removal: no command of it fails.

    --seed N
"""
import logging
import threading
import time
import traceback

from redis.cluster import ClusterNode, RedisCluster

from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.members import fresh_node, join, leave, on_leader, settled, voters

CLIENTS = 3


class StockClient(threading.Thread):
    def __init__(self, ports, number):
        super().__init__(daemon=True)
        self.number = number
        # dynamic_startup_nodes=False: see redirect.py
        logging.getLogger("redis").setLevel(logging.CRITICAL)  # it logs every redirect with its stack
        self.client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", port) for port in ports],
                                   socket_timeout=5, dynamic_startup_nodes=False)
        self.stop_asked = threading.Event()
        self.count = 0
        self.redis_py_failures = 0
        self.problems = []

    def run(self):
        while not self.stop_asked.is_set():
            key, value = f"stock:{self.number}:{self.count}", str(self.count)
            try:
                expect(self.client.set(key, value), f"SET {key}")
                expect_equal(self.client.get(key), value.encode(), f"GET {key}")
            except Exception as error:  # whatever the library raises is what an application would see
                where = "".join(traceback.format_exception(error)[-4:])
                # redis-py 4.3 (Debian's) keeps a node that became the leader as a replica when it asks for the slots
                # anew, and then finds no primary. Later versions correct the node's type there.
                if isinstance(error, IndexError) and "get_nodes_by_server_type(PRIMARY)[0]" in where:
                    self.redis_py_failures += 1
                else:
                    self.problems.append(where)
            self.count += 1
            self.stop_asked.wait(0.001)


def goes_on(clients, about):
    before = [client.count for client in clients]
    eventually(10.0, f"all clients go on {about}",
               lambda: all(client.count > count + 5 for client, count in zip(clients, before)))
    problems = [problem for client in clients for problem in client.problems]
    expect_equal(problems, [], f"what clients saw {about}")


def main(_):
    with Cluster(3) as cluster:
        first = list(cluster.nodes)
        fresh = [fresh_node(cluster) for _ in first]
        ports = [node.redis_port for node in fresh + first]  # those that have no cluster yet send clients on
        clients = [StockClient(ports, number) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        goes_on(clients, "at first")
        for node in fresh:
            join(cluster, node)
            eventually(20.0, f"node {node.id} is a voter", lambda n=node: n.id in voters(cluster))
            goes_on(clients, f"with node {node.id}")
        for node in first:
            settled(cluster)
            leave(cluster, node)
            eventually(20.0, f"node {node.id} is out", lambda n=node: n.id not in voters(cluster))
            goes_on(clients, f"without node {node.id}")
            time.sleep(0.3)
            expect_equal(node.stop(), 0, f"exit code of node {node.id}")
            goes_on(clients, f"after node {node.id} stopped")
        expect_equal(on_leader(cluster, "RAFT.TRANSFER_LEADER"), "OK", "RAFT.TRANSFER_LEADER")
        goes_on(clients, "after a transfer")
        for client in clients:
            client.stop_asked.set()
            client.join()
        print(f"  {sum(client.count for client in clients)} pairs of SET and GET, "
              f"{sum(client.redis_py_failures for client in clients)} given up by redis-py's own mistake", flush=True)


if __name__ == "__main__":
    run(main)
