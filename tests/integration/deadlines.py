"""Expiry as clients of the leader see it: a passed deadline is one instant for everybody. What one reply says is
gone stays gone, whatever the others do at that moment.

    --rounds N --seed N
"""
import random
import time

from kiwi.check import expect, expect_equal, run
from kiwi.cluster import Cluster


def wait_for(connection, wanted, *command):
    """Asks until the answer is `wanted`; 5 s at most. Every answer before it must be of a living key."""
    end = time.monotonic() + 5.0
    while True:
        reply = connection.call(*command)
        if reply == wanted:
            return
        expect(time.monotonic() < end, f"{command}: {reply!r}, never {wanted!r}")


def every_command_says_gone(connection):
    """Whatever looks first after the deadline tells the same story, in its own words."""
    for wanted, command in ((0, ("EXISTS", "k")), (-2, ("TTL", "k")), ([b"v", None], ("MGET", "other", "k")),
                            (None, ("GET", "k")), ("none", ("TYPE", "k")), (0, ("STRLEN", "k")),
                            ([b"other"], ("KEYS", "*"))):
        expect_equal(connection.call("SET", "other", "v"), "OK", "SET other")
        expect_equal(connection.call("SET", "k", "v", "PX", "60"), "OK", "SET k")
        wait_for(connection, wanted, *command)
        expect_equal(connection.call("EXISTS", "k"), 0, f"after {command}")


def gone_or_kept(reader, writer, rng, rounds):
    """EXISTS beside PERSIST at the deadline: not both "it is gone" and "it stays"."""
    seen = {}
    for number in range(rounds):
        key = f"race:{number}"
        expect_equal(writer.call("SET", key, "v", "PX", "25"), "OK", "SET")
        end = time.monotonic() + 0.024 + rng.uniform(-0.002, 0.002)
        while time.monotonic() < end:
            pass
        reader.send("EXISTS", key)
        writer.send("PERSIST", key)
        there, kept = reader.read_reply(), writer.read_reply()
        later = writer.call("EXISTS", key)
        expect_equal(later, kept, f"{key}: EXISTS after PERSIST = {kept}")
        expect(not (there == 0 and kept == 1), f"{key}: EXISTS = 0 and then PERSIST = 1: a key came back")
        seen[(there, kept)] = seen.get((there, kept), 0) + 1
    return seen


def order_under_readonly(leader, rounds):
    """READONLY on the leader does not let a read overtake its connection's own write."""
    with leader.connect() as connection:
        expect_equal(connection.call("READONLY"), "OK", "READONLY")
        for number in range(rounds):
            connection.send("SET", "own", str(number))
            connection.send("GET", "own")
            expect_equal(connection.read_reply(), "OK", "SET in the pipeline")
            expect_equal(connection.read_reply(), str(number).encode(), "GET in the same pipeline")


def main(options):
    rng = random.Random(options.seed)
    for size in (1, 3):
        with Cluster(size) as cluster:
            leader = cluster.wait_leader()
            with leader.connect() as one, leader.connect() as two:
                every_command_says_gone(one)
                seen = gone_or_kept(one, two, rng, options.rounds)
                print(f"{size} nodes: (EXISTS, PERSIST) -> times: {seen}")
                order_under_readonly(leader, 50)
            expect(set(cluster.stop_all().values()) == {0}, "exit codes at the end")


if __name__ == "__main__":
    run(main, rounds=(400, 100))
