"""`kiwi-node inspect` on stopped nodes: true figures, and every flipped bit in log, vote, data and snapshots is
found and named. Looking never changes anything (kiwi.commands.inspect compares the directory before and after)."""
import os
import random
import shutil

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster
from kiwi.commands import BAD_DIRECTORY, BAD_USAGE, DAMAGED, IN_USE, TORN_WRITE, command, flip, inspect


def fill(node, count, size=100, prefix="k", rng=None):
    def value(i):
        return rng.randbytes(size) if rng else f"{i}:" + "x" * size
    with node.connect(30.0) as connection:
        replies = connection.pipeline([("SET", f"{prefix}{i}", value(i)) for i in range(count)], timeout=30.0)
    expect(all(reply == "OK" for reply in replies), "SET")


def files(folder, ending):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.endswith(ending) and os.path.getsize(os.path.join(folder, name)) > 0)


def damage(found):
    return [f"{f['what']} | {f['where']} | {f['why']}" for f in found["findings"] if f["kind"] == "damage"]


def figures(options):
    """Identity, term, log range, applied index, digest and membership are those that the running nodes told."""
    del options
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        fill(leader, 1000)
        digests = cluster.digests()
        said = command("inspect", leader.dir, exit_code=IN_USE)
        expect(f"in use by process {leader.process.pid}" in said, said)
        cluster.stop_all()
        for node in cluster.nodes:
            found = inspect(node.dir)
            marker = digests[node.id]
            expect_equal(found["verdict"], "whole", "verdict")
            expect_equal(found["identity"]["node"], node.id, "node")
            expect_equal(found["identity"]["address"], node.address, "address")
            expect_equal(found["data"]["applied"]["index"], marker[marker.index(b"index") + 1], "applied")
            expect_equal(found["data"]["digest"], marker[marker.index(b"digest") + 1].decode(), "digest")
            expect_equal(found["data"]["keys"], 1000, "keys")
            expect_equal(found["log"]["last"], found["data"]["applied"], "the log's end")
            expect_equal([m["address"] for m in found["membership"]["members"]], [n.address for n in cluster.nodes],
                         "members")
            text = command("inspect", node.dir)
            for words in (node.address, found["data"]["digest"], "whole, all checksums are right"):
                expect(words in text, f"'{words}' is not said:\n{text}")
        command("inspect", exit_code=BAD_USAGE)
        command("inspect", cluster.folder, exit_code=BAD_DIRECTORY)
        command("inspect", leader.dir + "-no", exit_code=BAD_DIRECTORY)
        expect(not os.path.exists(leader.dir + "-no"), "nothing was made")


def flipped_bits(options):
    """One bit after the other, in every kind of file: found, with the file's name."""
    del options
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        fill(node, 300)
        node.stop()
        node.start().wait_port()  # what was written lies in a table of the log now
        cluster.wait_leader()
        fill(node, 300, prefix="later")
        node.call("RAFT.SNAPSHOT")
        node.call("SET", "the-newest", "1")
        node.kill9()
        sound = node.dir + "-sound"
        shutil.copytree(node.dir, sound)
        expect_equal(inspect(node.dir)["verdict"], "whole", "verdict before")
        log, data = os.path.join(node.dir, "log"), os.path.join(node.dir, "data")
        built = os.path.join(node.dir, "snapshots", "built")
        built = os.path.join(built, os.listdir(built)[0])

        def hurt(path, wanted, exit_code=DAMAGED, **where):
            offset = flip(path, **where)
            found = inspect(node.dir, exit_code=exit_code)
            said = [f"{f['what']} | {f['where']} | {f['why']}" for f in found["findings"]]
            expect(any(wanted in line and os.path.basename(path) in line for line in said),
                   f"{path} at {offset}: wanted '{wanted}', found {said}")
            flip(path, offset=offset)

        wal = files(log, ".log")[-1]
        table = next(path for path in files(log, ".sst") if b"k15" in open(path, "rb").read())
        hurt(table, "entry 17", find=b"k15")              # entry 1 is the leader's own
        hurt(table, "table of the log")
        hurt(wal, "(entry ", find=b"later10")
        hurt(os.path.join(log, "KIWI-LOG"), "marker of the log", offset=20)
        hurt(os.path.join(log, open(os.path.join(log, "CURRENT"), encoding="ascii").read().strip()),
             "MANIFEST of the log", offset=12)
        hurt(files(data, ".sst")[0], "table of the data database")
        hurt(os.path.join(data, open(os.path.join(data, "CURRENT"), encoding="ascii").read().strip()),
             "MANIFEST of the data database", offset=12)
        # Tables of a built snapshot are the data's: a copy has bytes of its own.
        for name in os.listdir(built):
            path = os.path.join(built, name)
            shutil.copy(path, path + ".copy")
            os.replace(path + ".copy", path)
        for name in os.listdir(built):
            offset = flip(os.path.join(built, name))
            said = damage(inspect(node.dir, exit_code=DAMAGED))
            expect(any(line.startswith("built snapshot | " + built) for line in said), f"{name} at {offset}: {said}")
            flip(os.path.join(built, name), offset=offset)
        # The vote is in the first row of each batch: term and node behind instance and serial, 17 bytes in.
        with open(wal, "rb") as file:
            batch = file.read().index(b"\x01\x01s\x51")
        hurt(wal, "the vote and the ends of the log", offset=batch + 4 + 1 + 16)
        # The newest write cannot be told from a torn one, unless the data has applied more than is left.
        hurt(wal, "(entry 603)", exit_code=TORN_WRITE, find=b"the-newest")
        with open(wal, "rb") as file:
            whole = file.read()
        with open(wal, "r+b") as file:
            file.truncate(whole.rindex(b"later299"))
        said = damage(inspect(node.dir, exit_code=DAMAGED))
        expect(any("has applied index 602" in line for line in said), f"a log that is too short: {said}")
        with open(wal, "wb") as file:
            file.write(whole)
        expect_equal(inspect(node.dir)["verdict"], "whole", "verdict after")

        os.rename(table, table + "-away")
        said = damage(inspect(node.dir, exit_code=DAMAGED))
        expect(any(os.path.basename(table)[:-4] in line for line in said), f"a missing table: {said}")


def incoming_part(options):
    """A transfer that was killed in the middle: its complete files are checked, its parts are counted."""
    rng = random.Random(options.seed)
    with Cluster(3, extra=["--snapshot-rate", "1MB", "--log-keep", "1MB", "--log-laggard", "1MB"]) as cluster:
        leader = cluster.wait_leader()
        late = cluster.followers(leader)[0]
        late.stop()
        for i in range(3):
            fill(leader, 1200, 1000, prefix=f"{i}:", rng=rng)
            eventually(20.0, "a snapshot", lambda: not isinstance(leader.call("RAFT.SNAPSHOT"), resp.Error))
        eventually(30.0, "the log is purged", lambda: int(leader.info()["raft_log_purged_index"]) > 1200)
        incoming = os.path.join(late.dir, "snapshots", "incoming")

        def complete():
            for folder, _, names in os.walk(incoming):
                found = [name for name in names if name.endswith(".sst")]
                if found and any(name.endswith(".part") for name in names):
                    return os.path.join(folder, found[0])
            return None

        fill(leader, 2000, 1000, prefix="more:", rng=rng)
        late.start().wait_port()
        path = eventually(30.0, "one table of the snapshot is there, another is on its way", complete)
        late.kill9()
        found = inspect(late.dir)
        parts = [s for s in found["snapshots"] if s["kind"] == "incoming"]
        expect(parts and 0 < parts[0]["bytes"] < parts[0]["of_bytes"], f"{found['snapshots']}")
        flip(path)
        said = damage(inspect(late.dir, exit_code=DAMAGED))
        expect(said and said[0].startswith("incoming snapshot | " + path), f"{said}")
        # The node itself fetches that file again.
        late.start().wait_port()
        eventually(60.0, "it has caught up", lambda: late.info()["raft_needs_snapshot"] == "0")
        digests = cluster.digests()
        expect_equal(len({repr(d) for d in digests.values()}), 1, f"digests: {digests}")
        late.stop()
        expect_equal(inspect(late.dir)["verdict"], "whole", "verdict at the end")


def killed_nodes_are_whole(options):
    """kill -9 under load at any moment leaves nothing that inspect calls damage."""
    rng = random.Random(options.seed)
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        for i in range(options.rounds):
            with node.connect() as connection:
                for k in range(400):
                    connection.call("SET", f"{i}:{k}", "x" * 3000)
                    if rng.random() < 0.004:
                        break
            if i % 3 == 0:
                node.call("RAFT.SNAPSHOT")
            node.kill9()
            found = inspect(node.dir)
            expect_equal(found["verdict"], "whole", f"verdict: {found['findings']}")
            node.start().wait_port()
            cluster.wait_leader()


def main(options):
    run_cases(options, [figures, flipped_bits, incoming_part, killed_nodes_are_whole])


if __name__ == "__main__":
    run(main, rounds=(8, 3))
