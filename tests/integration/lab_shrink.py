"""A failure that a campaign found as some hundred lines becomes a script of a few, which fails by the same check; only
with the bug that caused it. A script that does not fail is not shrunk."""
import glob
import json
import os
import subprocess
import tempfile

from kiwi.check import expect, expect_equal, run, run_cases

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("KIWI_BUILD_DIR", os.path.join(HERE, "..", "..", "build"))
LAB = os.path.join(BUILD, "lab", "fault", "kiwi-fault")
STOCK = os.path.join(HERE, "..", "scenarios", "campaign", "stock.scenario")
# A damaged byte in the middle of the log is taken for a torn tail: found late, for it takes a flip and a restart.
MUTANT = "log_cut_at_bad_checksum"
LEAST_LINES = 60
MOST_LINES = 12
FAILED = 1
ERROR = 4


def lab(*arguments):
    return subprocess.run([LAB, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=280, check=False, text=True)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def done_lines(script):
    """What is done: neither head, comment nor checks."""
    return [line for line in script.splitlines() if line.startswith(("!", "at ", "         "))]


def failing_run(folder):
    """The folder of a run with at least LEAST_LINES lines: the stock campaign with its faults closer together."""
    stock = read(STOCK)
    expect("gap=200ms..2500ms" in stock, "the stock campaign says how far its faults are apart")
    dense = os.path.join(folder, "dense.scenario")
    with open(dense, "w", encoding="utf-8") as file:
        file.write(stock.replace("gap=200ms..2500ms", "gap=200ms..1500ms"))
    runs = os.path.join(folder, "runs")
    result = lab("fuzz", "--scenario", dense, "--seeds", "1..60", "--jobs", "2", "--mutant", MUTANT, "--report", runs)
    expect_equal(result.returncode, FAILED, "exit code of the campaign\n" + result.stdout)
    for left in sorted(glob.glob(os.path.join(runs, "*-*"))):
        if len(done_lines(read(left, "replay.scenario"))) >= LEAST_LINES:
            return left
    raise AssertionError("no failing run with so many lines:\n" + result.stdout)


def a_failing_campaign_becomes_a_few_lines(_options):
    with tempfile.TemporaryDirectory() as folder:
        left = failing_run(folder)
        verdict = json.loads(read(left, "verdict.json"))
        expect_equal(verdict["mutant"], MUTANT, "the mutant in the run's folder")
        before = len(done_lines(read(left, "replay.scenario")))

        result = lab("shrink", left, "--budget", "2m")
        expect_equal(result.returncode, 0, "exit code of shrink\n" + result.stdout)
        after = done_lines(read(left, "shrunk.scenario"))
        print(f"  {before} lines became {len(after)}")
        expect(len(after) <= MOST_LINES, "too many lines are left:\n" + read(left, "shrunk.scenario"))
        small = json.loads(read(left, "shrunk", "verdict.json"))
        expect_equal(small["check"], verdict["check"], "what the small script fails by")

        replay = lab("replay", os.path.join(left, "shrunk"))
        expect_equal(replay.returncode, FAILED, "exit code of replay\n" + replay.stdout)
        expect(f"check: {verdict['check']}\n" in replay.stdout, replay.stdout)
        expect(", as recorded" in replay.stdout, replay.stdout)
        without = lab("replay", os.path.join(left, "shrunk.scenario"))
        expect(f"check: {verdict['check']}\n" not in without.stdout, "without the bug:\n" + without.stdout)
        expect("The shrunk script" in read(left, "report.html"), "the page shows the small script")


def what_does_not_fail_is_not_shrunk(_options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "calm.scenario")
        with open(path, "w", encoding="utf-8") as file:
            file.write("scenario  calm\nabout     nothing happens\ncluster   nodes=1\n"
                       "load      L1 clients=1 rate=20/s\nat 0s     start L1\nat 2s     crash n1\n"
                       "          restart n1\nat 4s     stop L1\nalways    raft\nfinally   linearizable(L1)\n")
        result = lab("shrink", path)
        expect_equal(result.returncode, ERROR, "exit code\n" + result.stdout)
        expect("it does not fail" in result.stdout, result.stdout)


def main(options):
    expect(os.path.exists(LAB), f"{LAB} is built")
    run_cases(options, [a_failing_campaign_becomes_a_few_lines, what_does_not_fail_is_not_shrunk])


if __name__ == "__main__":
    run(main)
