"""Backup of a live node, and new clusters made of it; kill -9 in the middle of either.

    --seed N
"""
import os
import random
import shutil
import time

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster
from kiwi.commands import (BAD_DIRECTORY, BAD_USAGE, DAMAGED, NO_ANSWER, command, facts, flip, image_of, inspect,
                           start_command)
from kiwi.load import Load

WRITERS = 8


def fill(node, count, size=100, prefix="k", rng=None):
    def value(i):
        return rng.randbytes(size) if rng else f"{i}:" + "x" * size
    with node.connect(30.0) as connection:
        replies = connection.pipeline([("SET", f"{prefix}{i}", value(i)) for i in range(count)], timeout=30.0)
    expect(all(reply == "OK" for reply in replies), "SET")


def restore(cluster, folder, node_ids=None, token=""):
    """Makes the directories of `cluster` (not started) from the backup."""
    said = []
    for node in cluster.nodes:
        if node_ids and node.id not in node_ids:
            continue
        args = ["--from", folder, "--dir", node.dir, "--id", node.id, "--address", node.address,
                "--initial-cluster", cluster.initial_cluster]
        said.append(facts(command("restore", *args, *(["--cluster-token", token] if token else []))))
    return said


def digest_text(reply):
    return reply[reply.index(b"digest") + 1].decode()


def index_of(line):
    return int(line.split(",")[0].split("/")[1])


def backup_under_load(options):
    """The load never stops; what was acknowledged before the backup began is in it. Put in the place of a node's
    own data, the backup comes by that node's log to the same digest as the others: it is the state at its index."""
    with Cluster(3) as cluster, Cluster(3, start=False) as copy:
        leader = cluster.wait_leader()
        fill(leader, 20000, 500, rng=random.Random(options.seed))
        folder = os.path.join(cluster.folder, "backup")
        with Load([node.redis_port for node in cluster.nodes], WRITERS, options.seed) as load:
            eventually(20.0, "the load runs", lambda: load.acknowledged_count() > 500)
            acknowledged = [dict(writer.acknowledged) for writer in load.writers]
            before = load.acknowledged_count()
            began = time.monotonic()
            made = facts(command("backup", "--dir", leader.dir, "--to", folder, "--rate", "3MB"))
            took = time.monotonic() - began
            during = load.acknowledged_count() - before
            eventually(20.0, "the load goes on", lambda: load.acknowledged_count() > before + during + 200)
        print(f"    backup of {made['backup']} in {took:.1f} s; {during} writes acknowledged meanwhile, "
              f"{before} before; {load.summary()}")
        expect(during > 100, f"hardly anything was acknowledged during the backup: {during}")
        expect(not os.path.exists(os.path.join(leader.dir, "snapshots", "backup")), "the staging folder is gone")

        said = restore(copy, folder)
        for node, one in zip(copy.nodes, said):
            expect_equal(one["digest"], made["digest"], "digest of the restored data")
            expect_equal(inspect(node.dir)["data"]["digest"], made["digest"].split(",")[0], "digest by inspect")
        copy.start()
        with copy.wait_leader().connect(30.0) as connection:
            for writer in acknowledged:
                keys = list(writer)
                values = connection.call("MGET", *keys, timeout=30.0) if keys else []
                lost = [key for key, value in zip(keys, values) if value != writer[key].encode()]
                expect(not lost, f"{len(lost)} writes acknowledged before the backup are not in it: {lost[:3]}")
        digests = copy.digests()
        expect_equal(len({repr(d) for d in digests.values()}), 1, f"digests of the restored nodes: {digests}")

        # The proof of the digest at the backup's index.
        follower = cluster.followers()[0]
        expect_equal(follower.stop(), 0, "exit code")
        first = inspect(follower.dir)["log"]["first_index"]
        expect(first <= index_of(made["as of"]) + 1, "this node's log reaches back to the backup")
        data = os.path.join(follower.dir, "data")
        shutil.rmtree(data)
        shutil.copytree(folder, data, ignore=shutil.ignore_patterns("MANIFEST-OF-SNAPSHOT"))
        follower.start().wait_port()
        digests = cluster.digests()
        expect_equal(len({repr(d) for d in digests.values()}), 1,
                     f"digests of the old nodes, of which node {follower.id} began with the backup: {digests}")


def equal_digest_when_quiet(options):
    """RAFT.DIGEST of all three nodes at the backup's index is what backup, restore and inspect say."""
    del options
    with Cluster(3) as cluster, Cluster(1, start=False) as copy:
        fill(cluster.wait_leader(), 3000)
        digests = cluster.digests()
        for node in cluster.nodes:
            folder = os.path.join(cluster.folder, f"backup-{node.id}")
            made = facts(command("backup", "--dir", node.dir, "--to", folder))
            marker = digests[node.id][digests[node.id].index(b"index") + 1]
            expect_equal(index_of(made["as of"]), marker, "the index of the backup of an idle cluster")
            expect_equal(made["digest"].split(",")[0], digest_text(digests[node.id]), "digest")
        said = restore(copy, folder)[0]
        expect_equal(said["digest"].split(",")[0], digest_text(digests[1]), "digest of what was restored")
        copy.start()
        with copy.nodes[0].connect() as connection:
            expect_equal(connection.call("DBSIZE"), 3000, "keys")
            expect_equal(connection.call("SET", "new", "1"), "OK", "a write")
        # The flags of a first start still say the same.
        expect_equal(copy.nodes[0].stop(), 0, "exit code")
        copy.nodes[0].extra = ["--cluster-token", "another"]
        copy.nodes[0].start()
        expect_equal(copy.nodes[0].process.wait(), BAD_DIRECTORY, "exit code with another token")


def stopped_node(options):
    """A stopped node is backed up as it lies there; after kill -9 it says what is not in it."""
    del options
    with Cluster(1) as cluster, Cluster(1, start=False) as copy:
        node = cluster.nodes[0]
        fill(node, 500)
        digest = digest_text(cluster.digests()[1])
        node.stop()
        made = facts(command("backup", "--dir", node.dir, "--to", os.path.join(cluster.folder, "b1")))
        expect_equal(made["digest"].split(",")[0], digest, "digest")
        node.start().wait_port()
        cluster.wait_leader()
        fill(node, 200, prefix="later")
        node.kill9()
        done = start_command("backup", "--dir", node.dir, "--to", os.path.join(cluster.folder, "b2"))
        expect_equal(done.wait(60), 0, "exit code")
        expect(inspect(node.dir)["log"]["last"]["index"] > inspect(node.dir)["data"]["applied"]["index"],
               "the log is ahead of the data")
        restore(copy, os.path.join(cluster.folder, "b1"))
        copy.start()
        expect_equal(copy.nodes[0].call("DBSIZE"), 500, "keys")


def refusals(options):
    del options
    with Cluster(1) as cluster, Cluster(1, start=False) as copy:
        node, new = cluster.nodes[0], copy.nodes[0]
        fill(node, 100)
        folder = os.path.join(cluster.folder, "backup")
        command("backup", "--dir", node.dir, "--to", folder)
        before = image_of(folder)
        expect("not an empty folder" in command("backup", "--dir", node.dir, "--to", folder, exit_code=BAD_DIRECTORY),
               "a folder that is used")
        expect_equal(image_of(folder), before, "the backup")
        says = command("backup", "--dir", node.dir, "--to", folder + "2", "--address", "127.0.0.1:1",
                       exit_code=NO_ANSWER)
        expect("does not answer" in says, says)
        expect(not os.path.exists(folder + "2"), "nothing was made")
        command("backup", "--dir", os.path.join(cluster.folder, "no"), "--to", folder + "2", exit_code=BAD_DIRECTORY)
        command("backup", "--to", folder + "2", exit_code=BAD_USAGE)

        args = ["--from", folder, "--dir", new.dir, "--id", 1, "--address", new.address]
        command("restore", *args, exit_code=BAD_USAGE)
        command("restore", *args, "--initial-cluster", "2=" + new.address, exit_code=BAD_USAGE)
        args += ["--initial-cluster", copy.initial_cluster]
        says = command("restore", "--from", cluster.folder, *args[2:], exit_code=BAD_DIRECTORY)
        expect("holds no backup" in says, says)
        says = command("restore", *args[:3], node.dir, *args[4:], exit_code=BAD_DIRECTORY)
        expect("neither new nor empty" in says, says)
        expect(not os.path.exists(new.dir), "nothing was made")


def damaged_backup(options):
    """Every file of the backup with a flipped bit, one after the other: named, and nothing is left of the node."""
    del options
    with Cluster(1) as cluster, Cluster(1, start=False) as copy:
        node, new = cluster.nodes[0], copy.nodes[0]
        fill(node, 2000)
        folder = os.path.join(cluster.folder, "backup")
        command("backup", "--dir", node.dir, "--to", folder)
        args = ["--from", folder, "--dir", new.dir, "--id", 1, "--address", new.address, "--initial-cluster",
                copy.initial_cluster]
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            offset = flip(path)
            says = command("restore", *args, exit_code=DAMAGED)
            expect(name in says, f"{name} is not named: {says}")
            expect_equal(os.listdir(new.dir) if os.path.exists(new.dir) else [], [], "what is left")
            flip(path, offset)
        os.rename(path := os.path.join(folder, "CURRENT"), path + "-away")
        expect("CURRENT" in command("restore", *args, exit_code=DAMAGED), "a missing file is named")
        os.rename(path + "-away", path)
        command("restore", *args)
        copy.start()
        expect_equal(new.call("DBSIZE"), 2000, "keys")


def backups_do_not_mix(options):
    """Nodes made of the backups of two nodes, or the old node under the new addresses, refuse each other."""
    del options
    with Cluster(3) as cluster, Cluster(3, start=False) as copy:
        fill(cluster.wait_leader(), 100)
        folders = []
        for node in cluster.nodes[:2]:
            folders.append(os.path.join(cluster.folder, f"backup-{node.id}"))
            leader = cluster.wait_leader()
            fill(leader, 50, prefix=f"between{node.id}:")
            # A backup holds what its node has applied; a follower hears of the last commit a little later.
            eventually(20.0, "the node has applied what was written",
                       lambda n=node: n.applied() >= int(leader.info()["raft_commit_index"]))
            command("backup", "--dir", node.dir, "--to", folders[-1])
        restore(copy, folders[0], (1, 2))
        restore(copy, folders[1], (3,))
        for node in copy.nodes:
            node.start().wait_port()
        leader = copy.wait_leader(among=copy.nodes[:2])
        expect_equal(leader.call("DBSIZE"), 150, "keys")
        stranger = copy.nodes[2]
        eventually(20.0, "the refusal is logged", lambda: "another cluster" in stranger.log_tail() and
                   any("peer_refused" in node.process.log_tail(400) for node in copy.nodes[:2]))
        expect(isinstance(stranger.call("GET", "k1"), resp.Error), "a node of another backup serves nothing")
        # An empty node with the same flags does not belong to it either.
        copy.nodes[1].stop()
        shutil.rmtree(copy.nodes[1].dir)
        copy.nodes[1].start().wait_port()
        eventually(20.0, "the refusal is logged", lambda: "another cluster" in copy.nodes[1].log_tail())
        expect(copy.find_leader() is None, "an empty node and one of a backup made a majority")


def kill_the_backup(options):
    """A backup that was killed is none, holds no disk space for long, and the node does not notice."""
    rng = random.Random(options.seed)
    with Cluster(1) as cluster, Cluster(1, start=False) as copy:
        node = cluster.nodes[0]
        fill(node, 4000, 1000, rng=rng)
        staging = os.path.join(node.dir, "snapshots", "backup")
        new = copy.nodes[0]
        restore_args = ["--dir", new.dir, "--id", 1, "--address", new.address, "--initial-cluster",
                        copy.initial_cluster]
        for i in range(3):
            folder = os.path.join(cluster.folder, f"killed-{i}")
            backup = start_command("backup", "--dir", node.dir, "--to", folder, "--rate", "1MB")
            eventually(20.0, "it copies", lambda f=folder: os.path.isdir(f) and os.listdir(f))
            time.sleep(rng.uniform(0.0, 2.0))
            expect(os.path.isdir(os.path.join(staging, "files")), "the staging folder")
            if i == 1:
                says = command("backup", "--dir", node.dir, "--to", folder + "-second", exit_code=8)
                expect("another backup" in says, says)
            backup.kill()
            backup.wait()
            says = command("restore", "--from", folder, *restore_args, exit_code=BAD_DIRECTORY)
            expect("not finished" in says, says)
            expect(not os.path.exists(new.dir), "nothing was made")
        node.kill9()
        expect(os.path.isdir(staging), "it is still there")
        node.start().wait_port()
        expect(not os.path.exists(staging), "the node's start removes it")
        cluster.wait_leader()
        folder = os.path.join(cluster.folder, "good")
        command("backup", "--dir", node.dir, "--to", folder)
        command("restore", "--from", folder, *restore_args)
        copy.start()
        expect_equal(new.call("DBSIZE"), 4000, "keys")


def kill_the_restore(options):
    """At whatever moment: either nothing that starts as a node, or all of it."""
    rng = random.Random(options.seed)
    with Cluster(1) as cluster, Cluster(1, start=False) as copy:
        node, new = cluster.nodes[0], copy.nodes[0]
        fill(node, 30000, 1000, rng=rng)
        folder = os.path.join(cluster.folder, "backup")
        made = facts(command("backup", "--dir", node.dir, "--to", folder))
        args = ["restore", "--from", folder, "--dir", new.dir, "--id", 1, "--address", new.address,
                "--initial-cluster", copy.initial_cluster]
        began = time.monotonic()
        command(*args)
        took = time.monotonic() - began
        shutil.rmtree(new.dir)
        counts = {"nothing": 0, "unfinished": 0, "whole": 0}
        for i in range(options.rounds):
            one = start_command(*args)
            time.sleep(took * rng.uniform(0.0, 1.0) if i % 2 else took * rng.uniform(0.8, 1.4))
            one.kill()
            one.wait()
            names = os.listdir(new.dir) if os.path.exists(new.dir) else []
            if not names:
                counts["nothing"] += 1
            elif "KIWI-RESTORING" in names:
                counts["unfinished"] += 1
                if "data" in names or "log" in names:
                    findings = inspect(new.dir, exit_code=DAMAGED)["findings"]
                    expect(any("restore" in f["what"] for f in findings), f"an unfinished restore: {findings}")
                new.start()
                expect_equal(new.process.wait(), BAD_DIRECTORY, "exit code of a node on an unfinished restore")
                expect("restore" in new.log_tail(), new.log_tail())
            else:
                counts["whole"] += 1
                expect_equal(inspect(new.dir)["data"]["digest"], made["digest"].split(",")[0], "digest")
                shutil.rmtree(new.dir)
        print(f"    killed {options.rounds} times within {took:.2f} s: {counts}")
        expect(counts["unfinished"] > 0, "no kill hit")
        if not os.path.exists(os.path.join(new.dir, "log")) or os.path.exists(os.path.join(new.dir, "KIWI-RESTORING")):
            command(*args)  # begins anew over what was left
        copy.start()
        expect_equal(new.call("DBSIZE"), 30000, "keys")


def main(options):
    run_cases(options, [backup_under_load, equal_digest_when_quiet, stopped_node, refusals, damaged_backup,
                        backups_do_not_mix, kill_the_backup, kill_the_restore])


if __name__ == "__main__":
    run(main, rounds=(20, 6))
