#!/usr/bin/python3
"""Traffic from outside: T3.1 and T4.1-4.8, Istio's own gateway files, and what must not disturb it. The client is in a network
namespace that no hook sees; it dials the node's address."""

import json
import os
import shutil
import signal
import subprocess

import harness
from harness import EXAMPLES, istio_sample
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

NODE = "10.99.0.1"
BLUE, GREEN = "10.99.0.21", "10.99.0.22"
GATEWAY = ("--gateway", "istio=ingressgateway")
SELECTOR = {"istio": "ingressgateway"}


def gateway(name, *servers, **spec):
    """`servers`: (port, protocol) or (port, protocol, hosts)"""
    return {
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": SELECTOR, "servers": [
            {"port": {"number": server[0], "name": f"p{server[0]}", "protocol": server[1]},
             "hosts": list(server[2]) if len(server) > 2 else ["*"], **(server[3] if len(server) > 3 else {})}
            for server in servers], **spec},
    }


class Outside(harness.WorldTest):
    """A client outside, joined to the node."""

    def setUp(self):
        super().setUp()
        if not shutil.which("curl"):
            self.skipTest("needs curl")
        self.client = self.world.add_pod("outside", "10.99.0.9")

    def start(self, *options):
        self.world.start_agent(*GATEWAY, *options)

    def curl(self, url, *options, netns=None):
        """(status, version) as the client outside sees them; "000" where no connection is made."""
        argv = ["curl", "-s", "-o", "/dev/null", "--max-time", "5", "-w", "%{http_code} %header{x-version}", *options, url]
        client = self.world.spawn(argv, netns=netns or self.client)
        out, _ = client.popen.communicate(timeout=20)
        return tuple((out + " ").split(" ")[:2])

    def from_outside(self, target, n, *options):
        return self.world.connect(target, n, *options, netns=self.client, cgroup=False)

    def wait_status(self, url, status, *options):
        harness.wait_for(lambda: self.curl(url, *options)[0] == status, f"{url} answers {status}")


class Color(Outside):
    """T4: blue and green behind a gateway, a pod each."""

    def setUp(self):
        super().setUp()
        for name, address in (("blue", BLUE), ("green", GREEN)):
            netns = self.world.add_pod(name, address)
            self.world.serve([("http", name, f"{address}:8080")], netns=netns)
        pods = [("color-blue", BLUE), ("color-green", GREEN)]
        self.world.write("color.yaml", service("color-service", "10.96.80.1", [("http", 8000, 8080)], selector={"app": "color"}),
                         *(pod(name, ip, {"app": "color", "color": name[6:]}) for name, ip in pods),
                         endpoint_slice("color-service", pods, [("http", 8080)]),
                         destination_rule("color-service", {f"{c}-sub": {"color": c} for c in ("blue", "green")}),
                         gateway("color-gateway", (80, "HTTP")))

    def split(self, blue, green, **port):
        self.world.write("split.yaml", virtual_service("*", [{
            "match": [{"uri": {"prefix": "/color"}}],
            "route": [destination("color-service", "blue-sub", blue, **port),
                      destination("color-service", "green-sub", green, **port)]}],
            name="color", gateways=["color-gateway"]))

    def test_the_gateway_splits_by_weight(self):
        self.split(75, 25)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        self.assert_split(self.from_outside(f"{NODE}:80", 200, "--path", "/color"), {"blue": 75, "green": 25})
        kept = self.from_outside(f"{NODE}:80", 4, "--path", "/color/x", "--requests", "50")
        self.assert_shares(kept["by_version"], {"blue": 75, "green": 25})

    def test_other_paths_are_404(self):
        self.split(75, 25)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        self.assertEqual(self.curl(f"http://{NODE}/other"), ("404", ""))
        self.assertEqual(self.curl(f"http://{NODE}/")[0], "404")

    def test_all_or_nothing_is_exact(self):
        self.split(100, 0)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        self.assert_split(self.from_outside(f"{NODE}:80", 300, "--path", "/color"), {"blue": 100, "green": 0})
        self.split(0, 100)
        harness.wait_for(lambda: self.curl(f"http://{NODE}/color") == ("200", "green"), "green has taken over")
        self.assert_split(self.from_outside(f"{NODE}:80", 300, "--path", "/color"), {"blue": 0, "green": 100})

    def test_a_destination_may_name_the_services_port(self):
        self.split(75, 25, port=8000)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        self.assert_split(self.from_outside(f"{NODE}:80", 100, "--path", "/color"), {"blue": 75, "green": 25})

    def test_the_mesh_is_left_alone(self):
        """T4.7: a VirtualService that is bound to the gateway only. Nobody balances the service's address here."""
        self.split(75, 25)
        self.start()
        told = self.world.json("explain", "--to", "http://color-service:8000/color")
        self.assertEqual((told["path"], told["rule"]), ("none", None))
        self.assertEqual(self.world.dump("frontends"), [])

    def test_a_node_port_beside_it_is_unaffected(self):
        """T4.1, T4.4: kube-proxy's rule, as it makes one."""
        if not shutil.which("nft"):
            self.skipTest("needs nft")
        self.world.run_in_node("nft", "add table ip nat; add chain ip nat prerouting "
                               "{ type nat hook prerouting priority -100; }; add rule ip nat prerouting tcp dport 30085 "
                               f"dnat ip to numgen inc mod 2 map {{ 0 : {BLUE}, 1 : {GREEN} }} : 8080")
        self.split(100, 0)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        seen = self.from_outside(f"{NODE}:30085", 40, "--path", "/color")
        self.assertEqual((seen["failed"], seen["by_version"]), (0, {"blue": 20, "green": 20}))

    def test_restart_and_kill_lose_nothing(self):
        self.split(50, 50)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        load = harness.Load(f"{NODE}:80", ["--path", "/color", "--threads", "2"], netns=self.client)
        self.world.processes.append(load)
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.world.stop_agent(how)
            self.assertEqual(self.curl(f"http://{NODE}/color")[0], "200", "nobody looks after it, and it works")
            self.start()
        self.world.weir("restart-proxy")
        self.split(0, 100)
        harness.wait_for(lambda: {self.curl(f"http://{NODE}/color")[1] for _ in range(5)} == {"green"}, "all is green")
        counts = load.finish()
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assertGreater(counts["total"], 100)

    def test_a_port_where_another_listens_is_left_to_it(self):
        self.world.serve([("http", "other", "0.0.0.0:80")])
        self.split(75, 25)
        self.start()
        self.assertEqual(self.curl(f"http://{NODE}/color"), ("200", "other"))
        self.assertTrue([w for w in self.world.status()["kernel"]["warnings"] if "port 80 " in w]
                        if "kernel" in self.world.status() else "port 80 of Gateway" in self.world.read_log())

    def test_without_a_proxy_the_port_is_closed(self):
        self.split(75, 25)
        self.start()
        self.wait_status(f"http://{NODE}/color", "200")
        self.world.remove("split.yaml")
        self.world.write("color-gateway.yaml")
        self.assertEqual(self.curl(f"http://{NODE}:81/")[0], "000")

    def test_only_the_interfaces_that_are_named(self):
        self.split(75, 25)
        other = self.world.add_pod("inside", "10.98.0.9", gateway="10.98.0.1")
        device = json.loads(harness.run("ip", "-n", self.world.netns, "-j", "route", "get", "10.99.0.9").stdout)[0]["dev"]
        self.start("--interface", device)
        self.wait_status(f"http://{NODE}/color", "200")
        self.assertEqual(self.curl("http://10.98.0.1/color", netns=other)[0], "000")


class Message(Outside):
    """T3.1: any Host header leads to message."""

    def test_any_host_reaches_message(self):
        netns = self.world.add_pod("message", "10.99.0.31")
        self.world.serve([("http", "message", "10.99.0.31:8080")], netns=netns)
        self.world.write("message.yaml", service("message", "10.96.81.1", [("http", 80, 8080)]),
                         pod("message-1", "10.99.0.31", {"app": "message"}),
                         endpoint_slice("message", [("message-1", "10.99.0.31")], [("http", 8080)]),
                         gateway("message-gateway", (80, "HTTP")),
                         virtual_service("*", [destination("message")], name="message", gateways=["message-gateway"]))
        self.start()
        self.wait_status(f"http://{NODE}/", "200")
        for host in ("message.example.com", "10.0.0.1", "x"):
            self.assertEqual(self.curl(f"http://{NODE}/", "-H", f"Host: {host}"), ("200", "message"))


class Hosts(Outside):
    """What is bound for which host, on which port."""

    def setUp(self):
        super().setUp()
        self.world.serve([("http", v, f"127.8.{v[1]}.1:8080") for v in ("v1", "v2")])
        pods = [("web-v1", "127.8.1.1"), ("web-v2", "127.8.2.1")]
        self.world.write("web.yaml", service("web", "10.96.82.1", [("http", 80, 8080)]),
                         *(pod(name, ip, {"app": "web", "version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("web", pods, [("http", 8080)]),
                         destination_rule("web", {v: {"version": v} for v in ("v1", "v2")}))

    def bind(self, name, host, subset, **spec):
        return virtual_service(host, [destination("web", subset)], name=name, gateways=["gw"], **spec)

    def test_hosts_choose_and_strangers_get_404(self):
        self.world.write("gw.yaml", gateway("gw", (8000, "HTTP", ("*.example.com", "a.test"))),
                         self.bind("wide", "*.example.com", "v1"), self.bind("narrow", "b.example.com", "v2"))
        self.start()
        url = f"http://{NODE}:8000/"
        self.wait_status(url, "200", "-H", "Host: x.example.com")
        self.assertEqual(self.curl(url, "-H", "Host: x.example.com"), ("200", "v1"))
        self.assertEqual(self.curl(url, "-H", "Host: B.example.com:8000"), ("200", "v2"))
        for host in ("example.com", "a.test", "web", "web.default.svc.cluster.local"):
            self.assertEqual(self.curl(url, "-H", f"Host: {host}")[0], "404", host)

    def test_https_redirect(self):
        self.world.write("gw.yaml", gateway("gw", (8000, "HTTP", ("r.test",), {"tls": {"httpsRedirect": True}})),
                         self.bind("r", "r.test", "v1"))
        self.start()
        self.wait_status(f"http://{NODE}:8000/", "301", "-H", "Host: r.test")

    def test_tls_is_passed_on_by_its_name(self):
        if not shutil.which("openssl"):
            self.skipTest("needs openssl")
        key = os.path.join(self.world.folder, "key.pem")
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", key + ".crt",
                    "-days", "1", "-subj", "/CN=passed-on")
        self.world.spawn(["openssl", "s_server", "-accept", "127.8.1.1:8443", "-key", key, "-cert", key + ".crt", "-www"],
                         stderr=subprocess.DEVNULL)
        self.world.write("tls.yaml", service("tls", "10.96.82.2", [("tls", 443, 8443)]),
                         pod("tls-1", "127.8.1.1", {"app": "tls"}), endpoint_slice("tls", [("tls-1", "127.8.1.1")], [("tls", 8443)]),
                         gateway("gw", (443, "TLS", ("*.test",), {"tls": {"mode": "PASSTHROUGH"}})),
                         virtual_service("a.test", [{"match": [{"port": 443, "sniHosts": ["a.test"]}],
                                                     "route": [destination("tls")]}], name="tls", protocol="tls", gateways=["gw"]))
        self.start()
        def get(name):
            return self.curl(f"https://{name}/", "-k", "--resolve", f"{name}:443:{NODE}")[0]
        harness.wait_for(lambda: get("a.test") == "200", "TLS is passed on")
        self.assertEqual(get("b.test"), "000")


class IstiosFiles(Outside):
    """Istio's own gateway samples, as they are."""

    def test_bookinfo(self):
        for name in ("services.yaml", "pods.yaml", "endpoints.yaml"):
            shutil.copy(os.path.join(EXAMPLES, "bookinfo", name), self.world.config)
        shutil.copy(istio_sample("bookinfo", "networking", "bookinfo-gateway.yaml"), self.world.config)
        self.world.serve([("http", "productpage", "127.1.4.1:9080")])
        self.start()
        self.wait_status(f"http://{NODE}:8080/productpage", "200")
        self.assertEqual(self.curl(f"http://{NODE}:8080/static/style.css")[0], "200")
        self.assertEqual(self.curl(f"http://{NODE}:8080/productpages")[0], "404")

    def serve_web(self, name, port, target):
        self.world.serve([("http", name, f"127.8.3.1:{target}")])
        self.world.write("web.yaml", service(name, "10.96.83.1", [("http", port, target)]), pod(f"{name}-1", "127.8.3.1", {"app": name}),
                         endpoint_slice(name, [(f"{name}-1", "127.8.3.1")], [("http", target)]))

    def test_helloworld(self):
        shutil.copy(istio_sample("helloworld", "helloworld-gateway.yaml"), self.world.config)
        self.serve_web("helloworld", 5000, 5000)
        self.start()
        self.wait_status(f"http://{NODE}/hello", "200")
        self.assertEqual(self.curl(f"http://{NODE}/helloworld")[0], "404")

    def test_httpbin(self):
        shutil.copy(istio_sample("httpbin", "httpbin-gateway.yaml"), self.world.config)
        self.serve_web("httpbin", 8000, 8080)
        self.start()
        self.wait_status(f"http://{NODE}/status/200", "200")

    def test_tcp_echo(self):
        for name in ("tcp-echo-all-v1.yaml", "tcp-echo-20-v2.yaml"):
            with open(istio_sample("tcp-echo", name), encoding="utf-8") as file:
                objects = [text + "\n" for text in file.read().split("\n---\n")]
            if name.endswith("20-v2.yaml"):
                self.world.write("rules.yaml", *objects)
            else:
                self.world.write("gateway.yaml", *[o for o in objects if "kind: VirtualService" not in o])
        pods = [("tcp-echo-v1", "127.8.4.1"), ("tcp-echo-v2", "127.8.4.2")]
        self.world.serve([("tcp", name[-2:], f"{ip}:9000") for name, ip in pods])
        self.world.write("tcp-echo.yaml", service("tcp-echo", "10.96.84.1", [("tcp", 9000, 9000)]),
                         *(pod(name, ip, {"app": "tcp-echo", "version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("tcp-echo", pods, [("tcp", 9000)]))
        self.start()
        harness.wait_for(lambda: self.from_outside(f"{NODE}:31400", 1, "--mode", "tcp")["failed"] == 0, "tcp-echo answers")
        self.assert_split(self.from_outside(f"{NODE}:31400", 200, "--mode", "tcp"), {"v1": 80, "v2": 20})


if __name__ == "__main__":
    harness.main()
