"""How far real connections are off their shares."""

import sys

import peers

CASES = [("90/10", {"v1": 90, "v2": 10}), ("99/1", {"v1": 99, "v2": 1}), ("75/25", {"v1": 75, "v2": 25}),
         ("33/33/34", {"v1": 33, "v2": 33, "v3": 34})]

# Holds on any machine, however busy.
ALWAYS = ["never more than 2 connections off"]


def _off(by_version, weights):
    answered, total = sum(by_version.values()), sum(weights.values())
    return max(abs(by_version.get(v, 0) - answered * w / total) for v, w in weights.items())


def _rounds(n, quick):
    return max(1, min(5 if quick else 20, (1000 if quick else 10000) // n))


def run(world, quick):
    endpoints = {"v1": "10.1.0.1", "v2": "10.1.0.2", "v3": "10.1.0.3"}
    for ip in endpoints.values():
        world.add_address(ip)
    world.serve([("http", v, f"{ip}:{peers.ENDPOINT_HTTP}") for v, ip in endpoints.items()])
    sizes = [10, 100, 1000] + ([] if quick else [10000])
    lines = ["| split | threads | " + " | ".join(f"n = {n}" for n in sizes) + " |", "|---|---:|" + "---:|" * len(sizes)]
    worst = 0.0
    for name, weights in CASES:
        world.write("bench.yaml", *peers.split_objects(weights, endpoints))
        if world.agent is None:
            world.start_agent()
        target = f"{peers.VIP}:{peers.HTTP_PORT}"
        world.wait_split(target, weights, 500)
        for threads in (1, 8):
            cells = []
            for n in sizes:
                off = 0.0
                for _ in range(_rounds(n, quick)):
                    counts = world.connect(target, n, "--threads", str(threads))
                    if counts["failed"]:
                        raise AssertionError(f"{name}: {counts['errors']}")
                    off = max(off, _off(counts["by_version"], weights))
                cells.append(f"{off:.2f}")
                worst = max(worst, off)
            lines.append(f"| {name} | {threads} | " + " | ".join(cells) + " |")
        print(f"bench: exactness: {name}", file=sys.stderr)
    text = ["## Exactness", "", "The most that a version was off its share, in connections, over all rounds of n real connections.", "",
            *lines, ""]
    return text, [(ALWAYS[0], worst <= 2, f"{worst:.2f}")]
