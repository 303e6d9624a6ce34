#!/usr/bin/python3
"""Address families, getpeername, non-blocking connects, several ports, and whatever is none of Weir's business."""

import harness
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service, weights

V4, V6 = "10.96.50.1", "fd00:10::1"
ENDPOINTS = {"v1": ("127.5.1.1", "fd00:1::1"), "v2": ("127.5.2.1", "fd00:1::2")}


class Addresses(harness.WorldTest):
    def setUp(self):
        super().setUp()
        for _, v6 in ENDPOINTS.values():
            self.world.add_address(v6)
        self.server = self.world.serve(
            [("http", v, f"{v4}:8080") for v, (v4, _) in ENDPOINTS.items()] +
            [("http", v, f"[{v6}]:8080") for v, (_, v6) in ENDPOINTS.items()] +
            [("tcp", v, f"{v4}:8081") for v, (v4, _) in ENDPOINTS.items()])
        ports = [("http", 8080), ("tcp", 8081)]
        names = {v: f"dual-{v}" for v in ENDPOINTS}
        self.world.write(
            "dual.yaml",
            service("dual", [V4, V6], [("http", 80, 8080), ("tcp", 90, 8081)], ipFamilies=["IPv4", "IPv6"]),
            *(pod(names[v], list(ips), {"version": v}) for v, ips in ENDPOINTS.items()),
            endpoint_slice("dual", [(names[v], ips[0]) for v, ips in ENDPOINTS.items()], ports),
            endpoint_slice("dual", [(names[v], ips[1]) for v, ips in ENDPOINTS.items()], ports, address_type="IPv6", suffix="2"),
            destination_rule("dual", {v: {"version": v} for v in ENDPOINTS}))
        self.world.write("split.yaml", weights("dual", v1=75, v2=25))
        self.world.start_agent()

    def test_ipv4_ipv6_and_mapped(self):
        share = {"v1": 75, "v2": 25}
        self.assert_split(self.world.connect(f"{V4}:80", 200, "--check-peer", f"{V4}:80"), share)
        self.assert_split(self.world.connect(f"[{V6}]:80", 200, "--check-peer", f"[{V6}]:80"), share)
        # A dual-stack socket (Java's default) dials ::ffff:10.96.50.1.
        self.assert_split(self.world.connect(f"{V4}:80", 200, "--mapped", "--check-peer", f"{V4}:80"), share)

    def test_each_family_reaches_its_own_endpoints(self):
        before = self.server.by_address()
        self.world.connect(f"[{V6}]:80", 40)
        used = {a for a, n in self.server.by_address().items() if n > before[a]}
        self.assertEqual(used, {f"[{v6}]:8080" for _, v6 in ENDPOINTS.values()})

    def test_nonblocking_connects(self):
        counts = self.world.connect(f"{V4}:80", 200, "--nonblocking", "--check-peer", f"{V4}:80", "--threads", "4")
        self.assert_split(counts, {"v1": 75, "v2": 25})

    def test_bound_sockets(self):
        counts = self.world.connect(f"{V4}:80", 40, "--bind", "127.0.0.9:0")
        self.assert_split(counts, {"v1": 75, "v2": 25})

    def test_one_connection_stays_with_one_version(self):
        counts = self.world.connect(f"{V4}:80", 40, "--requests", "5", "--sequence")
        self.assertEqual(counts["failed"], 0)
        for i in range(0, 200, 5):
            self.assertEqual(len(set(counts["sequence"][i:i + 5])), 1, "the split is per connection")

    def test_tcp_port_by_a_tcp_route(self):
        self.world.write("split.yaml", virtual_service(
            "dual", [{"route": [destination("dual", "v1", 75), destination("dual", "v2", 25)]}],
            tcp=[{"match": [{"port": 90}],
                  "route": [destination("dual", "v1", 1, 90), destination("dual", "v2", 3, 90)]}]))
        self.wait_split(f"{V4}:90", {"v1": 1, "v2": 3}, 40, "--mode", "tcp")
        self.assert_split(self.world.connect(f"{V4}:90", 200, "--mode", "tcp"), {"v1": 1, "v2": 3})
        self.assert_split(self.world.connect(f"{V4}:80", 200), {"v1": 75, "v2": 25})

    def test_other_addresses_and_ports_are_left_alone(self):
        self.world.serve([("http", "bystander", "127.5.9.9:80"), ("http", "bystander", "127.5.9.9:8080")])
        for target in ("127.5.9.9:80", "127.5.9.9:8080"):
            self.assert_split(self.world.connect(target, 20, "--check-peer", target), {"bystander": 1})
        # An endpoint dialled by its own address is that endpoint; the service's address on another port is nobody.
        self.assert_split(self.world.connect("127.5.2.1:8080", 20, "--check-peer", "127.5.2.1:8080"), {"v2": 1})
        self.assertEqual(self.world.connect(f"{V4}:81", 1)["errors"], {"ENETUNREACH": 1})

    def test_processes_outside_the_cgroup_are_left_alone(self):
        self.assertEqual(self.world.connect(f"{V4}:80", 1, cgroup=False)["errors"], {"ENETUNREACH": 1})


if __name__ == "__main__":
    harness.main()
