"""A client that must not notice what others do to the server: writes and reads all the time, and keeps count."""
import threading
import time

from . import resp
from .check import expect
from .client import Connection, ConnectionLost, TimedOut


class Bystander:
    """`with Bystander(node):` fails at the end of the block if any of its commands failed or took too long, or
    if the server's memory grew by more than `limit_bytes` meanwhile."""

    def __init__(self, node, slowest_s=3.0, limit_bytes=200_000_000):
        self.node = node
        self.slowest_s = slowest_s
        self.limit_bytes = limit_bytes
        self.stop = threading.Event()
        self.problem = None
        self.count = 0
        self.worst_s = 0.0
        self.before = self.peak_bytes = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        try:
            with Connection(self.node.redis_port, timeout=self.slowest_s) as connection:
                while not self.stop.is_set():
                    value = f"{self.count}"
                    begin = time.monotonic()
                    replies = connection.call("SET", "bystander", value), connection.call("GET", "bystander")
                    self.worst_s = max(self.worst_s, time.monotonic() - begin)
                    expect(replies == ("OK", value.encode()), f"the bystander got {replies}")
                    self.count += 1
                    self.peak_bytes = max(self.peak_bytes, self.node.process.resident_bytes())
                    self.stop.wait(0.002)
        except (AssertionError, ConnectionLost, TimedOut, resp.ProtocolError) as problem:
            self.problem = f"{type(problem).__name__}: {problem}"

    def __enter__(self):
        self.before = self.peak_bytes = self.node.process.resident_bytes()
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if kind is None:
            expect(self.node.running(), f"the node ended\n{self.node.log_tail()}")
            expect(self.problem is None, f"the bystander noticed: {self.problem}")
            expect(self.count > 0, "the bystander was never served")
            growth = self.peak_bytes - self.before
            expect(growth < self.limit_bytes, f"memory grew by {growth / 1e6:.0f} MB")
