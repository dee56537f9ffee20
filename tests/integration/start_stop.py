"""How kiwi-node starts, refuses to start, stops, and starts again: flags, config file, data directory, exit codes."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from kiwi import resp
from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.client import Connection
from kiwi.cluster import Cluster, kiwi_node
from kiwi.process import Process, free_port

USAGE, BAD_DATA_DIRECTORY, CANNOT_LISTEN = 2, 3, 5


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="kiwi-test-", dir=os.environ.get("KIWI_TEST_DIR") or None)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def run_once(*arguments, cwd=None, timeout=20.0):
    """Runs kiwi-node to its end: (exit code, output of both kinds)."""
    done = subprocess.run([kiwi_node(), *arguments], cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def expect_refusal(code, words, *arguments, cwd=None):
    """kiwi-node ends with this code and its message has all these words."""
    actual, output = run_once(*arguments, cwd=cwd)
    expect_equal(actual, code, f"exit code of kiwi-node {' '.join(arguments)}\n{output}")
    for word in words:
        expect(word in output, f"kiwi-node {' '.join(arguments)}: no '{word}' in its message:\n{output}")


def full_flags(folder):
    redis, raft = free_port(), free_port()
    return ["--id", "1", "--dir", os.path.join(folder, "data"), "--address", f"127.0.0.1:{redis}@{raft}",
            "--initial-cluster", f"1=127.0.0.1:{redis}@{raft}"]


def version_and_help(_):
    code, output = run_once("--version")
    expect_equal(code, 0, "exit code of --version")
    expect(re.search(r"\d+\.\d+\.\d+", output), f"no version in {output!r}")
    code, output = run_once("--help")
    expect_equal(code, 0, "exit code of --help")
    for flag in ("--id", "--dir", "--address", "--initial-cluster", "--bind", "--config", "--log-level",
                 "--cluster-token", "--version", "--help"):
        expect(flag in output, f"--help does not name {flag}")


def bad_flags(_):
    with Folder() as folder:
        good = full_flags(folder)

        def with_value(flag, value):
            flags = list(good)
            flags[flags.index(flag) + 1] = value
            return flags
        expect_refusal(USAGE, ["--no-such-flag"], *good, "--no-such-flag")
        expect_refusal(USAGE, ["--id"], *with_value("--id", "zero"))
        expect_refusal(USAGE, ["--id"], *with_value("--id", "0"))
        expect_refusal(USAGE, ["--id"], *with_value("--id", "-1"))
        expect_refusal(USAGE, ["--address"], *with_value("--address", "127.0.0.1"))
        expect_refusal(USAGE, ["--address"], *with_value("--address", "127.0.0.1:99999@1"))
        expect_refusal(USAGE, ["--address"], *with_value("--address", "127.0.0.1:7001"))
        expect_refusal(USAGE, ["--initial-cluster"], *with_value("--initial-cluster", "1:127.0.0.1"))
        # This node is not in the cluster that it is told, or at another address.
        expect_refusal(USAGE, ["--initial-cluster"], *with_value("--initial-cluster", "2=127.0.0.1:7001@17001"))
        expect_refusal(USAGE, ["--initial-cluster"], *with_value("--initial-cluster", "1=127.0.0.1:7001@17001"))
        expect_refusal(USAGE, ["--log-level"], *good, "--log-level", "loud")
        expect_refusal(USAGE, ["--dir"], "--id", "1", "--address", "127.0.0.1:7001@17001")
        expect_refusal(USAGE, ["--config"], *good, "--config", os.path.join(folder, "no-such-file"))
        expect_refusal(USAGE, ["--initial-cluster"], *with_value("--initial-cluster", ""))
        expect(not os.path.exists(os.path.join(folder, "data")), "a refused start made a data directory")


def config_file(_):
    with Folder() as folder:
        path = os.path.join(folder, "kiwi.conf")
        redis, raft = free_port(), free_port()

        def write(*lines):
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        write("id = 1", f"dir = {folder}/data", "no-such-option = 3")
        expect_refusal(USAGE, ["no-such-option", "3"], "--config", path)
        write("id = 1", "", f"dir = {folder}/data", "address = nonsense")
        expect_refusal(USAGE, ["address", "4"], "--config", path)
        write("# a node", "id = 1", f"dir = {folder}/data", f"address = 127.0.0.1:{redis}@{raft}",
              f"initial-cluster = 1=127.0.0.1:{redis}@{raft}", "log-level = warn")
        process = Process([kiwi_node(), "--config", path], os.path.join(folder, "log"))
        try:
            eventually(20.0, "a node from its config file", lambda: Connection(redis).call("SET", "k", "v") == "OK")
            expect_equal(process.terminate(), 0, "exit code after SIGTERM")
        finally:
            process.kill9()


def defaults(_):
    """No flag at all: a cluster of one in ./kiwi-data on port 7379."""
    with Folder() as folder:
        process = Process([kiwi_node()], os.path.join(folder, "log"), cwd=folder)
        try:
            def answers():
                expect(process.running(), process.log_tail())
                return Connection(7379).call("SET", "k", "v") == "OK"
            eventually(20.0, "the default node", answers)
            expect(os.path.isdir(os.path.join(folder, "kiwi-data")), "no kiwi-data in the working directory")
            process.signal(signal.SIGINT)
            expect_equal(process.wait(), 0, "exit code after SIGINT")
        finally:
            process.kill9()


def restart_keeps_data(_):
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        expect_equal(node.call("SET", "k", "v"), "OK", "SET")
        expect_equal(node.call("SET", "e", "v", "PXAT", "33177117420123"), "OK", "SET PXAT")
        expect_equal(node.stop(), 0, "exit code after SIGTERM")
        node.initial_cluster = ""  # from now on the membership comes from the data directory
        node.start().wait_port()
        cluster.wait_leader()
        expect_equal(node.call("GET", "k"), b"v", "GET after a restart")
        expect_equal(node.call("PEXPIRETIME", "e"), 33177117420123, "expiry after a restart")
        node.kill9()
        node.start().wait_port()
        cluster.wait_leader()
        expect_equal(node.call("GET", "k"), b"v", "GET after kill -9")
        node.stop()
        node.initial_cluster = cluster.initial_cluster  # the same again is no contradiction
        node.start().wait_port()
        cluster.wait_leader()
        node.stop()


def contradicting_flags(_):
    """What the data directory knows cannot be changed by flags."""
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        node.stop()
        command = node.command()[1:]

        def changed(flag, value):
            flags = list(command)
            flags[flags.index(flag) + 1] = value
            return flags
        other = f"{node.initial_cluster},2=127.0.0.1:{free_port()}@{free_port()}"
        expect_refusal(BAD_DATA_DIRECTORY, ["was made for the initial cluster"], *changed("--initial-cluster", other))
        expect_refusal(BAD_DATA_DIRECTORY, ["id"],
                       *[a.replace("1=", "2=") if a == node.initial_cluster else a for a in changed("--id", "2")])
        expect_refusal(BAD_DATA_DIRECTORY, ["token"], *command, "--cluster-token", "another")


def foreign_data_directory(_):
    with Folder() as folder:
        flags = full_flags(folder)
        data = flags[flags.index("--dir") + 1]
        os.makedirs(data)
        with open(os.path.join(data, "precious.txt"), "w", encoding="ascii") as file:
            file.write("not Kiwi's\n")
        expect_refusal(BAD_DATA_DIRECTORY, [data], *flags)
        expect_equal(os.listdir(data), ["precious.txt"], "the foreign folder is untouched")
        with open(os.path.join(folder, "file"), "w", encoding="ascii"):
            pass
        flags[flags.index("--dir") + 1] = os.path.join(folder, "file")
        expect_refusal(BAD_DATA_DIRECTORY, ["file"], *flags)


def directory_in_use(_):
    with Cluster(1) as cluster:
        node = cluster.nodes[0]
        flags = node.command()[1:]
        expect_refusal(BAD_DATA_DIRECTORY, [node.dir], *flags)
        expect_equal(node.call("PING"), "PONG", "the first process goes on")


def port_in_use(_):
    with Cluster(1) as cluster, Folder() as folder:
        taken = cluster.nodes[0]
        for address in (f"127.0.0.1:{taken.redis_port}@{free_port()}", f"127.0.0.1:{free_port()}@{taken.raft_port}"):
            port = str(taken.redis_port if str(taken.redis_port) in address else taken.raft_port)
            expect_refusal(CANNOT_LISTEN, [port], "--id", "1", "--dir", os.path.join(folder, port),
                           "--address", address, "--initial-cluster", f"1={address}")


def no_cluster_then_init(_):
    """With an address but no cluster the node waits for RAFT.CLUSTER INIT."""
    with Cluster(1, start=False) as cluster:
        node = cluster.nodes[0]
        node.initial_cluster = ""
        node.start().wait_port()
        for command in (("SET", "k", "v"), ("GET", "k"), ("DBSIZE",)):
            reply = node.call(*command)
            expect(isinstance(reply, resp.Error) and reply.code == "NOCLUSTER", f"{command[0]} answered {reply!r}")
        expect_equal(node.call("PING"), "PONG", "PING without a cluster")
        expect_equal(node.call("RAFT.CLUSTER", "INIT"), "OK", "RAFT.CLUSTER INIT")
        eventually(10.0, "a cluster of one", lambda: node.call("SET", "k", "v") == "OK")
        expect(isinstance(node.call("RAFT.CLUSTER", "INIT"), resp.Error), "a second INIT is refused")
        expect_equal(node.stop(), 0, "exit code after SIGTERM")
        node.start().wait_port()
        cluster.wait_leader()
        expect_equal(node.call("GET", "k"), b"v", "GET after a restart")


def three_stop_in_order(_):
    with Cluster(3) as cluster:
        expect_equal(cluster.wait_leader().call("SET", "k", "v"), "OK", "SET")
        expect_equal(cluster.stop_all(), {1: 0, 2: 0, 3: 0}, "exit codes")


def main(options):
    run_cases(options, [version_and_help, bad_flags, config_file, defaults, restart_keeps_data, contradicting_flags,
                        foreign_data_directory, directory_in_use, port_in_use, no_cluster_then_init,
                        three_stop_in_order])


if __name__ == "__main__":
    run(main)
