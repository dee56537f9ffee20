"""A follower that missed everything catches up by a snapshot while clients write. On the way its link is cut three
times and it is killed twice: what has arrived is not sent again, all nodes end with the same bytes."""
from kiwi.bulk import received_snapshots, set_many
from kiwi.check import eventually, expect, expect_equal, run
from kiwi.cluster import Cluster
from kiwi.load import Load

KEYS = 60_000
# Small enough that the log is purged past the follower, slow enough that the transfer can be interrupted.
OPTIONS = ["--log-keep", "1MiB", "--log-laggard", "2MiB", "--snapshot-rate", "4MiB"]


def sent(node):
    return int(node.info()["raft_snapshot_sent_bytes"])


def cut_and_mend(follower, leader):
    follower.link.cut()
    eventually(20.0, "the leader sees the link cut",
               lambda: str(follower.id) not in leader.info()["raft_connected_peers"].split())
    follower.link.mend()


def kill_and_start(follower, _):
    follower.kill9()
    follower.start().wait_port()


def main(options):
    keys = KEYS  # with --quick too: what an interruption costs does not shrink with the snapshot
    with Cluster(3, extra=OPTIONS, links=True) as cluster:
        leader = cluster.wait_leader()
        follower = cluster.followers(leader)[0]
        follower.kill9()
        eventually(20.0, "the leader misses the follower", lambda: any(
            line.startswith(f"id={follower.id},") and "active=0" in line for line in leader.info().values()))
        set_many(leader.redis_port, (f"key:{number}" for number in range(keys)), host=leader.host)
        eventually(30.0, "the log is purged", lambda: int(leader.info()["raft_log_purged_index"]) > keys / 2)
        expect_equal(leader.info()["raft_snapshots_built"], "0", "snapshots built while nobody needs one")
        hosts = {node.redis_port: node.host for node in cluster.nodes}
        with Load(hosts, 2, options.seed, hosts=hosts) as load:
            follower.start().wait_port()
            steps = [cut_and_mend, kill_and_start, cut_and_mend, kill_and_start, cut_and_mend]
            for number, interrupt in enumerate(steps, 1):
                size = eventually(30.0, "a transfer", lambda: max(received_snapshots(follower).values()))
                eventually(60.0, f"part {number} of the snapshot is sent",
                           lambda n=number, s=size: sent(leader) > n * s / 8)
                interrupt(follower, leader)
            eventually(60.0, "the snapshot is installed",
                       lambda: int(follower.info()["raft_snapshots_installed"]) > 0)
            whole = received_snapshots(follower)
            acknowledged = load.acknowledged_count()
            eventually(30.0, "writes go on", lambda: load.acknowledged_count() > acknowledged)
        digests = cluster.digests()
        expect_equal(len({str(digest) for digest in digests.values()}), 1, f"different digests: {digests}")
        expect_equal(len(whole), 1, f"snapshots that were begun to be received: {whole}")
        size = next(iter(whole.values()))
        print(f"snapshot of {size} bytes, sent {sent(leader)} bytes = {sent(leader) / size:.2f} of it; {load.summary()}")
        expect(sent(leader) < 1.3 * size, "more than 1.3 times the snapshot was sent")
        with leader.connect(30.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, the first ones:\n" + "\n".join(problems[:10]))


if __name__ == "__main__":
    run(main)
