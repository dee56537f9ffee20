"""What was measured, as Markdown."""
import statistics

from cells import FLOORS, GOALS


def median(runs, field):
    values = [run[field] for run in runs if run.get(field) is not None]
    return statistics.median(values) if values else None


def ratio(runs, reference):
    """Of each round, then the median: what the machine does besides touches both."""
    return statistics.median(a["rate"] / b["rate"] for a, b in zip(runs, reference))


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def cells_table(results, servers):
    """results: cell -> server's name -> runs."""
    rows = []
    for cell, by_server in results.items():
        for server in servers:
            runs = by_server[server]
            rows.append([f"{cell.title}, {server}", number(median(runs, "rate")),
                         number(ratio(runs, by_server["redis"]), 2)] +
                        [number(median(runs, field) / 1000, 2) for field in ("p50", "p99", "p999")] +
                        [number(median(runs, "cpu_us"), 1), number(median(runs, "switches"), 2),
                         number(median(runs, "syncs"), 3), number(median(runs, "write_amplification"), 1),
                         number(median(runs, "rss_mb"))])
    return table(["", "operations/s", "of redis", "P50 ms", "P99 ms", "P99.9 ms", "CPU us/op", "switches/op", "syncs/SET",
                  "bytes written per byte", "RSS MB"], rows)


def floors_table(results, server="kiwi-3"):
    rows = []
    for cell, by_server in results.items():
        key = (cell.what, cell.clients, cell.pipeline)
        if key in FLOORS and cell.value_bytes == 100:
            got = ratio(by_server[server], by_server["redis"])
            rows.append([cell.title, number(median(by_server["redis"], "rate")), number(median(by_server[server], "rate")),
                         number(got, 2), number(FLOORS[key], 2), number(GOALS[key], 2),
                         "goal" if got >= GOALS[key] else "floor" if got >= FLOORS[key] else "**missed**"])
    return table(["", "redis", server, "ratio", "floor", "goal", "reached"], rows)


def whole(report, results, common):
    machine = report["machine"]
    servers = list(next(iter(results.values())))
    text = (f"Taken by `scripts/bench.sh{' --quick' if report['quick'] else ''}` on {report['date']}: "
            f"{machine['processor']}, {machine['cores']} cores for servers and clients together, {machine['memory']}, Linux "
            f"{machine['kernel']}. Load before the run: {machine['load_before']:.2f}.\n"
            f"fdatasync of 4 KiB appended: median {report['fdatasync_us']['median']} us, P99 {report['fdatasync_us']['p99']} us. "
            f"{report['rounds']} rounds in turns, {report['seconds']} s each; medians. Ratios are medians of each round's.\n"
            "Redis has `appendfsync always` and is one node. CPU, switches and memory are sums over all nodes of a server; "
            "syncs are the leader's.\n\n")
    if common:
        text += "## By redis-benchmark, three nodes, 100 B\n\n" + floors_table(common) + "\n"
    text += "## By kiwi-load, three nodes, 100 B\n\n" + floors_table(results) + "\n"
    if report.get("etcd"):
        rounds = report["etcd"]
        text += ("## etcd, and Kiwi with as many connections\n\n`etcdctl check perf --load xl` (1,000 clients, keys of 256 bytes, "
                 f"values of 1 KiB, 60 s): {statistics.median(run['rate'] for run in rounds):,.0f} writes/s (median of "
                 f"{len(rounds)}); slowest request {max(run['slowest'] or 0 for run in rounds):.2f} s.\n\n")
        rows = [[title, number(statistics.median(run["kiwi"][title] for run in rounds)),
                 number(statistics.median(run["kiwi"][title] / run["rate"] for run in rounds), 1)]
                for title in rounds[0]["kiwi"]]
        text += table(["", "operations/s", "of etcd"], rows) + "\n"
    return text + "## All cells, by kiwi-load\n\n" + cells_table(results, servers)
