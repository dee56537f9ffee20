"""Two of three nodes are gone for ever: the third becomes a cluster of one, and the others can never come back to
it."""
import os
import random
import shutil
import time

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster
from kiwi.commands import (BAD_DIRECTORY, BAD_USAGE, DAMAGED, IN_USE, NOT_CONFIRMED, command, flip, image_of, inspect,
                           start_command)
from kiwi.load import Load

UNSAFE = "--unsafe-sole-survivor"


def fill(node, count, prefix="k"):
    with node.connect(30.0) as connection:
        replies = connection.pipeline([("SET", f"{prefix}{i}", f"{i}:" + "x" * 100) for i in range(count)],
                                      timeout=30.0)
    expect(all(reply == "OK" for reply in replies), "SET")


def one_of_three(options):
    """Under load all three die; one recovers alone, with every write that it knew, and serves. The other two, which
    are a majority of the old cluster, never join it."""
    with Cluster(3) as cluster:
        with Load([node.redis_port for node in cluster.nodes], 8, options.seed) as load:
            eventually(20.0, "the load runs", lambda: load.acknowledged_count() > 1000)
            for node in cluster.nodes:
                node.kill9()
        survivor, others = cluster.nodes[0], cluster.nodes[1:]
        before = image_of(survivor.dir)
        said = command("recover", UNSAFE, "--dir", survivor.dir, exit_code=NOT_CONFIRMED)
        expect_equal(image_of(survivor.dir), before, "the directory without the confirmation")
        for words in ("MAY BE LOST", "MAY COME BACK", "node 2 at", "node 3 at", "--accept-data-loss"):
            expect(words in said, f"'{words}' is not said:\n{said}")
        was = inspect(survivor.dir)
        command("recover", UNSAFE, "--dir", survivor.dir, "--accept-data-loss")
        now = inspect(survivor.dir)
        expect(now["identity"]["cluster"] != was["identity"]["cluster"], "another cluster")
        expect_equal(now["identity"]["node"], 1, "the node")
        expect_equal([m["id"] for m in now["membership"]["members"]], [1], "the membership")
        expect_equal(now["log"]["last"]["index"], was["log"]["last"]["index"] + 1, "the log's end")
        expect_equal(now["log"]["term"], was["log"]["term"] + 1, "the term")

        # Each acknowledged write was on two of three nodes: those that this one has must be served.
        survivor.initial_cluster = f"1={survivor.address}"
        survivor.start().wait_port()
        cluster.wait_leader(among=[survivor])
        with survivor.connect(30.0) as connection:
            expect_equal(connection.call("SET", "after", "1"), "OK", "a write")
            lost = load.problems(connection)
        print(f"    {load.summary()}; {len(lost)} writes were known to the others only")
        expect(all("LOST" in text or "register" in text for text in lost), f"{lost[:5]}")
        # The old majority comes back: it is another cluster.
        for node in others:
            node.start().wait_port()
        leader = cluster.wait_leader(among=others)
        expect_equal(leader.call("GET", "after"), None, "a write of the new cluster on the old one")
        with leader.connect(30.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"the old majority has all it acknowledged: {problems[:5]}")
        eventually(20.0, "the refusal is logged", lambda: "another cluster" in survivor.process.log_tail(400))
        with survivor.connect() as connection:
            expect_equal(connection.call("SET", "alone", "2"), "OK", "still alone")
        # And after a restart.
        expect_equal(survivor.stop(), 0, "exit code")
        survivor.start().wait_port()
        eventually(20.0, "it leads again", lambda: survivor.call("GET", "alone") == b"2")


def three_again(options):
    """The documented way on: a backup of the survivor, restored into three."""
    del options
    with Cluster(3) as cluster, Cluster(3, start=False) as copy:
        fill(cluster.wait_leader(), 500)
        cluster.digests()
        cluster.stop_all()
        survivor = cluster.nodes[2]
        command("recover", UNSAFE, "--dir", survivor.dir, "--accept-data-loss")
        survivor.initial_cluster = ""
        survivor.start().wait_port()
        cluster.wait_leader(among=[survivor])
        folder = os.path.join(cluster.folder, "backup")
        command("backup", "--dir", survivor.dir, "--to", folder)
        for node in copy.nodes:
            command("restore", "--from", folder, "--dir", node.dir, "--id", node.id, "--address", node.address,
                    "--initial-cluster", copy.initial_cluster)
        copy.start()
        expect_equal(copy.wait_leader().call("DBSIZE"), 500, "keys")
        expect_equal(len({repr(d) for d in copy.digests().values()}), 1, "digests")


def refusals(options):
    del options
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        fill(node, 300)
        args = ["recover", "--dir", node.dir, UNSAFE, "--accept-data-loss"]
        expect("in use by process" in command(*args, exit_code=IN_USE), "a running node")
        node.stop()
        command("recover", "--dir", node.dir, "--accept-data-loss", exit_code=BAD_USAGE)
        command("recover", "--dir", node.dir + "-no", UNSAFE, exit_code=BAD_DIRECTORY)
        expect(not os.path.exists(node.dir + "-no"), "nothing was made")
        log = os.path.join(node.dir, "log")
        table = next(name for name in sorted(os.listdir(log)) if name.endswith(".log"))
        sound = node.dir + "-sound"
        shutil.copytree(node.dir, sound)
        path = os.path.join(log, table)
        flip(path, offset=100)
        before = image_of(node.dir)
        said = command(*args, exit_code=DAMAGED)
        expect("not whole" in said and table in said, said)
        expect_equal(image_of(node.dir), before, "the damaged directory")


def killed_in_the_middle(options):
    """The old cluster's node or the new one's, whole either way."""
    rng = random.Random(options.seed)
    with Cluster(3) as cluster:
        fill(cluster.wait_leader(), 2000)
        cluster.digests()
        for node in cluster.nodes:
            node.kill9()
        survivor = cluster.nodes[0]
        sound = survivor.dir + "-sound"
        os.rename(survivor.dir, sound)
        shutil.copytree(sound, survivor.dir)
        old = inspect(survivor.dir)["identity"]["cluster"]
        began = time.monotonic()
        command("recover", UNSAFE, "--dir", survivor.dir, "--accept-data-loss")
        took = time.monotonic() - began
        counts = {"old": 0, "new": 0}
        for _ in range(options.rounds):
            shutil.rmtree(survivor.dir)
            shutil.copytree(sound, survivor.dir)
            one = start_command("recover", UNSAFE, "--dir", survivor.dir, "--accept-data-loss")
            time.sleep(took * rng.uniform(0.3, 1.4))
            one.kill()
            one.wait()
            found = inspect(survivor.dir)
            if found["identity"]["cluster"] == old:
                counts["old"] += 1
                expect_equal(len(found["membership"]["members"]), 3, "members of the old cluster")
            else:
                counts["new"] += 1
                expect_equal(len(found["membership"]["members"]), 1, "members of the new cluster")
        print(f"    killed {options.rounds} times within {took:.2f} s: {counts}")
        if inspect(survivor.dir)["identity"]["cluster"] == old:
            command("recover", UNSAFE, "--dir", survivor.dir, "--accept-data-loss")
        survivor.initial_cluster = ""
        survivor.start().wait_port()
        cluster.wait_leader(among=[survivor])
        expect_equal(survivor.call("DBSIZE"), 2000, "keys")
        expect(not isinstance(survivor.call("SET", "new", "1"), resp.Error), "a write")


def main(options):
    run_cases(options, [one_of_three, three_again, refusals, killed_in_the_middle])


if __name__ == "__main__":
    run(main, rounds=(16, 6))
