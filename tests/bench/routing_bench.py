"""What rules and hosts cost: the last of many rules against the only one, and many different Hosts against one. All in one agent and
proxy, interleaved; CPU is the proxy's own (schedstat of its threads, softirqs that interrupt it included)."""

import glob
import os
import statistics
import subprocess
import sys

import http_ways
from http_ways import ENDPOINT_PORT, ENDPOINTS, PORT
from peers import harness
from speed import spread
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

RULES = 10000
HOSTS = 100000
NODE = "10.99.0.1"
# name: (VIP, what a request carries to meet the rule before the last, its path)
CASES = {"one header rule": ("one", "10.96.0.1", ("--header", "end-user: jason"), "/"),
         f"last of {RULES:,} header rules": ("hdr", "10.96.0.2", ("--header", "end-user: jason"), "/"),
         "one path prefix": ("pre", "10.96.0.3", (), "/jason/x"),
         f"last of {RULES:,} path prefixes": ("pfx", "10.96.0.4", (), "/jason/x")}

# Sends GETs /100 on one connection after the other: NUMBER different Hosts, or one, to ADDRESS. Says how many were answered 200.
ASK = """
import socket, sys
address, number, pattern = sys.argv[1], int(sys.argv[2]), sys.argv[3]
done = 0
for begin in range(0, number, 1000):
    with socket.create_connection((address, 80)) as peer:
        for at in range(begin, min(begin + 1000, number), 20):
            peer.sendall(b"".join(b"GET /100 HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (pattern % n if "%" in pattern else pattern).encode()
                                  for n in range(at, at + 20)))
            seen = b""
            while seen.count(b"HTTP/1.1 ") < 20 or len(seen) - seen.rindex(b"\\r\\n\\r\\n") < 104:  # bodies of 100 bytes
                more = peer.recv(65536)
                if not more:
                    sys.exit("closed")
                seen += more
            done += seen.count(b"HTTP/1.1 200")
print(done)
"""


def _rules(name, match, others):
    """`others` rules that nobody meets, one that the request meets, and the rest."""
    lines = "".join(f"  - {{match: [{match % f'u{i}'}], route: [{{destination: {{host: {name}, subset: v2}}}}]}}\n" for i in range(others))
    return ("---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name + "}\nspec:\n  hosts: [" + name +
            "]\n  http:\n" + lines + f"  - {{match: [{match % 'jason'}], route: [{{destination: {{host: {name}, subset: v3}}}}]}}\n"
            f"  - {{route: [{{destination: {{host: {name}, subset: v2}}}}]}}\n")


class Proxy(http_ways.Way):
    name = "Weir"

    def start(self):
        pods = [(f"bench-{v}", ip) for v, ip in ENDPOINTS.items()]
        self.world.write("pods.yaml", *(pod(name, ip, {"version": name[-2:]}) for name, ip in pods))
        for name, address, headers, _ in CASES.values():
            self.world.write(f"{name}.yaml", service(name, address, [("http", PORT, ENDPOINT_PORT)]),
                             endpoint_slice(name, pods, [("http", ENDPOINT_PORT)]),
                             destination_rule(name, {v: {"version": v} for v in ENDPOINTS}))
            match = "{headers: {end-user: {exact: %s}}}" if headers else "{uri: {prefix: /%s/}}"
            with open(os.path.join(self.world.config, f"{name}-rules.yaml"), "w", encoding="utf-8") as file:
                file.write(_rules(name, match, 0 if name in ("one", "pre") else RULES - 1))
        self.world.write("gateway.yaml", {
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "gw", "namespace": "default"},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
                {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*.example.com"]}]}},
            virtual_service("*.example.com", [{"route": [destination("one", "v3", port=PORT)]}], name="outside", gateways=["gw"]))
        self.world.start_agent("--proxy-threads", "1", "--gateway", "istio=ingressgateway", timeout=60)
        self.target = f"{CASES['one header rule'][1]}:{PORT}"

    def pids(self):
        with open(os.path.join(self.world.cgroup, "weir-proxy", "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]

    def proxy_us(self):
        total = 0
        for pid in self.pids():
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                with open(path, encoding="ascii") as file:
                    total += int(file.read().split()[0])
        return total / 1000

    def meet(self, case, requests):
        """Microseconds of the proxy's CPU for a request that meets the rule before the last."""
        name, address, headers, path = CASES[case]
        argv = [os.path.join(harness.TOOLS, "http_load"), f"{address}:{PORT}", "--host", name, "--path", path, "--requests", str(requests),
                "--connections", "32", "--percent", "100", *(headers or ("--header", "x-nothing: 1")), "--version", "v3",
                "--special-version", "v3"]
        before = self.proxy_us()
        client = harness.Process(argv, netns=self.client, cgroup=self.world.clients, stderr=subprocess.PIPE)
        out, err = client.popen.communicate(timeout=120)
        if client.popen.returncode != 0:
            raise AssertionError(f"{case}: {out} {err}")
        return (self.proxy_us() - before) / requests

    def ask(self, address, number, pattern, cgroup):
        """Microseconds of the proxy's CPU for a request, and how its resident memory grew, in MB."""
        before, memory = self.proxy_us(), self.resident_mb()
        client = harness.Process([sys.executable, "-c", ASK, address, str(number), pattern], netns=self.client, cgroup=cgroup,
                                 stderr=subprocess.PIPE)
        out, err = client.popen.communicate(timeout=300)
        if client.popen.returncode != 0 or int(out) != number:
            raise AssertionError(f"{pattern}: {out.strip()} of {number} answered: {err}")
        return (self.proxy_us() - before) / number, self.resident_mb() - memory


def _many_rules(proxy, quick):
    requests, rounds = (2000, 3) if quick else (20000, 11)
    found = {case: [] for case in CASES}
    for case in CASES:
        proxy.meet(case, 1000)
    for number in range(rounds):
        for case in CASES:
            found[case].append(proxy.meet(case, requests))
        print(f"bench: routing: round {number + 1} of {rounds}", file=sys.stderr)
    return found


def _many_hosts(proxy, quick):
    """{where: ([us, one Host], [us, many], [MB that many grew])}; each round's hosts are new ones."""
    number, rounds = (2000, 2) if quick else (HOSTS, 3)
    places = {"a service": ("10.96.0.1", "h{}-%d.nowhere.test", proxy.world.clients),
              "a wildcard gateway": (NODE, "h{}-%d.example.com", False)}
    found = {}
    for where, (address, pattern, cgroup) in places.items():
        one, many, grown = [], [], []
        proxy.ask(address, 2000, pattern.format("x").replace("%d", "0"), cgroup)
        for turn in range(rounds):
            one.append(proxy.ask(address, number, pattern.format("x").replace("%d", "0"), cgroup)[0])
            cost, memory = proxy.ask(address, number, pattern.format(turn), cgroup)
            many.append(cost)
            grown.append(memory)
        found[where] = one, many, grown
        print(f"bench: routing: hosts at {where}", file=sys.stderr)
    return number, found


def _ratio(found, case, base):
    return statistics.median(a / b for a, b in zip(found[case], found[base]))


def run(_world, quick):
    proxy = Proxy()
    try:
        found = _many_rules(proxy, quick)
        number, hosts = _many_hosts(proxy, quick)
    finally:
        proxy.close()
    names = list(CASES)
    text = ["## Rules and hosts", "", "One agent and proxy; a request's CPU is the proxy's own.", "",
            "| a request that meets | us of CPU |", "|---|---:|", *(f"| {case} | {spread(found[case], 2)} |" for case in names), "",
            f"| {number:,} different Hosts at | us of CPU, one Host | us of CPU, all different | resident memory grows by, MB |",
            "|---|---:|---:|---:|",
            *(f"| {where} | {spread(one, 2)} | {spread(many, 2)} | {', '.join(f'{mb:.1f}' for mb in grown)} |"
              for where, (one, many, grown) in hosts.items()), ""]
    verdicts = []
    for base, case in ((names[0], names[1]), (names[2], names[3])):
        ratio = _ratio(found, case, base)
        verdicts.append((f"{case}: CPU of a request <= 1.10 of {base}'s", ratio <= 1.10, f"{ratio:.2f}"))
    for where, (one, many, grown) in hosts.items():
        ratio = statistics.median(a / b for a, b in zip(many, one))
        verdicts.append((f"{number:,} Hosts at {where}: CPU <= 1.2 of one's", ratio <= 1.2, f"{ratio:.2f}"))
        verdicts.append((f"{number:,} Hosts at {where}: memory grows <= 8 MB", sum(grown) <= 8, f"{sum(grown):.1f} MB in {len(grown)} times"))
    return text, verdicts
