"""RESP2 and RESP3 as values and back. Strict: anything that is not RESP raises ProtocolError."""


class ProtocolError(Exception):
    pass


class Simple(str):
    """+OK"""


class Error(str):
    """-ERR text; `code` is its first word."""

    @property
    def code(self):
        return self.split(" ", 1)[0]


class Double(str):
    """,3.14 as it was written"""


class Verbatim(bytes):
    """=15\\r\\ntxt:..."""


class NilArray:
    """*-1, which RESP2 has beside the nil string"""

    def __eq__(self, other):
        return isinstance(other, NilArray)

    def __repr__(self):
        return "NilArray()"


class Map(list):
    """%: a list of (key, value)"""


class Set(list):
    """~"""


class Push(list):
    """>"""


def text(data):
    return data.decode("utf-8", "surrogateescape")


def encode(*args):
    """One command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode("utf-8", "surrogateescape")
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def _number(line):
    try:
        return int(line)
    except ValueError:
        raise ProtocolError(f"not a number: {line!r}") from None


def decode(buffer, start=0):
    """The reply that begins at `start` and the offset behind it, or None when more bytes are needed."""
    end = buffer.find(b"\r\n", start)
    if end < 0:
        return None
    kind, line, after = bytes(buffer[start:start + 1]), bytes(buffer[start + 1:end]), end + 2
    if kind == b"+":
        return Simple(text(line)), after
    if kind == b"-":
        return Error(text(line)), after
    if kind == b":":
        return _number(line), after
    if kind == b",":
        return Double(text(line)), after
    if kind == b"(":
        return _number(line), after
    if kind == b"_":
        return None, after
    if kind == b"#":
        if line not in (b"t", b"f"):
            raise ProtocolError(f"not a boolean: {line!r}")
        return line == b"t", after
    if kind in b"$=" and kind:
        return _decode_bulk(buffer, kind, _number(line), after)
    if kind in b"*%~>" and kind:
        return _decode_aggregate(buffer, kind, _number(line), after)
    raise ProtocolError(f"not a reply: {bytes(buffer[start:start + 40])!r}")


def _decode_bulk(buffer, kind, size, start):
    if size == -1:
        return None, start
    end = start + size
    if len(buffer) < end + 2:
        return None
    if buffer[end:end + 2] != b"\r\n":
        raise ProtocolError("a bulk string is longer than it says")
    data = bytes(buffer[start:end])
    return (Verbatim(data) if kind == b"=" else data), end + 2


def _decode_aggregate(buffer, kind, count, start):
    if count == -1:
        return NilArray(), start
    items, offset = [], start
    for _ in range(count * 2 if kind == b"%" else count):
        found = decode(buffer, offset)
        if found is None:
            return None
        items.append(found[0])
        offset = found[1]
    if kind == b"%":
        return Map(zip(items[::2], items[1::2])), offset
    return {b"*": list, b"~": Set, b">": Push}[kind](items), offset
