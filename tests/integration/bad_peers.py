"""Garbage, an HTTP request, half frames and claimed sizes on the raft port: each costs its own connection and
nothing else. A node of another cluster is refused."""
import random
import socket
import struct

from kiwi.bystander import Bystander
from kiwi.check import expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster


def send(port, data, wait_closed=True):
    """Sends, and waits until the node has closed the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=15.0) as raw:
        try:
            raw.sendall(data)
            if not wait_closed:
                return b""
            answer = b""
            while True:
                piece = raw.recv(65536)
                if not piece:
                    return answer
                answer += piece
        except ConnectionError:
            return b""
        except socket.timeout:
            raise AssertionError(f"the raft port keeps a connection that sent {data[:30]!r}") from None


def garbage(cluster, seed):
    rng = random.Random(seed)
    leader = cluster.wait_leader()
    with Bystander(leader, limit_bytes=100_000_000):
        for node in cluster.nodes:
            send(node.raft_port, b"GET / HTTP/1.1\r\nHost: kiwi\r\n\r\n")
            send(node.raft_port, b"*1\r\n$4\r\nPING\r\n" * 10)
            for _ in range(50):
                send(node.raft_port, rng.randbytes(rng.randint(12, 5000)))
            # A frame that claims nearly 4 GB, one that claims the largest allowed and never comes, a wrong checksum.
            send(node.raft_port, struct.pack("<IQ", 0xFFFFFFF0, 1) + b"x" * 100)
            send(node.raft_port, struct.pack("<IQ", 48 << 20, 1) + b"x" * 100, wait_closed=False)
            send(node.raft_port, struct.pack("<IQ", 20, 1) + b"\x01\x00" + b"x" * 18)


def half_frames(cluster):
    with Bystander(cluster.wait_leader()):
        held = []
        for node in cluster.nodes:
            for length in range(0, 40):
                raw = socket.create_connection(("127.0.0.1", node.raft_port), timeout=5.0)
                raw.sendall((struct.pack("<IQ", 30, 12345) + b"\x01" * 30)[:length])
                held.append(raw)
        for raw in held:
            raw.close()


def many_connections(cluster, count):
    with Bystander(cluster.wait_leader()):
        for number in range(count):
            send(cluster.nodes[number % 3].raft_port, b"", wait_closed=False)


def another_cluster(_):
    """Same addresses in the flags, but another token: the two never mix."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        expect_equal(leader.call("SET", "k", "v"), "OK", "SET")
        stranger = cluster.followers(leader)[0]
        stranger.stop()
        stranger.dir += "-other"
        stranger.extra = ["--cluster-token", "another"]
        with Bystander(leader):
            stranger.start().wait_port()
            reply = stranger.call("SET", "k", "w")
            expect(str(reply).split(" ")[0] in ("CLUSTERDOWN", "LOADING"), f"the stranger answered {reply!r}")
        expect_equal(leader.call("GET", "k"), b"v", "GET")
        expect_equal(cluster.find_leader([stranger]), None, "the stranger leads nobody")


def main(options):
    with Cluster(3) as cluster:
        def all_served(_):
            leader = cluster.wait_leader()
            expect_equal(leader.call("SET", "after", "all"), "OK", "SET after all")
            expect_equal(cluster.stop_all(), {1: 0, 2: 0, 3: 0}, "exit codes")

        def garbage_on_raft_port(_):
            garbage(cluster, options.seed)

        def half_frames_on_raft_port(_):
            half_frames(cluster)

        def many_connections_on_raft_port(_):
            many_connections(cluster, options.connections)
        run_cases(options, [garbage_on_raft_port, half_frames_on_raft_port, many_connections_on_raft_port,
                            all_served, another_cluster])


if __name__ == "__main__":
    run(main, connections=(2000, 300))
