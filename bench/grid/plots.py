"""Rates and latencies, one picture for each kind of operation and size."""
import os

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from tables import median  # noqa: E402

COLOURS = {"redis": "#888888", "kiwi-3": "#2b7a3d", "kiwi-1": "#8fc49b"}


def points(axes, results, cells, servers, field, scale):
    """On a logarithmic axis: places, not lengths, can be compared."""
    width = 0.6 / len(servers)
    for place, server in enumerate(servers):
        at = [x + (place - (len(servers) - 1) / 2) * width for x in range(len(cells))]
        heights = [scale * median(results[cell][server], field) for cell in cells]
        axes.plot(at, heights, "o", markersize=6, label=server, color=COLOURS.get(server))
        for x, y in zip(at, heights):
            axes.annotate(f"{y:,.3g}", (x, y), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=7)
    for x in range(1, len(cells)):
        axes.axvline(x - 0.5, color="#dddddd", linewidth=0.8)
    axes.set_xticks(range(len(cells)), [f"c={cell.clients}\nP={cell.pipeline}" for cell in cells])
    axes.set_xlim(-0.5, len(cells) - 0.5)
    axes.set_yscale("log")
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def draw(results, folder):
    """Returns the names of the files."""
    servers = list(next(iter(results.values())))
    names = []
    for kind in dict.fromkeys((cell.what, cell.value_bytes) for cell in results):
        cells = [cell for cell in results if (cell.what, cell.value_bytes) == kind]
        figure, (rates, latencies) = pyplot.subplots(1, 2, figsize=(4 + 1.6 * len(cells), 4.5), layout="constrained")
        points(rates, results, cells, servers, "rate", 0.001)
        rates.set_ylabel("thousand operations a second (log)")
        points(latencies, results, cells, servers, "p99", 0.001)
        latencies.set_ylabel("P99 in ms (log)")
        rates.legend(frameon=False, loc="upper left")
        figure.suptitle(f"{kind[0].upper()}, values of {kind[1]} B")
        name = f"{kind[0]}-{kind[1]}.png"
        figure.savefig(os.path.join(folder, name), dpi=110)
        pyplot.close(figure)
        names.append(name)
    return names
