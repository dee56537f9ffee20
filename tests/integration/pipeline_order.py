"""GET SET GET on one key in one pipeline, thousands of times, while others write; then pipelines across a
fail-over, where every request gets exactly one reply or the connection ends."""
import collections
import threading

from kiwi.check import eventually, expect, expect_equal, run
from kiwi.client import Connection, ConnectionLost, TimedOut, outcome_of_reply
from kiwi.cluster import Cluster
from kiwi.load import Load
from kiwi import resp

DEPTH = 20
OVERTAKEN_STEPS = 4000


def one_pipeline(connection, key, number, last):
    """DEPTH times GET SET GET in one go; returns the last value written."""
    commands, wanted = [], []
    for step in range(DEPTH):
        value = f"{number}.{step}".encode()
        commands += [("GET", key), ("SET", key, value), ("GET", key), ("ECHO", value)]
        wanted += [last, "OK", value, value]
        last = value
    expect_equal(connection.pipeline(commands, timeout=20.0), wanted, f"pipeline {number} on {key}")
    return last


def client(port, key, rounds, problems):
    try:
        with Connection(port) as connection:
            last = None
            for number in range(rounds):
                last = one_pipeline(connection, key, number, last)
    except (AssertionError, ConnectionLost, TimedOut) as problem:
        problems.append(f"{key}: {type(problem).__name__} {problem}")


def steady(cluster, rounds):
    leader = cluster.wait_leader()
    problems = []
    threads = [threading.Thread(target=client, args=(leader.redis_port, f"pipelined:{i}", rounds, problems))
               for i in range(4)]
    with Load([leader.redis_port], 4, seed=1) as load:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    expect(not problems, "\n".join(problems))
    print(f"{4 * rounds * DEPTH} times GET SET GET in order, beside {load.acknowledged_count()} other writes")


def overtaken(port, number, kinds, problems):
    """A long pipeline; counts how its requests ended. Each is answered at most once and in order."""
    try:
        with Connection(port, timeout=30.0) as connection:
            connection.send_raw(b"".join(
                resp.encode("SET", f"over:{number}", step) + resp.encode("GET", f"over:{number}")
                + resp.encode("ECHO", step) for step in range(OVERTAKEN_STEPS)))
            for step in range(OVERTAKEN_STEPS):
                wrote, read, echo = (outcome_of_reply(connection.read_reply()) for _ in range(3))
                for outcome in (wrote, read, echo):
                    kinds[outcome.kind] += 1
                wanted = str(step).encode()
                expect_equal(echo.value, wanted, "the reply that marks the place in the order")
                if wrote.done and read.done:
                    expect_equal(read.value, wanted, "GET right behind its SET")
    except ConnectionLost:
        kinds["connection ended"] += 1
    except (AssertionError, TimedOut) as problem:
        problems.append(f"{type(problem).__name__} {problem}")


def across_failover(cluster):
    """The leader is paused while long pipelines are on their way, loses its leadership, and goes on."""
    leader = cluster.wait_leader()
    others = [node for node in cluster.nodes if node is not leader]
    problems, kinds = [], collections.Counter()
    threads = [threading.Thread(target=overtaken, args=(leader.redis_port, number, kinds, problems))
               for number in range(8)]
    for thread in threads:
        thread.start()
    eventually(10.0, "pipelines under way", lambda: kinds["done"] > 100)
    leader.pause()
    cluster.wait_leader(among=others)
    leader.resume()
    for thread in threads:
        thread.join()
    expect(not problems, "\n".join(problems))
    expect(kinds["refused"] + kinds["unknown"] + kinds["connection ended"] > 0,
           f"the fail-over came too late to be seen: {dict(kinds)}")
    print(f"across a fail-over: {dict(kinds)}")


def main(options):
    with Cluster(3) as cluster:
        steady(cluster, options.rounds)
        across_failover(cluster)


if __name__ == "__main__":
    run(main, rounds=(100, 20))
