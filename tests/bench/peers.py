"""The ways to an endpoint that are held against each other, each in a network namespace of its own with the same servers:
direct, weir, nftables DNAT, HAProxy in tcp mode, nginx's stream module. All but direct split 90/10 between two endpoints."""

import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import harness  # noqa: E402
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service  # noqa: E402

VIP = "10.96.0.1"
HTTP_PORT, TCP_PORT = 80, 90
ENDPOINTS = {"v1": "10.1.0.1", "v2": "10.1.0.2"}
WEIGHTS = {"v1": 90, "v2": 10}
ENDPOINT_HTTP, ENDPOINT_TCP = 9080, 9090
NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def split_objects(weights, endpoints=None):
    """The bench service with its versions, split by `weights`."""
    pods = [(f"bench-{v}", ip) for v, ip in (endpoints or ENDPOINTS).items()]
    ports = [("http", HTTP_PORT, ENDPOINT_HTTP), ("tcp", TCP_PORT, ENDPOINT_TCP)]
    route = [{"route": [destination("bench", v, w) for v, w in weights.items()]}]
    return [
        service("bench", VIP, ports),
        *(pod(name, ip, {"app": "bench", "version": name.split("-")[1]}) for name, ip in pods),
        endpoint_slice("bench", pods, [("http", ENDPOINT_HTTP), ("tcp", ENDPOINT_TCP)]),
        destination_rule("bench", {v: {"version": v} for v in weights}),
        virtual_service("bench", route, tcp=route),
    ]


class Peer:
    """One way. `cgroup`: its clients run the connect hook."""

    name = "direct"
    short = "direct"  # of its namespace
    host = ENDPOINTS["v1"]
    http_port, tcp_port = ENDPOINT_HTTP, ENDPOINT_TCP
    cgroup = False

    def __init__(self, world):
        self.world = world
        self.netns = world.add_netns(self.short)
        for ip in ENDPOINTS.values():
            world.add_address(ip, netns=self.netns)
        serves = [(kind, v, f"{ip}:{port}") for v, ip in ENDPOINTS.items()
                  for kind, port in (("http", ENDPOINT_HTTP), ("tcp", ENDPOINT_TCP))]
        self.processes = [world.serve(serves, netns=self.netns)]

    def pin(self, cpus):
        """Everything of this way but the client on these CPUs, threads and workers included."""
        for process in self.processes:
            for pid in [process.pid, *_children(process.pid)]:
                for task in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(task), cpus)

    @staticmethod
    def missing():
        """Why it cannot run here, or None."""
        return None

    def target(self):
        """Where clients connect; direct ones spread over the endpoints themselves, so that all ways load them alike."""
        if self.host == VIP:
            return f"{VIP}:{self.http_port}"
        return " ".join(f"{ip}:{ENDPOINT_HTTP}" for v, ip in ENDPOINTS.items() for _ in range(WEIGHTS[v] // 10))

    def measure(self, n, *options):
        return self.world.connect(self.target(), n, *options, netns=self.netns, cgroup=self.cgroup)

    def round_trips(self, n, *options):
        return self.world.connect(f"{self.host}:{self.tcp_port}", 1, "--mode", "pingpong", "--requests", str(n), *options,
                                  netns=self.netns, cgroup=self.cgroup)

    def wait_up(self):
        for measure in (lambda: self.measure(4), lambda: self.round_trips(4)):
            harness.wait_for(lambda: measure()["failed"] == 0, f"{self.name} answers")  # noqa: B023


class Weir(Peer):
    name = short = "weir"
    host, http_port, tcp_port, cgroup = VIP, HTTP_PORT, TCP_PORT, True

    def __init__(self, world):
        super().__init__(world)
        world.write("bench.yaml", *split_objects(WEIGHTS))
        world.start_agent()


class Nftables(Peer):
    name, short = "nftables DNAT", "nft"
    host, http_port, tcp_port = VIP, HTTP_PORT, TCP_PORT

    def __init__(self, world):
        super().__init__(world)
        harness.run("ip", "-n", self.netns, "route", "add", f"{VIP}/32", "dev", "lo")
        choice = f"numgen random mod 100 map {{ 0-89 : {ENDPOINTS['v1']}, 90-99 : {ENDPOINTS['v2']} }}"
        rules = "table ip bench { chain output { type nat hook output priority -100;\n" + "".join(
            f"ip daddr {VIP} tcp dport {port} dnat to {choice} : {target};\n"
            for port, target in ((HTTP_PORT, ENDPOINT_HTTP), (TCP_PORT, ENDPOINT_TCP))) + "}\n}\n"
        harness.run("nsenter", f"--net=/run/netns/{self.netns}", "nft", "-f", "-", input=rules)

    @staticmethod
    def missing():
        return None if shutil.which("nft") else "nftables is not installed"


class Haproxy(Peer):
    name, short = "HAProxy tcp", "haproxy"
    host, http_port, tcp_port = VIP, HTTP_PORT, TCP_PORT

    def __init__(self, world):
        super().__init__(world)
        world.add_address(VIP, netns=self.netns)
        config = os.path.join(world.folder, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write("global\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n")
            for port, target in ((HTTP_PORT, ENDPOINT_HTTP), (TCP_PORT, ENDPOINT_TCP)):
                file.write(f"listen p{port}\n  bind {VIP}:{port}\n")
                for v, ip in ENDPOINTS.items():
                    file.write(f"  server {v} {ip}:{target} weight {WEIGHTS[v]}\n")
        self.processes.append(world.spawn(["haproxy", "-db", "-f", config], netns=self.netns))

    @staticmethod
    def missing():
        return None if shutil.which("haproxy") else "haproxy is not installed"


class Nginx(Peer):
    name, short = "nginx stream", "nginx"
    host, http_port, tcp_port = VIP, HTTP_PORT, TCP_PORT

    def __init__(self, world):
        super().__init__(world)
        world.add_address(VIP, netns=self.netns)
        folder = os.path.join(world.folder, "nginx")
        os.mkdir(folder)
        parts = [f"load_module {NGINX_MODULE};\ndaemon off;\nuser root;\nworker_processes 2;\npid {folder}/pid;\n",
                 f"error_log {folder}/error.log;\nevents {{ worker_connections 8192; }}\nstream {{\n"]
        for port, target in ((HTTP_PORT, ENDPOINT_HTTP), (TCP_PORT, ENDPOINT_TCP)):
            servers = "".join(f"server {ip}:{target} weight={WEIGHTS[v]}; " for v, ip in ENDPOINTS.items())
            parts.append(f"upstream u{port} {{ {servers}}}\nserver {{ listen {VIP}:{port}; proxy_pass u{port}; }}\n")
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("".join(parts) + "}\n")
        self.processes.append(world.spawn(["nginx", "-p", folder, "-c", config], netns=self.netns))
        self.processes[-1].ending = signal.SIGTERM  # a killed master leaves its workers behind

    @staticmethod
    def missing():
        if not shutil.which("nginx"):
            return "nginx is not installed"
        return None if os.path.exists(NGINX_MODULE) else "libnginx-mod-stream is not installed"


ALL = (Peer, Weir, Nftables, Haproxy, Nginx)
