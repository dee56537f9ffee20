"""A reply as the lines that redis-cli would show, so that transcripts read like a terminal."""
from . import resp

_NAMED = {0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}


def quoted(data):
    return '"' + "".join(_NAMED.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}") for b in data) + '"'


def render(reply):
    if isinstance(reply, resp.Error):
        return [f"(error) {reply}"]
    if isinstance(reply, resp.Double):
        return [f"(double) {reply}"]
    if isinstance(reply, str):
        return [str(reply)]
    if reply is None:
        return ["(nil)"]
    if isinstance(reply, resp.NilArray):
        return ["(nil array)"]
    if isinstance(reply, bool):
        return ["(true)" if reply else "(false)"]
    if isinstance(reply, int):
        return [f"(integer) {reply}"]
    if isinstance(reply, resp.Verbatim):
        return [f"(text) {quoted(reply)}"]
    if isinstance(reply, bytes):
        return [quoted(reply)]
    if isinstance(reply, resp.Map):
        return _numbered("#", [_pair(k, v) for k, v in reply], "(empty map)")
    if isinstance(reply, resp.Set):
        return _numbered("~", map(render, reply), "(empty set)")
    if isinstance(reply, resp.Push):
        return _numbered(">", map(render, reply), "(empty push)")
    return _numbered(")", map(render, reply), "(empty array)")


def _pair(key, value):
    lines = render(value)
    return [f"{render(key)[0]} => {lines[0]}"] + ["   " + line for line in lines[1:]]


def _numbered(mark, items, empty):
    lines = []
    for number, item in enumerate(items, 1):
        prefix = f"{number}{mark} "
        lines.append(prefix + item[0])
        lines += [" " * len(prefix) + line for line in item[1:]]
    return lines or [empty]
