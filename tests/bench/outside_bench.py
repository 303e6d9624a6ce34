"""What comes from outside: the cost of a packet (packet_bench, by test run), and a connection and a stream from a client through
a node to an endpoint on it, all in network namespaces: routed, by nftables' DNAT, by the packet programs at tc."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

import peers  # noqa: F401  (its path)
from peers import harness
from speed import spread

import north  # noqa: E402  (found by peers' path)

CHUNK = 1 << 20
PACKET_BENCH = os.path.join(harness.SOURCE, "build", "tests", "bench", "packet_bench")
WAYS = {"routed": (north.POD, 8080), "nftables DNAT": (north.VIP, 81), "weir, tc": (north.VIP, 80)}


# ---------------------------------------------------------------- the two ends of a stream, processes of their own

def sink(address, port):
    """Takes streams in, one after the other, and answers each with how long it was."""
    with socket.create_server((address, port)) as server:
        print("ready", flush=True)
        buffer = bytearray(CHUNK)
        while True:
            connection, _ = server.accept()
            with connection:
                total = 0
                while got := connection.recv_into(buffer):
                    total += got
                connection.sendall(str(total).encode())


def send(address, port, megabytes):
    """Prints the seconds that a stream took, until the other end had all of it."""
    chunk = bytes(CHUNK)
    with socket.create_connection((address, port)) as connection:
        begin = time.monotonic()
        for _ in range(megabytes):
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)
        if int(connection.recv(100)) != megabytes * CHUNK:
            sys.exit("bytes are missing")
        print(time.monotonic() - begin)


# ---------------------------------------------------------------- packets

def _packets(quick):
    if not os.access(PACKET_BENCH, os.X_OK):
        return ["packet_bench is not built: skipped", ""], []
    done = subprocess.run([PACKET_BENCH, *(["--quick"] if quick else [])], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        return [f"skipped: {done.stderr.strip()}", ""], []
    lines, verdicts = ["| packet, XDP by test run over the floor | ns |", "|---|---:|"], []
    for line in done.stdout.splitlines():
        row = re.match(r"(.+?) +(-?\d+) ns(?:  \(limit (\d+)\))?", line)
        if not row:
            continue
        name, cost, limit = row.groups()
        lines.append(f"| {name} | {cost} |")
        if limit:
            verdicts.append((f"XDP, {name} <= {limit} ns", int(cost) <= int(limit), f"{cost} ns"))
    lines += ["", *(line for line in done.stdout.splitlines() if line.startswith(("tables", "flows made"))), ""]
    if done.returncode != 0 and not verdicts:
        raise AssertionError(done.stdout + done.stderr)
    return lines, verdicts


# ---------------------------------------------------------------- connections and streams

class Path(north.NorthWorld):
    """A client, a node and an endpoint on it; the node knows all the ways."""

    def __init__(self):
        super().__init__()
        self.serve([("http", "v1", f"{north.POD}:8080")], netns=self.pod)
        self.sinks = self.spawn([sys.executable, os.path.abspath(__file__), "--sink", north.POD, "8081"], netns=self.pod)
        if self.sinks.popen.stdout.readline() != "ready\n":
            raise AssertionError("the sink did not start")
        self.rules = "table ip bench {\n chain pre {\n type nat hook prerouting priority dstnat;\n" + "".join(
            f" ip daddr {north.VIP} tcp dport {port} dnat to {north.POD}:{to};\n" for port, to in ((81, 8080), (91, 8081))) + " }\n}\n"
        self.has_nft = bool(shutil.which("nft"))
        self.start_tool()
        self.tell(f"apply {north.VIP}/80/tcp=1@{north.POD}/8080/local {north.VIP}/90/tcp=1@{north.POD}/8081/local")
        self.tell("attach up0")

    def ways(self):
        return [name for name in WAYS if self.has_nft or "nft" not in name]

    def prepare(self, way):
        """A table of NAT turns connection tracking on for all packets: it is there for its own rounds only."""
        self.run_in_node("nft", "table ip bench\ndelete table ip bench\n" + (self.rules if "nft" in way else ""))

    def connection_us(self, way, n):
        address, port = WAYS[way]
        counts = self.connect(f"{address}:{port}", n, "--cpu", "0", "--timeout-ms", "0", "--warm-up", "50",
                              netns=self.client, cgroup=False)
        if counts["failed"]:
            raise AssertionError(f"{way}: {counts['errors']}")
        return counts["elapsed_us"] / counts["total"]

    def stream_rate(self, way, megabytes):
        """GB/s"""
        address, port = WAYS[way]
        port = 8081 if port == 8080 else port + 10
        sender = self.spawn([sys.executable, os.path.abspath(__file__), "--send", address, str(port), str(megabytes)],
                            netns=self.client)
        out, _ = sender.popen.communicate(timeout=120)
        self.processes.remove(sender)
        return megabytes * CHUNK / float(out) / 1e9


def _in_turns(path, number, what, one):
    """Numbers of each way, a round of all after the other; each round begins with another."""
    ways = path.ways()
    rounds = {way: [] for way in ways}
    for index in range(number):
        for way in ways[index % len(ways):] + ways[:index % len(ways)]:
            if path.has_nft:
                path.prepare(way)
            rounds[way].append(one(way))
    print(f"bench: outside: {number} rounds of {what}", file=sys.stderr)
    return rounds


def _measure(quick):
    """Connections in many short rounds: what else the machine does comes and goes within tenths of a second."""
    path = Path()
    try:
        return (_in_turns(path, 8 if quick else 80, "connections", lambda way: path.connection_us(way, 500)),
                _in_turns(path, 4 if quick else 12, "streams", lambda way: path.stream_rate(way, 200 if quick else 600)))
    finally:
        path.close()


def _against_routed(rounds, way):
    return [one / routed for one, routed in zip(rounds[way], rounds["routed"])]


def run(world, quick):
    del world  # one of its own
    text, verdicts = _packets(quick)
    measured = connections, streams = _measure(quick)
    lines = ["| way | connection, us | against routed | stream, GB/s | against routed |", "|---|---:|---:|---:|---:|"]
    for way in connections:
        cells = [cell for rounds, digits in ((connections, 1), (streams, 2))
                 for cell in (spread(rounds[way], digits), spread(_against_routed(rounds, way), 3))]
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    ratio = [statistics.median(_against_routed(rounds, "weir, tc")) for rounds in measured]
    verdicts += [("from outside, one-request connection against routed <= 1.05", ratio[0] <= 1.05, f"{ratio[0]:.3f}"),
                 ("from outside, stream against routed >= 0.95", ratio[1] >= 0.95, f"{ratio[1]:.3f}")]
    return ["## From outside", "",
            "Client, node and endpoint in network namespaces joined by veth; median (quartiles) of interleaved rounds.", "",
            *text, *lines, ""], verdicts


if __name__ == "__main__":
    if sys.argv[1] == "--sink":
        sink(sys.argv[2], int(sys.argv[3]))
    else:
        send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
