"""Runs the benchmarks and prints one Markdown page; exit code 1 when a target was missed. See run.sh."""

import argparse
import os
import platform
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import exactness  # noqa: E402
import outside_bench  # noqa: E402
import peers  # noqa: E402
import proxy_bench  # noqa: E402
import routing_bench  # noqa: E402
import scale  # noqa: E402
import speed  # noqa: E402
from peers import harness  # noqa: E402

PARTS = {"exactness": exactness, "speed": speed, "scale": scale, "proxy": proxy_bench, "routing": routing_bench, "outside": outside_bench}


def _machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    versions = []
    for package in ("nftables", "haproxy", "nginx"):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            versions.append(f"{package} {done.stdout}")
    return (f"Linux {platform.release()}, {os.cpu_count()} CPUs ({model}); " + ", ".join(versions) + ". "
            f"Measured {time.strftime('%Y-%m-%d')} with `tests/bench/run.sh`.")


def _run(names, quick):
    pages, verdicts = [], []
    for name in names:
        world = harness.World()
        try:
            text, found = PARTS[name].run(world, quick)
        except Exception:
            if os.path.exists(world.log):
                print(world.read_log()[-4000:], file=sys.stderr)
            raise
        finally:
            world.close()
        pages += text
        verdicts += found
    return pages, verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, coarser")
    parser.add_argument("--out", help="write the page there too")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, by comma: " + ", ".join(PARTS))
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"--only {unknown[0]}: not one of {', '.join(PARTS)}")
    harness.enter_private_world()
    os.setpriority(os.PRIO_PROCESS, 0, -10)  # inherited by all ways alike: other work on the machine disturbs less
    pages, verdicts = _run(names, arguments.quick)
    head = ["# Benchmarks", "", _machine(), "", "| target | met | measured |", "|---|---|---:|",
            *(f"| {what} | {'yes' if met else '**no**'} | {measured} |" for what, met, measured in verdicts), ""]
    page = "\n".join(head + pages)
    print(page)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(page + "\n")
    # A quick run is too coarse to judge costs by: there only what must hold on any machine counts.
    judged = [v for v in verdicts if not arguments.quick or v[0] in exactness.ALWAYS]
    return 0 if all(met for _, met, _ in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
