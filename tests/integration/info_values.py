"""INFO tells the truth: what it says about role, term, log, followers, clients and commands is what happens."""
import re

from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.cluster import Cluster


def info(node, *sections):
    text = node.call("INFO", *sections).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line and not line.startswith("#"))


def raft_of_three(_):
    with Cluster(3) as cluster:
        leader = cluster.wait_leader()
        before = info(leader, "raft")
        with leader.connect() as connection:
            for number in range(100):
                expect_equal(connection.call("SET", f"k{number}", "v"), "OK", "SET")
        after = info(leader, "raft")
        expect_equal(after["raft_role"], "leader", "role of the leader")
        expect_equal(after["raft_leader"], str(leader.id), "leader by its own word")
        for field in ("raft_commit_index", "raft_applied_index", "raft_last_log_index", "raft_durable_index"):
            grown = int(after[field]) - int(before[field])
            expect(100 <= grown <= 120, f"{field} grew by {grown} with 100 writes")
        expect(int(after["raft_log_fsyncs"]) - int(before["raft_log_fsyncs"]) >= 100,
               "one write after the other, each synced: as many syncs")
        expect_equal(sorted(re.findall(r"\d+", after["raft_voters"])), ["1", "2", "3"], "voters")
        expect_equal(info(leader, "replication")["role"], "master", "role in Redis' words")
        expect_equal(info(leader, "keyspace")["db0"].split(",")[0], "keys=100", "keys")
        for node in cluster.followers(leader):
            def caught_up(node=node):
                its = info(node, "raft")
                expect_equal(its["raft_role"], "follower", "role of a follower")
                expect_equal(its["raft_leader"], str(leader.id), "leader by a follower's word")
                expect_equal(its["raft_term"], after["raft_term"], "term")
                expect(int(its["raft_applied_index"]) >= int(after["raft_applied_index"]), "applied of a follower")
                return True
            eventually(5.0, f"node {node.id} has caught up", caught_up)

        others = cluster.followers(leader)
        leader.kill9()
        successor = cluster.wait_leader(among=others)
        expect(int(info(successor, "raft")["raft_term"]) > int(after["raft_term"]), "the term grows")
        expect(int(info(successor, "raft")["raft_elections_won"]) >= 1, "an election was won")


def clients_and_commands(_):
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        with node.connect() as first, node.connect() as second:
            second.call("PING")
            expect_equal(int(info(node, "clients")["connected_clients"]), 3, "clients, the asking one included")
            before = int(info(node, "stats")["total_commands_processed"])
            for _ in range(50):
                first.call("PING")
            after = int(info(node, "stats")["total_commands_processed"])
            expect_equal(after - before, 51, "commands: 50 PINGs and one INFO")
            errors = int(info(node, "stats")["total_error_replies"])
            first.call("NOSUCH")
            expect_equal(int(info(node, "stats")["total_error_replies"]), errors + 1, "error replies")
            resident = int(info(node, "memory")["used_memory_rss"])
            expect(abs(resident - node.process.resident_bytes()) < 10_000_000, f"resident memory {resident}")
            expect_equal(int(info(node, "server")["process_id"]), node.process.pid, "process id")
            expect_equal(int(info(node, "server")["tcp_port"]), node.redis_port, "port")


def main(options):
    run_cases(options, [raft_of_three, clients_and_commands])


if __name__ == "__main__":
    run(main)
