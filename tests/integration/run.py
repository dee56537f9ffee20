"""Runs the integration tests: real processes on loopback, each test a script of its own beside this file.

    run.py [--quick] [--list] [--build DIR] [--count-to FILE] [NAME...]

Prints one line per test, the whole output of those that failed, and "N passed, N failed" at the end. A test that
needs something this machine lacks is "unavailable": listed, and neither passed nor failed.
KIWI_NODE names the program under test (default BUILD/node/kiwi-node).
"""
import argparse
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
UNAVAILABLE = 77


class Test:
    def __init__(self, name, limit_s, in_quick=True):
        self.name = name
        self.limit_s = limit_s    # a run that takes longer has failed
        self.in_quick = in_quick  # --quick runs it, with its own --quick


TESTS = [
    Test("start_stop", 120),
    Test("run_script", 180, in_quick=False),
    Test("protocol", 120),
    Test("oracle_fuzz", 300),
    Test("readonly", 60),
    Test("deadlines", 120),
    Test("redirect", 180, in_quick=False),
    Test("redirect_ioredis", 300, in_quick=False),
    Test("pipeline_order", 120, in_quick=False),
    Test("counters", 180, in_quick=False),
    Test("failover_time", 120),
    Test("kill9_chaos", 300, in_quick=False),
    Test("bad_clients", 300, in_quick=False),
    Test("bad_peers", 180, in_quick=False),
    Test("bad_disk", 600, in_quick=False),
    Test("catch_up", 240),
    Test("inspect_directory", 240, in_quick=False),
    Test("backup_restore", 240, in_quick=False),
    Test("sole_survivor", 120, in_quick=False),
    Test("full_disk", 600, in_quick=False),
    Test("members_grow_and_shrink", 120),
    Test("members_replace_all", 120),
    Test("members_identity", 120),
    Test("members_by_snapshot", 120),
    Test("members_dead_node", 120),
    Test("members_stock_client", 120),
    Test("rolling_restart", 120),
    Test("rolling_upgrade", 120),
    Test("lost_leadership", 180, in_quick=False),
    Test("fault_cli", 120, in_quick=False),
    Test("fault_process", 240, in_quick=False),
    Test("fault_agreement", 360, in_quick=False),
    Test("lab_shrink", 300, in_quick=False),
    Test("info_values", 60),
    Test("load_generator", 60),
    Test("idle", 120),
]


def run_test(test, options):
    """(exit code, output, seconds). The process group of a test that takes too long is killed."""
    command = [sys.executable, os.path.join(HERE, test.name + ".py")]
    if options.quick:
        command.append("--quick")
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=test.limit_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += f"\nended after {test.limit_s} s, the limit\n".encode()
        code = 1
    return code, output.decode("utf-8", "replace"), time.monotonic() - begin


def chosen(options):
    if options.names:
        known = {test.name: test for test in TESTS}
        unknown = [name for name in options.names if name not in known]
        if unknown:
            raise SystemExit(f"unknown test {', '.join(unknown)} (see --list)")
        return [known[name] for name in options.names]
    return [test for test in TESTS if test.in_quick or not options.quick]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("--count-to")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.list:
        for test in TESTS:
            print(f"{test.name:18} {'quick' if test.in_quick else ''}")
        return 0

    os.environ.setdefault("KIWI_NODE", os.path.abspath(os.path.join(options.build, "node", "kiwi-node")))
    os.environ["KIWI_BUILD_DIR"] = os.path.abspath(options.build)
    counts = {"passed": 0, "failed": 0, "unavailable": 0}
    for test in chosen(options):
        code, output, seconds = run_test(test, options)
        kind = {0: "passed", UNAVAILABLE: "unavailable"}.get(code, "failed")
        counts[kind] += 1
        print(f"{kind if kind != 'failed' else 'FAILED':11} {test.name} ({seconds:.1f} s)", flush=True)
        if kind == "failed":
            print("    " + output.rstrip().replace("\n", "\n    "), flush=True)
        elif kind == "unavailable":
            print("    " + output.rstrip().split("\n")[-1], flush=True)
    if counts["unavailable"]:
        print(f"{counts['unavailable']} unavailable on this machine")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    if options.count_to:
        with open(options.count_to, "w", encoding="ascii") as file:
            file.write(f"{counts['passed']} {counts['failed']}\n")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
