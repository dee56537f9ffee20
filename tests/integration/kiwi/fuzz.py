"""A random stream of data commands over few keys, so that they meet; some arguments are odd on purpose.

DBSIZE and RANDOMKEY are left out: Redis still counts keys whose time has passed until it happens to remove them.
So is OBJECT REFCOUNT, which shows that Redis shares small integers.
"""

KEYS = ["a", "b", "c", "d", "{t}e", "", b"\x00\xff\r\n", "number", "float", "expiring"]
NUMBERS = ["0", "1", "-1", "5", "-7", "10", "42", "100", "9223372036854775807", "-9223372036854775808",
           "9223372036854775806", "4611686018427387904"]
ODD_NUMBERS = ["", "abc", "1.5", " 1", "1 ", "+1", "01", "-0", "9223372036854775808", "1e3", "0x10", "nan",
               b"1\x00"]
FLOATS = ["0.1", "-0.1", "1", "3.0", "2.5e3", "1e-5", "10.25", "-1000000.5", "0", "123456789.125", "5e-324"]
VALUES = ["", "v", "value", "hello world", "x" * 50, "y" * 200, b"\x00\r\n\xfe\"\\", "ohmytext", "mynewtext"]
PATTERNS = ["*", "?", "[a-c]", "[^a]", "*e*", "n*", "\\a", "{t}*", "[", "", "[a-", "**b**", "a?*"]
FAR_SECONDS = ["33177117420", "40000000000"]
FAR_MILLISECONDS = ["33177117420123", "40000000000999"]


class CommandSource:
    def __init__(self, rng):
        self.rng = rng
        self.makers = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("make_")]

    def next(self):
        command = list(self.rng.choice(self.makers)())
        chance = self.rng.random()
        if chance < 0.01 and len(command) > 1:
            command.pop()
        elif chance < 0.02:
            command.append(self.rng.choice(["NX", "extra", "GET", "0"]))
        elif chance < 0.04 and isinstance(command[0], str):
            command[0] = command[0].lower()
        return command

    def pick(self, *kinds):
        return self.rng.choice([item for kind in kinds for item in kind])

    def key(self):
        return self.rng.choice(KEYS)

    def value(self):
        return self.pick(VALUES, NUMBERS, ODD_NUMBERS, FLOATS)

    def number(self):
        return self.pick(NUMBERS, NUMBERS, NUMBERS, ODD_NUMBERS)

    def small(self):
        return self.rng.choice(["0", "1", "2", "3", "5", "10", "-1", "-2", "-5", "100", "-100", "x", "1000"])

    def no_short_time(self):
        """A relative time that is far away, past, too large, or no number: a near one would be a race."""
        return self.pick(["0", "-1", "100000000", "9223372036854775807", "-9223372036854775808",
                          "4611686018427387904"], ODD_NUMBERS[:5], ["9223372036854775808", "nan"])

    def expiry(self):
        return self.rng.choice([
            ("EX", "100000"), ("PX", "100000000"), ("EXAT", self.pick(FAR_SECONDS)),
            ("PXAT", self.pick(FAR_MILLISECONDS)), ("PXAT", "1"), ("EXAT", "1"), ("EX", "0"), ("PX", "-5"),
            ("EX", self.no_short_time()), ("EX",), ("ex", "100000"), ("EX", "9223372036854775807"),
            ("PX", "9223372036854775807")])

    def make_set(self):
        options = []
        for chance, option in ((0.25, self.expiry), (0.15, lambda: ("NX",)), (0.15, lambda: ("XX",)),
                               (0.15, lambda: ("GET",)), (0.15, lambda: ("KEEPTTL",)), (0.02, lambda: ("nosuch",))):
            if self.rng.random() < chance:
                options.append(option())
        self.rng.shuffle(options)
        return ("SET", self.key(), self.value(), *(word for option in options for word in option))

    def make_set_number(self):
        return ("SET", self.rng.choice(["number", "float"]), self.pick(NUMBERS, FLOATS))

    def make_read(self):
        return (self.rng.choice(["GET", "STRLEN", "TYPE", "EXISTS", "GET"]), self.key())

    def make_get_and(self):
        name = self.rng.choice(["GETSET", "GETDEL", "GETEX", "GETEX"])
        if name == "GETSET":
            return name, self.key(), self.value()
        if name == "GETDEL":
            return name, self.key()
        return (name, self.key(), *self.rng.choice([(), ("PERSIST",), self.expiry(), ("KEEPTTL",),
                                                    ("PERSIST", "EX", "10")]))

    def make_set_expiring(self):
        name = self.rng.choice(["SETEX", "PSETEX"])
        return name, "expiring", self.no_short_time(), self.value()

    def make_setnx(self):
        return "SETNX", self.key(), self.value()

    def make_mset(self):
        pairs = [word for _ in range(self.rng.randint(1, 4)) for word in (self.key(), self.value())]
        if self.rng.random() < 0.05:
            pairs.pop()
        return (self.rng.choice(["MSET", "MSETNX"]), *pairs)

    def make_many(self):
        name = self.rng.choice(["MGET", "DEL", "UNLINK", "EXISTS", "TOUCH", "MGET"])
        return (name, *(self.key() for _ in range(self.rng.randint(1, 4))))

    def make_append(self):
        return "APPEND", self.key(), self.rng.choice(VALUES)

    def make_setrange(self):
        offset = self.rng.choice(["0", "1", "3", "10", "60", "-1", "x", "33554432", "9223372036854775807"])
        return "SETRANGE", self.key(), offset, self.rng.choice(["", "z", "zzz"])

    def make_getrange(self):
        return self.rng.choice(["GETRANGE", "SUBSTR"]), self.key(), self.small(), self.small()

    def make_incr(self):
        name = self.rng.choice(["INCR", "DECR", "INCRBY", "DECRBY"])
        key = self.rng.choice(["number", "number", self.key()])
        return (name, key) if len(name) == 4 else (name, key, self.number())

    def make_incrbyfloat(self):
        return "INCRBYFLOAT", self.rng.choice(["float", "number", self.key()]), self.pick(FLOATS, FLOATS, ODD_NUMBERS)

    def make_lcs(self):
        options = [o for o in (("LEN",), ("IDX",), ("IDX",), ("MINMATCHLEN", self.small()), ("WITHMATCHLEN",))
                   if self.rng.random() < 0.3]
        return ("LCS", self.key(), self.key(), *(word for option in options for word in option))

    def make_rename(self):
        return self.rng.choice(["RENAME", "RENAMENX"]), self.key(), self.key()

    def make_copy(self):
        return ("COPY", self.key(), self.key(),
                *self.rng.choice([(), (), ("REPLACE",), ("DB", "0"), ("DB", "1"), ("DB", "0", "REPLACE"), ("nosuch",)]))

    def make_expire(self):
        name, time = self.rng.choice([
            ("EXPIRE", "100000"), ("PEXPIRE", "100000000"), ("EXPIREAT", self.pick(FAR_SECONDS)),
            ("PEXPIREAT", self.pick(FAR_MILLISECONDS)), ("EXPIRE", "0"), ("EXPIRE", self.no_short_time()),
            ("PEXPIREAT", self.number()), ("EXPIREAT", "1")])
        options = [o for o in ("NX", "XX", "GT", "LT", "nosuch") if self.rng.random() < 0.12]
        return (name, self.key(), time, *options)

    def make_ttl(self):
        return self.rng.choice(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST"]), self.key()

    def make_keys(self):
        return "KEYS", self.rng.choice(PATTERNS)

    def make_misc(self):
        return self.rng.choice([("ECHO", self.value()), ("PING", self.value()), ("NOSUCH", self.key(), self.value()),
                                ("SELECT", self.small()), ("OBJECT", "NOSUCH", self.key()),
                                ("COMMAND", "GETKEYS", "MSET", self.key(), "1", self.key(), "2"),
                                ("SCAN", "0", "MATCH", "nothing-fits", "COUNT", "1000")])

    def make_flush(self):
        if self.rng.random() < 0.1:
            return (self.rng.choice(["FLUSHALL", "FLUSHDB"]), *self.rng.choice([(), ("SYNC",), ("ASYNC",), ("x",)]))
        return self.make_set()
