"""Child processes that never outlive the test, and what /proc says about them."""
import ctypes
import os
import random
import signal
import socket
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_ports = random.Random(os.getpid() * 7919)
_given = set()


def _listens(port):
    """Whether something could listen on this port now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A loopback port that nobody listens on, below the range of outgoing connections."""
    return free_ports([0])


def free_ports(offsets):
    """A port so that it and the ports at these offsets from it are free, all below the range of outgoing connections:
    inside that range a port that is free now may be a connection's own a moment later."""
    while True:
        port = _ports.randrange(15000, 32000 - max(offsets))
        wanted = {port + offset for offset in offsets}
        if wanted & _given or not all(_listens(each) for each in wanted):
            continue
        _given.update(wanted)
        return port


class Process:
    """Started at once. Start from the main thread: the kernel ends the child when the starting thread ends."""

    def __init__(self, command, log_path, cwd=None, env=None, limit_file_bytes=None):
        self.log_path = log_path

        def in_child():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if limit_file_bytes is not None:
                import resource
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that write() fails instead
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_bytes, limit_file_bytes))

        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env,
                                          preexec_fn=in_child, restore_signals=limit_file_bytes is None)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def suspend(self, timeout=10.0):
        """SIGSTOP, and waits until every thread has stopped: one that was just syncing still finishes that."""
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + timeout
        while self.running() and not self._all_threads_stopped():
            if time.monotonic() > deadline:
                raise AssertionError(f"process {self.pid} does not stop")
            time.sleep(0.001)

    def _all_threads_stopped(self):
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/stat", encoding="ascii", errors="replace") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] not in "Tt":
                        return False
            except FileNotFoundError:
                pass
        return True

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def terminate(self, timeout=20.0):
        """SIGTERM; the exit code. A process that ignores it is killed, and that is an error."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=20.0):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"process {self.pid} did not end within {timeout} s\n{self.log_tail()}") from None

    def log_tail(self, lines=25):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def resident_bytes(self):
        return self._status_bytes("VmRSS")

    def peak_resident_bytes(self):
        return self._status_bytes("VmHWM")

    def _status_bytes(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise AssertionError(f"no {field} for process {self.pid}")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
