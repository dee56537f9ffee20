"""Three nodes of an older program, which cannot read changed memberships, are upgraded one after another by SIGTERM and a
start of the new program, while 8 clients write and read. Before all are upgraded a change of members is refused by the name
of a node that must be upgraded first, and changes nothing; afterwards it is done. No operation fails for a client that
follows redirects and repeats refusals, and no acknowledged write is lost.

The older program is kiwi-node-fault, told to announce older formats (messages/known_formats.hpp).

    --seed N
"""
from kiwi import resp
from kiwi.check import expect, expect_equal, eventually, run
from kiwi.cluster import Cluster, kiwi_node
from kiwi.lab import FAULT_NODE
from kiwi.load import Load
from kiwi.members import fresh_node, on_leader, settled, voters

CLIENTS = 8


def older(node):
    node.program = FAULT_NODE
    node.extra = ["--formats", "1"]


def upgrade(cluster, node, load):
    before = load.acknowledged_count()
    expect_equal(node.stop(), 0, f"exit code of node {node.id}")
    node.program, node.extra = kiwi_node(), []
    node.start().wait_port()
    eventually(20.0, f"node {node.id} has caught up", lambda: node.info()["raft_caught_up"] == "1")
    eventually(10.0, "writes go on", lambda: load.acknowledged_count() > before + 50)


def lead(cluster, node):
    """The new program leads from now on: it is the one that asks what the others know."""
    if cluster.wait_leader() is not node:
        reply = on_leader(cluster, "RAFT.TRANSFER_LEADER", str(node.id))
        expect(str(reply).startswith("OK"), f"TRANSFER_LEADER answered {reply!r}")
        eventually(10.0, f"node {node.id} leads", lambda: cluster.find_leader() is node)


def refused_by_name(cluster, new, old_nodes):
    """A leader that is old names itself; a new one names a node that is old, once that one answered it."""
    def refusal():
        leader = cluster.wait_leader()
        reply = leader.call("RAFT.NODE", "ADD", str(new.id), new.address)
        # A leader of a moment ago waits to hear what the others know: a refusal, too, and never an OK.
        passing = isinstance(reply, resp.Error) and (reply.code == "MOVED" or "has not said yet" in reply)
        return None if passing else (leader, reply)
    leader, reply = eventually(10.0, "an answer of the leader", refusal)
    expect(isinstance(reply, resp.Error) and reply.code == "TRYAGAIN", f"ADD answered {reply!r}")
    wanted = (["this node must be upgraded first"] if leader.id in old_nodes
              else [f"node {node_id} must be upgraded first" for node_id in old_nodes])
    expect(any(text in str(reply) for text in wanted), f"{reply!r} names none of {wanted}")
    expect_equal(voters(cluster), {1, 2, 3}, "voters after a refusal")
    print(f"  old {sorted(old_nodes)}, leader {leader.id}: {reply}", flush=True)
    return leader.id not in old_nodes


def main(options):
    with Cluster(3, start=False) as cluster:
        for node in cluster.nodes:
            older(node)
        cluster.start()
        new = fresh_node(cluster)
        cluster.nodes.remove(new)  # no member yet
        cluster.departed.append(new)
        with Load([node.redis_port for node in cluster.nodes], CLIENTS, options.seed, timeout=10.0) as load:
            eventually(10.0, "writes are acknowledged", lambda: load.acknowledged_count() > 100)
            old_nodes, by_new_leader = {1, 2, 3}, 0
            for node in list(cluster.nodes):
                by_new_leader += refused_by_name(cluster, new, old_nodes)
                upgrade(cluster, node, load)
                old_nodes.discard(node.id)
                lead(cluster, node)
            expect_equal(by_new_leader, 2, "refusals by a leader that was upgraded itself")
            reply = on_leader(cluster, "RAFT.NODE", "ADD", str(new.id), new.address)
            expect(str(reply).startswith("OK "), f"ADD answered {reply!r} when all are upgraded")
            cluster.departed.remove(new)
            cluster.nodes.append(new)
            eventually(20.0, "the new node votes", lambda: voters(cluster) == {1, 2, 3, new.id})
            settled(cluster)
        expect_equal(load.unknowns(), [], "operations of unknown outcome")
        with cluster.wait_leader().connect(60.0) as connection:
            problems = load.problems(connection)
        expect(not problems, f"{len(problems)} problems, first: {problems[:3]}")
        print(f"  {load.summary()}")


if __name__ == "__main__":
    run(main)
