"""The cells of the grid: what is asked, by how many connections, how deep, how large."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Cell:
    what: str  # set, get, mix
    clients: int
    pipeline: int
    value_bytes: int

    @property
    def title(self):
        what = {"set": "SET", "get": "GET", "mix": "80 % GET"}[self.what]
        return f"{what} c={self.clients} P={self.pipeline} {self.value_bytes} B"


def whole_grid():
    return [Cell(what, clients, pipeline, value_bytes) for value_bytes in (100, 1024) for what in ("set", "get", "mix")
            for pipeline in (1, 16) for clients in (1, 50, 200)]


def quick_grid():
    """Those in which most is at stake."""
    return [Cell("set", 1, 1, 100), Cell("set", 50, 1, 100), Cell("set", 50, 16, 100), Cell("get", 50, 1, 100),
            Cell("get", 50, 16, 100), Cell("mix", 50, 1, 100)]


# As many connections as etcd's load generator has clients. Its keys have 256 bytes and its values 1 KiB, as its source says
# (etcdctl/ctlv3/command/check.go).
BESIDE_ETCD = [Cell("set", 1000, 1, 100), Cell("set", 1000, 1, 1024)]

# What must be reached by three nodes, as a share of one Redis that syncs every write: (what, clients, pipeline) -> ratio.
FLOORS = {("set", 1, 1): 0.45, ("set", 1, 16): 0.3, ("set", 50, 1): 0.6, ("set", 50, 16): 0.3, ("set", 200, 1): 0.6,
          ("set", 200, 16): 0.3, ("get", 50, 1): 0.7, ("get", 50, 16): 0.3, ("get", 200, 1): 0.7}
GOALS = {("set", 1, 1): 0.7, ("set", 1, 16): 0.6, ("set", 50, 1): 1.0, ("set", 50, 16): 0.8, ("set", 200, 1): 1.0,
         ("set", 200, 16): 0.8, ("get", 50, 1): 1.0, ("get", 50, 16): 0.8, ("get", 200, 1): 1.0}
