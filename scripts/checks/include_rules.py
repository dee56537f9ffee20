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
}
LIBRARIES = {
    "messages": {"tl/"},
    "raft": {"tl/"},
    "storage": {"tl/", "rocksdb/", "boost/", "posix"},
    "statemachine": {"tl/", "rocksdb/", "posix"},
    "server": {"tl/"},
    "actors": {"tl/", "caf/", "spdlog/", "posix"},
}
# Single files that may include more than their folder.
EXTRA = {
    "messages/codec.cpp": {"cereal/", "xxhash.h"},
    # The abort handler writes to file descriptor 2 itself.
    "messages/assert.cpp": {"posix"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# C headers of the standard library that look like POSIX ones do not occur: the style wants <cstdint>.


def breach(path, bracket, name):
    folder = path.split("/", 1)[0]
    allowed = LIBRARIES[folder] | EXTRA.get(path, set())
    first = name.split("/", 1)[0]
    if first in PROJECT and "/" in name:
        if first not in PROJECT[folder]:
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
