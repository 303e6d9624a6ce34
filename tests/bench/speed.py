"""What the way costs: a one-request connection, connections a second with eight threads, a round trip on an open one.
Rounds are interleaved (one of each way after the other), so that whatever disturbs the machine disturbs all of them."""

import os
import statistics
import sys

import peers

TARGETS = {"connection": 1.04, "rate": 0.95}


def spread(values, digits):
    """Median and quartiles: "61.2 (60.8..62.0)"."""
    if len(values) < 4:
        low, high = min(values), max(values)
    else:
        low, _, high = statistics.quantiles(values, n=4)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def _measure_one(peer, quick):
    """One round of one way: microseconds a connection, connections a second, microseconds a round trip."""
    n = 500 if quick else 2000
    # One connection at a time: all on one CPU, so that the scheduler's choice of CPUs is no part of the figure.
    peer.pin({0})
    one = peer.measure(n, "--cpu", "0", "--timeout-ms", "0", "--warm-up", "50")
    trips = peer.round_trips(2 * n, "--cpu", "0", "--timeout-ms", "0")
    peer.pin(set(range(os.cpu_count())))
    many = peer.measure(8 * n, "--threads", "8", "--timeout-ms", "0", "--warm-up", "50")
    for counts in (one, many, trips):
        if counts["failed"]:
            raise AssertionError(f"{peer.name}: {counts['errors']}")
    return {"connection": one["elapsed_us"] / one["total"], "rate": many["connections_per_s"],
            "trip": trips["latency_us"]["p50"]}


def _table(rounds, skipped):
    lines = ["| way | connection, us | against direct | connections/s, 8 threads | against direct | round trip p50, us | against direct |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    direct = rounds["direct"]
    for name, measured in rounds.items():
        cells = []
        for key, digits in (("connection", 1), ("rate", 0), ("trip", 2)):
            values = [m[key] for m in measured]
            ratios = [m[key] / d[key] for m, d in zip(measured, direct)]
            cells += [spread(values, digits), spread(ratios, 3)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += [f"| {name} | skipped: {why} | | | | | |" for name, why in skipped]
    return lines


def verdicts(rounds):
    """The targets and whether they were met."""
    direct, weir = rounds["direct"], rounds["weir"]

    def median_ratio(key):
        return statistics.median(w[key] / d[key] for w, d in zip(weir, direct))
    connection, rate, trip = median_ratio("connection"), median_ratio("rate"), median_ratio("trip")
    return [("one-request connection against direct <= 1.04", connection <= TARGETS["connection"], f"{connection:.3f}"),
            ("connections/s, 8 threads, against direct >= 0.95", rate >= TARGETS["rate"], f"{rate:.3f}"),
            ("round trip of an open connection = direct (within 3 %)", abs(trip - 1) <= 0.03, f"{trip:.3f}")]


def run(world, quick):
    ways, skipped = [], []
    for kind in peers.ALL:
        why = kind.missing()
        if why:
            skipped.append((kind.name, why))
        else:
            ways.append(kind(world))
    for way in ways:
        way.wait_up()
    rounds = {way.name: [] for way in ways}
    number = 5 if quick else 25
    for index in range(number):
        # Each round begins with another way: no way always runs right after the same neighbour.
        for way in ways[index % len(ways):] + ways[:index % len(ways)]:
            rounds[way.name].append(_measure_one(way, quick))
        print(f"bench: speed: round {index + 1} of {number}", file=sys.stderr)
    text = ["## Cost of a connection", "",
            f"Median (quartiles) of {number} interleaved rounds; a connection is socket() to close() with one HTTP request; ratios are taken round by round. "
            "One connection at a time: client, server and proxy share one CPU; eight threads: they share all.",
            "", *_table(rounds, skipped), ""]
    return text, verdicts(rounds)
