"""The command line of kiwi-fault as a contract: the help of each command, the exit code of each verdict, and what is
said about scripts, histories, files and flags that are wrong."""
import json
import os
import tempfile

from kiwi.check import expect, expect_equal, run, run_cases
from kiwi.lab import ERROR, FAIL, PASS, SCENARIOS, UNKNOWN, UNSUPPORTED, VACUOUS, lab, write

COMMANDS = ("run", "fuzz", "replay", "shrink", "check", "mutants", "explain", "fmt", "list", "help", "report")

HOLDS = """scenario  quick
about     a small cluster serves
cluster   nodes=3
load      L1 clients=4 rate=100/s

at 0s     start L1
at 2s     crash one follower
          after 500ms restart down
at 4s     stop L1

always    raft, clients
finally   linearizable(L1), fired(crash)
"""
FAILS = HOLDS.replace("stop L1\n", 'stop L1\n          expect key nothing = "there"\n')
VACUOUS_ONE = HOLDS.replace("crash one follower\n          after 500ms restart down",
                            "cut n1 -> n2\n          cut n1 -> n2\n          heal all").replace("fired(crash)", "fired(cut)")
STARVES = HOLDS.replace("crash one follower\n          after 500ms restart down",
                        "starve leader raft 1s").replace("fired(crash)", "fired(starve)")
MISSPELT = HOLDS.replace("crash one", "crush one")


def said(result, *words):
    for word in words:
        expect(word in result.stdout, f"'{word}' is said: {result.stdout}")


def refused(*arguments, words=(), **more):
    result = lab(*arguments, **more)
    expect_equal(result.returncode, ERROR, f"exit code of {arguments}: {result.stdout}")
    said(result, *words)
    return result


def every_command_has_help(_options):
    whole = lab("--help")
    expect_equal(whole.returncode, PASS, "exit code of --help")
    said(whole, "Exit codes: 0 pass, 1 fail, 2 unknown, 3 vacuous", "5 unsupported", *COMMANDS)
    for command in COMMANDS:
        result = lab(command, "--help", stderr=None)
        expect_equal(result.returncode, PASS, f"exit code of {command} --help")
        said(result, f"kiwi-fault {command} ")
        expect(len(result.stdout.splitlines()) >= 4, f"help of {command}: {result.stdout}")


def wrong_usage_is_refused(_options):
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, "quick.scenario", HOLDS)
        refused(words=("subcommand",))
        refused("frobnicate", words=("there is no command 'frobnicate'",))
        refused("runn", file, words=("did you mean 'run'?",))
        refused("run", words=("files",))
        for command in COMMANDS:
            wanted = () if command in ("fuzz", "mutants") else (folder,)
            refused(command, *wanted, "--frobnicate", words=("--frobnicate",))
        refused("run", file, "--seeds", "5..1", words=("5..1",))
        refused("run", file, "--seed", "x", words=("'x'",))
        refused("run", file, "--seed", "1", "--seeds", "1..2", words=("--seed",))
        refused("run", file, "--jobs", "0", words=("--jobs", "1 to 1024"))
        refused("run", file, "--param", "x", words=("name=value",))
        refused("run", file, "--param", "x=1", words=("'x'",))
        refused("run", file, "--backend", "moon", words=("moon", "sim", "process"))
        refused("run", file, "--mutant", "nosuch", words=("there is no mutant 'nosuch'", "vote_before_sync"))
        refused("run", file, "--backend", "process", "--node", "/bin/true", words=("/bin/true is no kiwi-node",))
        refused("run", file, "--backend", "process", "--twice", words=("--twice is for the simulator",))
        refused("run", file, "--backend", "process", "--shrink", words=("--shrink is for the simulator",))
        refused("fuzz", "--seeds", "x", words=("'x'",))
        refused("mutants", "--only", "nosuch", words=("there is no mutant 'nosuch'",))
        refused("help", "crush", words=("no help on 'crush'", "did you mean 'crash'?"))


def files_that_cannot_be_read_are_named(_options):
    with tempfile.TemporaryDirectory() as folder:
        nowhere = os.path.join(folder, "nowhere")
        for command in ("run", "replay", "shrink", "check", "explain", "fmt", "list", "report"):
            refused(command, nowhere, words=(nowhere,))
        refused("run", folder, words=(folder, "no *.scenario"))
        refused("check", folder, words=("history.jsonl: cannot be read",))
        mixed = lab("run", write(folder, "quick.scenario", HOLDS), nowhere)
        expect_equal(mixed.returncode, ERROR, "exit code when one of two files is missing")
        said(mixed, "pass        quick", nowhere)


def a_script_with_a_mistake_says_where(_options):
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, "bad.scenario", MISSPELT)
        for command in ("run", "explain", "list", "replay", "shrink"):
            refused(command, file, words=(f"{file}:7:11: unknown verb 'crush'", "  at 2s     crush one follower",
                                          "            ^~~~~ did you mean 'crash'?"))
        for text, words in (
                (HOLDS.replace("nodes=3", "nods=3"), (":3:11:", "'nods'", "did you mean 'nodes'?")),
                (HOLDS.replace("at 2s", "at 2x"), (":7:4:",)),
                (HOLDS.replace("start L1", "start L2"), (":6:", "L2")),
                ("\0\xff\n", (":1:1:",)), ("", ("the scenario has no name", "begin with a line"))):
            refused("run", write(folder, "bad.scenario", text), words=words)
        # All mistakes of a file at once, and those of other files, too.
        twice = MISSPELT.replace("restart down", "restrat down")
        other = write(folder, "other.scenario", MISSPELT)
        refused("run", write(folder, "bad.scenario", twice), other,
                words=("bad.scenario:7:11:", "bad.scenario:8:", "did you mean 'restart'?", "other.scenario:7:11:"))


def each_verdict_has_its_exit_code(_options):
    with tempfile.TemporaryDirectory() as folder:
        report = ("--report", os.path.join(folder, "runs"))
        files = {}
        for name, text, code in (("pass", HOLDS, PASS), ("fail", FAILS, FAIL), ("vacuous", VACUOUS_ONE, VACUOUS)):
            files[name] = write(folder, name + ".scenario", text)
            result = lab("run", files[name], *report)
            expect_equal(result.returncode, code, f"exit code: {result.stdout}")
            expect(result.stdout.startswith(f"{name:11} quick seed 1: "), f"one line: {result.stdout}")
        said(lab("run", files["fail"], *report), "line 10: expect key nothing = there: it is (nil)")
        unsupported = lab("run", write(folder, "starve.scenario", STARVES), "--backend", "process", *report)
        expect_equal(unsupported.returncode, UNSUPPORTED, "exit code of what processes cannot do")
        said(unsupported, "unsupported quick seed 1: this backend has no starve")
        # Of several the worst counts.
        both = ("run", files["vacuous"], files["fail"], files["pass"], "--jobs", "2", *report)
        expect_equal(lab(*both).returncode, FAIL, "exit code of all three")
        expect_equal(lab("run", files["vacuous"], files["pass"], *report).returncode, VACUOUS, "exit code of two")
        seeds = lab("run", files["pass"], "--seeds", "1..3", "--twice", *report)
        expect_equal(seeds.returncode, PASS, f"exit code of three seeds: {seeds.stdout}")
        said(seeds, "seed 1:", "seed 2:", "seed 3:", "3 runs: 3 pass")


def what_a_failed_run_leaves_can_be_used(_options):
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, "fail.scenario", FAILS)
        lab("run", file, "--report", folder)
        left = os.path.join(folder, "quick-1")
        expect_equal(sorted(os.listdir(left)), ["history.jsonl", "nodes", "record.json", "replay.scenario",
                                                "report.html", "script.scenario", "verdict.json"], "files")
        with open(os.path.join(left, "verdict.json"), encoding="utf-8") as text:
            verdict = json.load(text)
        expect_equal((verdict["outcome"], verdict["scenario"], verdict["seed"]), ("fail", "quick", 1), "verdict.json")
        again = lab("replay", left)
        expect_equal(again.returncode, FAIL, f"exit code of replay: {again.stdout}")
        said(again, "line 10", ", as recorded")
        expect_equal(lab("replay", os.path.join(left, "replay.scenario")).returncode, FAIL, "of the lowered script")
        history = lab("check", left)
        expect_equal(history.returncode, PASS, f"exit code of check: {history.stdout}")
        os.remove(os.path.join(left, "report.html"))
        expect_equal(lab("report", left).returncode, PASS, "exit code of report")
        expect(os.path.getsize(os.path.join(left, "report.html")) > 10000, "the page is there again")
        small = lab("shrink", left, "--budget", "5s")
        expect_equal(small.returncode, PASS, f"exit code of shrink: {small.stdout}")
        shrunk = os.path.join(left, "shrunk.scenario")
        expect_equal(lab("run", shrunk, "--report", folder).returncode, FAIL, "the small script fails, too")
        refused("shrink", write(folder, "pass.scenario", HOLDS), words=("it does not fail",))


def histories_are_judged(_options):
    with tempfile.TemporaryDirectory() as folder:
        lab("run", write(folder, "pass.scenario", HOLDS), "--keep-all", "--report", folder)
        with open(os.path.join(folder, "quick-1", "history.jsonl"), encoding="utf-8") as text:
            lines = text.read().splitlines()
        expect_equal(lab("check", os.path.join(folder, "quick-1", "history.jsonl")).returncode, PASS, "as it was")
        for number, line in ((1, "garbage"), (2, '{"type": 1}'), (len(lines), lines[-1][:20])):
            damaged = lines[:number - 1] + [line] + lines[number:]
            refused("check", write(folder, "damaged.jsonl", "\n".join(damaged) + "\n"),
                    words=("damaged.jsonl: line ",))
        refused("check", write(folder, "empty.jsonl", ""), words=("empty.jsonl",))
        samples = os.path.join(SCENARIOS, "..", "unit", "lab", "history", "samples")
        stale = lab("check", os.path.join(samples, "stale_read_from_old_leader.jsonl"))
        expect_equal(stale.returncode, FAIL, f"a stale read: {stale.stdout}")
        undecided = lab("check", os.path.join(samples, "list_commands.jsonl"))
        codes = {lab("check", os.path.join(samples, name), "--budget", "1").returncode for name in os.listdir(samples)
                 if name.endswith(".jsonl")}
        expect(UNKNOWN in codes, f"without a budget some stay unknown: {codes}; {undecided.stdout}")
        expect(codes <= {PASS, FAIL, UNKNOWN, VACUOUS}, f"each is readable: {codes}")


def words_about_scripts(_options):
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, "quick.scenario", HOLDS)
        said(lab("explain", file), "a cluster of 3 nodes", "crash")
        expect_equal(lab("fmt", file).stdout, HOLDS, "the canonical form of what is canonical")
        ugly = write(folder, "ugly.scenario", HOLDS.replace("at 2s     ", "at   2000ms  "))
        expect_equal(lab("fmt", "--check", ugly).returncode, FAIL, "exit code of fmt --check")
        expect_equal(lab("fmt", "--write", ugly).returncode, PASS, "exit code of fmt --write")
        expect_equal(lab("fmt", "--check", ugly).returncode, PASS, "afterwards")
        listed = lab("list", file)
        expect_equal(listed.returncode, PASS, "exit code of list")
        said(listed, "a small cluster serves")
        said(lab("help"), "cluster", "crash", "expect")
        said(lab("help", "crash"), "crash NODES", "kill -9")
        said(lab("mutants", "--list"), "vote_before_sync", "election.won")
        with open(os.path.join(SCENARIOS, "..", "..", "docs", "lab-verbs.md"), encoding="utf-8") as page:
            expect_equal(lab("help", "--page").stdout, page.read(), "docs/lab-verbs.md is what help --page says")


def random_runs(_options):
    with tempfile.TemporaryDirectory() as folder:
        short = lab("fuzz", "--seeds", "1..2", "--seconds", "10", "--jobs", "2", "--report", folder)
        expect_equal(short.returncode, VACUOUS, f"ten seconds are too short for 500 operations: {short.stdout}")
        enough = lab("fuzz", "--seeds", "1..2", "--jobs", "2", "--report", folder)
        expect_equal(enough.returncode, PASS, f"a minute is enough: {enough.stdout}")
        said(enough, "2 runs: 2 pass", "fewest operations done in a run")


def main(options):
    run_cases(options, [every_command_has_help, wrong_usage_is_refused, files_that_cannot_be_read_are_named,
                        a_script_with_a_mistake_says_where, each_verdict_has_its_exit_code,
                        what_a_failed_run_leaves_can_be_used, histories_are_judged, words_about_scripts, random_runs])


if __name__ == "__main__":
    run(main)
