"""kiwi-node's subcommands, and what directories look like before and after them."""
import hashlib
import json
import os
import subprocess

from .check import expect_equal
from .cluster import kiwi_node

BAD_USAGE, BAD_DIRECTORY, STORAGE_FAILURE = 2, 3, 4
DAMAGED, TORN_WRITE, IN_USE, NO_ANSWER, NOT_CONFIRMED = 6, 7, 8, 9, 10


def command(*args, exit_code=0, timeout=120.0):
    """Standard output; when another exit code than 0 is wanted, both outputs together."""
    done = subprocess.run([kiwi_node(), *map(str, args)], capture_output=True, text=True, timeout=timeout, check=False)
    expect_equal(done.returncode, exit_code, f"exit code of kiwi-node {args}\n{done.stdout}\n{done.stderr}\n")
    return done.stdout if exit_code == 0 else done.stdout + done.stderr


def start_command(*args):
    """Runs until it ends or somebody kills it."""
    return subprocess.Popen([kiwi_node(), *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def inspect(folder, exit_code=0):
    """What `kiwi-node inspect --json` says. Checks that it changed nothing."""
    before = image_of(folder)
    done = subprocess.run([kiwi_node(), "inspect", "--json", folder], capture_output=True, text=True, timeout=120.0,
                          check=False)
    expect_equal(image_of(folder), before, "the directory after inspect")
    expect_equal(done.returncode, exit_code, f"exit code of inspect\n{done.stdout}\n{done.stderr}\n")
    return json.loads(done.stdout)


def image_of(folder):
    """Every file below `folder` with its size, its time of change and a checksum of its content."""
    found = {}
    for path, folders, names in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(path, name), folder)] = "folder"
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            stat = os.stat(full)
            found[os.path.relpath(full, folder)] = (stat.st_size, stat.st_mtime_ns, digest)
    return found


def facts(output):
    """The lines of backup and restore by their first words: {'as of': '1/17, clock ...'}."""
    return {line[:14].strip(): line[14:] for line in output.splitlines() if line}


def flip(path, offset=None, find=None):
    """Flips one bit. `find`: in the first place where these bytes stand."""
    with open(path, "r+b") as file:
        content = file.read()
        if find is not None:
            offset = content.index(find)
        elif offset is None:
            offset = len(content) // 2
        file.seek(offset)
        file.write(bytes([content[offset] ^ 0x10]))
    return offset
