"""docs/lab-coverage.md and what it names agree.

    lab_coverage.py ROOT

The table has a row for every id of the list, in order. A row says `covered` (by a scenario at least), `in part` or
`not built`. What it names is there: scenarios of tests/scenarios whose first line names the id, tests by file, or by file and name. A scenario
that names an id stands in its row. Prints one line per breach. Exit code 1 when there is any.
"""
import glob
import os
import re
import sys

PAGE = "docs/lab-coverage.md"
SCENARIOS = "tests/scenarios"
# How many lines each group of the list has.
GROUPS = {"T": 18, "L": 18, "M": 17, "R": 14, "S": 19, "D": 21, "G": 21, "C": 22, "A": 16}
STATES = ("covered", "in part", "not built")
ROW = re.compile(r"^\| ([A-Z]\d\d) \|(.*)\|(.*)\|(.*)\|(.*)\|$")
ID = re.compile(r"\b[" + "".join(GROUPS) + r"]\d\d\b")
BEYOND = "# beyond the list"


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def annotated(root, breaches):
    """Scenario -> the ids that its first line names."""
    result = {}
    for path in sorted(glob.glob(os.path.join(root, SCENARIOS, "*.scenario"))):
        name = os.path.basename(path)[:-len(".scenario")]
        first = read(root, path).split("\n", 1)[0]
        result[name] = set(ID.findall(first)) if first.startswith("# ") else set()
        if not result[name] and not first.startswith(BEYOND):
            breaches.append(f"{SCENARIOS}/{name}.scenario: its first line names no id, nor says '{BEYOND}'")
    return result


def wrong_test(root, words):
    """What is wrong with 'path' or 'path Name': a file of the tree, and a test in it."""
    path, _, name = words.partition(" ")
    if not os.path.isfile(os.path.join(root, path)):
        return f"there is no file {path}"
    if name and not re.search(r"^TEST(_F|_P)?\(\w+, *" + re.escape(name) + r"\b", read(root, path), re.MULTILINE):
        return f"{path} has no test {name}"
    return None


def main():
    root = sys.argv[1]
    breaches = []
    scenarios = annotated(root, breaches)
    wanted = [f"{group}{n:02}" for group, count in GROUPS.items() for n in range(1, count + 1)]
    rows = []
    for line in read(root, PAGE).split("\n"):
        match = ROW.match(line)
        if not match:
            continue
        row, state, by_scenario, by_test, note = (part.strip() for part in match.groups())
        rows.append(row)
        named = re.findall(r"`([^`]+)`", by_scenario)
        tests = re.findall(r"`([^`]+)`", by_test)
        if state not in STATES:
            breaches.append(f"{row}: '{state}' is none of {', '.join(STATES)}")
        if state == "not built" and (named or tests):
            breaches.append(f"{row}: it is not built, but has scenarios or tests")
        if state != "not built" and not named and not tests:
            breaches.append(f"{row}: '{state}' by nothing")
        if state == "covered" and not named:
            breaches.append(f"{row}: covered by no scenario")
        if state != "covered" and not note:
            breaches.append(f"{row}: '{state}' without a word why")
        for name in named:
            if name not in scenarios:
                breaches.append(f"{row}: there is no scenario {name}")
            elif row not in scenarios[name]:
                breaches.append(f"{row}: {SCENARIOS}/{name}.scenario does not name it in its first line")
        breaches += [f"{row}: scenario {name} names it, and is not in the row"
                     for name, ids in scenarios.items() if row in ids and name not in named]
        breaches += [f"{row}: {wrong}" for wrong in (wrong_test(root, test) for test in tests) if wrong]
    if rows != wanted:
        missing = [row for row in wanted if row not in rows]
        breaches.append(f"{PAGE}: the rows are not those of the list in order; missing: {', '.join(missing) or 'none'}")
    for line in breaches:
        print(line)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
