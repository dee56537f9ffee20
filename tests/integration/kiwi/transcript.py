r"""Conversations with a Redis server, written down and checked. The files are tests/protocol/*.txt:

    about: what this file shows          first line; `kiwi-only` on the second: Redis itself answers otherwise
    # comment
    > SET k "a b"                        one command; several in a row are sent as one pipeline
    OK                                   its reply as redis-cli shows it ("text", (integer) 1, (nil), 1) ...)
    other> GET k                         the same over another connection, made when it is first named
    >inline PING                         an inline command
    >raw "*1\r\n$4\r\nPING\r\n"          these very bytes
    >sorted KEYS *                       the elements of the reply in order
    >scan MATCH a* COUNT 2               SCAN from 0 to its end, all keys in order
    >within 3 EXISTS k                   asked again until the reply fits, at most so many seconds
    >closed                              the server closes the connection (a new one is made when needed)
    >close                               the client closes

In replies <any> stands for the rest of a line or any part of it, <integer> for a number, <integer 1..9> for one
in a range, </pattern/> for a regular expression, and a line "..." for any further lines of this reply.
"""
import re
import time

from .client import ConnectionLost, TimedOut
from .render import render
from . import resp

_COMMAND = re.compile(r"^(?P<who>[a-z]*)>(?P<verb>[a-z]*) ?(?P<rest>.*)$")
_HOLE = re.compile(r"<any>|<integer(?: (-?\d+)\.\.(-?\d+))?>|</(.*?)/>")
REPLY_TIMEOUT = 5.0


class Mismatch(AssertionError):
    pass


def unquote(word):
    """The bytes of "..." with Redis' escapes; other words stand for themselves."""
    if len(word) >= 2 and word[0] == word[-1] == '"':
        return word[1:-1].encode("utf-8").decode("unicode_escape").encode("latin-1")
    return word.encode("utf-8")


def split_command(line):
    return [unquote(found.group()) for found in re.finditer(r'"(?:\\.|[^"\\])*"|\S+', line)]


class Step:
    def __init__(self, number, who, verb, rest):
        self.number, self.who, self.verb, self.rest = number, who, verb, rest
        self.expected = []


class Transcript:
    def __init__(self, path):
        self.path = path
        self.about = ""
        self.kiwi_only = False
        self.groups = []  # each a list of steps that are sent together, and then their replies
        self._parse()

    def _parse(self):
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        if not lines[0].startswith("about: "):
            raise SystemExit(f"{self.path}:1: want 'about: ...'")
        self.about = lines[0][len("about: "):]
        waiting = []  # lines of replies of the current group
        for number, line in enumerate(lines[1:], 2):
            if line == "kiwi-only":
                self.kiwi_only = True
            elif not line.strip() or line.startswith("#"):
                continue
            elif _COMMAND.match(line):
                step = Step(number, **_COMMAND.match(line).groupdict())
                if self.groups and not waiting and self._joins(self.groups[-1][-1], step):
                    self.groups[-1].append(step)
                else:
                    self._assign(waiting)
                    self.groups.append([step])
                    waiting = []
            else:
                waiting.append((number, line))
        self._assign(waiting)

    @staticmethod
    def _joins(before, step):
        return before.who == step.who and {before.verb, step.verb} <= {"", "inline"}

    def _assign(self, lines):
        if self.groups:
            self.groups[-1][0].expected = lines

    def run(self, connect):
        """`connect()` gives a new Connection. Raises Mismatch with the line."""
        player = _Player(self, connect)
        try:
            for group in self.groups:
                player.play(group)
        finally:
            player.close()


class _Player:
    def __init__(self, transcript, connect):
        self.transcript = transcript
        self.connect = connect
        self.connections = {}

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def connection(self, who):
        if who not in self.connections:
            self.connections[who] = self.connect()
        return self.connections[who]

    def drop(self, who):
        self.connections.pop(who).close()

    def fail(self, step, message):
        raise Mismatch(f"{self.transcript.path}:{step.number}: {message}")

    def play(self, group):
        step = group[0]
        try:
            lines = self.answer(group)
        except (ConnectionLost, TimedOut, resp.ProtocolError) as error:
            self.fail(step, f"{step.who}>{step.verb} {step.rest}: {type(error).__name__}: {error}")
        problem = compare(step.expected, lines)
        if problem:
            wanted = "\n".join("    " + line for _, line in step.expected)
            got = "\n".join("    " + line for line in lines)
            sent = "\n".join(f"{s.who}>{s.verb} {s.rest}" for s in group)
            self.fail(step, f"{problem}\n{sent}\n  wanted\n{wanted}\n  got\n{got}")

    def answer(self, group):
        step = group[0]
        connection = self.connection(step.who)
        if step.verb in ("", "inline"):
            connection.send_raw(b"".join(self.encode(s) for s in group))
            return [line for _ in group for line in render(connection.read_reply(REPLY_TIMEOUT))]
        if step.verb == "raw":
            connection.send_raw(unquote(step.rest))
            # As many replies as there are complete ones among the expected lines: one per line that is no
            # continuation of an aggregate.
            replies = sum(1 for _, line in step.expected if not re.match(r"\s|[2-9]\d*[)#~] |\.\.\.", line))
            return [line for _ in range(replies) for line in render(connection.read_reply(REPLY_TIMEOUT))]
        if step.verb == "closed":
            connection.wait_closed(REPLY_TIMEOUT)
            self.drop(step.who)
            return []
        if step.verb == "close":
            self.drop(step.who)
            return []
        if step.verb == "sorted":
            reply = connection.call(*split_command(step.rest), timeout=REPLY_TIMEOUT)
            return render(sorted(reply) if isinstance(reply, list) else reply)
        if step.verb == "scan":
            return render(self.scan(step, connection))
        if step.verb == "within":
            return self.within(step, connection)
        return self.fail(step, f"unknown verb '>{step.verb}'")

    def encode(self, step):
        if step.verb == "inline":
            return step.rest.encode("utf-8") + b"\r\n"
        return resp.encode(*split_command(step.rest))

    def scan(self, step, connection):
        keys, cursor = set(), b"0"
        for _ in range(10000):
            reply = connection.call("SCAN", cursor, *split_command(step.rest), timeout=REPLY_TIMEOUT)
            if isinstance(reply, resp.Error):
                return reply
            cursor = reply[0]
            keys.update(reply[1])
            if cursor == b"0":
                return sorted(keys)
        return self.fail(step, "SCAN does not come to an end")

    def within(self, step, connection):
        seconds, command = step.rest.split(" ", 1)
        deadline = time.monotonic() + float(seconds)
        while True:
            lines = render(connection.call(*split_command(command), timeout=REPLY_TIMEOUT))
            if not compare(step.expected, lines) or time.monotonic() >= deadline:
                return lines
            time.sleep(0.01)


def compare(expected, lines):
    """None when the lines fit, else what is wrong."""
    position = 0
    for index, (number, pattern) in enumerate(expected):
        if pattern.strip() == "...":
            following = expected[index + 1:]
            if not following:
                return None
            position = max(position, len(lines) - len(following))
            continue
        if position >= len(lines):
            return f"line {number}: nothing more came"
        if not fits(pattern, lines[position]):
            return f"line {number}: does not fit"
        position += 1
    return None if position == len(lines) else "more came than expected"


def fits(pattern, line):
    regex, position, ranges = "", 0, []
    for hole in _HOLE.finditer(pattern):
        regex += re.escape(pattern[position:hole.start()])
        position = hole.end()
        if hole.group() == "<any>":
            regex += ".*"
        elif hole.group(3) is not None:
            regex += f"(?:{hole.group(3)})"
        else:
            regex += r"(?P<n%d>-?\d+)" % len(ranges)
            low, high = hole.group(1), hole.group(2)
            ranges.append((int(low), int(high)) if low else None)
    found = re.fullmatch(regex + re.escape(pattern[position:]), line)
    if not found:
        return False
    return all(limit is None or limit[0] <= int(found.group(f"n{i}")) <= limit[1] for i, limit in enumerate(ranges))
