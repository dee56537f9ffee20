"""One run of one cell on one server: what the clients saw and what the server spent."""
import json
import re
import subprocess

from servers import usage

BENCHMARK_FIELDS = ("rps", "avg", "min", "p50", "p95", "p99", "max")


def one_run(program, server, cell, seconds, seed):
    """By kiwi-load. Rates a second, latencies in microseconds."""
    before, syncs = usage(server.pids()), server.syncs()
    done = subprocess.run(
        [program, "--port", str(server.port()), "--what", cell.what, "--clients", str(cell.clients), "--pipeline",
         str(cell.pipeline), "--value-bytes", str(cell.value_bytes), "--seconds", str(seconds), "--warm-up", "0.5",
         "--seed", str(seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"kiwi-load failed on {server.name} in {cell.title}")
    seen = json.loads(done.stdout)
    if seen["errors"]:
        raise SystemExit(f"{server.name} answered errors in {cell.title}: {seen['errors']}")
    after, syncs_after = usage(server.pids()), server.syncs()
    # The processes are looked at around the whole run; its half second of warm-up counts as the rest does.
    operations = seen["rate"] * (seen["seconds"] + 0.5)
    sets = operations * {"set": 1.0, "get": 0.0, "mix": 0.2}[cell.what]
    latency = seen["latency_us"]
    return {
        "rate": seen["rate"], "p50": latency["p50"], "p99": latency["p99"], "p999": latency["p999"],
        "cpu_us": 1e6 * (after["cpu_seconds"] - before["cpu_seconds"]) / operations,
        "switches": (after["switches"] - before["switches"]) / operations,
        "rss_mb": after["rss_bytes"] / 1e6,
        "syncs": None if syncs is None or not sets else (syncs_after - syncs) / sets,
        "write_amplification":
            (after["written_bytes"] - before["written_bytes"]) / (sets * (cell.value_bytes + 16)) if sets else None}


def redis_benchmark(server, cell, requests):
    """The same by redis-benchmark: the tool that everybody has. Rate and P50, P99 in microseconds."""
    done = subprocess.run(
        ["redis-benchmark", "-p", str(server.port()), "-t", cell.what, "-n", str(requests), "-c", str(cell.clients), "-P",
         str(cell.pipeline), "-d", str(cell.value_bytes), "-r", "100000", "--csv"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    row = re.search(r'^"' + cell.what + r'",(.*)$', done.stdout.decode(), re.MULTILINE | re.IGNORECASE)
    if done.returncode != 0 or not row:
        raise SystemExit(f"redis-benchmark failed on {server.name}:\n{done.stdout.decode()[-2000:]}")
    fields = dict(zip(BENCHMARK_FIELDS, (float(x.strip('"')) for x in row.group(1).split(","))))
    return {"rate": fields["rps"], "p50": 1000 * fields["p50"], "p99": 1000 * fields["p99"]}
