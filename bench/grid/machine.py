"""The machine on which was measured, and what its disk's sync costs without any database."""
import os
import platform
import statistics
import time


def first_of(path, key):
    with open(path, encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "?"


def describe():
    return {"processor": first_of("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory": first_of("/proc/meminfo", "MemTotal"), "kernel": platform.release(),
            "load_before": os.getloadavg()[0]}


def fdatasync_us(folder, seconds=2.0):
    """Median and P99 of appending 4 KiB to a file and syncing it."""
    path = os.path.join(folder, "fdatasync-probe")
    times, end = [], time.monotonic() + seconds
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        while time.monotonic() < end:
            begin = time.perf_counter()
            os.write(descriptor, b"\x5a" * 4096)
            os.fdatasync(descriptor)
            times.append(1e6 * (time.perf_counter() - begin))
    finally:
        os.close(descriptor)
        os.unlink(path)
    times.sort()
    return {"median": round(statistics.median(times), 1), "p99": round(times[int(len(times) * 0.99)], 1)}
