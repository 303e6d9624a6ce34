#!/usr/bin/python3
"""Endpoints that are names: looked up by the agent, followed when the answer changes, by connections and by requests."""

import socket
import struct
import threading

import harness

VIP = "10.96.40.1:8080"
SERVERS = {"one": "10.99.4.1", "two": "10.99.4.2"}
NAME = "backend.example.com"


class NameServer(threading.Thread):
    """Says `address` for every A question, nothing for others; with `address` None: SERVFAIL. In the world's network."""

    def __init__(self, netns):
        super().__init__(daemon=True)
        self.address = None
        with open(f"/run/netns/{netns}", encoding="utf-8") as there:
            self.socket = socket_in(there.fileno())
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(2048)
            end = query.index(b"\0", 12) + 5
            kind = struct.unpack(">H", query[end - 4:end - 2])[0]
            answers = b""
            if kind == 1 and self.address:
                answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(self.address)
            flags = 0x8180 if self.address else 0x8182
            head = query[:2] + struct.pack(">HHHHH", flags, 1, 1 if answers else 0, 0, 0)
            self.socket.sendto(head + query[12:end] + answers, client)


def socket_in(netns_fd):
    """A UDP socket of another network namespace."""
    made = []

    def make():
        if harness._LIBC.setns(netns_fd, 0x40000000) != 0:
            raise OSError("setns")
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    thread = threading.Thread(target=make)  # setns is the thread's
    thread.start()
    thread.join()
    return made[0]


def entry():
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": "backend", "namespace": "default"},
            "spec": {"hosts": ["api.example.com"], "addresses": [VIP.split(":")[0]], "resolution": "DNS",
                     "ports": [{"number": 8080, "name": "http", "protocol": "HTTP"}],
                     "endpoints": [{"address": NAME}]}}


def rule(**match):
    route = {"route": [{"destination": {"host": "api.example.com"}}]}
    routes = [dict(route, match=[match]), route] if match else [route]
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "backend", "namespace": "default"},
            "spec": {"hosts": ["api.example.com"], "http": routes}}


class Names(harness.WorldTest):
    def setUp(self):
        super().setUp()
        for ip in SERVERS.values():
            self.world.add_address(ip)
        self.world.serve([("http", name, f"{ip}:8080") for name, ip in SERVERS.items()])
        self.names = NameServer(self.world.netns)
        self.names.address = SERVERS["one"]

    def start(self, *objects):
        self.world.write("backend.yaml", entry(), *objects)
        self.world.start_agent("--dns-server", f"127.0.0.1:{self.names.port}")

    def check_followed(self, *options):
        self.world.wait_split(VIP, {"one": 1}, 20, *options)
        self.names.address = SERVERS["two"]
        failed = 0

        def followed():
            nonlocal failed
            counts = self.world.connect(VIP, 20, *options)
            failed += counts["failed"]
            return set(counts["by_version"]) == {"two"}
        harness.wait_for(followed, "the second address")
        self.assertEqual(failed, 0, "connections were lost on the way")

    def test_a_changed_answer_is_followed_by_connections(self):
        self.start(rule())
        self.check_followed()

    def test_a_changed_answer_is_followed_by_requests(self):
        self.start(rule(headers={"x-never": {"exact": "there"}}))
        self.check_followed()

    def test_a_server_that_fails_costs_nothing(self):
        self.start(rule())
        self.world.wait_split(VIP, {"one": 1}, 20)
        self.names.address = None
        harness.wait_for(lambda: self.name()["error"], "the failure is said")
        self.assertEqual(self.name()["addresses"], [SERVERS["one"]])
        self.assert_split(self.world.connect(VIP, 20), {"one": 20})
        self.assertIn(f"{NAME}: {SERVERS['one']} for", self.world.weir("status", check=False).stdout)
        self.names.address = SERVERS["two"]
        self.world.wait_split(VIP, {"two": 1}, 20)

    def name(self):
        return self.world.status()["names"][0]


if __name__ == "__main__":
    harness.main()
