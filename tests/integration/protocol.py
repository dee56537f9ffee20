"""The transcripts in tests/protocol, against Debian's redis-server (the judge of what Redis answers) and against
a Kiwi cluster of one. Those marked kiwi-only run against Kiwi alone.

    protocol.py [--only redis|kiwi] [FILE...]
"""
import glob
import os
import sys

from kiwi import resp
from kiwi.check import Unavailable, UNAVAILABLE
from kiwi.cluster import Cluster
from kiwi.redis_reference import RedisReference
from kiwi.transcript import Mismatch, Transcript

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "protocol")


def play_all(server_name, connect, transcripts):
    failures = 0
    for transcript in transcripts:
        with connect() as connection:
            if isinstance(connection.call("FLUSHALL"), resp.Error):
                raise AssertionError("FLUSHALL failed")
        try:
            transcript.run(connect)
            print(f"ok      {server_name:5} {os.path.basename(transcript.path)}: {transcript.about}")
        except Mismatch as mismatch:
            failures += 1
            print(f"FAILED  {server_name:5} {mismatch}")
    return failures


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]  # --quick changes nothing here
    only = None
    if "--only" in sys.argv:
        only = arguments.pop(0)
    paths = arguments or sorted(glob.glob(os.path.join(FOLDER, "*.txt")))
    transcripts = [Transcript(path) for path in paths]
    failures = 0
    if only != "kiwi":
        with RedisReference() as redis:
            failures += play_all("redis", redis.connect, [t for t in transcripts if not t.kiwi_only])
    if only != "redis":
        with Cluster(1) as cluster:
            failures += play_all("kiwi", cluster.nodes[0].connect, transcripts)
    print(f"{failures} transcript runs failed")
    return 1 if failures or not transcripts else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unavailable as error:
        print(f"unavailable: {error}")
        sys.exit(UNAVAILABLE)
