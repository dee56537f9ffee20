"""What clients hear when the leader loses its majority: writes end as unknown or refused, never as done; reads are
never stale; and a leader that slept through the election of the next one serves nothing old when it wakes."""
import time

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.client import attempt
from kiwi.cluster import Cluster


def majority_lost(_):
    """Both followers pause. A pending write is answered within the request time-out (5 s by default)."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        expect_equal(leader.call("SET", "k", "before"), "OK", "SET")
        followers = cluster.followers(leader)
        for node in followers:
            node.pause()
        begin = time.monotonic()
        with leader.connect(15.0) as writer, leader.connect(15.0) as reader:
            writer.send("SET", "k", "during")
            reader.send("GET", "k")
            wrote, read = writer.read_reply(15.0), reader.read_reply(15.0)
            for name, reply in (("SET", wrote), ("GET", read)):
                expect(isinstance(reply, resp.Error) and reply.code in ("TIMEOUT", "CLUSTERDOWN"),
                       f"{name} answered {reply!r}")
            print(f"  answered after {time.monotonic() - begin:.1f} s: {wrote.code}, {read.code}")
            # By now it knows that it leads nobody, and says so at once.
            begin = time.monotonic()
            outcome = attempt(writer, "SET", "k", "later")
            expect(outcome.kind == "refused" and outcome.value.code == "CLUSTERDOWN", f"a later SET: {outcome}")
            expect(time.monotonic() - begin < 1.0, "a refusal must not take long")
            # Which the clients' view of the cluster shows, too; and what needs no leader still works.
            expect_equal(writer.call("PING"), "PONG", "PING")
            expect(b"cluster_state:fail" in writer.call("CLUSTER", "INFO"), "CLUSTER INFO says that all is well")
        for node in followers:
            node.resume()
        leader = cluster.wait_leader()
        value = leader.call("GET", "k")
        expect(value in (b"before", b"during"), f"GET after all: {value!r}")
        expect_equal(leader.call("SET", "k", "after"), "OK", "SET after all")


def old_leader_wakes(options, extra=()):
    """Right after SIGCONT the old leader is asked for a value that was overwritten meanwhile."""
    with Cluster(3, extra) as cluster:
        stale_chances = 0
        for number in range(options.rounds):
            old = cluster.wait_leader()
            expect_equal(old.call("SET", "k", f"old {number}"), "OK", "SET on the old leader")
            readers = [old.connect(15.0) for _ in range(4)]
            for reader in readers:
                expect_equal(reader.call("GET", "k"), f"old {number}".encode(), "GET on the old leader")
            old.pause()
            new = cluster.wait_leader(among=[node for node in cluster.nodes if node is not old])
            expect_equal(new.call("SET", "k", f"new {number}"), "OK", "SET on the new leader")
            for reader in readers:  # these wait in its socket until it wakes
                reader.send("GET", "k")
            old.resume()
            for reader in readers:
                reply = reader.read_reply(15.0)
                if isinstance(reply, resp.Error):
                    expect(reply.code in ("MOVED", "CLUSTERDOWN", "TIMEOUT"), f"GET on the old leader: {reply}")
                else:
                    expect_equal(reply, f"new {number}".encode(), "a stale read on the old leader")
                stale_chances += 1
                reader.close()
        print(f"  {stale_chances} reads asked of leaders that had slept, none stale")


def old_leader_with_a_lease_wakes(options):
    """The same with reads by lease: its lease ended while it slept."""
    old_leader_wakes(options, ("--read-mode", "lease"))


def reads_by_lease_need_no_round(_):
    with Cluster(3, ("--read-mode", "lease")) as cluster:
        leader = cluster.wait_leader()
        expect_equal(leader.call("SET", "k", "v"), "OK", "SET")
        eventually(10.0, "a lease", lambda: leader.call("GET", "k") and int(leader.info()["raft_lease_reads"]) > 0)
        before = leader.info()
        with leader.connect() as connection:
            for _ in range(200):
                expect_equal(connection.call("GET", "k"), b"v", "GET")
        after = leader.info()
        reads, by_lease = (int(after[name]) - int(before[name]) for name in ("raft_reads", "raft_lease_reads"))
        expect_equal(reads, 200, "reads")
        expect(by_lease >= 150, f"only {by_lease} of 200 reads were by lease")
        expect_equal(leader.call("CONFIG", "GET", "read-mode"), [b"read-mode", b"lease"], "CONFIG GET")


def first_start_without_majority(_):
    """One of three alone: no leader, so CLUSTERDOWN or LOADING; all three: a leader."""
    with Cluster(3, start=False) as cluster:
        first = cluster.nodes[0].start().wait_port()
        for command in (("SET", "k", "v"), ("GET", "k")):
            reply = first.call(*command, timeout=15.0)
            expect(isinstance(reply, resp.Error) and reply.code in ("CLUSTERDOWN", "LOADING"),
                   f"{command[0]} on one of three answered {reply!r}")
        with first.connect() as connection:
            connection.call("READONLY")
            reply = connection.call("GET", "k")
            expect(isinstance(reply, resp.Error) and reply.code == "LOADING", f"a stale read too early: {reply!r}")
        for node in cluster.nodes[1:]:
            node.start()
        expect_equal(cluster.wait_leader().call("SET", "k", "v"), "OK", "SET with all three")


def main(options):
    run_cases(options, [majority_lost, old_leader_wakes, old_leader_with_a_lease_wakes, reads_by_lease_need_no_round,
                        first_start_without_majority])


if __name__ == "__main__":
    run(main, rounds=(6, 2))
