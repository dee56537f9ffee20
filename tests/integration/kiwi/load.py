"""Writing clients that never retry, and the history they leave: what was acknowledged, what is unknown.

Each writer uses keys of its own. Most keys are written once; one "register" per writer is overwritten all the
time, so that a lost or resurrected write shows. A write is never sent twice: a new attempt is a new value.
"""
import random
import threading
import time

from . import resp
from .client import Connection, ConnectionLost, TimedOut, attempt


class Seeker:
    """Finds a node that serves, by MOVED and by trying; never re-sends a command."""

    def __init__(self, ports, rng, timeout, hosts=None):
        self.ports = ports  # the caller may add and remove some meanwhile
        self.hosts = hosts or {}  # of ports that are not at 127.0.0.1
        self.rng = rng
        self.timeout = timeout
        self.port = self.ports[0]
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def elsewhere(self, port=None):
        self.close()
        self.port = port or self.rng.choice(tuple(self.ports))

    def attempt(self, *args):
        """An Outcome; None when no connection could be made, so that nothing was sent."""
        if self.connection is None:
            try:
                self.connection = Connection(self.port, host=self.hosts.get(self.port, "127.0.0.1"),
                                             timeout=self.timeout)
            except (ConnectionLost, TimedOut):
                self.elsewhere()
                return None
        outcome = attempt(self.connection, *args, timeout=self.timeout)
        if outcome.kind == "unknown" and not isinstance(outcome.value, resp.Error):
            self.elsewhere()  # the connection is lost or out of step
        elif outcome.kind == "refused":
            self.elsewhere(outcome.moved_to)
        return outcome


class Writer(threading.Thread):
    def __init__(self, load, number):
        super().__init__(name=f"writer-{number}", daemon=True)
        self.load = load
        self.number = number
        self.rng = random.Random(f"{load.seed}/{number}")
        self.acknowledged = {}     # key -> value, of keys written once
        self.unknown = {}          # key -> value
        self.refused = 0
        self.register_last = None  # last acknowledged value of the register
        self.register_unknown = []
        self.acks = []             # (sent, acknowledged), time.monotonic()
        self.violations = []

    @property
    def register(self):
        return f"register:{self.number}"

    def run(self):
        seeker = Seeker(self.load.ports, self.rng, self.load.timeout, self.load.hosts)
        count = 0
        while not self.load.stop_asked.is_set():
            count += 1
            try:
                if count % 8 == 0 and self.acknowledged:
                    answered = self.read_back(seeker)
                else:
                    answered = self.write(seeker, count)
            except resp.ProtocolError as error:
                self.violations.append(f"not RESP: {error}")
                return
            if not answered:
                time.sleep(0.005)  # nobody serves: do not spin
        seeker.close()

    def write(self, seeker, count):
        to_register = count % 4 == 0
        key = self.register if to_register else f"once:{self.number}:{count}"
        value = f"{self.number}:{count}:{self.rng.getrandbits(64):x}" + "x" * self.rng.choice((0, 0, 100, 1000))
        sent = time.monotonic()
        outcome = seeker.attempt("SET", key, value)
        if outcome is None or outcome.kind == "refused":
            self.refused += outcome is not None
            return False
        if outcome.kind == "unknown":
            if to_register:
                self.register_unknown.append(value)
            else:
                self.unknown[key] = value
            return False
        if outcome.value != "OK":
            self.violations.append(f"SET {key} answered {outcome.value!r}")
            return False
        self.acks.append((sent, time.monotonic()))
        if to_register:
            self.register_last = value
        else:
            self.acknowledged[key] = value
        return True

    def read_back(self, seeker):
        """A read after an acknowledged write must show it (linearizable reads)."""
        key, wanted = self.rng.choice(list(self.acknowledged.items())[-200:])
        outcome = seeker.attempt("GET", key)
        if outcome is None or not outcome.done:
            return False
        if outcome.value != wanted.encode():
            self.violations.append(f"GET {key} after its acknowledged write: {outcome.value!r}")
        return True


class Load:
    """`with Load(cluster, 16, seed) as load:` writes until the end of the block."""

    def __init__(self, ports, writers, seed, timeout=2.0, hosts=None):
        self.ports = list(ports)
        self.hosts = hosts
        self.seed = seed
        self.timeout = timeout
        self.stop_asked = threading.Event()
        self.writers = [Writer(self, number) for number in range(writers)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stop_asked.set()
        for writer in self.writers:
            writer.join()

    def acknowledged_count(self):
        return sum(len(writer.acks) for writer in self.writers)

    def first_ack_sent_after(self, moment):
        """When the first write that was sent after `moment` was acknowledged; None when not yet."""
        times = [done for writer in self.writers for sent, done in writer.acks[-2000:] if sent > moment]
        return min(times) if times else None

    def unknowns(self):
        """(writer, what) of each writer that has operations whose outcome it does not know."""
        return [(writer.name, list(writer.unknown) + writer.register_unknown) for writer in self.writers
                if writer.unknown or writer.register_unknown]

    def summary(self):
        unknown = sum(len(w.unknown) + len(w.register_unknown) for w in self.writers)
        return (f"{self.acknowledged_count()} writes acknowledged, {unknown} unknown, "
                f"{sum(w.refused for w in self.writers)} refused")

    def problems(self, connection):
        """Reads everything back through `connection` (a node that serves linearizable reads)."""
        found = []
        for writer in self.writers:
            found += [f"{writer.name}: {text}" for text in writer.violations]
            found += self._check_keys(connection, writer)
            value = connection.call("GET", writer.register)
            allowed = [v.encode() for v in writer.register_unknown]
            allowed.append(None if writer.register_last is None else writer.register_last.encode())
            if value not in allowed:
                found.append(f"{writer.register} is {value!r}, last acknowledged {writer.register_last!r}")
        return found

    @staticmethod
    def _check_keys(connection, writer):
        found = []
        expected = [(key, value, True) for key, value in writer.acknowledged.items()]
        expected += [(key, value, False) for key, value in writer.unknown.items()]
        for start in range(0, len(expected), 500):
            part = expected[start:start + 500]
            values = connection.call("MGET", *(key for key, _, _ in part), timeout=30.0)
            if isinstance(values, resp.Error):
                return [f"MGET answered {values}"]
            for (key, wanted, acknowledged), value in zip(part, values):
                if value == wanted.encode() or (value is None and not acknowledged):
                    continue
                word = "acknowledged" if acknowledged else "of unknown outcome"
                found.append(f"LOST {key}: {word}, wanted {wanted[:40]!r}, is {value!r}")
        return found
