"""Marks and mutants (messages/fault_points.hpp) stand where the build can leave them out of a release, and the
tables name exactly those that there are.

    fault_points.py ROOT FILE...

KIWI_MARK and KIWI_MUTANT only in .cpp files; those of the product are in FAULT_SOURCES of their library, and
nothing else is; each name of messages/fault_tables.hpp is used. Prints one line per breach. Exit code 1 when
there is any.
"""
import os
import re
import sys

TABLES = "messages/fault_tables.hpp"
OWN = {TABLES, "messages/fault_points.hpp", "messages/fault_points.cpp"}
USE = re.compile(r'\bKIWI_(MARK\("|MUTANT\()([\w.]+)')


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def fault_sources(root, files):
    """Paths listed behind FAULT_SOURCES in the CMakeLists.txt of the folders."""
    listed = set()
    folders = {path.split("/", 1)[0] for path in files if "/" in path}
    for folder in sorted(folders):
        name = f"{folder}/CMakeLists.txt"
        if not os.path.exists(os.path.join(root, name)):
            continue
        for block in re.findall(r"FAULT_SOURCES\s+((?:[\w/]+\.cpp\s+)+)", read(root, name)):
            listed.update(f"{folder}/{source}" for source in block.split())
    return listed


def main():
    root, files = sys.argv[1], [path for path in sys.argv[2:] if path not in OWN]
    breaches = []
    used = set()
    with_points = set()
    for path in files:
        names = {name for _, name in USE.findall(read(root, path))}
        if not names:
            continue
        used |= names
        if not path.endswith(".cpp"):
            breaches.append(f"{path}: marks and mutants belong into .cpp files")
        elif not path.startswith(("lab/", "tests/")):
            with_points.add(path)
    listed = fault_sources(root, files)
    breaches += [f"{path}: has marks or mutants and is not in FAULT_SOURCES" for path in with_points - listed]
    breaches += [f"{path}: in FAULT_SOURCES without a mark or mutant" for path in listed - with_points]
    tables = read(root, TABLES)
    named = set(re.findall(r'^  X\("?([\w.]+)"?,', tables, re.MULTILINE))
    breaches += [f"{TABLES}: nothing uses {name}" for name in named - used]
    for line in sorted(breaches):
        print(line)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
