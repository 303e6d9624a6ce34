"""What a routed request costs: whole-machine CPU time, latency and memory, against HAProxy, nginx and Envoy with the same rule
in the same run. All of a way (client, proxy, endpoints) is on one CPU; rounds are interleaved."""

import os
import statistics
import sys

import http_ways
from speed import spread

SIZES = (100, 16384)
# (whose, against, size, at most this share of its cost)
COST_TARGETS = [("Weir, io_uring", "HAProxy", 100, 1 / 2), ("Weir, epoll", "HAProxy", 100, 1 / 1.4),
                ("Weir, io_uring", "HAProxy", 16384, 1 / 1.7), ("Weir, io_uring", "Envoy", 100, 1 / 4),
                ("Weir, epoll", "Envoy", 100, 1 / 2.7)]


def _cost(way, size, requests):
    """Microseconds of CPU a request, client's and endpoint's included."""
    before = way.cpu_us()
    way.load(requests, size)
    return (way.cpu_us() - before) / requests


def _interleaved(ways, rounds, measure, what):
    found = {way.name: [] for way in ways}
    for index in range(rounds):
        for way in ways[index % len(ways):] + ways[:index % len(ways)]:
            found[way.name].append(measure(way))
        print(f"bench: proxy: {what}: round {index + 1} of {rounds}", file=sys.stderr)
    return found


def _added(costs):
    """What each way adds to the direct one, round by round."""
    direct = costs["direct"]
    return {name: [value - base for value, base in zip(values, direct)] for name, values in costs.items() if name != "direct"}


def _costs(ways, quick):
    requests = {100: 2000 if quick else 5000, 16384: 1000 if quick else 2500}
    rounds = 3 if quick else 11
    for way in ways:
        way.load(2000)
    return {size: _interleaved(ways, rounds, lambda way, size=size: _cost(way, size, requests[size]), f"{size} bytes")
            for size in SIZES}


def _latencies(ways, quick):
    """p50 and p99 at a rate that HAProxy stands easily and every way that takes part can stand; the p50 of one connection."""
    capacity = {way.name: max(c["total"] / c["elapsed_us"] * 1e6 for c in (way.load(4000), way.load(4000))) for way in ways}
    rate = max(500, int(capacity.get("HAProxy", min(capacity.values())) * 0.4) // 500 * 500)
    able = [way for way in ways if capacity[way.name] > 1.3 * rate]
    rounds = 3 if quick else 11
    equal = _interleaved(able, rounds, lambda way: way.load(rate // 2 if quick else rate, rate=rate)["latency_us"], "equal load")
    one = _interleaved(ways, rounds, lambda way: way.load(1000, connections=1)["latency_us"]["p50"], "one connection")
    return rate, equal, one


def _cost_table(costs, skipped):
    lines = ["| way | 100 bytes, us of CPU | added to direct | 16 KiB, us of CPU | added to direct |", "|---|---:|---:|---:|---:|"]
    added = {size: _added(costs[size]) for size in SIZES}
    for name in costs[SIZES[0]]:
        cells = []
        for size in SIZES:
            cells += [spread(costs[size][name], 1), spread(added[size][name], 1) if name in added[size] else "-"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines + [f"| {name} | skipped: {why} | | | |" for name, why in skipped]


def _latency_table(ways, equal, one, memory, idle, held):
    lines = ["| way | p50, us | p99, us | one connection: p50, us | resident under load, MB | "
             f"with {held:,} idle connections, MB |",
             "|---|---:|---:|---:|---:|---:|"]
    for way in ways:
        name = way.name
        cells = ["too slow for it"] * 2
        if name in equal:
            cells = [spread([m[key] for m in equal[name]], 0) for key in ("p50", "p99")]
        cells.append(spread(one[name], 0))
        cells += [f"{memory[name]:.1f}" if name in memory else "-", idle.get(name, "-")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _idle(ways, connections):
    """{name: "MB" or why not}"""
    found = {}
    for way in ways:
        if not way.pids():
            continue
        try:
            found[way.name] = f"{way.idle_mb(connections):.1f}"
        except AssertionError as error:
            found[way.name] = f"failed: {error}"
        print(f"bench: proxy: idle: {way.name}", file=sys.stderr)
    return found


def _ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs) if b > 0)


def verdicts(costs, equal, one, memory, idle):
    found = []
    for name, against, size, limit in COST_TARGETS:
        added = _added(costs[size])
        if name in added and against in added:
            ratio = _ratio(added[name], added[against])
            found.append((f"{name}: CPU of a request ({size} bytes) <= 1/{1 / limit:.2g} of {against}'s", ratio <= limit,
                          f"1/{1 / ratio:.2f}" if ratio > 0 else "0"))
    for name in ("Weir, io_uring", "Weir, epoll"):
        if name not in memory:
            continue
        if "HAProxy" in equal and name in equal:
            p99 = _ratio([m["p99"] for m in equal[name]], [m["p99"] for m in equal["HAProxy"]])
            found.append((f"{name}: p99 at equal load <= HAProxy's", p99 <= 1, f"{p99:.2f}"))
            p50 = _ratio(one[name], one["HAProxy"])
            found.append((f"{name}: p50 of one connection <= HAProxy's", p50 <= 1, f"{p50:.2f}"))
        found.append((f"{name}: resident under load <= 20 MB", memory[name] <= 20, f"{memory[name]:.1f} MB"))
        held = idle.get(name, "failed")
        found.append((f"{name}: 10,000 idle connections <= 100 MB", not held.startswith("failed") and float(held) <= 100, held))
    return found


def _start(skipped):
    ways = []
    for kind in http_ways.ALL:
        why = kind.missing()
        if why:
            skipped.append((kind.name, why))
        else:
            ways.append(kind())
    return ways


def _measure(ways, skipped, quick):
    costs = _costs(ways, quick)
    memory = {way.name: way.resident_mb() for way in ways if way.pids()}
    rate, equal, one = _latencies(ways, quick)
    held = 2000 if quick else http_ways.IDLE_CONNECTIONS
    idle = _idle(ways, held)
    text = ["## Cost of a routed request", "",
            "32 keep-alive connections, heads of 450 bytes, every fourth request with `end-user: jason` for v3, the others for v2. "
            "Client, proxy and endpoints share one CPU, joined by veth. CPU time is that of all of them, softirqs included; "
            f"median (quartiles) of {len(costs[100]['direct'])} interleaved rounds, differences taken round by round.",
            "", *_cost_table(costs, skipped), "",
            f"Latency at {rate:,} requests/s (from the moment each was due), 100 bytes, {len(one['direct'])} rounds:", "",
            *_latency_table(ways, equal, one, memory, idle, held), ""]
    return text, verdicts(costs, equal, one, memory, idle)


def run(_world, quick):
    before, ways, skipped = os.sched_getaffinity(0), [], []
    os.sched_setaffinity(0, {max(before)})  # inherited by all that is started
    try:
        ways = _start(skipped)
        return _measure(ways, skipped, quick)
    finally:
        for way in ways:
            way.close()
        os.sched_setaffinity(0, before)
