"""ioredis' Cluster finds the leader by itself, and again after a fail-over. Needs node and npm, and the npm
registry for the first time; without them the test is unavailable, which is not a pass."""
import json
import os
import select
import shutil
import subprocess
import time

from kiwi.check import Unavailable, eventually, expect, expect_equal, run
from kiwi.cluster import Cluster

HERE = os.path.dirname(os.path.abspath(__file__))


def modules():
    """The folder with node_modules, installed when it is not there yet."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Unavailable("node or npm is not installed")
    build = os.environ.get("KIWI_BUILD_DIR") or os.path.join(HERE, "..", "..", "build")
    folder = os.path.abspath(os.path.join(build, "node-clients"))
    if os.path.isdir(os.path.join(folder, "node_modules", "ioredis")):
        return folder
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(HERE, "clients", "package.json"), folder)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, timeout=180,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Unavailable(f"npm install failed: {done.stdout.decode(errors='replace')[-300:]}")
    return folder


class IoRedis:
    def __init__(self, folder, port):
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "clients", "ioredis_cluster.js"), f"127.0.0.1:{port}"],
            env={**os.environ, "NODE_PATH": os.path.join(folder, "node_modules")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def call(self, *words, timeout=30.0):
        self.process.stdin.write(" ".join(words) + "\n")
        deadline = time.monotonic() + timeout
        while not select.select([self.process.stdout], [], [], 0.1)[0]:
            expect(self.process.poll() is None, "node ended")
            expect(time.monotonic() < deadline, f"ioredis gave no reply to {words}")
        answer = json.loads(self.process.stdout.readline())
        expect("error" not in answer, f"ioredis: {words} failed: {answer.get('error')}")
        return answer["reply"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def main(_):
    folder = modules()
    with Cluster(3) as cluster:
        follower = cluster.followers()[0]
        client = IoRedis(folder, follower.redis_port)
        try:
            for number in range(20):
                expect_equal(client.call("SET", f"io:{number}", str(number)), "OK", "SET")
            expect_equal(client.call("GET", "io:7"), "7", "GET")
            old = cluster.wait_leader()
            old.kill9()
            cluster.wait_leader(among=[node for node in cluster.nodes if node is not old])
            expect_equal(eventually(20.0, "GET after a fail-over", lambda: client.call("GET", "io:7")), "7", "GET")
            expect_equal(eventually(20.0, "SET after a fail-over", lambda: client.call("SET", "io:x", "y")), "OK",
                         "SET")
            expect_equal(client.call("GET", "io:x"), "y", "GET of what was set after the fail-over")
        finally:
            client.close()


if __name__ == "__main__":
    run(main)
