"""A client that never retries, never re-connects and never re-sends by itself: for tests of exactness."""
import socket
import time

from . import resp

# Safety rule 9 of docs/architecture.md: three kinds of no. These codes say "surely not done".
REFUSALS = {"MOVED", "CLUSTERDOWN", "NOCLUSTER", "LOADING", "BUSY", "OVERLOADED", "TRYAGAIN", "STOPPING", "OOM",
            "MASTERDOWN", "READONLY"}
# These say "may have happened, or may yet".
UNKNOWNS = {"TIMEOUT"}


class ConnectionLost(Exception):
    """The other side closed, reset or refused the connection."""


class TimedOut(Exception):
    """No complete reply by the deadline. The connection is of no use any more."""


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=5.0):
        self.address = (host, port)
        self.timeout = timeout
        self.buffer = bytearray()
        self.offset = 0
        try:
            self.socket = socket.create_connection(self.address, timeout=timeout)
        except OSError as error:
            raise ConnectionLost(f"connect to port {port}: {error}") from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.settimeout(self.timeout)
        try:
            self.socket.sendall(data)
        except socket.timeout as error:
            raise TimedOut("send") from error
        except OSError as error:
            raise ConnectionLost(f"send: {error}") from error

    def send(self, *args):
        self.send_raw(resp.encode(*args))

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut("no reply")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(1 << 16)
        except socket.timeout as error:
            raise TimedOut("no reply") from error
        except OSError as error:
            raise ConnectionLost(f"receive: {error}") from error
        if not data:
            raise ConnectionLost("closed by the other side")
        self.buffer += data

    def read_raw_reply(self, timeout=None):
        """The next reply and its bytes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            found = resp.decode(self.buffer, self.offset)
            if found is not None:
                raw = bytes(self.buffer[self.offset:found[1]])
                self.offset = found[1]
                if self.offset > 1 << 16 or self.offset == len(self.buffer):
                    del self.buffer[:self.offset]
                    self.offset = 0
                return found[0], raw
            self._receive(deadline)

    def read_reply(self, timeout=None):
        return self.read_raw_reply(timeout)[0]

    def call(self, *args, timeout=None):
        self.send(*args)
        return self.read_reply(timeout)

    def pipeline(self, commands, timeout=None):
        self.send_raw(b"".join(resp.encode(*command) for command in commands))
        return [self.read_reply(timeout) for _ in commands]

    def wait_closed(self, timeout=None):
        """Drops what still comes; returns when the other side has closed."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                self._receive(deadline)
                self.buffer.clear()
            except ConnectionLost:
                return


class Outcome:
    """How one command ended: done (reply), refused (text) or unknown (why)."""

    def __init__(self, kind, value):
        self.kind = kind
        self.value = value

    def __repr__(self):
        return f"{self.kind}({self.value!r})"

    @property
    def done(self):
        return self.kind == "done"

    @property
    def moved_to(self):
        """The port that a MOVED names, else None."""
        if self.kind == "refused" and self.value.startswith("MOVED "):
            return int(self.value.rsplit(":", 1)[1])
        return None


def outcome_of_reply(reply):
    if isinstance(reply, resp.Error):
        if reply.code in REFUSALS:
            return Outcome("refused", reply)
        if reply.code in UNKNOWNS:
            return Outcome("unknown", reply)
    return Outcome("done", reply)


def attempt(connection, *args, timeout=None):
    """One command, once. A connection that was lost or timed out must be closed by the caller."""
    try:
        return outcome_of_reply(connection.call(*args, timeout=timeout))
    except (ConnectionLost, TimedOut) as error:
        return Outcome("unknown", f"{type(error).__name__}: {error}")
