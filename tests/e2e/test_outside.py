#!/usr/bin/python3
"""Services with addresses outside the cluster, through the agent: T4's color service at its node port, externalIPs, load
balancers' addresses, per connection and per request, while agents come and go."""

import os
import signal
import socket
import subprocess
import threading
import time

import harness
import north
from north import CLIENT, NODE, NODE6, OTHER, POD, POD2, POD6, VIP, VIP6, inside
from yaml_text import destination, destination_rule, endpoint_slice, service, virtual_service

EDGE = "198.51.100.1"  # of the node, where the client is
NODE_PORT = 30085
BALANCER = "203.0.113.20"


def color(policy="Cluster", **ports):
    """T4's color-service: blue and green."""
    one = service("color-service", "10.96.80.1", [("http", 8000, 8080)], selector={"app": "color"}, type="LoadBalancer",
                  externalIPs=[VIP], externalTrafficPolicy=policy)
    one["spec"]["ports"][0].update({"nodePort": NODE_PORT, **ports})
    one["status"] = {"loadBalancer": {"ingress": [{"ip": BALANCER}]}}
    return one


def endpoints(*places, name="color-service", family="IPv4"):
    """`places`: (pod, address, node)"""
    slices = endpoint_slice(name, [(pod, address) for pod, address, _ in places], [("http", 8080)])
    for entry, (_, _, node) in zip(slices["endpoints"], places):
        entry["nodeName"] = node
    slices["addressType"] = family
    slices["metadata"]["name"] += f"-{family.lower()}"
    return slices


def pod(name, address, version, node="node-1"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default",
                                                            "labels": {"app": "color", "color": version}},
            "spec": {"nodeName": node},
            "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
                       "conditions": [{"type": "Ready", "status": "True"}]}}


def split(blue, green, **more):
    return virtual_service("color-service", [{"route": [destination("color-service", "blue", blue),
                                                        destination("color-service", "green", green)]}],
                           name="color", **more)


class Color(north.NorthTest):
    """Blue and green on the node."""

    def setUp(self):
        super().setUp()
        self.agent_options = ("--interface", "up0", "--interface", "peer0", "--node-address", NODE, "--node-address", NODE6)
        self.blue = self.world.echo(self.world.pod, POD, 8080, "b")
        self.green = self.world.echo(self.world.pod, POD2, 8080, "g")
        self.far = self.world.echo(self.world.other, OTHER, 8080, "f")
        self.pods = [("blue-1", POD, "node-1"), ("green-1", POD2, "node-1")]
        self.write_service()
        self.world.write("split.yaml", split(75, 25))

    def write_service(self, policy="Cluster"):
        self.world.write("color.yaml", color(policy), endpoints(*self.pods),
                         *(pod(name, address, name.split("-", maxsplit=1)[0], node) for name, address, node in self.pods),
                         destination_rule("color-service", {c: {"color": c} for c in ("blue", "green")}))

    def start(self, *options):
        self.world.start_agent(*self.agent_options, *options)

    def seen(self, address=EDGE, port=NODE_PORT, n=100):
        """Who answers n connections."""
        seen = {}
        for _ in range(n):
            connection, who = self.world.connect_from(address, port)
            connection.close()
            seen[who] = seen.get(who, 0) + 1
        return seen

    def wait_seen(self, wanted, **where):
        """The change is in the kernel: these answer, in these shares of 100."""
        last = {}

        def there():
            last["seen"] = self.seen(**where)
            return set(last["seen"]) == set(wanted) and all(abs(last["seen"][k] - v) <= 1 for k, v in wanted.items())
        try:
            harness.wait_for(there, f"{wanted} answer", 15)
        except AssertionError as error:
            raise AssertionError(f"{error}; last {last}") from None

    def packets(self):
        return {entry["name"]: entry["count"] for entry in self.world.json("maps", "dump", "packets")}

    def test_split_zero_and_promotion(self):
        self.start()
        for address, port in ((EDGE, NODE_PORT), (VIP, 8000), (BALANCER, 8000)):
            self.wait_seen({"b": 75, "g": 25}, address=address, port=port)
        self.world.write("split.yaml", split(100, 0))
        self.wait_seen({"b": 100})
        self.assertEqual(self.seen(n=200), {"b": 200}, "green never")
        self.world.write("split.yaml", split(0, 100))
        self.wait_seen({"g": 100})
        self.assertEqual(self.seen(n=200), {"g": 200}, "green always")
        self.assertEqual(set(self.blue.peers), {CLIENT}, "endpoints of the node see who it is")
        self.assertEqual(self.world.checksum_errors(), 0)
        shown = self.world.status()
        self.assertTrue(shown["healthy"], shown["problems"])
        self.assertEqual([(d["name"], d["xdp"]) for d in shown["outside"]["devices"]], [("up0", ""), ("peer0", "")])
        self.assertIn("veth", shown["outside"]["devices"][0]["why_no_xdp"])
        text = self.world.weir("status").stdout
        self.assertIn("up0: tc ", text)
        self.assertIn("carried: to an endpoint of this node", text)
        self.assertGreater(self.packets()["local"], 600)
        metrics = inside(self.world.netns, lambda: harness.run(
            "curl", "-s", "--unix-socket", f"{self.world.run_dir}/weir.sock", "http://weir/metrics").stdout)
        self.assertIn('weir_packets_total{verdict="local"}', metrics)

    def test_endpoints_on_another_node_and_the_local_policy(self):
        self.pods = [("blue-1", POD, "node-1"), ("green-1", OTHER, "node-2")]
        self.write_service()
        self.start()
        self.wait_seen({"b": 75, "f": 25})
        self.assertEqual((set(self.blue.peers), set(self.far.peers)), ({CLIENT}, {NODE}))
        connection, _ = self.world.connect_from(VIP, 8000)
        with connection:
            self.assert_echoes(connection, 500_000)
        self.world.write("split.yaml", virtual_service("color-service", [destination("color-service")], name="color"))
        self.write_service("Local")
        self.wait_seen({"b": 100})

    def test_a_rule_for_a_gateway_leaves_the_node_port_alone(self):
        """T4.4, T4.7: kube-proxy has it, as before."""
        self.require("nft")
        self.world.run_in_node("nft", f"table ip nat {{\n chain pre {{\n type nat hook prerouting priority dstnat;\n"
                                      f" tcp dport {NODE_PORT} dnat to {OTHER}:8080;\n }}\n}}\n")
        self.world.write("split.yaml", split(100, 0, gateways=["color-gateway"]))
        self.start()
        self.assertEqual(self.seen(n=20), {"f": 20})
        self.world.write("split.yaml", split(100, 0))
        self.wait_seen({"b": 100})

    def test_ipv6(self):
        self.world.echo(self.world.pod, POD6, 8080, "6")
        one = service("six", ["fd00:96::1"], [("http", 8000, 8080)], selector={"app": "six"}, externalIPs=[VIP6])
        one["spec"]["ports"][0]["nodePort"] = 30086
        self.world.write("six.yaml", one, endpoints(("six-1", POD6, "node-1"), name="six", family="IPv6"),
                         virtual_service("six", [destination("six")], name="six"))
        self.start()
        for address, port in ((VIP6, 8000), ("2001:db8:c::1", 30086)):
            connection, who = self.world.connect_from(address, port)
            with connection:
                self.assertEqual(who, "6")
                self.assert_echoes(connection, 300_000)

    def test_agents_come_and_go_under_traffic(self):
        self.start()
        self.wait_seen({"b": 75, "g": 25})
        held = [self.world.connect_from(EDGE, NODE_PORT)[0] for _ in range(10)]
        stop, failures, made = threading.Event(), [], [0]

        def knock():
            while not stop.is_set():
                try:
                    connection, who = self.world.connect_from(EDGE, NODE_PORT)
                    connection.close()
                    made[0] += 1
                    if who not in "bg":
                        failures.append(who)
                except (OSError, AssertionError) as error:
                    failures.append(repr(error))
        knocking = threading.Thread(target=knock, daemon=True)
        knocking.start()
        for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            self.world.stop_agent(how)
            harness.wait_for(lambda: made[0] > 20, "connections without an agent")
            made[0] = 0
            self.start()
        for connection in held:
            with connection:
                self.assert_echoes(connection, 20_000)
        stop.set()
        knocking.join(10)
        self.assertEqual(failures, [])
        shown = self.world.status()
        self.assertTrue(shown["healthy"], shown["problems"])
        self.assertEqual([d["foreign"] for d in shown["outside"]["devices"]], [[], []], "one of ours on each hook")

    def test_without_interface_and_uninstalled(self):
        self.agent_options = ()
        self.start()
        shown = self.world.status()
        self.assertEqual((shown["outside"]["wanted"], shown["outside"]["unserved"]), (False, 1))
        self.assertIn("without --interface", self.world.weir("status").stdout)
        self.assertFalse(os.path.exists(f"{self.world.bpffs}/north"))
        self.assertIn("with --interface", self.world.weir("analyze", self.world.config, check=False).stdout)
        self.world.stop_agent()
        self.agent_options = ("--interface", "up0", "--node-address", NODE)
        self.start()
        self.wait_seen({"b": 75, "g": 25})
        self.world.stop_agent()
        self.agent_options = ()
        self.start()
        self.assertFalse(os.path.exists(f"{self.world.bpffs}/north"), "what is not asked for any more is taken away")
        self.world.stop_agent()
        self.agent_options = ("--interface", "up0", "--node-address", NODE)
        self.start()
        self.wait_seen({"b": 75, "g": 25})
        self.world.stop_agent()
        self.world.weir("uninstall")
        self.assertFalse(os.path.exists(self.world.bpffs))

        def dial():
            with socket.socket() as client:
                return client.connect_ex((EDGE, NODE_PORT))
        self.assertNotEqual(inside(self.world.client, dial), 0)

    def test_ports_that_the_node_uses_itself(self):
        self.world.sysctl(self.world.netns, ("ipv4/ip_local_port_range", "1024 60999"))
        self.start()
        shown = self.world.status()
        self.assertFalse(shown["healthy"])
        self.assertIn("ip_local_port_range", " ".join(shown["problems"]))
        self.assertFalse(shown["outside"]["attached"])
        self.world.stop_agent()
        self.start("--outside-ports", "61999-62998", "--proxy-ports", "63000-63999")
        self.wait_seen({"b": 75, "g": 25})


class ByRequest(north.NorthTest):
    """Rules that need the request hold for who is outside, too."""

    def setUp(self):
        super().setUp()
        self.require("curl")
        for name, address in (("blue", POD), ("green", POD2)):
            self.world.serve([("http", name, f"{address}:8080")], netns=self.world.pod)
        pods = [("blue-1", POD, "node-1"), ("green-1", POD2, "node-1")]
        self.world.write("color.yaml", color(), endpoints(*pods),
                         *(pod(name, address, name.split("-", maxsplit=1)[0]) for name, address, _ in pods),
                         destination_rule("color-service", {c: {"color": c} for c in ("blue", "green")}),
                         virtual_service("color-service", [
                             {"match": [{"headers": {"end-user": {"exact": "jason"}}}],
                              "route": [destination("color-service", "green")]},
                             {"route": [destination("color-service", "blue")]}], name="color"))

    def curl(self, address, port, *options):
        argv = ["curl", "-s", "-o", "/dev/null", "--max-time", "5", "-w", "%{http_code} %header{x-version}", *options,
                f"http://{address}:{port}/"]
        client = self.world.spawn(argv, netns=self.world.client)
        out, _ = client.popen.communicate(timeout=20)
        return out

    def test_by_header_and_without_the_proxy(self):
        self.world.start_agent("--interface", "up0", "--node-address", NODE, "--access-log", "file")
        for address, port in ((EDGE, NODE_PORT), (VIP, 8000)):
            # Until the proxy shows signs of life, the default route has all of them.
            harness.wait_for(lambda a=address, p=port: self.curl(a, p, "-H", "end-user: jason") == "200 green",
                             "the proxy answers")
            self.assertEqual(self.curl(address, port), "200 blue")
            self.assertEqual(self.curl(address, port, "-H", "end-user: Jason"), "200 blue")
        with open(f"{self.world.run_dir}/access.log", encoding="utf-8") as log:
            self.assertIn(CLIENT, log.read(), "the proxy knows who it is")
        self.assertEqual(self.world.checksum_errors(), 0)
        pid = self.world.status()["proxy"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        begin = time.monotonic()
        harness.wait_for(lambda: self.curl(EDGE, NODE_PORT, "-H", "end-user: jason") == "200 blue",
                         "the default route without the proxy", 8)
        self.assertLess(time.monotonic() - begin, 8)
        subprocess.run(["kill", "-CONT", str(pid)], check=False)


if __name__ == "__main__":
    harness.main()
