"""READONLY lets a follower answer reads from its own state, READWRITE takes that back; writes always go to the
leader, with the slot of the key and the leader's address."""
import binascii

from kiwi.check import eventually, expect, expect_equal, run
from kiwi.cluster import Cluster


def slot_of(key):
    """CRC16 (XMODEM), as Redis Cluster hashes; Python's binascii has the same polynomial."""
    return binascii.crc_hqx(key, 0) % 16384


def main(_):
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        expect_equal(leader.call("SET", "k", "v"), "OK", "SET on the leader")
        moved = f"MOVED {slot_of(b'k')} 127.0.0.1:{leader.redis_port}"
        for node in cluster.followers(leader):
            with node.connect() as connection:
                expect_equal(connection.call("GET", "k"), moved, "GET on a follower")
                expect_equal(connection.call("READONLY"), "OK", "READONLY")
                eventually(5.0, "the follower shows the write", lambda c=connection: c.call("GET", "k") == b"v")
                expect_equal(connection.call("MGET", "k", "nothing"), [b"v", None], "MGET under READONLY")
                expect_equal(connection.call("SET", "k", "w"), moved, "SET under READONLY")
                expect_equal(connection.call("DBSIZE"), 1, "DBSIZE under READONLY")
                expect_equal(connection.call("READWRITE"), "OK", "READWRITE")
                expect_equal(connection.call("GET", "k"), moved, "GET after READWRITE")
                expect_equal(connection.call("READONLY"), "OK", "READONLY")
                expect_equal(connection.call("RESET"), "RESET", "RESET")
                expect_equal(connection.call("GET", "k"), moved, "GET after RESET")
                expect_equal(connection.call("GET", "{tag}a"), f"MOVED {slot_of(b'tag')} 127.0.0.1:{leader.redis_port}",
                             "the slot is that of the hash tag")
                for command in (("DBSIZE",), ("KEYS", "*"), ("SCAN", "0"), ("RANDOMKEY",), ("FLUSHALL",)):
                    reply = connection.call(*command)
                    expect_equal(reply, f"MOVED 0 127.0.0.1:{leader.redis_port}", f"{command[0]} on a follower")
        with leader.connect() as connection:
            expect_equal(connection.call("READONLY"), "OK", "READONLY on the leader")
            expect_equal(connection.call("SET", "k", "w"), "OK", "SET under READONLY on the leader")
            expect_equal(connection.call("GET", "k"), b"w", "GET under READONLY on the leader")
        expect(cluster.stop_all() == {1: 0, 2: 0, 3: 0}, "exit codes at the end")


if __name__ == "__main__":
    run(main)
