#!/usr/bin/python3
"""Requests without a pause while everything else changes: proxies are replaced (`weir restart-proxy`), the agent is killed,
rules change. No request may fail, none may be answered by a version that its rule does not name.

  soak.py [--requests 100000] [--upgrades 20] [--kills 20] [--changes 1000] [--idle 50]

Half of the load is `end-user: jason`, who gets v3 whatever happens; everybody else gets v2. Changes alter and move what stands beside
these rules: other conditions before them, mirrors, headers, names, other services. Besides, --idle connections are each used once a
second, so that a connection that was idle while its proxy was replaced is tried too. Exit code 1: a request failed, or
the load ended before everything was done to it."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import harness  # noqa: E402
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service  # noqa: E402

VIP = "10.96.80.1"
TARGET = f"{VIP}:80"
ENDPOINTS = {"v2": "127.9.2.1", "v3": "127.9.3.1"}


def service_files():
    pods = [(f"app-{v}", ip) for v, ip in ENDPOINTS.items()]
    return [service("app", VIP, [("http", 80, 8080)]), *(pod(name, ip, {"version": name[-2:]}) for name, ip in pods),
            endpoint_slice("app", pods, [("http", 8080)]), destination_rule("app", {v: {"version": v} for v in ENDPOINTS})]


def rule(number):
    """Another rule each time, of the same meaning for jason and for everybody else."""
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [destination("app", "v3")]}
    others = {"route": [destination("app", "v2")]}
    variant = number % 5
    before = []
    if variant == 1:
        before = [{"match": [{"headers": {"x-nobody": {"exact": f"sends-{number}"}}}], "route": [destination("app", "v3")]}]
    elif variant == 2:
        jason["match"] = [{"headers": {"end-user": {"regex": "jason"}}}]
    elif variant == 3:
        others["headers"] = {"request": {"set": {"x-number": str(number)}}}
    elif variant == 4:
        jason["timeout"] = f"{10 + number % 7}s"
    return virtual_service("app", [*before, jason, others])


class Soak:
    """`say`: where progress goes, or None."""

    def __init__(self, world, say=None):
        self.world, self.say = world, say
        self.loads = []
        self.done = {"upgrades": 0, "kills": 0, "changes": 0}

    def start(self):
        self.origin = self.world.spawn(
            [os.path.join(harness.TOOLS, "http_origin"),
             *(part for v, ip in ENDPOINTS.items() for part in ("--serve", f"{v}@{ip}:8080"))],
            stdin=subprocess.PIPE)
        if self.origin.popen.stdout.readline() != "ready\n":
            raise AssertionError("http_origin did not start")
        self.world.write("app.yaml", *service_files())
        self.world.write("rule.yaml", rule(0))
        self.world.start_agent()
        argv = self._argv("--requests", "40", "--connections", "2")

        def routed():
            done = subprocess.run(["nsenter", f"--net=/run/netns/{self.world.netns}", *argv], capture_output=True, text=True,
                                  check=False, preexec_fn=self._join_clients)
            return done.returncode == 0 and json.loads(done.stdout)["failed"] == 0
        harness.wait_for(routed, "jason and the others are told apart")

    def _join_clients(self):
        with open(os.path.join(self.world.clients, "cgroup.procs"), "w", encoding="ascii") as procs:
            procs.write("0")

    @staticmethod
    def _argv(*options):
        return [os.path.join(harness.TOOLS, "http_load"), TARGET, "--host", "app", "--percent", "50", "--header", "end-user: jason",
                "--version", "v2", "--special-version", "v3", *options]

    def load(self, *options):
        process = harness.Process(self._argv("--until-eof", *options), netns=self.world.netns, cgroup=self.world.clients,
                                  stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.world.processes.append(process)
        if process.popen.stderr.readline() != "started\n":
            raise AssertionError("http_load did not start")
        self.loads.append(process)

    def finish(self):
        """All loads' counts, added up."""
        total = {"total": 0, "failed": 0, "errors": {}, "by_version": {}}
        for process in self.loads:
            counts = json.loads(process.popen.communicate(timeout=60)[0])
            for key in ("total", "failed"):
                total[key] += counts[key]
            for key in ("errors", "by_version"):
                for name, number in counts[key].items():
                    total[key][name] = total[key].get(name, 0) + number
        return total

    # ------------------------------------------------------------ what is done to it

    def upgrade(self):
        self.world.weir("restart-proxy")

    def kill_agent(self):
        self.world.stop_agent(signal.SIGKILL)
        self.world.start_agent()

    def change(self):
        """Waits until the kernel and the proxy have it."""
        self.world.weir("apply", "-f", self.world.outside("rule.yaml", rule(self.done["changes"] + 1)))

    def run(self, upgrades, kills, changes):
        """Spread over each other: between two changes an upgrade or a kill, when one is due."""
        steps = max(upgrades, kills, changes, 1)
        for step in range(steps):
            for what, number, act in (("changes", changes, self.change), ("upgrades", upgrades, self.upgrade),
                                      ("kills", kills, self.kill_agent)):
                while self.done[what] * steps < number * (step + 1) and self.done[what] < number:
                    act()
                    self.done[what] += 1
            if self.say and step % max(1, steps // 20) == 0:
                print(f"soak: {self.done}", file=self.say, flush=True)


def _soak(world, arguments):
    soak = Soak(world, sys.stderr)
    soak.start()
    # The soak lasts until everything was done and the load has sent its requests, whichever is later. The rate leaves time
    # to what is done besides.
    soak.load("--connections", "16", "--rate", "2000")
    soak.load("--connections", str(arguments.idle), "--rate", str(arguments.idle))
    started = time.monotonic()
    soak.run(arguments.upgrades, arguments.kills, arguments.changes)
    top_up = soak._argv("--requests", str(arguments.requests), "--connections", "16")
    counts = soak.finish()
    while counts["total"] < arguments.requests and not counts["failed"]:
        print(f"soak: {counts['total']} requests so far", file=sys.stderr)
        done = harness.Process(top_up, netns=world.netns, cgroup=world.clients)
        more = json.loads(done.popen.communicate(timeout=600)[0])
        counts = {**counts, "total": counts["total"] + more["total"], "failed": counts["failed"] + more["failed"]}
    misrouted = counts["errors"].get("misrouted", 0)
    print(f"{counts['total']} requests through {soak.done['upgrades']} proxy upgrades, {soak.done['kills']} kill -9 of the agent and "
          f"{soak.done['changes']} configuration changes in {time.monotonic() - started:.0f} s: {counts['failed'] - misrouted} failed, "
          f"{misrouted} misrouted")
    if counts["failed"]:
        print(counts["errors"], file=sys.stderr)
    return 1 if counts["failed"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("requests", 100000), ("upgrades", 20), ("kills", 20), ("changes", 1000), ("idle", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    harness.enter_private_world()
    world = harness.World()
    try:
        sys.exit(_soak(world, arguments))
    except AssertionError as error:
        if os.path.exists(world.log):
            noted = [line for line in world.read_log().splitlines() if " info generation " not in line and ": split by " not in line]
            print("\n".join(noted[-80:]), file=sys.stderr)
        print(f"soak: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        world.close()


if __name__ == "__main__":
    main()
