"""Many SETs in long pipelines, and what a node's process and folder weigh meanwhile."""
import os
import random
import re
import threading
import time

from . import resp
from .check import expect
from .client import Connection


def value(rng, size):
    """Bytes that no compression makes fewer."""
    return rng.randbytes(size)


def set_many(port, names, size=200, host="127.0.0.1", connections=4, depth=200, seed=1):
    """SETs every name of `names` to `size` random bytes; all must be acknowledged. Seconds."""
    begin = time.monotonic()
    names = list(names)
    failures = []

    def write(part, number):
        rng = random.Random(seed * 1000 + number)
        try:
            with Connection(port, host=host, timeout=60.0) as connection:
                for start in range(0, len(part), depth):
                    chunk = part[start:start + depth]
                    connection.send_raw(b"".join(resp.encode("SET", name, value(rng, size)) for name in chunk))
                    for name in chunk:
                        reply = connection.read_reply()
                        expect(reply == "OK" or reply == b"OK", f"SET {name}: {reply!r}")
        except Exception as error:  # a thread's own failure is the caller's
            failures.append(error)
    threads = [threading.Thread(target=write, args=(names[number::connections], number))
               for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(not failures, f"loading failed: {failures[:1]}")
    return time.monotonic() - begin


def folder_bytes(folder):
    """What the files of a folder take on the disk; a file with several names counts once."""
    blocks = {}
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                found = os.stat(os.path.join(root, name))
            except FileNotFoundError:
                continue  # removed meanwhile
            blocks[found.st_ino] = found.st_blocks * 512
    return sum(blocks.values())


def received_snapshots(node):
    """Size in bytes of each snapshot that a node began to receive, by id, oldest first."""
    with open(node.log_path, encoding="utf-8", errors="replace") as log:
        found = re.findall(r"event=snapshot_receiving id=(\S+) .* bytes=(\d+)", log.read())
    return {name: int(size) for name, size in found}


class Watch:
    """`with Watch(probe) as watch:` asks `probe` every 50 ms; watch.most is the largest answer."""

    def __init__(self, probe, every=0.05):
        self.probe = probe
        self.every = every
        self.most = 0
        self.stop_asked = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.stop_asked.wait(self.every):
            try:
                self.most = max(self.most, self.probe())
            except (OSError, ValueError):
                pass  # the process is between two lives

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop_asked.set()
        self.thread.join()
