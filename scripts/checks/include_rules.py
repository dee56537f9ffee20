"""Who may include what: the table of docs/architecture.md, checked on the tracked sources.

    include_rules.py ROOT FILE...

Prints one line per breach. Exit code 1 when there is any.
"""
import os
import re
import sys

# Folder -> folders of this project, and prefixes of libraries, that it may include from.
# The C++ standard library is open to all; POSIX headers (*.h) to those with "posix".
PROJECT = {
    "messages": {"messages"},
    "raft": {"raft", "messages"},
    "storage": {"storage", "messages"},
    "statemachine": {"statemachine", "storage", "messages"},
    "server": {"server", "messages", "raft", "statemachine"},
    "actors": {"actors", "server", "messages", "raft", "storage", "statemachine"},
    # lab/ has rules per folder; its headers at the top belong to all of them.
    "lab/script": {"lab/script", "messages"},
    "lab/history": {"lab/history", "messages"},
    "lab/resp": {"lab/resp", "messages"},
    "lab/run": {"lab/run", "lab/script", "lab/history", "lab/resp", "messages"},
    "lab/formats": {"lab/formats", "messages", "storage", "statemachine"},
    "lab/world": {"lab/world", "lab/formats", "lab/run", "lab/script", "lab/invariants", "lab/resp", "messages", "raft", "storage",
                  "statemachine", "server", "actors"},
    "lab/invariants": {"lab/invariants", "lab/world", "lab/run", "lab/script", "messages", "raft", "storage",
                       "statemachine", "server"},
    "lab/process": {"lab/process", "lab/formats", "lab/run", "lab/script", "lab/resp", "messages"},
    "lab/report": {"lab/report", "lab/run", "lab/script", "lab/history", "messages"},
    "lab/mutants": {"lab/mutants", "lab/run", "lab/script", "lab/history", "messages"},
    "lab/shrink": {"lab/shrink", "lab/run", "lab/script", "lab/history", "messages"},
    "lab/fault": {"lab/fault", "lab/script", "lab/history", "lab/run", "lab/world", "lab/invariants", "lab/mutants", "lab/process",
                  "lab/report", "lab/shrink", "lab/resp", "messages"},
    "lab": {"messages"},
}
LIBRARIES = {
    "messages": {"tl/"},
    "raft": {"tl/"},
    "storage": {"tl/", "rocksdb/", "boost/", "posix"},
    "statemachine": {"tl/", "rocksdb/", "posix"},
    "server": {"tl/"},
    "actors": {"tl/", "caf/", "spdlog/", "posix"},
    "lab/script": {"tl/"},
    "lab/history": {"tl/", "nlohmann/"},
    "lab/resp": {"tl/"},
    "lab/run": {"tl/", "nlohmann/"},
    "lab/formats": {"tl/", "rocksdb/"},
    "lab/world": {"tl/", "caf/", "rocksdb/", "spdlog/", "xxhash.h"},
    "lab/invariants": {"tl/", "rocksdb/"},
    "lab/process": {"tl/", "nlohmann/", "spdlog/", "posix"},
    "lab/report": {"tl/", "nlohmann/"},
    "lab/mutants": {"tl/"},
    "lab/shrink": {"tl/"},
    "lab/fault": {"tl/", "nlohmann/", "CLI/", "posix"},
    "lab": {"tl/", "xxhash.h"},
}
# Single files that may include more than their folder.
EXTRA = {
    "messages/codec.cpp": {"cereal/", "xxhash.h"},
    "messages/codec_archives.hpp": {"cereal/"},
    "messages/content_hash.cpp": {"xxhash.h"},
    # The abort handler writes to file descriptor 2 itself.
    "messages/assert.cpp": {"posix"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# C headers of the standard library that look like POSIX ones do not occur: the style wants <cstdint>.


def folder_of(path):
    """lab/run for lab/run/x.hpp, lab for lab/x.hpp, raft for raft/parts/x.hpp."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "lab" and len(parts) > 2 else parts[0]


def breach(path, bracket, name):
    folder = folder_of(path)
    if folder not in PROJECT:
        return f"{folder}/ has no rule here"
    allowed = LIBRARIES[folder] | EXTRA.get(path, set())
    first = folder_of(name)
    if first.split("/")[0] in PROJECT and "/" in name:
        if first != "lab" and first not in PROJECT[folder] or first == "lab" and not folder.startswith("lab"):
            return f"{folder}/ may not include {first}/"
        return None if bracket == '"' else "files of this project are included with quotes"
    if any(name == a or (a.endswith("/") and name.startswith(a)) for a in allowed):
        return None
    if name.endswith(".h"):
        return None if "posix" in allowed else f"{folder}/ may not include the system header <{name}>"
    if "/" in name or name.endswith(".hpp"):
        return f"{folder}/ may not include {name}"
    return None


def main():
    root, files = sys.argv[1], sys.argv[2:]
    breaches = 0
    for path in files:
        if path.split("/", 1)[0] not in PROJECT:
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                found = INCLUDE.match(line)
                reason = found and breach(path, found.group(1), found.group(2))
                if reason:
                    breaches += 1
                    print(f"{path}:{number}: {reason}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
