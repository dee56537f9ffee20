"""A cluster of real kiwi-node processes on free loopback ports, in a fresh folder that goes away at the end."""
import os
import shutil
import signal
import tempfile

from . import resp
from .check import Unavailable, eventually, expect
from .client import Connection, ConnectionLost, TimedOut, attempt
from .link import Link
from .process import Process, free_port

PROBE_KEY = "kiwi:test:who-leads"


def kiwi_node():
    """The program under test: $KIWI_NODE, else the one in build/."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.environ.get("KIWI_NODE") or os.path.join(here, "..", "..", "..", "build", "node", "kiwi-node")
    expect(os.access(path, os.X_OK), f"no kiwi-node at {path}: build first, or set KIWI_NODE")
    return os.path.abspath(path)


class Node:
    def __init__(self, node_id, folder, extra=()):
        self.id = node_id
        self.redis_port = free_port()
        self.raft_port = free_port()
        self.dir = os.path.join(folder, f"node-{node_id}")
        self.log_path = os.path.join(folder, f"node-{node_id}.log")
        self.initial_cluster = ""
        self.extra = list(extra)
        self.host = "127.0.0.1"
        self.link = None
        self.process = None
        self.limit_file_bytes = None
        self.program = None  # kiwi_node()

    @property
    def address(self):
        return f"127.0.0.1:{self.redis_port}@{self.raft_port}"

    def behind_a_link(self):
        """Others reach this node through a link that can be cut; call before the first start."""
        self.host = f"127.0.0.{10 + self.id}"
        self.extra += ["--bind", self.host]
        self.link = Link(self.raft_port, self.host).start()

    def command(self):
        command = [self.program or kiwi_node(), "--id", str(self.id), "--dir", self.dir, "--address", self.address]
        if self.initial_cluster:
            command += ["--initial-cluster", self.initial_cluster]
        return command + self.extra

    def start(self):
        expect(self.process is None or not self.process.running(), f"node {self.id} already runs")
        self.process = Process(self.command(), self.log_path, limit_file_bytes=self.limit_file_bytes)
        return self

    def running(self):
        return self.process is not None and self.process.running()

    def connect(self, timeout=5.0):
        return Connection(self.redis_port, host=self.host, timeout=timeout)

    def wait_port(self, seconds=20.0):
        def connects():
            expect(self.running(), f"node {self.id} ended\n{self.log_tail()}")
            self.connect(1.0).close()
            return True
        eventually(seconds, f"node {self.id} accepts connections", connects)
        return self

    def call(self, *args, timeout=5.0):
        with self.connect(timeout) as connection:
            return connection.call(*args)

    def info(self, section="raft"):
        """The fields of one section of INFO, as text."""
        lines = self.call("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def applied(self):
        return int(self.info()["raft_applied_index"])

    def kill9(self):
        self.process.kill9()

    def pause(self):
        self.process.suspend()

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def stop(self, timeout=20.0):
        """SIGTERM; the exit code."""
        return self.process.terminate(timeout)

    def log_tail(self):
        return self.process.log_tail() if self.process else ""


class Cluster:
    """`with Cluster(3) as cluster:` starts the nodes; the end kills what still runs and removes the folder.

    When the block fails, the tails of the logs are printed. KIWI_KEEP=1 keeps the folder.
    """

    def __init__(self, nodes=3, extra=(), start=True, links=False):
        # Beside the build rather than in /tmp, which may be memory: what is synced must reach a disk.
        parent = os.environ.get("KIWI_TEST_DIR") or None
        self.folder = tempfile.mkdtemp(prefix="kiwi-test-", dir=parent)
        self.nodes = [Node(i, self.folder, extra) for i in range(1, nodes + 1)]
        self.initial_cluster = ",".join(f"{node.id}={node.address}" for node in self.nodes)
        for node in self.nodes:
            node.initial_cluster = self.initial_cluster
        self.start_at_once = start
        self.departed = []  # nodes that left the cluster; they end with the others
        for node in self.nodes if links else []:
            node.behind_a_link()

    def __enter__(self):
        if self.start_at_once:
            try:
                self.start()
            except BaseException:
                self.__exit__(AssertionError, None, None)
                raise
        return self

    def __exit__(self, kind, *_):
        for node in self.nodes + self.departed:
            if node.running():
                node.resume()
                node.kill9()
            if node.link:
                node.link.close()
        if kind is not None and kind is not Unavailable:
            for node in self.nodes + self.departed:
                if node.process:
                    print(f"--- node {node.id}, {node.log_path}\n{node.log_tail()}", flush=True)
        if not os.environ.get("KIWI_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_port()
        self.wait_leader()

    def node_at(self, redis_port):
        return next(node for node in self.nodes if node.redis_port == redis_port)

    def find_leader(self, among=None, timeout=1.0):
        """The node that answers a linearizable read right now, or None."""
        for node in among or self.nodes:
            if not node.running():
                continue
            try:
                with node.connect(timeout) as connection:
                    if attempt(connection, "EXISTS", PROBE_KEY, timeout=timeout).done:
                        return node
            except (ConnectionLost, TimedOut):
                pass
        return None

    def wait_leader(self, seconds=20.0, among=None):
        return eventually(seconds, "a leader", lambda: self.find_leader(among))

    def followers(self, leader=None):
        leader = leader or self.wait_leader()
        return [node for node in self.nodes if node is not leader]

    def stop_all(self):
        """Followers first; the exit codes by node id."""
        leader = self.find_leader()
        order = [node for node in self.nodes if node is not leader] + ([leader] if leader else [])
        return {node.id: node.stop() for node in order if node.running()}

    def digests(self, seconds=60.0):
        """Puts a digest marker into the log; every node's digest as of that marker, by node id.

        A node that installs a snapshot from behind the marker never has its digest: then another marker is put."""
        def marker():
            index = self.wait_leader().call("RAFT.DIGEST", timeout=10.0)
            expect(isinstance(index, int), f"RAFT.DIGEST answered {index!r}")
            return index

        def digest_of(node, index):
            reply = node.call("RAFT.DIGEST", "GET", str(index))
            return None if isinstance(reply, (resp.Error, resp.NilArray)) else reply

        def of_all():
            index = marker()
            found = {}
            for node in self.nodes:
                eventually(seconds, f"node {node.id} has applied {index}", lambda n=node: n.applied() >= index)
                found[node.id] = eventually(10.0, f"the digest of node {node.id}",
                                            lambda n=node: digest_of(n, index))
            return found
        return eventually(seconds, "digests of all nodes", of_all)
