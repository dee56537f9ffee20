"""Standard clients find the leader by themselves, and again after a fail-over: redis-cli -c, redis-py's plain and
cluster clients. (ioredis: redirect_ioredis.py)"""
import shutil
import subprocess

import redis
from redis.cluster import ClusterNode, RedisCluster

from kiwi import resp
from kiwi.check import Unavailable, eventually, expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster


def redis_cli(node, *arguments):
    done = subprocess.run(["redis-cli", "-c", "-p", str(node.redis_port), *arguments], timeout=20, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode().strip()


def fail_over(cluster):
    """kill -9 of the leader; the new one."""
    old = cluster.wait_leader()
    old.kill9()
    return cluster.wait_leader(among=[node for node in cluster.nodes if node is not old])


def with_redis_cli(_):
    if shutil.which("redis-cli") is None:
        raise Unavailable("redis-cli is not installed")
    with Cluster(3) as cluster:
        for node in cluster.nodes:
            key = f"cli:{node.id}"
            expect_equal(redis_cli(node, "SET", key, "v"), "OK", f"redis-cli -c SET through node {node.id}")
            expect_equal(redis_cli(node, "GET", key), "v", f"redis-cli -c GET through node {node.id}")
        fail_over(cluster)
        for node in cluster.nodes:
            if node.running():
                expect_equal(redis_cli(node, "GET", "cli:1"), "v", f"GET through {node.id} after a fail-over")
                expect_equal(redis_cli(node, "SET", "cli:x", "w"), "OK", f"SET through {node.id} after a fail-over")


def with_redis_py_cluster(_):
    """One client object for the whole time. dynamic_startup_nodes=False, because redis-py 4.3 (Debian's) otherwise
    trips over itself when any node dies ("cannot pickle '_thread.lock'"; redis-py pull request 2377)."""
    with Cluster(3) as cluster:
        followers_first = cluster.followers() + [cluster.wait_leader()]
        client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", node.redis_port) for node in followers_first],
                              socket_timeout=5, dynamic_startup_nodes=False)
        for number in range(50):
            expect(client.set(f"py:{number}", number), "SET")
        expect_equal(client.get("py:7"), b"7", "GET")
        expect_equal(client.get_primaries()[0].port, cluster.wait_leader().redis_port, "the leader it found")
        fail_over(cluster)
        expect_equal(eventually(20.0, "GET after a fail-over", lambda: client.get("py:7")), b"7", "GET")
        expect(eventually(20.0, "SET after a fail-over", lambda: client.set("py:new", "v")), "SET")
        expect_equal(client.get("py:new"), b"v", "GET of what was set after the fail-over")


def with_redis_py_cluster_moved(_):
    """Default options; the old leader lives on as a follower, and its MOVED shows the way."""
    with Cluster(3) as cluster:
        client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", cluster.followers()[0].redis_port)],
                              socket_timeout=5)
        expect(client.set("py:moved", "v"), "SET")
        old = cluster.wait_leader()
        old.pause()
        cluster.wait_leader(among=[node for node in cluster.nodes if node is not old])
        old.resume()
        eventually(10.0, "the old leader follows", lambda: cluster.find_leader([old]) is None)
        expect_equal(client.get("py:moved"), b"v", "GET after the leader moved")
        expect(client.set("py:moved", "w"), "SET after the leader moved")


def with_plain_redis_py(_):
    """The plain client talks to the leader like to any Redis; a follower's MOVED reaches the caller."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        client = redis.Redis(port=leader.redis_port, socket_timeout=5)
        expect(client.set("plain", "v", ex=100), "SET EX")
        expect_equal(client.get("plain"), b"v", "GET")
        expect_equal(client.incr("plain:n", 5), 5, "INCRBY")
        expect_equal(client.mget("plain", "plain:no"), [b"v", None], "MGET")
        with client.pipeline(transaction=False) as pipe:
            expect_equal(pipe.set("p", 1).get("p").incr("p").execute(), [True, b"1", 2], "a pipeline")
        expect_equal(sorted(client.scan_iter("plain*")), [b"plain", b"plain:n"], "scan_iter")
        expect(client.info()["raft_term"] >= 1, "INFO has no term")
        follower = redis.Redis(port=cluster.followers(leader)[0].redis_port, socket_timeout=5)
        try:
            follower.get("plain")
        except redis.ResponseError as error:
            expect(str(leader.redis_port) in str(error), f"a follower answered {error}")
        else:
            raise AssertionError("a follower answered a read")


def scan_across_failover(_):
    """A SCAN that began on one leader ends on the next, with every key that was there all the time."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        wanted = {f"scan:{number:05}".encode() for number in range(2000)}
        with leader.connect(20.0) as connection:
            connection.pipeline([("SET", key, "v") for key in wanted], timeout=20.0)
        for value_filter in ((), ("MATCH", "scan:*1")):
            expected = {key for key in wanted if not value_filter or key.endswith(b"1")}
            seen, cursor, steps = set(), b"0", 0
            while True:
                reply = leader.call("SCAN", cursor, "COUNT", "50", *value_filter)
                expect(not isinstance(reply, resp.Error), f"SCAN {cursor} answered {reply}")
                cursor, keys = reply
                expect(cursor.isdigit() and int(cursor) < 2 ** 64, f"cursor {cursor!r} is no 64-bit integer")
                seen.update(keys)
                steps += 1
                if cursor == b"0":
                    break
                if steps == 10:
                    old, leader = leader, fail_over(cluster)
                    old.start().wait_port()
            expect(steps > 10, "the scan was over before the fail-over")
            expect_equal(expected - seen, set(), "keys that the scan missed")
            expect_equal(seen - expected, set(), "keys that do not belong")


def cluster_commands(_):
    """All nodes tell the same story in CLUSTER SLOTS, SHARDS, NODES, INFO; KEYSLOT hashes as Redis does."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        ids = {node.id: node.call("CLUSTER", "MYID") for node in cluster.nodes}
        expect(all(len(i) == 40 for i in ids.values()) and len(set(ids.values())) == 3, f"CLUSTER MYID: {ids}")
        for node in cluster.nodes:
            def slots_name_leader(node=node):
                slots = node.call("CLUSTER", "SLOTS")
                expect_equal(len(slots), 1, f"ranges in CLUSTER SLOTS of node {node.id}")
                first, last, *servers = slots[0]
                expect_equal((first, last), (0, 16383), "the range")
                expect_equal(servers[0][:3], [b"127.0.0.1", leader.redis_port, ids[leader.id]], "leader first")
                expect_equal({s[1] for s in servers}, {n.redis_port for n in cluster.nodes}, "all nodes are there")
                return True
            eventually(5.0, f"CLUSTER SLOTS of node {node.id}", slots_name_leader)
            info = node.call("CLUSTER", "INFO").decode()
            expect("cluster_state:ok" in info and "cluster_slots_assigned:16384" in info, f"CLUSTER INFO: {info}")
            lines = node.call("CLUSTER", "NODES").decode().strip().split("\n")
            expect_equal(len(lines), 3, "lines of CLUSTER NODES")
            mine = [line for line in lines if "myself" in line]
            expect(len(mine) == 1 and mine[0].startswith(ids[node.id].decode()), f"myself in CLUSTER NODES: {lines}")
            masters = [line for line in lines if "master" in line.split()[2]]
            expect(len(masters) == 1 and f":{leader.redis_port}@{leader.raft_port}" in masters[0],
                   f"the master in CLUSTER NODES: {lines}")
            expect(isinstance(node.call("CLUSTER", "SHARDS"), list), "CLUSTER SHARDS")
            for key, slot in (("foo", 12182), ("{user1000}.following", 3443), ("foo{}{bar}", 8363), ("", 0)):
                expect_equal(node.call("CLUSTER", "KEYSLOT", key), slot, f"CLUSTER KEYSLOT {key}")


def main(options):
    run_cases(options, [with_redis_cli, with_redis_py_cluster, with_redis_py_cluster_moved, with_plain_redis_py,
                        scan_across_failover, cluster_commands])


if __name__ == "__main__":
    run(main)
