"""A node between a client and endpoints, carrying outside traffic: network namespaces joined by veth.

    client 198.51.100.7 ── up0 │ node │ pod0 ── pod 10.0.0.5          (an endpoint of the node)
                               │      │ peer0 ── other 192.0.2.9      (an endpoint on another node)
"""

import ctypes
import errno
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import harness

CLIENT, CLIENT6 = "198.51.100.7", "2001:db8:c::7"
VIP, VIP6 = "203.0.113.10", "2001:db8:5::10"
POD, POD6 = "10.0.0.5", "2001:db8:a::5"
POD2 = "10.0.0.6"
NODE, NODE6 = "192.0.2.1", "2001:db8:b::1"
OTHER, OTHER6 = "192.0.2.9", "2001:db8:b::9"
TOOL = os.path.join(harness.TOOLS, "north_tool")


def inside(netns, function):
    """Runs `function` in a thread that is in the network namespace; its sockets stay there."""
    result = {}

    def work():
        with open(f"/run/netns/{netns}", encoding="ascii") as handle:
            if harness._LIBC.setns(handle.fileno(), 0x40000000) != 0:
                result["error"] = OSError("setns")
                return
        try:
            result["value"] = function()
        except BaseException as error:  # pylint: disable=broad-except
            result["error"] = error
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    if thread.is_alive():
        raise AssertionError("hangs")
    if "error" in result:
        raise result["error"]
    return result.get("value")


def checksums_by_the_sender(device):
    """As ethtool -K DEVICE tx off tso off, in the calling thread's network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in (0x1F, 0x17):  # ETHTOOL_STSO, ETHTOOL_STXCSUM
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP8x", device.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(any_socket, 0x8946, request)  # SIOCETHTOOL
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:  # off already, and not to be had
                    raise


class Echo:
    """Sends back whatever it gets, after a first byte with its name. TCP and UDP."""

    def __init__(self, netns, address, port, name, close_first=False):
        self.name, self.close_first = name.encode(), close_first
        self.peers = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def listen():
            tcp = socket.socket(family, socket.SOCK_STREAM)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind((address, port))
            tcp.listen(256)
            udp = socket.socket(family, socket.SOCK_DGRAM)
            udp.bind((address, port))
            return tcp, udp
        self.tcp, self.udp = inside(netns, listen)
        for work in (self._accept, self._datagrams):
            threading.Thread(target=work, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, peer = self.tcp.accept()
            except OSError:
                return
            self.peers.append(peer[0].removeprefix("::ffff:"))
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                connection.sendall(self.name)
                if self.close_first:
                    return
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
            except OSError:
                pass

    def _datagrams(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(1 << 16)
                self.udp.sendto(self.name + data, peer)
            except OSError:
                return

    def close(self):
        self.tcp.close()
        self.udp.close()


class NorthWorld(harness.World):
    def __init__(self):
        super().__init__()
        self.tool = None
        self.echoes = []
        self.client = self.add_netns("client")
        self.pod = self.add_netns("pod")
        self.other = self.add_netns("other")
        self.sysctl(self.netns, ("ipv4/ip_forward", 1), ("ipv6/conf/all/forwarding", 1))
        for netns in (self.netns, self.client, self.pod, self.other):
            self.sysctl(netns, ("ipv4/ip_local_port_range", "32768 60999"), ("ipv6/conf/all/accept_dad", 0))
        self.join("up0", self.client, "198.51.100.1/24", f"{CLIENT}/24", "2001:db8:c::1/64", f"{CLIENT6}/64")
        self.join("pod0", self.pod, "10.0.0.1/24", f"{POD}/24", "2001:db8:a::1/64", f"{POD6}/64")
        harness.run("ip", "-n", self.pod, "addr", "add", f"{POD2}/24", "dev", "eth0")
        self.join("peer0", self.other, f"{NODE}/24", f"{OTHER}/24", f"{NODE6}/64", f"{OTHER6}/64")

    @staticmethod
    def sysctl(netns, *pairs):
        for key, value in pairs:
            harness.run("nsenter", f"--net=/run/netns/{netns}", "sh", "-c", f"echo {value} > /proc/sys/net/{key}")

    def join(self, device, far, near4, far4, near6, far6):
        harness.run("ip", "-n", self.netns, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", far)
        for netns, name, v4, v6 in ((self.netns, device, near4, near6), (far, "eth0", far4, far6)):
            harness.run("ip", "-n", netns, "addr", "add", v4, "dev", name)
            harness.run("ip", "-n", netns, "addr", "add", v6, "dev", name, "nodad")
            harness.run("ip", "-n", netns, "link", "set", name, "up")
        harness.run("ip", "-n", far, "route", "add", "default", "via", near4.split("/")[0])
        harness.run("ip", "-n", far, "route", "add", "default", "via", near6.split("/")[0])

    def vlan(self, device, far, number, near4, far4):
        """Joins the two ends in a VLAN too, on `device` here and eth0 there; the far end's way to the node is then that."""
        done = harness.run("ip", "-n", self.netns, "link", "add", "link", device, "name", f"{device}.{number}", "type",
                           "vlan", "id", str(number), check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("this kernel has no VLANs: " + done.stderr.strip())
        harness.run("ip", "-n", far, "link", "add", "link", "eth0", "name", "eth0v", "type", "vlan", "id", str(number))
        for netns, name, v4 in ((self.netns, f"{device}.{number}", near4), (far, "eth0v", far4)):
            harness.run("ip", "-n", netns, "addr", "add", v4, "dev", name)
            harness.run("ip", "-n", netns, "link", "set", name, "up")
        harness.run("ip", "-n", far, "route", "replace", "default", "via", near4.split("/")[0])

    def echo(self, netns, address, port, name, **options):
        self.echoes.append(Echo(netns, address, port, name, **options))
        return self.echoes[-1]

    def start_tool(self, *options):
        argv = [TOOL, "--bpffs", self.bpffs, "--cgroup", self.cgroup, "--node4", NODE, "--node6", NODE6, *options]
        self.tool = self.spawn(argv, stdin=subprocess.PIPE)
        self.expect_ok(self.tool.popen.stdout.readline())

    @staticmethod
    def expect_ok(answer):
        if not answer.startswith("ok"):
            raise AssertionError(answer)
        return answer[3:].strip()

    def tell(self, command):
        self.tool.popen.stdin.write(command + "\n")
        self.tool.popen.stdin.flush()
        return self.expect_ok(self.tool.popen.stdout.readline())

    def kill_tool(self):
        self.tool.stop()
        self.processes.remove(self.tool)

    def counts(self):
        pairs = (pair.split("=") for pair in self.tell("counts").split())
        return {name: int(value) for name, value in pairs}

    def connect_from(self, address, port, source=0, timeout=5, netns=None, bind=""):
        """A connected socket of the client's, and the name of who answered."""
        def dial():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.settimeout(timeout)
            if source or bind:
                connection.bind((bind, source))
            connection.connect((address, port))
            return connection, connection.recv(1).decode()
        return inside(netns or self.client, dial)

    def checksum_errors(self):
        """TcpInCsumErrors and UdpInCsumErrors of all namespaces."""
        total = 0
        for netns in (self.netns, self.client, self.pod, self.other):
            text = harness.run("nsenter", f"--net=/run/netns/{netns}", "cat", "/proc/net/snmp").stdout
            lines = [line.split() for line in text.splitlines()]
            for names, values in zip(lines[::2], lines[1::2]):
                total += sum(int(v) for n, v in zip(names[1:], values[1:]) if n == "InCsumErrors")
        return total

    def close(self):
        for echo in self.echoes:
            echo.close()
        super().close()


class NorthTest(unittest.TestCase):
    def setUp(self):
        if not os.access(TOOL, os.X_OK):
            self.skipTest(f"{TOOL} is not built")
        self.world = NorthWorld()
        self.addCleanup(self.world.close)

    def require(self, tool):
        if not shutil.which(tool):
            self.skipTest(f"needs the command {tool}")

    def assert_echoes(self, connection, size=2_000_000):
        """Bytes equal both ways, as much as fits and more."""
        data = os.urandom(size)
        got = bytearray()
        connection.settimeout(30)
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        while len(got) < size:
            part = connection.recv(1 << 16)
            if not part:
                break
            got += part
        sender.join(10)
        self.assertTrue(bytes(got) == data, f"{len(got)} of {size} bytes, or others")

