"""No mark and no mutant of the fault laboratory is in a released program.

    no_fault_points.py TABLES RELEASED LABORATORY

RELEASED must hold none of the names in TABLES (messages/fault_tables.hpp), LABORATORY all of them.
"""
import re
import sys


def main():
    tables, released, laboratory = sys.argv[1:]
    with open(tables, encoding="utf-8") as file:
        names = re.findall(r'^  X\("?([\w.]+)"?,', file.read(), re.MULTILINE)
    with open(released, "rb") as file:
        program = file.read()
    with open(laboratory, "rb") as file:
        other = file.read()
    wrong = [f"{released} holds {name}" for name in names if name.encode() + b"\0" in program]
    wrong += [f"{laboratory} lacks {name}" for name in names if name.encode() + b"\0" not in other]
    if b"4kiwi5fault" in program:
        wrong.append(f"{released} has symbols of kiwi::fault")
    if len(names) < 60:
        wrong.append(f"only {len(names)} names were read from {tables}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
