"""The laboratory on real processes: three scenarios of the library pass, what a node cannot do is refused before
anything starts, a broken promise is found, nothing outlives the laboratory, and a release has none of it."""
import os
import signal
import subprocess
import tempfile
import time

from kiwi.check import eventually, expect, expect_equal, run, run_cases

BUILD = os.environ.get("KIWI_BUILD_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
LAB = os.path.join(BUILD, "lab", "fault", "kiwi-fault")
FAULT_NODE = os.path.join(BUILD, "node", "fault", "kiwi-node-fault")
NODE = os.environ.get("KIWI_NODE", os.path.join(BUILD, "node", "kiwi-node"))
SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios")
UNSUPPORTED = 5
FAILED = 1
# What only a fault build may contain.
FAULT_WORDS = ("--control", "--dial-map", "--disk-buffers", "--mutant")
FAULT_STRINGS = (b"dial-map", b"disk-buffers", b"power-fail", b"KiwiFaultFileSystem", b"vote_before_sync")

HEAD = """scenario  short
about     a small cluster
cluster   nodes=3
load      L1 clients=4 rate=100/s
at 0s     start L1
"""


def lab(*arguments, timeout=120):
    return subprocess.run([LAB, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False, text=True)


def run_text(folder, text, *arguments):
    path = os.path.join(folder, "short.scenario")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return lab("run", path, "--backend", "process", "--report", os.path.join(folder, "runs"), *arguments)


def library_scenarios_pass(_options):
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(SCENARIOS, name + ".scenario")
                 for name in ("leader_that_hears_nothing", "pipeline_across_elections", "whole_cluster_power_cut")]
        result = lab("run", *files, "--backend", "process", "--param", "disk=ordered", "--jobs", "3", "--report", folder)
        print(result.stdout.rstrip())
        expect_equal(result.returncode, 0, "exit code")
        expect("slowness x" in result.stdout, "the factor of times is printed")


def every_fault_of_a_link_strikes(_options):
    verbs = ("delay leader -> others 5ms..10ms", "jitter others -> all 5ms", "bandwidth leader -> n3 200KB/s",
             "slice n1 -> others bytes=7", "duplicate all <-> all 20%", "reorder all <-> all 20%", "drop n2 -> n3 1%",
             "corrupt n3 -> n1 1%", "hold leader -> one follower append count=2", "clog n1 -> n2", "half-open n2 -> n1",
             "reset all <-> all", "clock-rate n2 1.1", "clock-offset n3 -1h", "slow n1 sync 1ms..3ms")
    lines = "".join(f"at {2000 + 200 * i}ms {verb}\n" for i, verb in enumerate(verbs))
    end = ("at 6s     heal all\n          clock-heal all\n          free all\n"
           "          expect within 5s converged(all)\nat 8s     stop L1\n"
           "always    raft, clients\nfinally   linearizable(L1)\n")
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, HEAD + lines + end)
        print(result.stdout.rstrip())
        expect_equal(result.returncode, 0, "exit code")


def lacking_means_are_refused(_options):
    with tempfile.TemporaryDirectory() as folder:
        for text, arguments, word in (
                (HEAD + "at 1s kill-actor n1 raft\n", (), "kill-actor"),
                (HEAD + "when disk sync on n1\n          crash n1\n", (), "when disk"),
                (HEAD + "at 1s cut n1 <-> n2\n", ("--node", NODE), "cut (needs kiwi-node-fault)")):
            begin = time.monotonic()
            result = run_text(folder, text, *arguments)
            expect_equal(result.returncode, UNSUPPORTED, f"exit code ({result.stdout})")
            expect(word in result.stdout, f"'{word}' is named: {result.stdout}")
            expect(time.monotonic() - begin < 5, "refused before anything starts")


def release_node_runs_what_it_can(_options):
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, HEAD + "at 2s let old = leader\n          crash old\n"
                          "          expect within 5s leader != old\n          restart old\n"
                          "          after 500ms pause old\n          after 500ms resume old\nat 5s stop L1\n"
                          "finally   linearizable(L1)\n", "--node", NODE)
        print(result.stdout.rstrip())
        expect_equal(result.returncode, 0, "exit code")


def a_broken_promise_fails(_options):
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, HEAD + "at 2s cut all <-> all\n          expect within 1s key nothing = \"there\"\n")
        expect_equal(result.returncode, FAILED, f"exit code ({result.stdout})")
        runs = os.listdir(os.path.join(folder, "runs"))
        expect_equal(len(runs), 1, "folders of runs")
        kept = os.listdir(os.path.join(folder, "runs", runs[0], "nodes"))
        expect_equal(sorted(kept), ["n1.log", "n2.log", "n3.log"], "logs of the nodes")


def children_of(pid):
    children = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii") as stat:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == pid:
                    children.append(int(name))
        except (ValueError, OSError, IndexError):
            continue
    return children


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def nothing_outlives_the_laboratory(_options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "short.scenario")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD + "at 60s stop L1\n")
        with subprocess.Popen([LAB, "run", path, "--backend", "process", "--report", folder],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              env=dict(os.environ, TMPDIR=folder)) as laboratory:
            def nodes():
                return [node for worker in children_of(laboratory.pid) for node in children_of(worker)]
            eventually(20, "three nodes run", lambda: len(nodes()) == 3)
            pids = nodes()
            laboratory.send_signal(signal.SIGKILL)
            laboratory.wait()
            eventually(5, "no node is left", lambda: not any(alive(pid) for pid in pids))


def a_release_has_none_of_it(_options):
    usage = subprocess.run([NODE, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout
    fault_usage = subprocess.run([FAULT_NODE, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout
    with open(NODE, "rb") as file:
        release = file.read()
    with open(FAULT_NODE, "rb") as file:
        fault = file.read()
    for word in FAULT_WORDS:
        expect(word not in usage, f"kiwi-node --help knows {word}")
        expect(word in fault_usage, f"kiwi-node-fault --help does not know {word}")
        refused = subprocess.run([NODE, word, "x"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        expect_equal(refused.returncode, 2, f"exit code of kiwi-node {word}")
    for text in FAULT_STRINGS:
        expect(text not in release, f"kiwi-node contains {text!r}")
        expect(text in fault, f"kiwi-node-fault lacks {text!r}: this test looks for the wrong thing")


def main(options):
    run_cases(options, [a_release_has_none_of_it, lacking_means_are_refused, release_node_runs_what_it_can,
                        every_fault_of_a_link_strikes, a_broken_promise_fails, nothing_outlives_the_laboratory,
                        library_scenarios_pass])


if __name__ == "__main__":
    run(main)
