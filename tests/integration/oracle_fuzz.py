"""The same seeded random stream of commands, odd arguments included, to Debian's redis-server and to a Kiwi
cluster of one: every reply is the same, byte by byte, in RESP2 and in RESP3.

Replies that depend on the clock are compared with some tolerance; replies whose order is nobody's business are
compared sorted. On a difference the seed and the last commands are printed.

    --rounds N  streams of COMMANDS_PER_ROUND commands each    --seed S
"""
import random

from kiwi import resp
from kiwi.check import expect, run
from kiwi.cluster import Cluster
from kiwi.fuzz import CommandSource
from kiwi.redis_reference import RedisReference

COMMANDS_PER_ROUND = 2000
UNORDERED = {"KEYS"}
TOLERANCE = {"TTL": 2, "PTTL": 2000}
# Expiry relative to "now" differs by the moments at which the two servers ran it.
ABSOLUTE_TOLERANCE = {"EXPIRETIME": 3, "PEXPIRETIME": 3000}


def same(command, redis, kiwi):
    (redis_reply, redis_bytes), (kiwi_reply, kiwi_bytes) = redis, kiwi
    if redis_bytes == kiwi_bytes:
        return True
    name = command[0].upper() if isinstance(command[0], str) else ""
    both_numbers = isinstance(redis_reply, int) and isinstance(kiwi_reply, int)
    limit = TOLERANCE.get(name) or ABSOLUTE_TOLERANCE.get(name)
    if limit and both_numbers:
        return redis_reply > 0 and kiwi_reply > 0 and abs(redis_reply - kiwi_reply) <= limit
    if name in UNORDERED and isinstance(redis_reply, list) and isinstance(kiwi_reply, list):
        return sorted(redis_reply) == sorted(kiwi_reply)
    return False


def all_keys(connection):
    """Every key with its value, over SCAN."""
    cursor, keys = b"0", set()
    while True:
        cursor, found = connection.call("SCAN", cursor, "COUNT", "7")
        keys.update(found)
        if cursor == b"0":
            break
    return {key: connection.call("GET", key) for key in sorted(keys)}


def one_round(redis, kiwi, seed, protocol):
    source = CommandSource(random.Random(seed))
    for connection in (redis, kiwi):
        expect(connection.call("FLUSHALL") == "OK", "FLUSHALL")
        expect(not isinstance(connection.call("HELLO", str(protocol)), resp.Error), "HELLO")
    recent = []
    for number in range(COMMANDS_PER_ROUND):
        command = source.next()
        recent = (recent + [command])[-6:]
        for connection in (redis, kiwi):
            connection.send(*command)
        from_redis, from_kiwi = redis.read_raw_reply(), kiwi.read_raw_reply()
        if not same(command, from_redis, from_kiwi):
            lines = "\n".join("    " + " ".join(map(repr, c)) for c in recent)
            raise AssertionError(f"seed {seed}, RESP{protocol}, command {number}:\n{lines}\n"
                                 f"  redis {from_redis[1][:400]!r}\n  kiwi  {from_kiwi[1][:400]!r}")
    expect(all_keys(redis) == all_keys(kiwi), f"seed {seed}: the data differ at the end")


def main(options):
    with RedisReference() as reference, Cluster(1) as cluster:
        for number in range(options.rounds):
            with reference.connect() as redis, cluster.nodes[0].connect() as kiwi:
                one_round(redis, kiwi, options.seed * 1000 + number, 2 + number % 2)
    print(f"{options.rounds * COMMANDS_PER_ROUND} commands, no difference")


if __name__ == "__main__":
    run(main, rounds=(20, 4))
