"""Debian's redis-server, started as the judge of what Redis answers."""
import os
import shutil
import tempfile

from .check import Unavailable, eventually
from .client import Connection
from .process import Process, free_port


class RedisReference:
    """One database and strings of 32 MiB at most, as Kiwi has; no persistence unless asked for."""

    def __init__(self, *options):
        program = shutil.which("redis-server")
        if program is None:
            raise Unavailable("redis-server is not installed")
        self.folder = tempfile.mkdtemp(prefix="redis-reference-", dir=os.environ.get("KIWI_TEST_DIR") or None)
        self.redis_port = free_port()
        self.command = [program, "--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", self.folder,
                        "--databases", "1", "--proto-max-bulk-len", "33554432", "--save", "",
                        "--appendonly", "no", *options]
        self.process = None

    def __enter__(self):
        self.process = Process(self.command, os.path.join(self.folder, "redis.log"), cwd=self.folder)
        eventually(10.0, "redis-server answers", lambda: self.connect(1.0).call("PING") == "PONG")
        return self

    def __exit__(self, *_):
        self.process.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, timeout=5.0):
        return Connection(self.redis_port, timeout=timeout)
