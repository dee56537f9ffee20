"""What is measured: a Redis that syncs every write, Kiwi with three nodes and with one, etcd with three."""
import os
import re
import shutil
import subprocess
import tempfile

from kiwi.check import eventually
from kiwi.cluster import Cluster
from kiwi.process import Process, free_port
from kiwi.redis_reference import RedisReference

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def usage(pids):
    """What the processes have used so far, and hold: seconds of CPU, bytes handed to the disk, resident bytes, context switches."""
    used = {"cpu_seconds": 0.0, "written_bytes": 0, "rss_bytes": 0, "switches": 0}
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        used["cpu_seconds"] += (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
        used["rss_bytes"] += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        with open(f"/proc/{pid}/io", encoding="ascii") as io:
            used["written_bytes"] += int(re.search(r"^write_bytes: (\d+)", io.read(), re.MULTILINE).group(1))
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as status:
                    used["switches"] += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", status.read()))
            except FileNotFoundError:
                pass  # a thread that has just ended
    return used


class Redis:
    name = "redis"
    title = "Redis, one node, appendfsync always"

    def __enter__(self):
        self.server = RedisReference("--appendonly", "yes", "--appendfsync", "always")
        self.server.__enter__()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)

    def port(self):
        return self.server.redis_port

    def pids(self):
        return [self.server.process.pid]

    def syncs(self):
        return None  # it does not count them


class Kiwi:
    def __init__(self, nodes):
        self.name = f"kiwi-{nodes}"
        self.title = f"Kiwi, {nodes} node{'s' if nodes > 1 else ''}"
        self.nodes = nodes

    def __enter__(self):
        self.cluster = Cluster(self.nodes)
        self.cluster.__enter__()
        return self

    def __exit__(self, *what):
        self.cluster.__exit__(*what)

    def port(self):
        return self.cluster.wait_leader().redis_port

    def pids(self):
        return [node.process.pid for node in self.cluster.nodes]

    def syncs(self):
        """Of the leader's log."""
        return int(self.cluster.wait_leader().info()["raft_log_fsyncs"])


class Etcd:
    """Three nodes, asked by etcd's own load generator."""
    name = "etcd-3"
    title = "etcd, 3 nodes"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="etcd-", dir=os.environ.get("KIWI_TEST_DIR") or None)
        self.processes = []
        self.clients = []

    def __enter__(self):
        ports = [(free_port(), free_port()) for _ in range(3)]
        names = [f"e{number}={self.url(peer)}" for number, (_, peer) in enumerate(ports)]
        for number, (client, peer) in enumerate(ports):
            folder = os.path.join(self.folder, f"e{number}")
            command = ["etcd", "--name", f"e{number}", "--data-dir", folder,
                       "--listen-client-urls", self.url(client), "--advertise-client-urls", self.url(client),
                       "--listen-peer-urls", self.url(peer), "--initial-advertise-peer-urls", self.url(peer),
                       "--initial-cluster", ",".join(names), "--initial-cluster-state", "new",
                       "--log-level", "error"]
            self.processes.append(Process(command, folder + ".log", cwd=self.folder))
            self.clients.append(self.url(client))
        eventually(30.0, "etcd serves", lambda: self.ctl("put", "k", "v").returncode == 0)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def url(port):
        return f"http://127.0.0.1:{port}"

    def ctl(self, *words):
        return subprocess.run(["etcdctl", "--endpoints", ",".join(self.clients), *words], check=False,
                              env={**os.environ, "ETCDCTL_API": "3"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)

    def pids(self):
        return [process.pid for process in self.processes]

    def writes_per_second(self):
        """`etcdctl check perf` with 1,000 clients for 60 s, which aims at 15,000 writes/s and says what it got; and
        the slowest request in seconds."""
        done = self.ctl("check", "perf", "--load", "xl", "--prefix", "/kiwi-bench/")
        text = done.stdout.decode(errors="replace")
        found = re.search(r"[Tt]hroughput[^\d]*(\d+) writes/s", text)
        if not found:
            raise SystemExit(f"etcdctl check perf said:\n{text[-2000:]}")
        slowest = re.search(r"Slowest request took ([\d.]+)s", text)
        return int(found.group(1)), float(slowest.group(1)) if slowest else None
