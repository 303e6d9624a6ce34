"""Ten thousand services of ten endpoints: how long the table and the kernel take, and one changed weight."""

import os
import statistics
import struct
import sys
import time

import harness
from pinned_map import PinnedMap

# struct split of bpf/abi.h: 120 bytes, 20 forks of 8, 20 destinations of 32 that begin with `last`.
DESTINATIONS_AT = 120 + 20 * 8
SPLIT_SIZE = DESTINATIONS_AT + 20 * 32
NAME_AT, NAME_SIZE = 56, 64

SERVICE = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: s{i}
spec:
  hosts: [s{i}.bench]
  addresses: [{vip}]
  resolution: STATIC
  ports:
  - {{number: 80, name: http, protocol: HTTP, targetPort: 8080}}
  endpoints:
{endpoints}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: s{i}
spec:
  host: s{i}.bench
  subsets:
  - name: v1
    labels: {{version: v1}}
  - name: v2
    labels: {{version: v2}}
"""

RULE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: s{i}
spec:
  hosts:
  - s{i}.bench
  http:
  - route:
    - destination:
        host: s{i}.bench
        subset: v1
      weight: {weight}
    - destination:
        host: s{i}.bench
        subset: v2
      weight: {rest}
"""


def _endpoints(i):
    return "".join(f"  - {{address: 10.{200 + i // 65536}.{i // 256 % 256}.{i % 256}, labels: {{version: v{1 + e % 2}}}, "
                   f"ports: {{http: {8080 + e}}}}}\n" for e in range(10))


def _rule(folder, i, weight):
    path = os.path.join(folder, f"rule-{i:05}.yaml")
    with open(path + "~", "w", encoding="ascii") as file:
        file.write(RULE.format(i=i, weight=weight, rest=100 - weight))
    return path


def _generate(folder, services):
    """One file a rule, a hundred services a file."""
    for first in range(0, services, 100):
        with open(os.path.join(folder, f"services-{first:05}.yaml"), "w", encoding="ascii") as file:
            file.write("---\n".join(SERVICE.format(i=i, vip=f"10.100.{i // 256}.{i % 256}", endpoints=_endpoints(i))
                                    for i in range(first, min(first + 100, services))))
    for i in range(services):
        path = _rule(folder, i, 90)
        os.rename(path + "~", path)


def _split_ids(splits):
    """{service number: split id}"""
    ids = {}
    for key, value in splits.items():
        name = value[NAME_AT:NAME_AT + NAME_SIZE].split(b"\0")[0].decode()
        number = name.split("/")[1].split(".")[0][1:]
        ids[int(number)] = key
    return ids


def _change(world, splits, split_id, i, weight):
    """Milliseconds from the file's rename to the element in the kernel."""
    path = _rule(world.config, i, weight)
    before = splits.get(split_id)[:8]
    start = time.perf_counter()
    os.rename(path + "~", path)
    while splits.get(split_id)[:8] == before:
        if time.perf_counter() - start > 10:
            raise AssertionError(f"no change of s{i} in the kernel after 10 s")
    took = (time.perf_counter() - start) * 1000
    # The first destination's last point says that it is this change.
    last = struct.unpack_from("<I", splits.get(split_id), DESTINATIONS_AT)[0]
    if abs(last / 2**32 - weight / 100) > 1e-6:
        raise AssertionError(f"s{i}: weight {weight} wanted, {last / 2**32:.4f} of the points found")
    return took


def _quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def run(world, quick):
    services = 1000 if quick else 10000
    changes = 30 if quick else 200
    began = time.perf_counter()
    _generate(world.config, services)
    print(f"bench: scale: {services} services written in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    began = time.perf_counter()
    world.start_agent(timeout=120)
    ready = time.perf_counter() - began
    first = world.status()["last_apply"]
    splits = PinnedMap(os.path.join(world.bpffs, "maps", "splits"), SPLIT_SIZE)
    ids = _split_ids(splits)
    if len(ids) != services:
        raise AssertionError(f"{len(ids)} splits in the kernel, {services} wanted")
    took, beyond = [], []
    for step in range(changes):
        i = step * 7919 % services
        took.append(_change(world, splits, ids[i], i, 10 + step % 80))
        # As seen from outside, less what the agent waited for more changes.
        beyond.append(took[-1] - world.status()["last_apply"]["debounce_us"] / 1000)
    splits.close()
    world.stop_agent()
    began = time.perf_counter()
    world.start_agent(timeout=120)
    again = time.perf_counter() - began
    cached = world.status()["last_apply"]["read_us"] / 1000
    return _report(services, changes, (ready, first), (again, cached), (took, beyond))


def _report(services, changes, cold, warm, changed):
    ready, first = cold
    again, cached = warm
    took, beyond = changed
    build, write, whole = (first[part] / 1000 for part in ("build_us", "write_us", "kernel_us"))
    p99, whole_p99 = _quantile(beyond, 0.99), _quantile(took, 0.99)
    text = [f"## {services:,} services of 10 endpoints", "",
            "| what | result |", "|---|---:|",
            f"| start of the agent to ready, reading {services + services // 100:,} files included | {ready:.2f} s |",
            f"| of which reading the files | {first['read_us'] / 1000:.0f} ms |",
            f"| the next start, with the objects of all files from the cache | {again:.2f} s |",
            f"| of which reading the files | {cached:.0f} ms |",
            f"| table build | {build:.0f} ms |", f"| kernel write, {first['operations']:,} operations | {write:.1f} ms |",
            f"| with the images, the places and remembering what was written | {whole:.1f} ms |",
            f"| one weight changed: rename of the file to the element in the kernel, debounce included ({changes} changes) | "
            f"p50 {statistics.median(took):.1f} ms, p99 {_quantile(took, 0.99):.1f} ms |",
            f"| of which after the debounce | p50 {statistics.median(beyond):.2f} ms, p99 {p99:.2f} ms |", ""]
    return text, [("reading from the cache <= 0.3 of reading all files", cached <= 0.3 * first["read_us"] / 1000,
                   f"{cached:.0f} ms of {first['read_us'] / 1000:.0f} ms"),
                  ("table build <= 1 s", build <= 1000, f"{build:.0f} ms"),
                  ("kernel write <= 100 ms", write <= 100, f"{write:.1f} ms"),
                  ("one weight change, from the file's rename to the element in the kernel, p99 <= 10 ms", whole_p99 <= 10,
                   f"{whole_p99:.2f} ms")]
