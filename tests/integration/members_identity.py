"""Who may take part: a wiped disk does not come back under its old id, a removed node is refused by name and knows it,
a node with another cluster's data is refused by name, and a node that joins survives a restart in the middle."""
import shutil
import time

from kiwi import resp
from kiwi.check import expect, expect_equal, eventually, run, run_cases
from kiwi.cluster import Cluster
from kiwi.members import fresh_node, join, on_leader, settled, voters


def logged(node, *words):
    with open(node.log_path, encoding="utf-8", errors="replace") as log:
        return [line for line in log if all(word in line for word in words)]


def wiped_disk(_):
    """With a majority dead but for it, a wiped node must not make a new leader, nor come in by JOIN."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        expect_equal(leader.call("SET", "k", "v"), "OK", "SET")
        wiped, other = cluster.followers(leader)
        wiped.kill9()
        shutil.rmtree(wiped.dir)
        wiped.start().wait_port()
        eventually(10.0, "the leader refuses it by name",
                   lambda: logged(leader, f"node {wiped.id} came back with another data directory"))
        other.kill9()
        eventually(10.0, "the leader has no majority",
                   lambda: cluster.find_leader() is None and leader.info()["raft_role"] != "leader")
        time.sleep(1.5)
        expect_equal(cluster.find_leader(), None, "who leads with the votes of a wiped disk")
        other.start().wait_port()
        expect_equal(cluster.wait_leader(among=[leader, other]).call("GET", "k"), b"v", "GET")
        # Without --initial-cluster, as a fresh node that asks to be added.
        wiped.kill9()
        shutil.rmtree(wiped.dir)
        wiped.initial_cluster = ""
        wiped.start().wait_port()
        reply = wiped.call("RAFT.CLUSTER", "JOIN", f"127.0.0.1:{leader.redis_port}", timeout=25.0)
        expect(isinstance(reply, resp.Error) and "a node id is never used twice" in reply, f"JOIN answered {reply!r}")


def removed_node(_):
    """One that hears of it by the log, and one that was dead then and hears it when it calls."""
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        alive, dead = cluster.followers(leader)
        fifth, sixth = fresh_node(cluster), fresh_node(cluster)
        join(cluster, fifth)
        join(cluster, sixth)
        settled(cluster)
        dead.kill9()
        for node in (alive, dead):
            reply = on_leader(cluster, "RAFT.NODE", "REMOVE", str(node.id))
            expect(str(reply).startswith("OK"), f"REMOVE answered {reply!r}")
            settled(cluster)
        dead.start().wait_port()
        terms = cluster.wait_leader(among=[leader, fifth, sixth]).info()["raft_term"]
        for node in (alive, dead):
            eventually(10.0, f"node {node.id} knows", lambda n=node: n.info()["raft_removed"] == "1")
            reply = node.call("SET", "k", "v")
            expect(str(reply).startswith("CLUSTERDOWN this node was removed"), f"a removed node answered {reply!r}")
        expect(any(logged(node, f"node {dead.id} was removed from the cluster")
                   for node in (leader, fifth, sixth)), "nobody refused it by name")
        time.sleep(1.5)
        leader = cluster.wait_leader(among=[leader, fifth, sixth])
        expect_equal(leader.info()["raft_term"], terms, "the term, with two removed nodes about")
        # Its id is gone for good, also for another directory.
        reply = on_leader(cluster, "RAFT.NODE", "ADD", str(dead.id), dead.address)
        expect(isinstance(reply, resp.Error) and "never used twice" in reply, f"ADD of a used id answered {reply!r}")
        for node in (alive, dead):
            expect_equal(node.stop(), 0, "exit code of a removed node")


def other_clusters_data(_):
    with Cluster(1) as mine, Cluster(1) as theirs:
        expect_equal(theirs.wait_leader().call("SET", "k", "theirs"), "OK", "SET")
        stranger = theirs.nodes[0]
        stranger.stop()
        leader = mine.wait_leader()
        # It is added by mistake, under another id than any here.
        reply = leader.call("RAFT.NODE", "ADD", "7", stranger.address)
        expect(str(reply).startswith("OK"), f"ADD answered {reply!r}")
        stranger.start().wait_port()
        eventually(10.0, "its refusal is in the log", lambda: logged(leader, "another cluster: node 1 belongs to"))
        expect_equal(leader.info()["raft_change"], "catching_up", "the change")
        reply = stranger.call("RAFT.CLUSTER", "JOIN", f"127.0.0.1:{leader.redis_port}")
        expect(isinstance(reply, resp.Error) and "belongs to a cluster already" in reply, f"JOIN answered {reply!r}")
        expect(str(leader.call("RAFT.NODE", "CANCEL")).startswith("OK"), "CANCEL")
        settled(mine)
        expect(str(leader.call("RAFT.NODE", "REMOVE", "7")).startswith("OK"), "REMOVE of the learner")
        expect_equal(stranger.call("GET", "k"), b"theirs", "its data is untouched")
        expect_equal(leader.call("GET", "k"), None, "and not here")


def restart_in_the_middle(_):
    """Killed right after it was accepted, again and again; and the leader is asked twice for the same node."""
    with Cluster(1) as cluster:
        leader = cluster.wait_leader()
        for number in range(200):
            expect_equal(leader.call("SET", f"k{number}", "v" * 1000), "OK", "SET")
        node = fresh_node(cluster)
        join(cluster, node)
        node.kill9()
        expect_equal(leader.info()["raft_change_node"], str(node.id), "who joins")
        for pause in (0.0, 0.1, 0.3):
            node.start().wait_port()
            time.sleep(pause)
            node.kill9()
        node.start().wait_port()
        eventually(15.0, "it is a voter", lambda: node.id in voters(cluster))
        reply = node.call("RAFT.CLUSTER", "JOIN", f"127.0.0.1:{leader.redis_port}")
        expect("belongs to a cluster already" in str(reply), f"JOIN of a member answered {reply!r}")
        digests = cluster.digests()
        expect_equal(len({str(d) for d in digests.values()}), 1, f"digests {digests}")


def nobody_to_join(_):
    """JOIN says why not, and the node can join elsewhere later."""
    with Cluster(1) as cluster:
        node = fresh_node(cluster)
        begin = time.monotonic()
        reply = node.call("RAFT.CLUSTER", "JOIN", f"127.0.0.1:{node.raft_port}", timeout=30.0)
        expect(isinstance(reply, resp.Error) and "could add this one" in reply, f"JOIN answered {reply!r}")
        expect(time.monotonic() - begin < 25.0, "JOIN took longer than its limit")
        join(cluster, node)
        eventually(15.0, "it is a voter", lambda: node.id in voters(cluster))


def main(options):
    cases = [wiped_disk, removed_node, other_clusters_data, restart_in_the_middle]
    run_cases(options, cases if options.quick else cases + [nobody_to_join])


if __name__ == "__main__":
    run(main)
