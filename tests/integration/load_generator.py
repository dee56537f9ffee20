"""kiwi-load: what it counts is what a server answered, and its open loop hides no stall of the server."""
import json
import os
import signal
import subprocess
import time

from kiwi.check import expect, expect_equal, run, run_cases
from kiwi.lab import BUILD
from kiwi.process import free_port
from kiwi.redis_reference import RedisReference

PROGRAM = os.path.join(BUILD, "bench", "kiwi-load")


def start(port, *flags):
    return subprocess.Popen([PROGRAM, "--port", str(port), *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def result(process):
    out, err = process.communicate(timeout=60)
    expect_equal(process.returncode, 0, f"exit code, {err.decode()!r}")
    return json.loads(out)


def closed_loop(_):
    with RedisReference() as redis, redis.connect() as connection:
        for what, calls in (("set", ["set"]), ("get", ["get"]), ("mix", ["get", "set"])):
            connection.call("CONFIG", "RESETSTAT")
            seen = result(start(redis.redis_port, "--what", what, "--clients", "3", "--pipeline", "4", "--seconds", "0.5",
                                "--warm-up", "0", "--keys", "1000", "--value-bytes", "77"))
            stats = connection.call("INFO", "commandstats").decode()
            counts = {call: int(stats.split(f"cmdstat_{call}:calls=")[1].split(",")[0]) for call in calls}
            total, counted = sum(counts.values()), seen["latency_us"]["count"]
            # Not counted, of each client: a batch that was answered while the time ran out, and the one sent then.
            expect(total - 24 <= counted <= total, f"{what}: {counted} counted, {total} done by the server")
            expect_equal(sum(seen["by_second"]), counted, "by second")
            if what == "mix":
                expect(0.7 < counts["get"] / total < 0.9, f"shares {counts}")
        expect(connection.call("DBSIZE") <= 1000, "no other keys")
        expect_equal(connection.call("STRLEN", connection.call("RANDOMKEY")), 77, "size of a value")


def a_stall_is_not_hidden(_):
    with RedisReference() as redis:
        load = start(redis.redis_port, "--what", "mix", "--clients", "10", "--rate", "200", "--seconds", "4", "--warm-up", "0")
        time.sleep(1.0)
        redis.process.suspend()
        time.sleep(1.0)
        redis.process.signal(signal.SIGCONT)
        seen = result(load)
    latency = seen["latency_us"]
    expect(latency["count"] + seen["behind"] >= 780, f"too few were sent: {seen}")
    # A quarter of all was due while nobody answered; a closed loop would have seen ten slow ones.
    expect(latency["max"] >= 900_000 and latency["p90"] >= 100_000, f"the stall of 1 s is not seen: {latency}")


def errors_are_counted(_):
    with RedisReference() as redis, redis.connect() as connection:
        connection.call("CONFIG", "SET", "requirepass", "secret")
        seen = result(start(redis.redis_port, "--seconds", "0.2", "--warm-up", "0"))
    expect(seen["errors"].get("NOAUTH", 0) > 0 and seen["latency_us"] is None, f"{seen['errors']}")


def wrong_use(_):
    for flags, code, text in (((), 2, "--port is required"), (("--port", "1", "--what", "all"), 2, "--what"),
                              (("--port", str(free_port())), 1, "connect to port")):
        done = subprocess.run([PROGRAM, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
        expect(done.returncode == code and text in done.stdout.decode(), f"{flags}: {done.returncode}, {done.stdout!r}")


def main(options):
    run_cases(options, [closed_loop, a_stall_is_not_hidden, errors_are_counted, wrong_use])


if __name__ == "__main__":
    run(main)
