"""scripts/run.sh: starts a cluster, shows a write and a read, stops all on Ctrl-C, keeps its data for a second run,
names a port that is taken, and reports a node that dies."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from kiwi.check import eventually, expect, expect_equal, run
from kiwi.client import Connection
from kiwi.cluster import kiwi_node
from kiwi.process import free_ports

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "run.sh")


class RunScript:
    def __init__(self, folder, *arguments):
        self.output_path = tempfile.mktemp(prefix="output-", dir=folder)
        with open(self.output_path, "wb") as output:
            self.process = subprocess.Popen([RUN, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            # Ignored signals are inherited, and a script cannot trap them: so it
                                            # would be when the tests run behind "&" or nohup.
                                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                            env={**os.environ, "KIWI_NODE": kiwi_node()})

    def output(self):
        with open(self.output_path, encoding="utf-8") as output:
            return output.read()

    def wait_ready(self):
        def ready():
            return self.process.poll() is not None or "Ctrl-C stops" in self.output()
        eventually(60.0, "the cluster of run.sh", ready)
        expect("Ctrl-C stops" in self.output(), f"run.sh ended: {self.output()}")

    def ctrl_c(self):
        """As the terminal does it: to the whole process group. The exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)


def redis_cli(port, *arguments):
    done = subprocess.run(["redis-cli", "-c", "-p", str(port), *arguments], timeout=20, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode().strip()


def main(_):
    folder = tempfile.mkdtemp(prefix="kiwi-test-", dir=os.environ.get("KIWI_TEST_DIR") or None)
    port = free_ports([each + raft for raft in (0, 10000) for each in range(3)])
    scripts = []

    def start(*arguments):
        scripts.append(RunScript(folder, "--port", str(port), *arguments))
        return scripts[-1]
    try:
        first = start("--nodes", "3")
        first.wait_ready()
        expect("hello-from-kiwi" in first.output() and f"redis-cli -c -p {port}" in first.output(), first.output())
        expect_equal(redis_cli(port, "SET", "kept", "over the second run"), "OK", "SET")
        taken = start("--nodes", "3")
        expect_equal(taken.process.wait(20), 1, "exit code of a second run.sh on the same port")
        expect(f"port {port} is in use" in taken.output(), taken.output())
        expect_equal(first.ctrl_c(), 0, "exit code after Ctrl-C")

        second = start("--nodes", "3")
        second.wait_ready()
        expect_equal(redis_cli(port, "GET", "kept"), "over the second run", "GET in the second run")
        pids = [int(pid) for pid in re.findall(r"^node \d: pid (\d+)", second.output(), re.MULTILINE)]
        expect_equal(len(pids), 3, "nodes started")
        os.kill(pids[1], signal.SIGKILL)
        expect_equal(second.process.wait(60), 1, "exit code after a node died")
        expect("node 2 ended by itself" in second.output(), second.output())

        third = start("--nodes", "2")
        expect_equal(third.process.wait(20), 1, "exit code with another number of nodes")
        expect("--fresh" in third.output(), third.output())
        fourth = start("--nodes", "1", "--fresh")
        fourth.wait_ready()
        expect_equal(Connection(port).call("DBSIZE"), 1, "keys after --fresh")
        expect_equal(fourth.ctrl_c(), 0, "exit code after Ctrl-C")
        expect_equal(re.findall(r"^node \d stopped, exit code (\d+)", fourth.output(), re.MULTILINE), ["0"], "stops")
    finally:
        for script in scripts:
            script.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run(main)
