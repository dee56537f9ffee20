"""Clients that send nonsense, claim too much, send half of it, or come in thousands: each hears one precise error
or loses its own connection; memory stays bounded; another client is served all the time."""
import os
import random
import socket

from kiwi import resp
from kiwi.bystander import Bystander
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.client import Connection, ConnectionLost
from kiwi.cluster import Cluster

MALFORMED = [
    (b"*x\r\n", "ERR Protocol error: invalid multibulk length"),
    (b"*99999999999\r\n", "ERR Protocol error: invalid multibulk length"),
    (b"*2147483647\r\n", "ERR Protocol error: invalid multibulk length"),  # Kiwi's own limit is lower than Redis'
    (b"*1\r\n$x\r\n", "ERR Protocol error: invalid bulk length"),
    (b"*1\r\n$-5\r\n", "ERR Protocol error: invalid bulk length"),
    (b"*1\r\n$536870913\r\n", "ERR Protocol error: invalid bulk length"),
    (b"*1\r\n$9223372036854775808\r\n", "ERR Protocol error: invalid bulk length"),
    (b"*1\r\n:4\r\n", "ERR Protocol error: expected '$', got ':'"),
    (b"*1\r\n*1\r\n", "ERR Protocol error: expected '$', got '*'"),
    (b"SET k 'x\r\n", "ERR Protocol error: unbalanced quotes in request"),
    (b"*" + b"1" * 70000, "ERR Protocol error: too big mbulk count string"),
    (b"*1\r\n$" + b"1" * 70000, "ERR Protocol error: too big bulk count string"),
    (b"A" * 70000, "ERR Protocol error: too big inline request"),
]


def send_and_read_error(node, data):
    """The server's last words; it must close after them."""
    with node.connect() as connection:
        try:
            connection.send_raw(data)
        except ConnectionLost:
            pass  # it may close before it has read all
        reply = connection.read_reply()
        connection.wait_closed()
        return reply


def malformed_resp(cluster):
    node = cluster.nodes[0]
    for data, wanted in MALFORMED:
        expect_equal(send_and_read_error(node, data), resp.Error(wanted), f"the reply to {data[:40]!r}")
        # One byte at a time makes no difference.
        if len(data) < 100:
            with node.connect() as connection:
                for byte in data:
                    connection.send_raw(bytes([byte]))
                expect_equal(connection.read_reply(), resp.Error(wanted), f"the reply to {data!r} in single bytes")


def claimed_sizes(cluster):
    """512 MB bulks and million-element commands that never come cost nothing."""
    node = cluster.nodes[0]
    with Bystander(node, limit_bytes=100_000_000):
        held = []
        for number in range(50):
            connection = node.connect()
            connection.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\nabc" % (512 << 20 if number % 2 else 32 << 20))
            held.append(connection)
        for connection in held[1::2]:  # above the limit: an error at once
            expect(isinstance(connection.read_reply(), resp.Error), "a claimed 512 MB bulk")
        for _ in range(20):
            connection = node.connect()
            connection.send_raw(b"*262144\r\n$4\r\nMGET\r\n")
            held.append(connection)
        for connection in held:
            connection.close()


def too_much_that_comes(cluster):
    """What is really sent and above a limit: refused, not stored, and memory comes back."""
    node = cluster.nodes[0]
    with Bystander(node, slowest_s=10.0, limit_bytes=600_000_000):
        with node.connect(60.0) as connection:
            expect_equal(connection.call("SET", "big", b"x" * (8 << 20), timeout=60.0), "OK", "8 MiB fit")
            expect_equal(len(connection.call("GET", "big", timeout=60.0)), 8 << 20, "they come back")
            connection.call("DEL", "big")
        expect(isinstance(send_and_read_error(node, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$33554433\r\n"), resp.Error),
               "one byte above the limit")
        # A million arguments.
        data = b"*1000001\r\n$3\r\nDEL\r\n" + b"$1\r\nk\r\n" * 1000000
        expect_equal(send_and_read_error(node, data), resp.Error("ERR Protocol error: invalid multibulk length"),
                     "a million arguments")
        # 60 MB in arguments that are allowed each: above the largest request.
        part = b"$1048576\r\n" + b"x" * 1048576 + b"\r\n"
        with node.connect(60.0) as connection:
            try:
                connection.send_raw(b"*61\r\n$3\r\nDEL\r\n" + part * 60)
                reply = connection.read_reply(60.0)
                expect(isinstance(reply, resp.Error), f"60 MB of arguments answered {reply!r}")
            except ConnectionLost:
                pass
        expect_equal(node.call("EXISTS", "k"), 0, "nothing of it was stored")


def half_frames(cluster):
    """Commands that stop in the middle, then nothing, or the end of the connection."""
    node = cluster.nodes[0]
    whole = resp.encode("SET", "half", "value")
    with Bystander(node):
        held = []
        for length in range(1, len(whole)):
            connection = node.connect()
            connection.send_raw(whole[:length])
            held.append(connection)
        expect_equal(node.call("EXISTS", "half"), 0, "half a command does nothing")
        for connection in held[::2]:
            connection.close()
        for length, connection in list(enumerate(held, 1))[1::2]:
            connection.send_raw(whole[length:])
            expect_equal(connection.read_reply(), "OK", f"the rest of a command that stopped at byte {length}")
            connection.close()


def deaf_client(cluster):
    """A client that asks for a lot and reads nothing: its replies do not pile up without limit."""
    node = cluster.nodes[0]
    expect_equal(node.call("SET", "large", b"x" * 1_000_000), "OK", "SET")
    with Bystander(node, slowest_s=10.0, limit_bytes=300_000_000) as bystander:
        with socket.create_connection(("127.0.0.1", node.redis_port), timeout=3.0) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                deaf.sendall(resp.encode("GET", "large") * 2000)  # 2000 MB of replies in all
            except OSError:
                pass  # the server stopped reading, or closed
            eventually(30.0, "the bystander is served beside a deaf client", lambda: bystander.count > 500)
    node.call("DEL", "large")


def short_connections(cluster, count):
    """Thousands of connections, one after the other and many at once; none of them leaves anything behind."""
    node = cluster.nodes[0]
    with Bystander(node):
        for number in range(count):
            with Connection(node.redis_port) as connection:
                if number % 3 == 0:
                    connection.send_raw(b"PING\r\n")
                elif number % 3 == 1:
                    expect_equal(connection.call("PING"), "PONG", "PING")
        held = [node.connect() for _ in range(min(1000, count))]
        expect_equal(held[-1].call("PING"), "PONG", "PING among a thousand connections")
        for connection in held:
            connection.close()

    def few_clients():
        for line in node.call("INFO", "clients").decode().split("\r\n"):
            if line.startswith("connected_clients:"):
                return int(line.split(":")[1]) <= 3
        return False
    eventually(10.0, "all connections are forgotten", few_clients)
    descriptors = len(os.listdir(f"/proc/{node.process.pid}/fd"))
    expect(descriptors < 200, f"{descriptors} open files after all connections are gone")


def random_bytes(cluster, seed):
    rng = random.Random(seed)
    node = cluster.nodes[0]
    with Bystander(node):
        for _ in range(300):
            with node.connect() as connection:
                data = rng.randbytes(rng.randint(1, 3000))
                if rng.random() < 0.5:  # damage something that is nearly right
                    good = bytearray(resp.encode("SET", "fuzz", "v" * rng.randint(0, 100)) * rng.randint(1, 20))
                    for _ in range(rng.randint(1, 5)):
                        good[rng.randrange(len(good))] = rng.randrange(256)
                    data = bytes(good)
                try:
                    connection.send_raw(data)
                    connection.socket.shutdown(socket.SHUT_WR)
                    connection.wait_closed(10.0)
                except (ConnectionLost, OSError):
                    pass


def main(options):
    with Cluster(1) as cluster:
        def case(name, *arguments):
            def one(_):
                name(cluster, *arguments)
            one.__name__ = name.__name__
            return one
        run_cases(options, [case(malformed_resp), case(claimed_sizes), case(too_much_that_comes), case(half_frames),
                            case(deaf_client), case(short_connections, options.connections),
                            case(random_bytes, options.seed)])
        print(f"peak memory {cluster.nodes[0].process.peak_resident_bytes() / 1e6:.0f} MB")
        expect_equal(cluster.nodes[0].stop(), 0, "exit code at the end")


if __name__ == "__main__":
    run(main, connections=(10000, 2000))
