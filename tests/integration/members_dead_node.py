"""A dead node is named and replaced while it is dead; a node that never comes is named, and its change cancelled; the
leader removes itself. Clients write all the time, and no acknowledged write is lost.

    --seed N
"""
from kiwi import resp
from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster
from kiwi.load import Load
from kiwi.members import fresh_node, leave, on_leader, settled, voters
from kiwi.process import free_port


def missing(cluster):
    return cluster.wait_leader().info()["raft_missing_nodes"]


def replace_the_dead(cluster, load, dead):
    eventually(10.0, "the dead node is named", lambda: missing(cluster) == str(dead.id))
    new = fresh_node(cluster)
    reply = on_leader(cluster, "RAFT.NODE", "REPLACE", str(dead.id), str(new.id), new.address)
    expect(str(reply).startswith("OK "), f"REPLACE answered {reply!r}")
    wanted = {node.id for node in cluster.nodes} - {dead.id}
    eventually(20.0, "the new node has its place", lambda: voters(cluster) == wanted)
    settled(cluster)
    expect_equal(missing(cluster), "", "who is missing now")
    load.ports = [node.redis_port for node in cluster.nodes if node is not dead]
    dead.start().wait_port()
    eventually(10.0, "the dead node hears of it when it comes back", lambda: dead.info()["raft_removed"] == "1")
    cluster.nodes.remove(dead)
    cluster.departed.append(dead)


def one_that_never_comes(cluster):
    before = voters(cluster)
    reply = on_leader(cluster, "RAFT.NODE", "ADD", "99", f"127.0.0.1:{free_port()}@{free_port()}")
    expect(str(reply).startswith("OK "), f"ADD answered {reply!r}")
    info = cluster.wait_leader().info()
    expect_equal((info["raft_change"], info["raft_change_node"]), ("catching_up", "99"), "the change")
    eventually(10.0, "the node that never comes is named", lambda: missing(cluster) == "99")
    roles = {entry[entry.index(b"id") + 1]: entry[entry.index(b"role") + 1]
             for entry in cluster.wait_leader().call("RAFT.NODES")}
    expect_equal(roles[99], b"catching-up", "its role")
    other = cluster.wait_leader().call("RAFT.NODE", "ADD", "98", f"127.0.0.1:{free_port()}@{free_port()}")
    expect(isinstance(other, resp.Error) and other.code == "TRYAGAIN", f"a second change answered {other!r}")
    expect(str(on_leader(cluster, "RAFT.NODE", "CANCEL")).startswith("OK "), "CANCEL")
    settled(cluster)
    expect(str(on_leader(cluster, "RAFT.NODE", "REMOVE", "99")).startswith("OK "), "REMOVE of the learner")
    expect_equal(eventually(10.0, "voters", lambda: voters(cluster)), before, "voters after all that")


def the_leader_itself(cluster, load):
    leader = cluster.wait_leader()
    load.ports = [node.redis_port for node in cluster.nodes if node is not leader]
    leave(cluster, leader)
    new = cluster.wait_leader()
    expect_equal(voters(cluster), {node.id for node in cluster.nodes}, "voters")
    eventually(10.0, "it knows that it is out", lambda: leader.info()["raft_removed"] == "1")
    count = load.acknowledged_count()
    eventually(10.0, "writes go on", lambda: load.acknowledged_count() > count + 20)
    expect(new is not leader, "a removed node leads")


def main(options):
    with Cluster(3) as cluster:
        with Load([node.redis_port for node in cluster.nodes], 4, options.seed) as load:
            dead = cluster.followers()[0]
            dead.kill9()
            replace_the_dead(cluster, load, dead)
            one_that_never_comes(cluster)
            the_leader_itself(cluster, load)
        with cluster.wait_leader().connect(60.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, first: {problems[:3]}")
        print(f"  {load.summary()}")


if __name__ == "__main__":
    run(main)
