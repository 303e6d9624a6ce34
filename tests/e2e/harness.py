"""A private world for a test: mount namespace, cgroup, bpffs, network namespaces, folders, servers, clients, agent.

Nothing of it outlives the test: the file runs itself again in a mount namespace of its own (pins and namespaces' names go
with it), children die with their parent, the cgroup is emptied and removed.

Programs: WEIR_BINARY (the product), WEIR_TOOLS (folder of version_server and connect_client); data: SHARED_DIR (Istio's
samples). Exit code 77: nothing could run here, and why.
"""

import atexit
import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from yaml_text import documents

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WEIR = os.environ.get("WEIR_BINARY", os.path.join(SOURCE, "build", "userspace", "cli", "weir"))
TOOLS = os.environ.get("WEIR_TOOLS", os.path.join(SOURCE, "build", "tests", "tools"))


def _find_shared():
    """What nobody in this project wrote: SHARED_DIR, ../shared, or the part of it that is in the repository."""
    beside = os.path.join(os.path.dirname(SOURCE), "shared")
    return os.environ.get("SHARED_DIR") or (beside if os.path.isdir(beside) else os.path.join(SOURCE, "tests", "data"))


SHARED = _find_shared()
EXAMPLES = os.path.join(SOURCE, "config", "examples")
ISTIO = os.path.join(SHARED, "corpus", "istio", "samples")
SKIPPED = 77

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_worlds = itertools.count(1)


def cgroup2_root():
    """Found by filesystem type: on a hybrid machine it is not /sys/fs/cgroup."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            fields = line.split(" - ")
            if fields[1].split()[0] == "cgroup2":
                return fields[0].split()[4]
    return None


def missing_requirement():
    """Why nothing can run here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.access(WEIR, os.X_OK):
        return f"{WEIR} is not built"
    for tool in ("version_server", "connect_client"):
        if not os.access(os.path.join(TOOLS, tool), os.X_OK):
            return f"{os.path.join(TOOLS, tool)} is not built"
    for tool in ("ip", "nsenter", "unshare", "mount"):
        if not shutil.which(tool):
            return f"needs the command {tool}"
    if cgroup2_root() is None:
        return "needs a mounted cgroup2"
    return None


def istio_sample(*path):
    """Istio's own file; the test is skipped where the corpus is absent."""
    full = os.path.join(ISTIO, *path)
    if not os.path.exists(full):
        raise unittest.SkipTest(f"{full} is absent")
    return full


def wait_for(condition, what, timeout=10.0):
    """The condition's first true value; the test fails when it takes longer than `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(0.01)


def run(*argv, check=True, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Process:
    """A child that dies with us. `ending`: what World.close() sends it."""

    ending = signal.SIGKILL

    def __init__(self, argv, netns=None, cgroup=None, stderr=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
        if netns:
            # `ip netns exec` would hide cgroup2 and bpffs behind a fresh /sys.
            argv = ["nsenter", f"--net=/run/netns/{netns}", *argv]
        self.argv = argv
        parent = os.getpid()

        def prepare():
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            if cgroup:  # before the namespace is entered
                with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as procs:
                    procs.write("0")

        self.popen = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=stderr, text=True, preexec_fn=prepare)

    @property
    def pid(self):
        return self.popen.pid

    def stop(self, how=signal.SIGKILL):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        code = self.popen.wait(timeout=20)
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if pipe:
                pipe.close()
        return code


class Server(Process):
    """A version_server. `serves`: [("http"|"tcp"|"bookinfo", "v1", "127.0.0.1:80")]; `calls`: {"reviews": "addr:port"}."""

    def __init__(self, serves, calls=None, **options):
        argv = [os.path.join(TOOLS, "version_server")]
        for kind, name, address in serves:
            argv += [f"--{kind}", f"{name}@{address}"]
        for name, address in (calls or {}).items():
            argv += [f"--{name}", address]
        super().__init__(argv, stdin=subprocess.PIPE, **options)
        if self.popen.stdout.readline() != "ready\n":
            raise AssertionError(f"{' '.join(argv)} did not start")

    def counts(self, what="requests"):
        """{name: requests so far}, over all addresses of one name."""
        self.popen.stdin.write("counts\n")
        self.popen.stdin.flush()
        total = {}
        for entry in json.loads(self.popen.stdout.readline()):
            total[entry["name"]] = total.get(entry["name"], 0) + entry[what]
        return total

    def by_address(self, what="requests"):
        self.popen.stdin.write("counts\n")
        self.popen.stdin.flush()
        return {entry["address"]: entry[what] for entry in json.loads(self.popen.stdout.readline())}


class Load(Process):
    """Connections without a pause until finish(): what a change must not disturb."""

    def __init__(self, target, options=(), **where):
        argv = [os.path.join(TOOLS, "connect_client"), target, "--until-eof", "--reset", *options]
        super().__init__(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, **where)
        if self.popen.stderr.readline() != "started\n":
            raise AssertionError(f"{' '.join(argv)} did not start")

    def finish(self):
        out, _ = self.popen.communicate(timeout=20)
        return json.loads(out)


def text_of(characters):
    """A char array as bpftool prints it."""
    if isinstance(characters, str):
        return characters
    text = ""
    for c in characters:
        if c in ("", "\0", 0, "0x00"):
            break
        text += c if isinstance(c, str) else chr(c)
    return text


def label(part):
    """Of a split's destination in the maps."""
    return text_of(part["label"])


class World:
    """One node: its own network namespace, cgroup, bpffs, configuration and run folders."""

    def __init__(self):
        self.name = f"weir-e2e-{os.getpid()}-{next(_worlds)}"
        self.processes = []
        self.namespaces = []
        self.agent = None
        self.folder = tempfile.mkdtemp(prefix="weir-e2e-")
        self.config = os.path.join(self.folder, "config")
        self.run_dir = os.path.join(self.folder, "run")
        self.bpf_mount = os.path.join(self.folder, "bpf")
        self.bpffs = os.path.join(self.bpf_mount, "weir")
        self.log = os.path.join(self.folder, "agent.log")
        self.cgroup = os.path.join(cgroup2_root(), self.name)
        self.clients = os.path.join(self.cgroup, "clients")
        atexit.register(self.close)
        os.chmod(self.folder, 0o755)  # a process without rights gets as far as it may
        for folder in (self.config, self.run_dir, self.bpf_mount, self.cgroup, self.clients):
            os.mkdir(folder)
        run("mount", "-t", "bpf", "bpf", self.bpf_mount)
        self.netns = self.add_netns("node")

    # ------------------------------------------------------------ parts

    def add_netns(self, name):
        full = f"{self.name}-{name}"
        run("ip", "netns", "add", full)
        self.namespaces.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        # Many short connections from one address: no port may stay blocked by those before.
        for key, value in (("tcp_max_tw_buckets", "0"), ("ip_local_port_range", "1024 65000"),
                           # Else a client may get the port of the proxy that it dials, and be connected with itself.
                           ("ip_local_reserved_ports", "61000-61999")):
            run("nsenter", f"--net=/run/netns/{full}", "sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{key}")
        return full

    def add_pod(self, name, address, gateway="10.99.0.1"):
        """A pod: a namespace with `address`, joined to the node's by veth; its connections run the node's hooks."""
        full = self.add_netns(name)
        inside, outside = "eth0", f"v{len(self.namespaces)}"
        run("ip", "-n", self.netns, "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", full)
        run("ip", "-n", full, "addr", "add", f"{address}/32", "dev", inside)
        run("ip", "-n", full, "link", "set", inside, "up")
        run("ip", "-n", self.netns, "link", "set", outside, "up")
        run("ip", "-n", self.netns, "addr", "add", f"{gateway}/32", "dev", outside)
        run("ip", "-n", self.netns, "route", "add", f"{address}/32", "dev", outside)
        run("ip", "-n", full, "route", "add", f"{gateway}/32", "dev", inside)
        run("ip", "-n", full, "route", "add", "default", "via", gateway)
        run("nsenter", f"--net=/run/netns/{self.netns}", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        return full

    def add_address(self, address, device="lo", netns=None):
        prefix = "128" if ":" in address else "32"
        extra = ["nodad"] if ":" in address else []
        run("ip", "-n", netns or self.netns, "addr", "add", f"{address}/{prefix}", "dev", device, *extra)

    def serve(self, serves, calls=None, netns=None, cgroup=None):
        server = Server(serves, calls, netns=netns or self.netns, cgroup=cgroup)
        self.processes.append(server)
        return server

    def run_in_node(self, *argv):
        """A command in the node's network namespace."""
        return run("nsenter", f"--net=/run/netns/{self.netns}", *argv)

    def spawn(self, argv, netns=None, **options):
        process = Process(argv, netns=netns or self.netns, **options)
        self.processes.append(process)
        return process

    def write(self, name, *objects):
        """As careful programs do: a temporary file, then a rename."""
        path = os.path.join(self.config, name)
        with open(path + ".tmp~", "w", encoding="utf-8") as file:
            file.write(documents(*objects))
        os.rename(path + ".tmp~", path)
        return path

    def remove(self, name):
        os.unlink(os.path.join(self.config, name))

    # ------------------------------------------------------------ the product

    def start_agent(self, *options, wait=True, timeout=15):
        argv = [WEIR, "agent", "--config", self.config, "--cgroup", self.cgroup, "--bpffs", self.bpffs,
                "--run-dir", self.run_dir, "--node", "node-1", *options]
        with open(self.log, "a", encoding="utf-8") as log:
            self.agent = self.spawn(argv, stdout=log, stderr=log)
        if wait:
            self.wait_ready(timeout)
        return self.agent

    def stop_agent(self, how=signal.SIGTERM):
        code = self.agent.stop(how)
        self.processes.remove(self.agent)
        self.agent = None
        return code

    def weir(self, *arguments, check=True):
        """One of the commands, against this world's agent and maps."""
        return run("nsenter", f"--net=/run/netns/{self.netns}", WEIR, *arguments, "--run-dir", self.run_dir,
                   "--bpffs", self.bpffs, check=check)

    def json(self, *arguments, check=True):
        return json.loads(self.weir(*arguments, "-o", "json", check=check).stdout)

    def status(self):
        return self.json("status", check=False)

    def weir_agent_once(self, *options):
        """An agent beside the one that runs: it is expected to end by itself."""
        return run("nsenter", f"--net=/run/netns/{self.netns}", WEIR, "agent", "--config", self.config, "--cgroup", self.cgroup,
                   "--bpffs", self.bpffs, "--run-dir", self.run_dir, *options, check=False, timeout=20)

    def outside(self, name, *objects):
        """A file that is not in the watched folder."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(documents(*objects))
        return path

    def split_of(self, service):
        """The one split of a service (short name), as `weir get splits` shows it."""
        found = [s for s in self.json("get", "splits")["splits"] if s["service"].split(".")[0] == service]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} splits of {service}")
        return found[0]

    def conditions(self, word):
        """What status says is wrong with services or rules, if it has the word in it."""
        return [c for c in self.status()["conditions"] if word in json.dumps(c)]

    def wait_endpoints(self, host, number):
        def there():
            shown = self.json("get", "endpoints")["endpoints"]
            return len({(e["address"], e["port"]) for e in shown if e["service"] == host}) == number
        wait_for(there, f"{host} has {number} endpoints")

    def dump(self, name, formatted=True):
        """A pinned map as bpftool prints it: [{"key", "value"}]; formatted by BTF, or as bytes."""
        entries = json.loads(run("bpftool", "-j", "map", "dump", "pinned", os.path.join(self.bpffs, "maps", name)).stdout)
        return [entry["formatted"] if formatted else entry for entry in entries]

    def verdicts(self):
        """Summed over CPUs."""
        total = {}
        for per_cpu in self.dump("verdicts")[0]["values"]:
            for name, count in per_cpu["value"].items():
                total[name] = total.get(name, 0) + count
        return total

    def wait_answer(self, target):
        wait_for(lambda: self.connect(target, 1, cgroup=False)["failed"] == 0, f"{target} answers")

    def wait_ready(self, timeout=15):
        def ready():
            if self.agent.popen.poll() is not None:
                raise AssertionError(f"the agent ended with {self.agent.popen.returncode}:\n{self.read_log()}")
            done = self.weir("status", "-o", "json", check=False)
            return done.returncode in (0, 1) and done.stdout.startswith("{") and json.loads(done.stdout).get("ready")
        return wait_for(ready, "the agent is ready", timeout)

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ------------------------------------------------------------ clients

    def connect(self, target, n=1, *options, netns=None, cgroup=True):
        """Counts of `n` connections: {"total", "failed", "errors", "by_version", ...}. `target`: one, or several by space."""
        argv = [os.path.join(TOOLS, "connect_client"), *target.split(), "--connections", str(n), "--reset", *options]
        client = Process(argv, netns=netns or self.netns, cgroup=self.clients if cgroup else None)
        out, _ = client.popen.communicate(timeout=120)
        if client.popen.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit {client.popen.returncode}")
        return json.loads(out)

    def wait_split(self, target, weights, n=60, *options, netns=None, off=2):
        """The change is in the kernel: exactly these versions answer, in these shares."""
        wanted = {version for version, weight in weights.items() if weight > 0}
        total = sum(weights.values())
        seen = {}

        def there():
            counts = self.connect(target, n, *options, netns=netns)
            seen.update(last=(counts["by_version"], counts["errors"]))
            if counts["failed"] or set(counts["by_version"]) != wanted:
                return False
            return all(abs(counts["by_version"].get(v, 0) - n * w / total) <= off for v, w in weights.items())
        try:
            wait_for(there, f"{target} splits {weights}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last seen: {seen['last']}") from None

    def load(self, target, *options, netns=None):
        load = Load(target, options, netns=netns or self.netns, cgroup=self.clients)
        self.processes.append(load)
        return load

    # ------------------------------------------------------------ the end

    def close(self):
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            try:
                process.stop(process.ending)
            except (OSError, subprocess.TimeoutExpired) as error:
                print(f"{process.argv}: {error}", file=sys.stderr)
        run("umount", "--lazy", self.bpf_mount, check=False)
        for name in reversed(self.namespaces):
            run("ip", "netns", "del", name, check=False)
        for folder in (self.clients, os.path.join(self.cgroup, "weir-proxy"), self.cgroup):
            self._remove_cgroup(folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _remove_cgroup(folder):
        if not os.path.isdir(folder):
            return
        try:
            with open(os.path.join(folder, "cgroup.kill"), "w", encoding="ascii") as kill:
                kill.write("1")
        except OSError:
            pass  # before 5.14: its processes were ended above

        def gone():
            try:
                os.rmdir(folder)
                return True
            except OSError:
                return False
        wait_for(gone, f"{folder} is empty", timeout=5)


class WorldTest(unittest.TestCase):
    """A test with a world of its own, made in setUp and always taken down. Shows the agent's log when the test fails."""

    maxDiff = None

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        self._log_text = ""
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before and self._log_text:
            print(f"--- agent's log of {self.id()}\n{self._log_text}---", file=sys.stderr)

    def tearDown(self):
        if os.path.exists(self.world.log):
            self._log_text = self.world.read_log()[-6000:]

    def assert_split(self, counts, weights, off=2):
        """No connection failed; each version within `off` connections of its share; weight 0 exactly never."""
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assert_shares(counts["by_version"], weights, off)

    def assert_shares(self, by_version, weights, off=2):
        total, answered = sum(weights.values()), sum(by_version.values())
        for version, weight in weights.items():
            if weight == 0:
                self.assertEqual(by_version.get(version, 0), 0, f"{version} has weight 0: {by_version}")
            else:
                self.assertLessEqual(abs(by_version.get(version, 0) - answered * weight / total), off,
                                     f"{by_version} for {weights}")
        self.assertEqual(set(by_version) - set(weights), set(), "unexpected versions")

    def wait_split(self, target, weights, n=60, *options, netns=None, off=2):
        self.world.wait_split(target, weights, n, *options, netns=netns, off=off)


def enter_private_world():
    """Runs the program again in a mount namespace of its own; ends with exit code 77 where nothing could run."""
    reason = missing_requirement()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    if os.environ.get("WEIR_E2E_PRIVATE") != "1":
        os.environ["WEIR_E2E_PRIVATE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "netns", "/run/netns")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def main():
    """unittest.main in a private mount namespace."""
    enter_private_world()
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
