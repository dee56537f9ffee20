"""A damaged data directory and a disk that takes no more: the node says what is wrong and where, acknowledges nothing
that it cannot keep, and never starts from damaged data as if nothing were. See full_disk.py for disks that are full."""
import os
import random
import shutil

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.client import ConnectionLost, TimedOut, attempt
from kiwi.cluster import Cluster

BAD_DATA_DIRECTORY, STORAGE_FAILURE = 3, 4


def fill(node, count, size=100):
    with node.connect(20.0) as connection:
        replies = connection.pipeline([("SET", f"k{i}", f"{i}:" + "x" * size) for i in range(count)], timeout=20.0)
    expect(all(reply == "OK" for reply in replies), "SET")


def data_files(folder):
    found = []
    for path, _, names in os.walk(folder):
        found += [os.path.join(path, name) for name in names if os.path.getsize(os.path.join(path, name)) > 0]
    return sorted(found)


def flip(path, rng):
    """Changes eight bytes somewhere in the file."""
    with open(path, "r+b") as file:
        offset = rng.randrange(os.path.getsize(path))
        file.seek(offset)
        old = file.read(8)
        file.seek(offset)
        file.write(bytes(b ^ 0x5A for b in old))
    return offset


def flipped_bytes(options):
    """Each file of a stopped node in turn gets a few bytes changed. The node either refuses to start (saying so),
    or starts with every single acknowledged value; a wrong or missing value is never served."""
    rng = random.Random(options.seed)
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        fill(node, 300)
        expect_equal(node.stop(), 0, "exit code")
        sound = node.dir + "-sound"
        os.rename(node.dir, sound)
        counts = {"refused": 0, "served all": 0}
        files = [os.path.relpath(path, sound) for path in data_files(sound)]
        for name in files:
            if os.path.basename(name) in ("LOCK", "LOG") or os.path.basename(name).startswith("LOG."):
                continue
            for _ in range(options.rounds):
                shutil.rmtree(node.dir, ignore_errors=True)
                shutil.copytree(sound, node.dir)
                offset = flip(os.path.join(node.dir, name), rng)
                counts[start_on_damage(cluster, node, f"{name} at {offset}")] += 1
        print(f"  {sum(counts.values())} damaged starts: {counts}")
        expect(counts["refused"] > 0, "no damage was ever noticed")


def start_on_damage(cluster, node, where):
    node.start()
    try:
        cluster.wait_leader(6.0)
    except AssertionError:
        if node.running():
            # Up, but it serves nothing: allowed as long as it says why.
            node.stop()
        else:
            expect(node.process.popen.returncode in (BAD_DATA_DIRECTORY, STORAGE_FAILURE),
                   f"damage in {where}: exit code {node.process.popen.returncode}\n{node.log_tail()}")
        log = node.log_tail().lower()
        expect(any(word in log for word in ("corrupt", "damage", "checksum", "mismatch", "bad", "invalid")),
               f"damage in {where} is not named:\n{node.log_tail()}")
        return "refused"
    try:
        with node.connect(10.0) as connection:
            values = connection.call("MGET", *(f"k{i}" for i in range(300)), timeout=10.0)
        if isinstance(values, resp.Error):
            return "refused"
        wrong = [f"k{i}" for i, value in enumerate(values) if value is None or not value.startswith(b"%d:x" % i)]
        expect(not wrong, f"damage in {where}: served as if nothing were, without {len(wrong)} values ({wrong[:3]})")
        return "served all"
    except (ConnectionLost, TimedOut):
        return "refused"
    finally:
        node.kill9()


def write_until_refused(node, limit):
    """Acknowledged keys until the first write that is not; they must be there after a restart."""
    acknowledged = []
    with node.connect(20.0) as connection:
        for number in range(limit):
            outcome = attempt(connection, "SET", f"f{number}", f"{number}:" + "y" * 20000, timeout=20.0)
            if not outcome.done or outcome.value != "OK":
                return acknowledged, outcome
            acknowledged.append(number)
    raise AssertionError("the disk never became full")


def expect_all(node, acknowledged):
    with node.connect(20.0) as connection:
        for number in acknowledged:
            value = connection.call("STRLEN", f"f{number}")
            expect_equal(value, len(f"{number}:") + 20000, f"length of acknowledged f{number} after the full disk")


def responsive(node):
    try:
        return node.call("PING") == "PONG"
    except (ConnectionLost, TimedOut):
        return False


def largest_file(_):
    """No file may grow above 1 MB (RLIMIT_FSIZE): the same as a full disk, without root."""
    with Cluster(1, start=False) as cluster:
        node = cluster.nodes[0]
        node.limit_file_bytes = 1_000_000
        cluster.start()
        acknowledged, last = write_until_refused(node, 5000)
        print(f"  {len(acknowledged)} writes of 20 kB, then {last}")
        if node.running() and responsive(node):
            node.stop()
        else:
            expect_equal(node.process.wait(20.0), STORAGE_FAILURE, f"exit code\n{node.log_tail()}")
        node.limit_file_bytes = None
        node.start().wait_port()
        cluster.wait_leader()
        expect_all(node, acknowledged)


def follower_with_a_full_disk(_):
    """One of three cannot write any more: the other two go on, and nothing acknowledged is lost."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        follower = cluster.followers(leader)[0]
        follower.stop()
        follower.limit_file_bytes = 1_000_000
        follower.start().wait_port()
        leader = cluster.wait_leader()
        with leader.connect(20.0) as connection:
            for number in range(200):
                expect_equal(connection.call("SET", f"f{number}", f"{number}:" + "y" * 20000, timeout=20.0), "OK",
                             "SET while a follower's disk is full")
        eventually(20.0, "the follower stops", lambda: not follower.running())
        expect_equal(follower.process.wait(), STORAGE_FAILURE, "its exit code")
        follower.limit_file_bytes = None
        follower.start().wait_port()
        digests = cluster.digests()
        expect(len({repr(d) for d in digests.values()}) == 1, f"the nodes' data differ: {digests}")


def info(node):
    text = node.call("INFO", "raft")
    return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)


def flip_table(folder):
    """Changes a few bytes in the middle of the largest table."""
    path = max((path for path in data_files(folder) if path.endswith(".sst")), key=os.path.getsize)
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        old = file.read(8)
        file.seek(-8, os.SEEK_CUR)
        file.write(bytes(b ^ 0x5A for b in old))
    return os.path.basename(path)


def rot_found_by_the_scrub(_):
    """Bytes change on the disk while the node runs and nobody reads them. In the data: it is set aside, made again from
    the log, and the same process serves on. In the log: the node ends, names the file, and does not start again."""
    with Cluster(1, start=False, extra=("--scrub-rate", "50MiB")) as cluster:
        node = cluster.nodes[0]
        cluster.start()
        fill(node, 2000)
        expect_equal(node.stop(), 0, "exit code")
        node.start().wait_port()  # what it has lies in tables now
        cluster.wait_leader()
        eventually(20.0, "a round over both databases",
                   lambda: all(int(info(node)[f"raft_{which}_scrub_rounds"]) > 0 for which in ("log", "data")))
        process = node.process.popen.pid
        table = flip_table(os.path.join(node.dir, "data"))
        eventually(40.0, f"the damage in data/{table} is found and mended",
                   lambda: info(node)["raft_data_damaged"] == "1" and cluster.find_leader() is node)
        expect("data.damaged-1" in os.listdir(node.dir), "the damaged data was not set aside")
        expect_equal(node.process.popen.pid, process, "the process")
        with node.connect(10.0) as connection:
            values = connection.call("MGET", *(f"k{i}" for i in range(2000)), timeout=10.0)
        wrong = [i for i, value in enumerate(values) if value is None or not value.startswith(b"%d:x" % i)]
        expect(not wrong, f"{len(wrong)} values are wrong after the data was made again")

        table = flip_table(os.path.join(node.dir, "log"))
        expect_equal(node.process.wait(40.0), BAD_DATA_DIRECTORY, f"exit code\n{node.log_tail()}")
        expect("event=log_damaged" in node.log_tail(), f"no alarm:\n{node.log_tail()}")
        expect(table in node.log_tail(), f"the log does not name {table}:\n{node.log_tail()}")
        node.start()
        expect_equal(node.process.wait(20.0), BAD_DATA_DIRECTORY, f"exit code of the next start\n{node.log_tail()}")


def main(options):
    run_cases(options, [flipped_bytes, largest_file, follower_with_a_full_disk, rot_found_by_the_scrub])


if __name__ == "__main__":
    run(main, rounds=(3, 1))
