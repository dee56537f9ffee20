"""The simulator and real processes give the same verdicts: on scenarios of the library that hold, on small ones that
must not pass, and on bugs that are put back by name, which both must find."""
import os
import re
import tempfile

from kiwi.check import expect, expect_equal, run, run_cases
from kiwi.lab import FAIL, PASS, VACUOUS, scenario, start_lab, write

HOLD = ("frames_in_single_bytes", "leader_that_hears_nothing", "old_copy_of_a_disk_is_put_back",
        "vote_write_fails", "whole_cluster_power_cut", "cluster_of_one_loses_power")

# Nothing of this is chance: both worlds must say so each time.
MUST_NOT_PASS = {
    "nobody_wrote_it": (FAIL, """scenario  nobody_wrote_it
about     a key is expected that no client wrote
cluster   nodes=3
load      L1 clients=4 rate=100/s

at 0s     start L1
at 1s     crash one follower
          restart down
          expect within 1s key nothing = "there"
at 4s     stop L1

finally   linearizable(L1)
"""),
    "no_majority_no_leader": (FAIL, """scenario  no_majority_no_leader
about     two of three are gone: a leader is expected all the same
cluster   nodes=3

at 1s     crash 2 of all
          after 2s expect within 1s leader
"""),
    "cut_twice": (VACUOUS, """scenario  cut_twice
about     the second cut changes nothing
cluster   nodes=3
load      L1 clients=4 rate=100/s

at 0s     start L1
at 1s     cut n1 -> n2
          cut n1 -> n2
          heal all
at 3s     stop L1

finally   linearizable(L1)
"""),
    "nothing_is_done": (VACUOUS, """scenario  nothing_is_done
about     the load is far below the floor
cluster   nodes=3 floor=1000
load      L1 clients=1 rate=10/s

at 0s     start L1
at 1s     crash one follower
          restart down
at 2s     stop L1

finally   linearizable(L1)
"""),
}

# Each bug with a world in which it shows soon, and which holds without it.
BUGS = {
    "always_wrong": """scenario  bug_always_wrong
about     every 50th answer to a read is another one
cluster   nodes=3
load      L1 clients=6 keys=4 rate=200/s mix="get 60, set 40"

at 0s     start L1
at 2s     crash one follower
          after 500ms restart down
at 5s     stop L1

finally   linearizable(L1)
""",
    "majority_off_by_one": """scenario  bug_majority_off_by_one
about     a leader that is cut off commits alone, while the others follow another
cluster   nodes=3 settle=5s
load      L1 clients=8 keys=4 rate=200/s mix="get 40, set 40, incr 20"

at 0s     start L1
at 1s     every 3s for 6s
          cut leader <-> others
          after 2s heal all
at 7s     stop L1

finally   linearizable(L1), counter(L1), acknowledged(L1)
""",
    "log_sync_skipped": """scenario  bug_log_sync_skipped
about     what a node acknowledged is only in its page cache; power fails
cluster   nodes=1 disk=hostile settle=3s
load      L1 clients=8 keys=4 rate=200/s mix="set 60, incr 40" timeout=3s

at 0s     start L1
at 1s     every 1s for 6s
          power-fail all
          after 100ms restart all
at 8s     stop L1

finally   linearizable(L1), counter(L1), acknowledged(L1)
""",
}


def verdicts(output):
    """{scenario: verdict} of the lines of a run."""
    found = {}
    for line in output.splitlines():
        match = re.match(r"(pass|fail|unknown|vacuous|error|unsupported) +(.*?) seed \d+: ", line)
        if match:
            found[match.group(2)] = match.group(1)
    return found


def both(folder, files, *arguments):
    """(exit code, output) of the same files on the simulator and on processes."""
    runs = [start_lab("run", *files, "--backend", backend, "--report", os.path.join(folder, "runs-" + backend),
                      *arguments) for backend in ("sim", "process")]
    return [laboratory.result(200) for laboratory in runs]


def what_holds_holds_in_both(_options):
    with tempfile.TemporaryDirectory() as folder:
        (sim_code, sim), (code, process) = both(folder, [scenario(name) for name in HOLD], "--jobs", "4")
        print(process.rstrip())
        expect_equal((sim_code, code), (PASS, PASS), f"exit codes\n{sim}")
        expect_equal(verdicts(process), verdicts(sim), "verdicts on processes, and on the simulator")
        expect(len(verdicts(sim)) >= len(HOLD), f"a verdict for each: {sim}")


def what_fails_fails_in_both(_options):
    names = {FAIL: "fail", VACUOUS: "vacuous"}
    with tempfile.TemporaryDirectory() as folder:
        files = [write(folder, name + ".scenario", text) for name, (_, text) in MUST_NOT_PASS.items()]
        wanted = {name: names[code] for name, (code, _) in MUST_NOT_PASS.items()}
        for where, (code, output) in zip(("simulator", "processes"), both(folder, files, "--jobs", "4")):
            expect_equal(verdicts(output), wanted, f"verdicts on {where}\n{output}")
            expect_equal(code, FAIL, f"exit code on {where}: the worst counts")


def a_bug_is_found_in_both(_options):
    with tempfile.TemporaryDirectory() as folder:
        files = {bug: write(folder, bug + ".scenario", text) for bug, text in BUGS.items()}
        (sim_code, sim), (code, process) = both(folder, list(files.values()), "--jobs", "4")
        expect_equal((sim_code, code), (PASS, PASS), f"without the bugs\n{sim}{process}")
        runs = {(bug, backend): start_lab("run", file, "--mutant", bug, "--backend", backend, "--report",
                                          os.path.join(folder, bug + backend))
                for bug, file in files.items() for backend in ("sim", "process")}
        for (bug, backend), laboratory in runs.items():
            code, output = laboratory.result(120)
            print(f"{backend:8} {output.splitlines()[0][:150]}")
            expect_equal(code, FAIL, f"{bug} on {backend}: {output}")


def main(options):
    run_cases(options, [what_fails_fails_in_both, a_bug_is_found_in_both, what_holds_holds_in_both])


if __name__ == "__main__":
    run(main)
