"""Below node/ time, randomness and waiting come in through parameters: no file there may reach for a clock, a
random device, a thread or a sleep by itself (docs/architecture.md).

    forbidden_calls.py ROOT ALLOWED FILE...

ALLOWED lists exceptions, one a line: PATH CALL REASON... An exception that nothing needs any more is an error
too. Prints one line per breach. Exit code 1 when there is any.
"""
import os
import re
import sys

FOLDERS = {"messages", "raft", "statemachine", "storage", "server", "actors", "lab"}
# The parts of the laboratory that deal with real processes.
FREE = ("lab/process/", "lab/fault/")
CALLS = {
    "system_clock": r"\bsystem_clock\b",
    "steady_clock": r"\bsteady_clock\s*::\s*now\b",
    "high_resolution_clock": r"\bhigh_resolution_clock\b",
    "random_device": r"\brandom_device\b",
    "sleep_for": r"\bsleep_for\b",
    "sleep_until": r"\bsleep_until\b",
    "sleep": r"(?<![\w.>])(?:::)?(?:u|nano)?sleep\s*\(",
    "std::thread": r"\bstd\s*::\s*j?thread\b",
    "std::async": r"\bstd\s*::\s*async\b",
    "time": r"(?<![\w.>:])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)",
    "gettimeofday": r"\bgettimeofday\b",
    "clock_gettime": r"\bclock_gettime\b",
    "make_timestamp": r"\bmake_timestamp\b",
    "rand": r"(?<![\w.>:])(?:std::|::)?s?rand\s*\(",
    "getenv": r"\bgetenv\b",
}
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text):
    """Comments and strings become blanks; line numbers stay."""
    return COMMENT_OR_STRING.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def read_allowed(path):
    allowed = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#", 1)[0].strip()
            if line:
                parts = line.split(None, 2)
                if len(parts) < 3 or parts[1] not in CALLS:
                    raise SystemExit(f"{path}:{number}: want PATH CALL REASON with CALL one of {', '.join(CALLS)}")
                allowed[parts[0], parts[1]] = False
    return allowed


def main():
    root, allowed_path, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    allowed = read_allowed(allowed_path)
    breaches = 0
    for path in files:
        if path.split("/", 1)[0] not in FOLDERS or path.startswith(FREE):
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = without_comments(file.read()).split("\n")
        for number, line in enumerate(lines, 1):
            for call, pattern in CALLS.items():
                if line.lstrip().startswith("#include") or not re.search(pattern, line):
                    continue
                if (path, call) in allowed:
                    allowed[path, call] = True
                else:
                    breaches += 1
                    print(f"{path}:{number}: {call} is forbidden here; pass it in (or see {allowed_path})")
    for (path, call), used in allowed.items():
        if not used:
            breaches += 1
            print(f"{allowed_path}: nothing in {path} needs the exception for {call} any more")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
