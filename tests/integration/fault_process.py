"""The laboratory on real processes: scenarios of the library pass, every fault of a link strikes, what a node cannot
do is refused before anything starts, a broken promise is found, nothing outlives the laboratory, and a release has
none of it."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from kiwi.check import eventually, expect, expect_equal, run, run_cases
from kiwi.lab import FAIL, FAULT_NODE, LAB, NODE, PASS, UNSUPPORTED, VACUOUS, lab, scenario, write
from kiwi.process import free_port

# kill, cut, one-way cut, a disk that fails and one that fills, power failures, orderly restarts.
LIBRARY = ("follower_restarts_inside_the_window", "bridge_partition", "leader_that_hears_nothing",
           "sync_fails_once", "disk_full_and_space_again", "power_fails_during_recovery", "rolling_restart")
# What only a fault build may contain.
FAULT_WORDS = ("--control", "--dial-map", "--disk-buffers", "--mutant", "--at-start")
FAULT_STRINGS = (b"dial-map", b"disk-buffers", b"power-fail", b"lose-writes", b"KiwiFaultFileSystem",
                 b"vote_before_sync", b"election.won")

HEAD = """scenario  short
about     a small cluster
cluster   nodes=3
load      L1 clients=4 rate=100/s
at 0s     start L1
"""
LINKS = """at 2000ms delay leader -> others 5ms..10ms
at 2200ms jitter all <-> all 5ms
at 2400ms bandwidth n1 -> n3 200KB/s
at 2600ms slice n1 -> others bytes=7
at 2800ms duplicate all <-> all 20%
at 3000ms reorder all <-> all 20%
at 3200ms drop n2 -> n3 1%
at 3400ms corrupt all <-> all 1%
at 3600ms hold leader -> one follower append count=2
at 3800ms clog n1 -> n2
at 4000ms half-open n2 -> n1
at 4200ms reset all <-> all
at 4400ms clock-rate n2 1.1
at 4600ms clock-offset n3 -1h
at 4800ms clock-jump n1 30s
at 5000ms slow n1 sync 1ms..3ms
at 6s     heal all
          clock-heal all
          free all
          expect within 5s converged(all)
at 8s     stop L1
always    raft, clients
finally   linearizable(L1)
"""
# What LINKS leaves out. Node 4 bears it; node 5 is given up.
NODES = """scenario  nodes
about     every verb on nodes and disks, and on single messages
cluster   nodes=5 at-end=leave
load      L1 clients=4 rate=100/s
at 0s     start L1
at 1s     crash n4
          crash n5
          wipe n5
          clone-disk n4 -> n5
          newer-format n5 marker
          restart n4
          clock-freeze n1
          clock-heal n1
          rate L1 50/s
          burst L1 10
          disconnect L1
          do SET greeting hello -> OK
          note "half of it"
at 2500ms stop n4
          after 500ms restart n4
          after 500ms pause n4
          after 300ms resume n4
          swizzle n4 over=1s
at 6s     cut n1 -> n4
          drop-next n2 -> n4 append
          duplicate-next n3 -> n4 append
          hold leader -> n4 heartbeat
          after 300ms release leader -> n4 heartbeat
          newer-offers leader -> n4
          heal all
          replay-old leader -> n4 any
at 7s     fail n4 read eio nth=1000000
          hang n4 remove
          crash-at n1 install.intent
          lose-writes n4 log
          free n4
          power-fail n4 torn
          flip n4 log-wal
          full n4
          readonly n4
at 8s     stop L1
always    raft, clients
finally   linearizable(L1)
"""
LOSSY = """scenario  lossy
about     frames are lost, doubled and late one by one, and syncs are slow, without any fault
cluster   nodes=3 net=lossy loss=2% duplicate=2% latency=2ms..10ms sync=3ms..6ms
load      L1 clients=4 rate=100/s
at 0s     start L1
at 2s     let old = leader
          pause old
          expect within 5s leader != old
          resume old
at 8s     stop L1
finally   linearizable(L1)
"""


def run_text(folder, text, *arguments):
    path = write(folder, "short.scenario", text)
    return lab("run", path, "--backend", "process", "--report", os.path.join(folder, "runs"), *arguments)


def scenarios_pass(_options):
    with tempfile.TemporaryDirectory() as folder:
        files = [scenario(name) for name in LIBRARY]
        files += [write(folder, "links.scenario", HEAD + LINKS), write(folder, "lossy.scenario", LOSSY)]
        scratch = os.path.join(folder, "scratch")
        os.mkdir(scratch)
        result = lab("run", *files, "--backend", "process", "--jobs", "6", "--report", folder, timeout=200,
                     env=dict(os.environ, TMPDIR=scratch))
        print(result.stdout.rstrip())
        expect_equal(result.returncode, PASS, "exit code")
        expect("slowness x" in result.stdout, "the factor of times is printed")
        expect_equal(os.listdir(scratch), [], "what the runs left")


def lacking_means_are_refused(_options):
    with tempfile.TemporaryDirectory() as folder:
        for text, arguments, word in (
                (HEAD + "at 1s kill-actor n1 raft\n", (), "kill-actor"),
                (HEAD + "at 1s fuzz 5s faults { starve 1, crash 1 }\n", (), "starve"),
                (HEAD + "when disk sync any on n1\n          crash n1\n", (), "when disk"),
                (HEAD + "at 1s full n1 after=1MB\n", (), "full after="),
                (HEAD.replace("nodes=3", "nodes=3 strategy=pct") + "at 1s crash n1\n", (), "strategy="),
                (HEAD + "at 1s cut n1 <-> n2\n", ("--node", NODE), "cut (needs kiwi-node-fault)"),
                (HEAD + "at 1s clock-jump n1 1s\n", ("--node", NODE), "clock-jump (needs kiwi-node-fault)")):
            begin = time.monotonic()
            result = run_text(folder, text, *arguments)
            expect_equal(result.returncode, UNSUPPORTED, f"exit code ({result.stdout})")
            expect(word in result.stdout, f"'{word}' is named: {result.stdout}")
            expect(time.monotonic() - begin < 5, "refused before anything starts")
        # Beside others such a script may be left out; alone it never passes.
        unsupported = write(folder, "starve.scenario", HEAD + "at 1s starve n1 raft 1s\n")
        quick = write(folder, "quick.scenario", HEAD.replace("short", "quick") +
                      "at 1s crash n1\n          after 500ms restart n1\nat 2s stop L1\n")
        arguments = ("--backend", "process", "--skip-unsupported", "--report", folder)
        expect_equal(lab("run", unsupported, *arguments).returncode, UNSUPPORTED, "exit code when nothing is left")
        for order in ((unsupported, quick), (quick, unsupported)):
            result = lab("run", *order, *arguments)
            expect_equal(result.returncode, PASS, f"exit code ({result.stdout})")
            expect("1 pass 1 unsupported" in result.stdout, f"it is told: {result.stdout}")


def release_node_runs_what_it_can(_options):
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, HEAD + "at 2s let old = leader\n          crash old\n"
                          "          expect within 5s leader != old\n          restart old\n"
                          "          after 500ms pause old\n          after 500ms resume old\nat 5s stop L1\n"
                          "finally   linearizable(L1)\n", "--node", NODE)
        print(result.stdout.rstrip())
        expect_equal(result.returncode, PASS, "exit code")


def the_table_of_verbs_is_true(_options):
    page = lab("help", "--page").stdout
    verbs = re.findall(r"^#### `([a-z-]+).*?^Example: .*?Backends: ([^.]*)\.", page, re.M | re.S)
    expect(len(verbs) > 40, f"verbs of the page: {verbs}")
    here = {name for name, backends in verbs if "processes" in backends}
    tried = set(re.findall(r"^(?:at \w+)? +(?:after \w+ )?([a-z-]+)", LINKS + NODES, re.M))
    expect_equal(sorted(here - tried), [], "verbs that processes have, and that are not tried here")
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, NODES)
        expect(result.returncode in (PASS, VACUOUS), f"none is refused: {result.stdout}")
    # Each kind of call on each kind of file, as the table of `fail` names them.
    told = lab("help", "fail").stdout
    calls = re.search(r"call +([a-z, -]+) or ([a-z-]+):", told)
    calls = calls.group(1).split(", ") + [calls.group(2)]
    expect(len(calls) == 8, f"calls: {calls}")
    lines = []
    for file in ("any", "log", "data", *(f"{folder}-{kind}" for folder in ("log", "data")
                                         for kind in ("wal", "table", "manifest", "marker")), "log/CURRENT"):
        lines.append(f"disk lose-writes {file} count=2")
        for call in calls:
            lines += [f"disk fail {call} eio file={file}", f"disk fail {call} enospc file={file} nth=2 count=1",
                      f"disk slow {call} min=1 max=2 file={file}", f"disk hang {call} file={file}"]
    with tempfile.TemporaryDirectory() as folder:
        nowhere = os.path.join(folder, "nowhere")
        node = [FAULT_NODE, "--id", "1", "--dir", folder, "--address", "127.0.0.1:1@2", "--initial-cluster",
                "1=127.0.0.1:1@2", "--cluster-token", "x", "--control", nowhere]
        for line in lines:
            node += ["--at-start", line]
        ended = subprocess.run(node, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
        expect(nowhere in ended.stdout and ended.returncode == 2, f"all are understood: {ended.stdout}")


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder)
                  for name in names)


def a_broken_promise_leaves_the_same_folder_as_in_the_simulator(_options):
    text = HEAD + "at 2s cut all <-> all\n          expect within 1s key nothing = \"there\"\n"
    with tempfile.TemporaryDirectory() as folder:
        result = run_text(folder, text)
        expect_equal(result.returncode, FAIL, f"exit code ({result.stdout})")
        simulated = lab("run", os.path.join(folder, "short.scenario"), "--report", os.path.join(folder, "sim"))
        expect_equal(simulated.returncode, FAIL, f"exit code on the simulator ({simulated.stdout})")
        runs = os.path.join(folder, "runs", "short-1")
        expect_equal(files_below(runs), files_below(os.path.join(folder, "sim", "short-1")), "files")
        for name in ("n1", "n2", "n3"):
            with open(os.path.join(runs, "nodes", name + ".log"), encoding="utf-8") as log:
                expect("event=node_started" in log.read(), f"{name} logged its start")
        with open(os.path.join(runs, "replay.scenario"), encoding="utf-8") as lowered:
            expect(re.search(r"^! 2\.\d+s +cut n", lowered.read(), re.M), "the lowered script has the cut")
        expect_equal(lab("check", runs).returncode, PASS, "exit code of check: the history itself is right")


def below(pid):
    """(pid, command) of all that descends from it."""
    parents = {}
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii") as stat:
                begin, end = stat.read().split("(", 1)[1].rsplit(")", 1)
                parents[int(name)] = (int(end.split()[1]), begin)
        except (ValueError, OSError, IndexError):
            continue
    found, news = [], [pid]
    while news:
        news = [child for child, (parent, _) in parents.items() if parent in news]
        found += [(child, parents[child][1]) for child in news]
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def nothing_outlives_the_laboratory(_options):
    for name in ("SIGINT", "SIGTERM", "SIGKILL"):
        how = getattr(signal, name)
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, "short.scenario", HEAD + "at 60s stop L1\n")
            scratch = os.path.join(folder, "scratch")
            os.mkdir(scratch)
            with subprocess.Popen([LAB, "run", path, path, "--backend", "process", "--jobs", "2", "--report", folder],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  env=dict(os.environ, TMPDIR=scratch)) as laboratory:
                def nodes(laboratory=laboratory):
                    return [pid for pid, command in below(laboratory.pid) if command.startswith("kiwi-node")]
                eventually(30, "two clusters of three run", lambda nodes=nodes: len(nodes()) == 6)
                pids = nodes()
                laboratory.send_signal(how)
                expect_equal(laboratory.wait(20), -how, f"it ends of {name}")
                if how != signal.SIGKILL:
                    expect(not any(alive(pid) for pid in pids), "its nodes end before it")
                    expect_equal(os.listdir(scratch), [], f"what {name} leaves")
                eventually(5, "no node is left", lambda pids=pids: not any(alive(pid) for pid in pids))


def a_node_dies_at_a_named_point(_options):
    """crash-at MARK: a kill -9 at a named point of the code, and the next start comes back from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "control")
        address = f"127.0.0.1:{free_port()}@{free_port()}"
        arguments = [FAULT_NODE, "--id", "1", "--dir", os.path.join(folder, "node"), "--address", address,
                     "--initial-cluster", "1=" + address, "--control", path, "--at-start"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        refused = subprocess.run(arguments + ["crash-at no.such_mark"], timeout=10, check=False, **quiet)
        expect_equal(refused.returncode, 2, "exit code")
        # The second point is not reached: the node comes back and leads.
        for mark, dies in (("election.won", True), ("log.damage_refused", False)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
                listener.bind(path)
                listener.listen(1)
                listener.settimeout(10)
                with subprocess.Popen(arguments + ["crash-at " + mark], **quiet) as node:
                    try:
                        control, _ = listener.accept()
                        with control:
                            control.settimeout(10)
                            said = b""
                            while b"mark election.won" not in said and (chunk := control.recv(4096)):
                                said += chunk
                            expect_equal(b"mark election.won" in said, not dies, f"what the node said: {said!r}")
                            if dies:
                                expect_equal(node.wait(10), -signal.SIGKILL, "exit code")
                    finally:
                        node.kill()
            os.unlink(path)


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
    run_cases(options, [a_release_has_none_of_it, a_node_dies_at_a_named_point, the_table_of_verbs_is_true,
                        lacking_means_are_refused, release_node_runs_what_it_can,
                        a_broken_promise_leaves_the_same_folder_as_in_the_simulator, nothing_outlives_the_laboratory,
                        scenarios_pass])


if __name__ == "__main__":
    run(main)
