"""Disks that fill: below its reserve a node refuses writes and hands leadership over, at a full disk it closes its
data and opens it again by itself. Nothing acknowledged is lost, and nobody restarts a process.

The disks are file systems in memory, so that they are small and fill at once; mounting them needs root."""
import contextlib
import os
import random
import subprocess

from kiwi import resp
from kiwi.check import Unavailable, eventually, expect, expect_equal, run, run_cases
from kiwi.client import ConnectionLost, TimedOut, attempt
from kiwi.cluster import Cluster

VALUE = 20000


@contextlib.contextmanager
def small_disk(folder, name, size):
    if os.getuid() != 0:
        raise Unavailable("mounting a small disk needs root")
    disk = os.path.join(folder, name)
    os.makedirs(disk)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=False,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Unavailable(f"cannot mount a small disk: {done.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def resize(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def filler(disk):
    return os.path.join(disk, "somebody-elses")


def fill(disk, leave):
    """Somebody else's file takes all but `leave` bytes."""
    room = os.statvfs(disk)
    size = room.f_bavail * room.f_bsize - leave
    with open(filler(disk), "wb") as file:
        for _ in range(size // 4096):
            file.write(b"\0" * 4096)


def info(node):
    text = node.call("INFO", "raft")
    return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)


def is_nearly_full(value):
    return isinstance(value, resp.Error) and str(value).startswith("MISCONF ")


def set_value(connection, number):
    # Hardly compressed, so that the data fills a disk, however little the log takes of it.
    text = random.Random(number).randbytes(VALUE // 2).hex()
    return attempt(connection, "SET", f"f{number}", f"{number}:{text}", timeout=20.0)


def write_until(node, wanted, limit=20000, first=0):
    """Keys that were acknowledged before the first answer that `wanted` is true of; an answer that is not OK ends it
    in any case."""
    acknowledged = []
    with node.connect(20.0) as connection:
        for number in range(first, limit):
            outcome = set_value(connection, number)
            if outcome.done and outcome.value == "OK":
                acknowledged.append(number)
                continue
            expect(wanted(outcome), f"after {number} writes: {outcome}")
            return acknowledged
    raise AssertionError("the disk never became full")


def expect_all(node, acknowledged):
    with node.connect(20.0) as connection:
        for number in acknowledged:
            expect_equal(connection.call("STRLEN", f"f{number}"), len(f"{number}:") + VALUE,
                         f"length of acknowledged f{number}")


def writes_again(node):
    with node.connect(5.0) as connection:
        outcome = attempt(connection, "SET", "again", "v", timeout=5.0)
        return outcome.done and outcome.value == "OK"


def reserve_of_a_single_node(_):
    """It refuses writes with a clear error before the disk is full, answers reads, and takes writes again by itself."""
    with Cluster(1, start=False, extra=("--disk-reserve", "64MiB")) as cluster:
        node = cluster.nodes[0]
        with small_disk(cluster.folder, "disk", "160m") as disk:
            node.dir = os.path.join(disk, "data")
            cluster.start()
            acknowledged = []
            for _ in range(50):
                first = len(acknowledged)
                acknowledged += write_until(node, lambda outcome: outcome.done and is_nearly_full(outcome.value), first=first)
                room = os.statvfs(disk)
                free = room.f_bavail * room.f_bsize
                seen = info(node)
                if seen["raft_disk_room"] != "enough":
                    break  # else a purge of the log has given room back, and it takes writes again by itself
            print(f"  {len(acknowledged)} writes of 20 kB, then refused with {free >> 10} KiB left")
            expect(free > 6 << 20, "the reserve is gone")
            expect_all(node, acknowledged)
            expect(seen["raft_disk_room"] in ("low", "none"), f"INFO says {seen['raft_disk_room']}")
            expect_equal((seen["raft_takes_writes"], seen["raft_role"]), ("0", "leader"), "INFO")
            resize(disk, "400m")
            eventually(5.0, "writes are taken again", lambda: writes_again(node))
            expect_equal(info(node)["raft_disk_room"], "enough", "INFO")
            expect_equal(node.stop(), 0, "exit code")


def full_without_a_reserve(_):
    """The disk is full all the same: the node closes its data, refuses everything, says why, and opens it again in the
    same process when there is room."""
    with Cluster(1, start=False, extra=("--disk-reserve", "0")) as cluster:
        node = cluster.nodes[0]
        with small_disk(cluster.folder, "disk", "24m") as disk:
            node.dir = os.path.join(disk, "data")
            cluster.start()
            process = node.process.popen.pid
            acknowledged = write_until(node, lambda outcome: True)
            seen = eventually(20.0, "INFO while it is out of service",
                              lambda: (lambda i: i if i["raft_out_of_service"] == "1" else None)(info(node)))
            print(f"  {len(acknowledged)} writes of 20 kB, then: {seen['raft_out_of_service_reason'][:100]}")
            expect("no-space" in seen["raft_out_of_service_reason"], "INFO does not say why")
            refused = node.call("SET", "k", "v")
            expect(isinstance(refused, resp.Error) and str(refused).startswith("CLUSTERDOWN "), f"SET: {refused!r}")
            refused = node.call("GET", "f0")
            expect(isinstance(refused, resp.Error) and str(refused).startswith("CLUSTERDOWN "), f"GET: {refused!r}")
            resize(disk, "200m")
            eventually(60.0, "it serves again", lambda: writes_again(node))
            expect_all(node, acknowledged)
            expect_equal(node.process.popen.pid, process, "the process")
            expect_equal(info(node)["raft_out_of_service"], "0", "INFO")
            expect_equal(node.stop(), 0, "exit code")
            node.start().wait_port()
            cluster.wait_leader()
            expect_all(node, acknowledged)


def full_in_a_moment(_):
    """Somebody else fills the disk at once, again and again, while clients write."""
    with Cluster(1, start=False, extra=("--disk-reserve", "0")) as cluster:
        node = cluster.nodes[0]
        with small_disk(cluster.folder, "disk", "64m") as disk:
            node.dir = os.path.join(disk, "data")
            cluster.start()
            numbers = 0
            acknowledged = []
            for _ in range(3):
                fill(disk, 100_000)
                with contextlib.suppress(ConnectionLost, TimedOut), node.connect(5.0) as connection:
                    for _ in range(200):  # what was zeroed ahead in the log has room for some
                        numbers += 1
                        outcome = set_value(connection, numbers)
                        if not outcome.done or outcome.value != "OK":
                            break
                        acknowledged.append(numbers)
                    else:
                        raise AssertionError("the disk never became full")
                os.remove(filler(disk))
                eventually(60.0, "it serves again", lambda: writes_again(node))
                expect_all(node, acknowledged)
            expect(node.running(), "the process ended")


def leader_hands_over(_):
    """The leader's disk fills: another node leads, within two seconds writes go on there, and none is lost."""
    with Cluster(3, start=False, extra=("--disk-reserve", "24MiB")) as cluster, contextlib.ExitStack() as disks:
        mounted = {}
        for node in cluster.nodes:
            disk = disks.enter_context(small_disk(cluster.folder, f"disk-{node.id}", "96m"))
            mounted[node.id] = disk
            node.dir = os.path.join(disk, "data")
        cluster.start()
        leader = cluster.wait_leader()
        with leader.connect() as connection:
            expect_equal(connection.call("SET", "k", "before"), "OK", "SET")
        fill(mounted[leader.id], 18 << 20)
        new = eventually(5.0, "another node leads",
                         lambda: (lambda n: n if n is not None and n is not leader else None)(cluster.find_leader()))
        expect_equal(new.call("SET", "k", "after"), "OK", "SET at the new leader")
        expect(int(info(leader)["raft_handovers"]) >= 1, "leadership was not handed over")
        eventually(5.0, "the new leader sees who lacks room",
                   lambda: any("disk_room=low" in value for key, value in info(new).items()
                               if key.startswith("raft_follower")))
        with new.connect(20.0) as connection:
            for number in range(200):
                outcome = set_value(connection, number)
                expect_equal(outcome.value, "OK", "SET while one disk is nearly full")
        os.remove(filler(mounted[leader.id]))
        eventually(5.0, "room again", lambda: info(leader)["raft_disk_room"] == "enough")
        digests = cluster.digests()
        expect(len({repr(d) for d in digests.values()}) == 1, f"the nodes' data differ: {digests}")


def no_room_anywhere(_):
    """Two of three disks are nearly full: writes are refused with that error, reads are answered, all comes back."""
    with Cluster(3, start=False, extra=("--disk-reserve", "24MiB")) as cluster:
        with small_disk(cluster.folder, "disk", "256m") as disk:
            for node in cluster.nodes:
                node.dir = os.path.join(disk, f"data-{node.id}")
            cluster.start()
            leader = cluster.wait_leader()
            expect_equal(leader.call("SET", "k", "v"), "OK", "SET")
            fill(disk, 8 << 20)

            def refused():
                at = cluster.wait_leader()
                return is_nearly_full(at.call("SET", "other", "w"))
            eventually(10.0, "writes are refused", refused)
            at = cluster.wait_leader()
            expect_equal(at.call("GET", "k"), b"v", "GET while no disk has room")
            # Also a new leader serves reads: what Raft itself needs is small, and goes.
            at.kill9()
            eventually(15.0, "the others answer reads",
                       lambda: cluster.wait_leader().call("GET", "k") == b"v")
            expect(is_nearly_full(cluster.wait_leader().call("SET", "other", "w")), "SET is not refused")
            os.remove(filler(disk))
            eventually(10.0, "writes are taken again", lambda: writes_again(cluster.wait_leader()))


def main(options):
    run_cases(options, [reserve_of_a_single_node, full_without_a_reserve, full_in_a_moment, leader_hands_over,
                        no_room_anywhere])


if __name__ == "__main__":
    run(main)
