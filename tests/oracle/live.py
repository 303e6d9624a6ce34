#!/usr/bin/python3
"""Asks a running Weir what a real Istio was asked (../shared/corpus/oracle) and compares what came of it: status, endpoint,
method, path, headers and body as the endpoint saw them, response headers, attempts, mirrored copies, exact weights.

  live.py [FOLDER ...] [--stand-in] [--verbose]

A service without addresses cannot be caught at connect(): ServiceEntries with STATIC endpoints are given the address that their
host had in the oracle, as Istio's own DNS proxying would.

Requests at a gateway are asked in runs of their own: the agent takes the gateway's part at one interface of the node, the client
is a stranger behind it, and only endpoints have somebody who listens.

For each folder a network namespace in which every IPv4 address is local, an echo server at all of them, an agent with
`--http-split request --services all` on the folder's configuration, and a pod with a namespace of its own for each client. live_expected.txt
names what differs on purpose, request by request; anything else that differs makes the exit code 1.

--stand-in proves this harness without the product: what Istio's endpoint saw is sent straight to that endpoint, and must
compare as equal; and every such observation with one thing changed must not."""

import argparse
import copy
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import harness  # noqa: E402
import live_compare  # noqa: E402
import live_echo  # noqa: E402
from yaml_text import pod  # noqa: E402

CASES = os.path.join(harness.SHARED, "corpus", "oracle", "cases")
EXPECTED = os.path.join(HERE, "live_expected.txt")
MAX_TRIES = 100  # to meet one of several destinations
GATEWAY = "10.99.0.1"


class Expectations:
    """Lines of live_expected.txt; it says what they mean."""

    def __init__(self, path):
        self.folders, self.gateways, self.headers, self.reasons = [], [], {}, {"differ": {}, "either": {}, "skip": {}}
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, _, rest = line.strip().partition(" ")
                parts = [part.strip() for part in rest.split(" | ")]
                if word == "in" and len(parts) == 1:
                    self.folders.append(parts[0])
                elif word == "gateway" and len(parts) == 1:
                    self.gateways.append(parts[0])
                elif word == "header" and len(parts) == 2:
                    self.headers[parts[0]] = parts[1]
                elif word in self.reasons and len(parts) >= 3:
                    self.reasons[word][parts[0], " | ".join(parts[1:-1])] = parts[-1]
                elif word and not word.startswith("#"):
                    sys.exit(f"{path}: cannot read \"{line.strip()}\"")

    def why(self, word, folder, request):
        reasons = self.reasons[word]
        return reasons.get((folder, request)) or reasons.get((folder, "*"))


class Case:
    def __init__(self, name):
        self.name, self.folder = name, os.path.join(CASES, name)
        with open(os.path.join(self.folder, "requests.json"), encoding="utf-8") as file:
            requests = json.load(file)
        with open(os.path.join(self.folder, "answers.json"), encoding="utf-8") as file:
            answers = json.load(file)
        self.pairs = list(zip(requests, answers["answers"]))
        self.rejected = {(entry["kind"], entry["name"]) for entry in answers.get("rejected") or []}
        self.given = set()

    def copy_config(self, folder):
        """The configuration, but for the addresses that ServiceEntries are given and for what Istio's admission rejects."""
        dialled = {}
        for request, answer in self.pairs:
            address = answer["observed"][0].get("dialled", "").rsplit(":", 1)[0]
            if live_compare.is_dns(address):
                dialled[(request.get("host") or "").lower()] = address
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                documents = [d for d in re.split(r"(?m)^---.*\n", file.read()) if not self._is_rejected(d)]
            with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as file:
                file.write("---\n".join(self._with_address(document, dialled) for document in documents))

    def _is_rejected(self, document):
        kind, name = (re.search(pattern, document) for pattern in (r"(?m)^kind: (\S+)", r"(?m)^  name: (\S+)"))
        return bool(kind and name) and (kind.group(1), name.group(1)) in self.rejected

    def _with_address(self, document, dialled):
        key = re.search(r"(?m)^spec:\n( +)", document)
        if not key or not re.search(r"(?m)^kind: ServiceEntry$", document) or not re.search(r"(?m)^ +resolution: STATIC$", document):
            return document
        pad = key.group(1)
        if re.search(f"(?m)^{pad}addresses:", document):
            return document
        listed = re.search(f"(?m)^{pad}hosts:\n((?: *- .*\n)+)", document)
        hosts = re.findall(r"- *[\"']?([a-z0-9.-]+)", listed.group(1) if listed else "")
        addresses = sorted({dialled[host] for host in hosts if host in dialled})
        self.given |= set(addresses)
        lines = "".join(f"{pad}- {address}\n" for address in addresses)
        return re.sub(r"(?m)^spec:\n", f"spec:\n{pad}addresses:\n{lines}", document) if addresses else document

    def files(self):
        config = os.path.join(self.folder, "config")
        mesh = os.path.join(self.folder, "mesh.yaml")
        return [os.path.join(config, name) for name in os.listdir(config)] + ([mesh] if os.path.exists(mesh) else [])

    def text(self):
        parts = []
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                parts.append(file.read())
        return "\n---\n".join(parts)

    def ports(self):
        """Every port that the configuration or the requests name: endpoints and passed-through addresses answer at them."""
        found = {int(n) for n in re.findall(r"(?i)(?:port|number|http|tcp)[a-z0-9-]*: *(\d+)", self.text())}
        found |= {request["port"] for request, _ in self.pairs}
        found |= {int(address.rsplit(":", 1)[1]) for _, answer in self.pairs for address in live_compare.possible_endpoints(answer)}
        return sorted(port for port in found if 0 < port < 61000)

    def endpoints(self):
        """[(address, port)] of all that may serve one of the requests."""
        found = {address for _, answer in self.pairs for address in live_compare.possible_endpoints(answer)}
        found |= {copy["endpoint"] for _, answer in self.pairs for seen in answer["observed"] for copy in seen.get("mirrored") or []}
        return sorted((address.rsplit(":", 1)[0], int(address.rsplit(":", 1)[1])) for address in found)

    def gateways(self):
        """{"namespace/label=value,...": ...} of the gateways that are asked, as --gateway has them."""
        asked = [request["gateway"] for request, _ in self.pairs if "gateway" in request]
        return sorted({f"{g['namespace']}/" + ",".join(f"{k}={v}" for k, v in sorted(g["labels"].items())) for g in asked})

    def pods(self):
        """{address: "namespace/name"}, of pods and of workload entries, as the answers call them."""
        found = {}
        for _, answer in self.pairs:
            echo = answer["observed"][0].get("echo") or {}
            known = [e for d in (answer["route"] or {}).get("destinations") or [] for e in d.get("endpoints") or []]
            copies = [{"address": m["endpoint"], "pod": m.get("pod")} for m in answer["observed"][0].get("mirrored") or []]
            for entry in [*known, *copies, {"address": echo.get("endpoint", ":"), "pod": echo.get("pod")}]:
                if entry.get("pod"):
                    found[entry["address"].rsplit(":", 1)[0]] = entry["pod"]
        return found


class Clients:
    """A pod with a network namespace for each `from`."""

    def __init__(self, world):
        self.world, self.known = world, {}

    def add(self, client):
        key = json.dumps(client, sort_keys=True)
        if key not in self.known:
            number = len(self.known) + 1
            address = client.get("ip") or f"10.9.77.{number}"
            name = f"asks-{number}"
            netns = self.world.add_pod(name, address, GATEWAY)
            self.world.write(f"{name}.yaml", pod(name, address, client["labels"], client["namespace"], "node-1"))
            self.known[key] = (f"/run/netns/{netns}", address)
        return self.known[key]


class Run:
    """One folder, with everything that it takes."""

    def __init__(self, case, expectations, stand_in, verbose, outside=False):
        self.case, self.expectations, self.stand_in, self.verbose = case, expectations, stand_in, verbose
        self.outside = outside  # its requests at gateways, rather than those of the mesh
        self.tally = {"agreed": 0, "differs": 0, "unexpected": 0, "out of scope": 0}

    def __enter__(self):
        self.world = harness.World()
        self.clients = Clients(self.world)
        netns = f"/run/netns/{self.world.netns}"
        for client in [request["from"] for request, _ in self.case.pairs if request.get("from") and not self.outside]:
            self.clients.add(client)
        # Less specific than the pods' routes: those stay reachable, all else is here.
        harness.run("ip", "-n", self.world.netns, "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "main")
        everywhere = [("0.0.0.0", port) for port in self.case.ports()]
        self.echo = live_echo.Echo(netns, self.case.endpoints() if self.outside else everywhere, self.case.pods())
        self.case.copy_config(self.world.config)
        if not self.stand_in:
            self.world.start_agent("--http-split", "request", "--services", "all", "--node-address", GATEWAY, *self._gateway_options())
            self.frontends = {(address, service["port"]) for service in self.world.json("get", "services")["services"]
                              for address in service["addresses"]}
        _join(self.world.clients)
        return self

    def _gateway_options(self):
        if not self.outside:
            return []
        self.stranger = self.world.add_pod("stranger", "10.9.88.1", "10.99.1.1")
        device = harness.run("ip", "-n", self.world.netns, "-j", "route", "get", "10.9.88.1").stdout
        options = ["--interface", json.loads(device)[0]["dev"]]
        for gateway in self.case.gateways():
            options += ["--gateway", gateway]
        return options

    def __exit__(self, *_):
        _join(harness.cgroup2_root())
        self.echo.close()
        if self.verbose and not self.stand_in:
            print(self.world.read_log()[-3000:], file=sys.stderr)
        self.world.close()

    # ------------------------------------------------------------ one request

    def _send(self, request, answer):
        """One observation."""
        self.echo.forget()
        if self.outside:
            netns, source = f"/run/netns/{self.stranger}", None
            address, port = "10.99.1.1", request["port"]
        else:
            netns, source = self.clients.known[json.dumps(request["from"], sort_keys=True)]
            address, port = answer["observed"][0]["dialled"].rsplit(":", 1)
        if address.startswith("127."):  # only the stand-in dials an endpoint there: on the node
            netns, source = f"/run/netns/{self.world.netns}", None
        seen = live_echo.ask(netns, source, (address, int(port)), live_echo.raw_request(request), request["method"],
                             max(request.get("timeout") or 0, 5))
        theirs = answer["observed"][0]
        wanted = len(theirs.get("attempts") or [0] * ("echo" in theirs)) + len(theirs.get("mirrored") or [])
        _wait_at_most(max(request.get("wait", 0), 0.02 if wanted else 0), lambda: len(self.echo.seen()) > wanted,
                      lambda: len(self.echo.seen()) >= wanted and not request.get("wait"))
        return {**seen, "seen": self.echo.seen()}

    @staticmethod
    def _who(observation):
        answered = observation["seen"][-1]["endpoint"] if observation["seen"] else None
        return answered if answered and observation["status"] == 200 else f"status {observation['status']}"

    def _observe(self, request, answer):
        """(the observation to compare, {who answered: how often})"""
        theirs = answer["observed"][0]
        echo = theirs.get("echo") or {}
        several = len((answer["route"] or {}).get("destinations") or []) > 1

        def is_alike(observation):
            if not several:
                return True
            if not echo:
                return observation["status"] == theirs.get("status")
            return any(s["endpoint"] == echo["endpoint"] for s in observation["seen"])
        sample, counts, first = None, {}, None
        for number in range(MAX_TRIES):
            if number >= request.get("repeat", 1) and sample:
                break
            observation = self._send(request, answer)
            first = first or observation
            if number < request.get("repeat", 1):
                who = self._who(observation)
                counts[who] = counts.get(who, 0) + 1
            if sample is None and is_alike(observation):
                sample = observation
        return sample or first, counts

    def compare(self, request, answer):
        observation, counts = self._observe(request, answer)
        found = live_compare.Comparison(answer, observation, self.expectations.headers).run()
        if request.get("repeat", 1) > 1 and not any(f.startswith("status") for f in found):
            found += live_compare.compare_counts(answer, counts)
        return found

    # ------------------------------------------------------------ all of them

    def run(self):
        for request, answer in self.case.pairs:
            if ("gateway" in request) == self.outside:
                self._one(request, answer)
        print(f"{self.case.name}{' (gateway)' if self.outside else ''}: agreed {self.tally['agreed']} / differs {self.tally['differs']} / "
              f"out of scope {self.tally['out of scope']}", flush=True)
        return self.tally

    def _can_be_caught(self, answer):
        """Istio's sidecar sees every connection; Weir those to an address and port of a service."""
        address, port = answer["observed"][0]["dialled"].rsplit(":", 1)
        if self.stand_in or self.outside:
            return True
        # Loopback is each client's own; in the oracle, clients and endpoints shared one.
        on_loopback = any(e.startswith("127.") for e in live_compare.possible_endpoints(answer))
        return not on_loopback and ((address, int(port)) in self.frontends or not live_compare.has_rule(answer))

    def _is_in_scope(self, request, answer):
        return self._can_be_caught(answer) and ("gateway" if self.outside else "from") in request and request.get("protocol", "http") == "http" and not live_compare.uses_dns(answer, self.case.given) and \
            not self.expectations.why("skip", self.case.name, request["name"])

    def _one(self, request, answer):
        if not self._is_in_scope(request, answer):
            self.tally["out of scope"] += 1
            return
        if self.stand_in:
            return self._stand_in(request, answer)
        reason = self.expectations.why("differ", self.case.name, request["name"])
        found = self.compare(request, answer)
        if not found:
            self.tally["agreed"] += 1
            if reason and (self.case.name, request["name"]) in self.expectations.reasons["differ"]:
                self._unexpected(request, ["agrees: take it out of live_expected.txt"])
            return
        self.tally["differs"] += 1
        if all(line.startswith("attempts: ") for line in found):
            reason = reason or self.expectations.why("either", self.case.name, request["name"])
        if not reason:
            self._unexpected(request, found)
        elif self.verbose:
            print(f"  on purpose: {request['name']}: {reason}\n    " + "\n    ".join(found))

    def _unexpected(self, request, found):
        self.tally["unexpected"] += 1
        print(f"  differs: {request['name']}\n    " + "\n    ".join(found), flush=True)

    # ------------------------------------------------------------ without the product

    def _stand_in(self, request, answer):
        echo = answer["observed"][0].get("echo")
        if not echo or "\ufffd" in echo["path"]:  # bytes that are no text were not kept
            self.tally["out of scope"] += 1
            return
        plain = copy.deepcopy(answer)
        theirs = plain["observed"][0]
        for key in ("attempts", "mirrored", "slow_s"):
            theirs.pop(key, None)
        sent = {**echo, "headers": [h for h in echo["headers"] if h[0] != "x-oracle-fail-first"]}
        theirs.update(echo=sent, dialled=echo["endpoint"], response_headers=_headers_asked_for(echo),
                      status=int(dict(sent["headers"]).get("x-oracle-status", "200")))
        if "x-oracle-delay-ms" in dict(echo["headers"]):
            theirs["slow_s"] = int(dict(echo["headers"])["x-oracle-delay-ms"]) / 1000
        plain["status"] = theirs["status"]
        observation = self._send({**sent, "from": request["from"]}, plain)
        found = live_compare.Comparison(plain, observation).run()
        found += [f"a changed {what} is not noticed" for what, changed in _changed(observation)
                  if not live_compare.Comparison(plain, changed).run()]
        if found:
            self._unexpected(request, found)
            self.tally["differs"] += 1
        else:
            self.tally["agreed"] += 1


def _headers_asked_for(echo):
    return [v.split(": ", 1) for n, v in echo["headers"] if n == "x-oracle-resp-header"]


def _changed(observation):
    """The observation with one thing wrong, each a thing that a proxy may get wrong."""
    def with_(**what):
        return {**observation, **what}

    def with_seen(**what):
        return with_(seen=[{**observation["seen"][0], **what}])
    headers = observation["seen"][0]["headers"]
    yield "status", with_(status=599)
    yield "response header", with_(response_headers=[*observation["response_headers"], ["x-odd", "1"]])
    yield "endpoint", with_seen(endpoint="192.0.2.1:1")
    yield "method", with_seen(method="ODD")
    yield "path", with_seen(path="/odd")
    yield "body", with_seen(body="odd")
    yield "request header", with_seen(headers=[*headers, ["x-odd", "1"]])
    yield "lost request header", with_seen(headers=[h for h in headers if h[0] != "host"])
    yield "number of attempts", with_(seen=observation["seen"] * 2)
    yield "time", with_(elapsed=observation["elapsed"] + 9)


def _wait_at_most(seconds, *conditions):
    try:
        harness.wait_for(lambda: any(condition() for condition in conditions), "", timeout=seconds)
    except AssertionError:
        pass  # then that is what was seen


def _join(cgroup):
    with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as procs:
        procs.write(str(os.getpid()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if not os.path.isdir(CASES):
        print(f"skipped: {CASES} is absent")
        sys.exit(harness.SKIPPED)
    harness.enter_private_world()
    expectations = Expectations(EXPECTED)
    total = {}
    runs = [(name, False) for name in arguments.folders or expectations.folders]
    if not arguments.stand_in:
        runs += [(name, True) for name in expectations.gateways if not arguments.folders or name in arguments.folders]
    there = [(name, outside) for name, outside in runs if os.path.isdir(os.path.join(CASES, name))]
    if len(there) < len(runs):
        print(f"{len(runs) - len(there)} of {len(runs)} runs skipped: {CASES} has a part of the corpus only")
    for name, outside in there:
        with Run(Case(name), expectations, arguments.stand_in, arguments.verbose, outside) as run:
            for what, number in run.run().items():
                total[what] = total.get(what, 0) + number
    print(f"all folders: agreed {total['agreed']} / differs {total['differs']} / out of scope {total['out of scope']}; "
          f"unexpected: {total['unexpected']}")
    sys.exit(1 if total["unexpected"] or not total["agreed"] else 0)


if __name__ == "__main__":
    main()
