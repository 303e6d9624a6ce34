#!/usr/bin/python3
"""The proxy's process comes, goes, dies, hangs and is replaced; clients notice nothing, or the promised fallback."""

import json
import os
import signal
import socket
import subprocess
import sys

import harness
from harness import wait_for
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

VIP = "10.96.61.1"
TARGET = f"{VIP}:80"
ENDPOINTS = {"v1": "127.7.1.1", "v2": "127.7.2.1", "v3": "127.7.3.1"}
HERE = os.path.dirname(os.path.abspath(__file__))


def is_alive(pid):
    """Not gone, nor ended and waiting for whoever became its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


class HttpLoad(harness.Process):
    def __init__(self, world, target, *options):
        super().__init__([sys.executable, os.path.join(HERE, "http_load.py"), target, *options], netns=world.netns,
                         cgroup=world.clients, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        world.processes.append(self)
        if self.popen.stderr.readline() != "started\n":
            raise AssertionError("the load did not start")

    def finish(self):
        out, _ = self.popen.communicate(timeout=30)
        return json.loads(out)


class ProxyProcess(harness.WorldTest):
    """Requests to /v3 go to v3; the rest is split 50/50 between v1 and v2."""

    def setUp(self):
        super().setUp()
        self.server = self.world.serve([("http", v, f"{ip}:8080") for v, ip in ENDPOINTS.items()])
        pods = [(f"app-{v}", ip) for v, ip in ENDPOINTS.items()]
        self.world.write("app.yaml", service("app", VIP, [("http", 80, 8080)]),
                         *(pod(name, ip, {"app": "app", "version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("app", pods, [("http", 8080)]),
                         destination_rule("app", {v: {"version": v} for v in ENDPOINTS}))
        self.rule(50, 50)

    def rule(self, v1, v2):
        self.world.write("rule.yaml", virtual_service("app", [
            {"match": [{"uri": {"prefix": "/v3"}}], "route": [destination("app", "v3")]},
            {"route": [destination("app", "v1", v1), destination("app", "v2", v2)]}]))

    def start(self, *options):
        self.world.start_agent(*options)
        return wait_for(lambda: self.proxy()["state"] == "up" and self.fresh() and self.proxy()["pid"],
                        "the proxy serves")

    def proxy(self):
        return self.world.status()["proxy"]

    def fresh(self):
        age = self.proxy()["beat_age_s"]
        return age is not None and age < 2

    def get(self, path="/v3", n=20):
        """Versions that answered, over new connections."""
        return self.world.connect(TARGET, n, "--path", path)

    def by_proxy(self):
        """/v3 reaches v3 only where somebody reads the request."""
        counts = self.get()
        return counts["failed"] == 0 and set(counts["by_version"]) == {"v3"}

    def by_fallback(self):
        counts = self.get()
        return counts["failed"] == 0 and "v3" not in counts["by_version"] and counts["by_version"]

    def load(self, *options):
        return HttpLoad(self.world, TARGET, *options)

    def assert_undisturbed(self, counts):
        self.assertGreater(counts["total"], 50)
        self.assertEqual(counts["failed"], 0, counts["errors"])

    # ------------------------------------------------------------ it serves

    def test_requests_are_routed_and_counted(self):
        self.start()
        self.assertTrue(self.by_proxy())
        load = self.load("--threads", "2")
        shown = self.world.json("stat", "app", "--window", "1s")
        self.assert_undisturbed(load.finish())
        rows = {(row["rule"], row["subset"]): row for row in shown["services"] if row["path"] == "proxy"}
        self.assertEqual({subset for _, subset in rows}, {"v1", "v2", "v3"})
        busy = [row for row in rows.values() if row["subset"] in ("v1", "v2")]
        for row in busy:
            self.assertEqual(row["weight"], 50)
            self.assertGreater(row["rate"], 1)
            self.assertEqual(row["success_rate"], 1)
            self.assertAlmostEqual(row["share"], 0.5, delta=0.1)
            self.assertGreater(row["p99_ms"], 0)
        table = self.world.weir("stat", "app").stdout
        self.assertIn("P99 MS", table)
        metrics = self.metrics()
        self.assertIn('istio_requests_total{reporter="source"', metrics)
        self.assertIn('destination_version="v1"', metrics)
        self.assertIn("istio_request_duration_milliseconds_bucket{", metrics)
        self.assertIn("weir_proxy_up 1\n", metrics)

    def metrics(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.join(self.world.run_dir, "weir.sock"))
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = b""
            while piece := connection.recv(65536):
                text += piece
        return text.decode()

    def test_path_is_shown_as_it_is(self):
        self.start()
        shown = [s for s in self.world.json("get", "services")["services"] if s["service"].startswith("app.")]
        self.assertEqual([s["path"] for s in shown], ["proxy"])
        answer = self.world.json("explain", "--to", f"http://app/v3/x")
        self.assertEqual(answer["path"], "proxy")
        self.assertEqual([d["subset"] for d in answer["destinations"]], ["v3"])
        status = self.world.weir("status").stdout
        self.assertIn("proxy     pid", status)

    def test_it_has_no_rights(self):
        pid = self.start()
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(int(lines["CapEff"], 16) | int(lines["CapBnd"], 16) | int(lines["CapPrm"], 16), 0)
        self.assertNotEqual(lines["Uid"].split()[0], "0")
        self.assertEqual(lines["NoNewPrivs"], "1")
        self.assertEqual(lines["Seccomp"], "2")
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            self.assertEqual(file.read().strip(), "500")  # the proxy goes before the agent
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            self.assertTrue(any(line.rstrip().endswith(f"{self.world.name}/weir-proxy") for line in file))

    # ------------------------------------------------------------ who reaches it

    def test_pods_reach_it_at_the_nodes_address(self):
        pod_netns = self.world.add_pod("client", "10.99.1.5")
        self.start()
        self.assertEqual(self.proxy()["addresses"][0], "10.99.0.1", "of the interface: lo's are services'")
        counts = self.world.connect(TARGET, 20, "--path", "/v3", netns=pod_netns)
        self.assertEqual((counts["failed"], counts["by_version"]), (0, {"v3": 20}), counts["errors"])
        direct = self.world.connect("10.99.0.1:61000", 3, netns=pod_netns, cgroup=False)
        self.assertEqual(direct["failed"], 3, "a pod cannot come in by itself")

    def test_an_address_that_comes_later_is_used(self):
        self.start()
        self.assertEqual(self.proxy()["addresses"][0], "127.0.0.1")
        pod_netns = self.world.add_pod("client", "10.99.1.5")
        wait_for(lambda: self.proxy()["addresses"][0] == "10.99.0.1", "the new address is found")

        def by_proxy():
            counts = self.world.connect(TARGET, 20, "--path", "/v3", netns=pod_netns)
            return counts["failed"] == 0 and counts["by_version"] == {"v3": 20}
        wait_for(by_proxy, "pods reach it")

    def test_v6_clients_reach_it(self):
        vip = "fd00:96:61::1"
        self.world.write("app6.yaml", service("six", vip, [("http", 80, 8080)]))
        self.world.write("rule6.yaml", virtual_service("six", [
            {"match": [{"uri": {"prefix": "/v3"}}], "route": [destination("app", "v3")]},
            {"route": [destination("app", "v1")]}]))
        self.start()
        for path, version in (("/v3", "v3"), ("/", "v1")):
            counts = self.world.connect(f"[{vip}]:80", 10, "--path", path)
            self.assertEqual((counts["failed"], counts["by_version"]), (0, {version: 10}), counts["errors"])

    # ------------------------------------------------------------ it dies, hangs

    def test_killed_it_comes_back_and_its_services_fall_back_meanwhile(self):
        pid = self.start()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.proxy()["state"] == "up" and self.proxy()["pid"] != pid, "another proxy runs", 5)
        wait_for(self.by_proxy, "requests are routed again", 5)
        self.assertEqual(self.proxy()["restarts"], 1)
        self.assertIn("killed by signal 9", self.world.read_log())

    def test_stopped_it_is_replaced_and_its_services_fall_back_meanwhile(self):
        pid = self.start()
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: not self.fresh(), "the beat is old", 4)
        self.assertTrue(self.by_fallback(), "within 2 s")
        # The agent looks four times a second, and ends a proxy that was silent for 6 s.
        wait_for(lambda: "no sign of life" in json.dumps(self.world.status()["problems"]), "status says so", 3)
        wait_for(lambda: self.proxy()["state"] == "up" and self.proxy()["pid"] != pid and self.fresh(),
                 "another proxy runs", 15)
        self.assertTrue(self.by_proxy())

    def test_without_an_agent_it_goes_on_and_is_adopted(self):
        pid = self.start()
        load = self.load("--threads", "2")
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.world.stop_agent(how)
            self.assertTrue(self.by_proxy())
            self.world.start_agent()
            self.assertEqual(self.proxy()["pid"], pid)
            self.assertTrue(self.proxy()["adopted"])
        self.assert_undisturbed(load.finish())
        self.rule(0, 100)
        wait_for(lambda: set(self.get("/")["by_version"]) == {"v2"}, "the adopted proxy follows a change")

    def test_maps_of_other_sizes_send_nobody_past_the_proxy(self):
        """Once all maps were made anew, the proxy beat into the old one, and every rule was bypassed for good."""
        pid = self.start()
        load = self.load("--threads", "2", "--path", "/v3", "--close")
        sizes, lookups = [], 0
        for how, size in ((signal.SIGTERM, "splits"), (signal.SIGKILL, "sockets"), (signal.SIGTERM, "counters"),
                          (signal.SIGKILL, "endpoints"), (signal.SIGTERM, "sources")):
            sizes += [f"--map-{size}", "8192"]
            self.world.stop_agent(how)
            self.world.start_agent(*sizes)
            maps = {entry["name"]: entry["capacity"] for entry in self.world.status()["datapath"]["maps"]}
            self.assertEqual(maps[size], 8192)
            self.assertEqual(self.proxy()["pid"], pid)
            self.assertEqual(self.world.status()["problems"], [])
            self.assertTrue(self.by_proxy())
            self.assertGreater(self.world.verdicts()["lookups"], lookups, "a counter fell")
            lookups = self.world.verdicts()["lookups"]
        counts = load.finish()
        self.assert_undisturbed(counts)
        self.assertEqual(set(counts["by_version"]), {"v3"})
        verdicts = self.world.verdicts()
        self.assertEqual((verdicts["proxy_down"], verdicts["proxy_no_way"], verdicts["proxy_direct"]), (0, 0, 0))

    def test_without_agent_and_proxy_services_fall_back(self):
        pid = self.start()
        self.world.stop_agent(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        wait_for(self.by_fallback, "the split of the default route", 4)
        self.world.start_agent()
        wait_for(lambda: self.fresh() and self.by_proxy(), "the next agent starts another")

    # ------------------------------------------------------------ who it serves

    def test_multipath_tcp_is_served_and_leaves_nothing(self):
        if not os.path.exists("/proc/sys/net/mptcp/enabled"):
            self.skipTest("this kernel has no MPTCP")
        self.start()
        client = ("import socket\n"
                  f"s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, {getattr(socket, 'IPPROTO_MPTCP', 262)})\n"
                  f"s.connect(('{VIP}', 80))\n"
                  "s.sendall(b'GET /v3 HTTP/1.1\\r\\nHost: app\\r\\nConnection: close\\r\\n\\r\\n')\n"
                  "print('%s:%d' % s.getpeername(), s.makefile().readline().strip())\n")
        for _ in range(5):
            process = harness.Process([sys.executable, "-c", client], netns=self.world.netns, cgroup=self.world.clients)
            out, _ = process.popen.communicate(timeout=20)
            self.assertEqual(out.strip(), f"{TARGET} HTTP/1.1 200 OK")
        self.assertEqual((self.world.dump("sockets"), self.world.dump("redirects")), ([], []))

    # ------------------------------------------------------------ it is replaced

    def test_restart_proxy_fails_no_request(self):
        pid = self.start()
        busy, idle = self.load("--threads", "4"), self.load("--threads", "8", "--pause", "0.05")
        seen = {pid}
        for _ in range(3):
            self.world.weir("restart-proxy")
            seen.add(self.proxy()["pid"])
        self.assertEqual(len(seen), 4)
        wait_for(lambda: not self.proxy()["draining"], "the old ones have ended", 40)
        self.assert_undisturbed(busy.finish())
        self.assert_undisturbed(idle.finish())
        self.assertEqual(self.proxy()["restarts"], 0)

    def test_changes_under_load_fail_no_request(self):
        self.start()
        load = self.load("--threads", "4")
        for share in (10, 90, 0, 50):
            self.rule(share, 100 - share)
            generation = self.world.status()["generation"]
            wait_for(lambda: self.proxy()["generation"] >= generation, "the proxy has it")
        self.assert_undisturbed(load.finish())

    def test_other_options_replace_it(self):
        pid = self.start("--proxy-threads", "1")
        load = self.load("--threads", "2")
        self.world.stop_agent()
        self.start("--proxy-threads", "2", "--proxy-loop", "epoll")
        status = self.proxy()
        self.assertNotEqual(status["pid"], pid)
        self.assertEqual((status["workers"], status["loop"]), (2, "epoll"))
        self.assertTrue(self.by_proxy())
        wait_for(lambda: not self.proxy()["draining"], "the old one has ended", 40)
        self.assert_undisturbed(load.finish())

    # ------------------------------------------------------------ who must not come in, what must not stay

    def test_straight_to_its_port_is_reset(self):
        self.start("--node-address", "127.0.0.1")
        self.assertTrue(self.by_proxy())
        for address in ("127.0.0.1:61000", "127.0.0.1:61500"):
            counts = self.world.connect(address, 3, cgroup=False)
            self.assertEqual(counts["failed"], 3, f"{address} answered")
        self.assertTrue(self.by_proxy())

    def test_access_log(self):
        self.start("--access-log", "file", "--access-log-format", "json")
        self.assertTrue(self.by_proxy())
        path = os.path.join(self.world.run_dir, "access.log")

        def lines():
            with open(path, encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        wait_for(lambda: len(lines()) >= 20, "every request is logged")
        os.rename(path, path + ".1")
        self.world.agent.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: os.path.exists(path), "a new file after rotation")
        self.assertTrue(self.by_proxy())
        wait_for(lambda: len(lines()) >= 20, "lines go to the new file")

    def test_uninstall_leaves_nothing(self):
        pid = self.start()
        self.assertTrue(self.by_proxy())
        self.world.stop_agent()
        self.world.weir("uninstall")
        self.assertFalse(is_alive(pid))
        self.assertFalse(os.path.exists(os.path.join(self.world.cgroup, "weir-proxy")))
        self.assertFalse(os.path.exists(self.world.run_dir))
        listening = harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", "ss", "-Hltn").stdout.splitlines()
        self.assertEqual([line for line in listening if ":8080" not in line], [])

    def test_none_runs_where_no_rule_needs_it(self):
        self.world.remove("rule.yaml")
        self.world.start_agent()
        self.assertEqual(self.proxy()["state"], "unneeded")
        self.assertEqual([n for n in os.listdir(self.world.run_dir) if n.startswith("proxy")], [])
        self.rule(50, 50)
        wait_for(lambda: self.fresh() and self.by_proxy(), "started with the first rule that needs it")


if __name__ == "__main__":
    harness.main()
