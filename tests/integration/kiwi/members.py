"""Changing who belongs to a cluster, as an operator does it: with RAFT.* commands, retried while they are refused."""
from . import resp
from .check import eventually, expect
from .cluster import Node

FRESH_ID = 10  # ids of the nodes that come later begin behind it; a node id is never used twice


def fresh_node(cluster, extra=()):
    """Starts a node that belongs to no cluster; it is one of cluster.nodes from now on."""
    number = max([FRESH_ID] + [node.id for node in cluster.nodes + cluster.departed]) + 1
    node = Node(number, cluster.folder, extra)
    node.start().wait_port()
    cluster.nodes.append(node)
    return node


def on_leader(cluster, *command, seconds=20.0):
    """The reply of the leader; refusals that pass (an election, a change that is not done) are tried again."""
    def ask():
        leader = cluster.find_leader()
        reply = leader.call(*command, timeout=10.0) if leader else None
        passing = reply is None or (isinstance(reply, resp.Error) and
                                    reply.code in ("TRYAGAIN", "MOVED", "CLUSTERDOWN", "TIMEOUT", "LOADING"))
        return None if passing else (reply,)
    return eventually(seconds, " ".join(command), ask)[0]


def voters(cluster):
    """As the leader's newest configuration says; empty in between."""
    leader = cluster.find_leader()
    info = leader.info() if leader else None
    if not info or info["raft_role"] != "leader" or info["raft_joint"] != "0":
        return set()
    return {int(word) for word in info["raft_voters"].split()}


def settled(cluster, seconds=20.0):
    """No change is under way, and the configuration is committed."""
    def probe():
        info = cluster.find_leader().info()
        return info["raft_role"] == "leader" and info["raft_change"] == "none" and \
            info["raft_configuration_committed"] == "1"
    return eventually(seconds, "no change is under way", probe)


def join(cluster, node):
    """RAFT.CLUSTER JOIN by the ports of all other nodes, repeated until it is accepted."""
    targets = [f"127.0.0.1:{other.redis_port}" for other in cluster.nodes if other is not node]
    settled(cluster)

    def ask():
        reply = node.call("RAFT.CLUSTER", "JOIN", *targets, timeout=25.0)
        refused = isinstance(reply, resp.Error)
        expect(not refused or reply.code == "TRYAGAIN" or "could add this one" in reply, f"JOIN answered {reply!r}")
        return None if refused else reply
    return eventually(30.0, f"node {node.id} is added", ask)


def leave(cluster, node):
    """RAFT.NODE REMOVE; the node still runs, and is none of cluster.nodes any more."""
    settled(cluster)
    reply = on_leader(cluster, "RAFT.NODE", "REMOVE", str(node.id))
    expect(not isinstance(reply, resp.Error) or "removed already" in reply or "not a member" in reply,
           f"RAFT.NODE REMOVE {node.id} answered {reply!r}")
    cluster.nodes.remove(node)
    cluster.departed.append(node)
