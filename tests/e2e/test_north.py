#!/usr/bin/python3
"""Outside traffic through the packet programs: real streams between a client, a node, a pod and another node."""

import os
import socket
import struct
import threading
import time

import harness
import north
from north import CLIENT, NODE, OTHER, OTHER6, POD, POD2, POD6, VIP, VIP6, inside

NEAR = f"{VIP}/80/tcp=1@{POD}/8080/local"
NEAR6 = f"{VIP6}/80/tcp=1@{POD6}/8080/local"
FAR = f"{VIP}/81/tcp=1@{OTHER}/8080"
FAR6 = f"{VIP6}/81/tcp=1@{OTHER6}/8080"
NEAR_UDP = f"{VIP}/53/udp=1@{POD}/8080/local"
FAR_UDP = f"{VIP}/54/udp=1@{OTHER}/8080"
SECOND = f"{VIP}/82/tcp=1@{POD}/8080/local"


class Carried(north.NorthTest):
    def setUp(self):
        super().setUp()
        self.pod = self.world.echo(self.world.pod, POD, 8080, "p")
        self.pod6 = self.world.echo(self.world.pod, POD6, 8080, "p")
        self.other = self.world.echo(self.world.other, OTHER, 8080, "o")
        self.other6 = self.world.echo(self.world.other, OTHER6, 8080, "o")
        self.world.start_tool()
        self.world.tell(f"apply {NEAR} {NEAR6} {FAR} {FAR6} {NEAR_UDP} {FAR_UDP} {SECOND}")
        self.attached = self.world.tell("attach up0 peer0")

    def test_streams_arrive_as_they_were_sent(self):
        for address, port, name in ((VIP, 80, "p"), (VIP6, 80, "p"), (VIP, 81, "o"), (VIP6, 81, "o")):
            with self.subTest(f"{address} {port}"):
                connection, who = self.world.connect_from(address, port)
                with connection:
                    self.assertEqual(who, name)
                    self.assert_echoes(connection)
        self.assertEqual(self.world.checksum_errors(), 0)
        # An endpoint of the node sees the client, one elsewhere the node.
        self.assertEqual(set(self.pod.peers), {CLIENT})
        self.assertEqual(set(self.other.peers), {NODE})

    def assert_echoes_without_offload(self):
        """Checksums whole in every packet, as from a wire."""
        for netns in (self.world.client, self.world.pod, self.world.other):
            inside(netns, lambda: north.checksums_by_the_sender("eth0"))
        for port in (80, 81):
            connection, _ = self.world.connect_from(VIP, port)
            with connection:
                self.assert_echoes(connection, 300_000)
        self.assertEqual(self.world.checksum_errors(), 0)

    def test_without_checksum_offload_too(self):
        self.assert_echoes_without_offload()

    def test_xdp_on_veth_loses_nothing(self):
        """Asked for, and of no use: frames that XDP sends out of a veth may vanish, so tc carries all of them."""
        self.assertIn("up0 tcx native", self.world.tell("attach up0=xdp peer0=xdp"))
        self.assert_echoes_without_offload()
        self.assertGreater(self.world.counts()["left_to_tc"], 0)

    def test_in_a_vlan(self):
        """The programs are on the VLAN's device; below it, packets are tagged and left alone."""
        self.world.vlan("up0", self.world.client, 5, "198.51.101.1/24", "198.51.101.7/24")
        self.world.tell("attach up0 up0.5 peer0")
        for port, name in ((80, "p"), (81, "o")):
            connection, who = self.world.connect_from(VIP, port, bind="198.51.101.7")
            with connection:
                self.assertEqual(who, name)
                self.assert_echoes(connection, 300_000)
        self.assertEqual(self.world.checksum_errors(), 0)
        self.assertIn("198.51.101.7", self.pod.peers)

    def test_datagrams(self):
        def ask(port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(5)
                client.connect((VIP, port))  # takes answers of the service's address only
                client.send(b"question")
                return client.recv(100)
        self.assertEqual(inside(self.world.client, lambda: ask(53)), b"pquestion")
        self.assertEqual(inside(self.world.client, lambda: ask(54)), b"oquestion")

    def test_a_datagram_to_nobody_is_told(self):
        self.world.tell(f"apply {VIP}/55/udp=1@{POD}/9/local")

        def ask():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(5)
                client.connect((VIP, 55))
                client.send(b"anybody?")
                with self.assertRaises(ConnectionRefusedError):
                    client.recv(100)
        inside(self.world.client, ask)
        self.assertGreaterEqual(self.world.counts()["errors_translated"], 1)

    def test_too_big_for_the_endpoints_network(self):
        """The node says so to the client in the service's name; else the connection would hang for ever."""
        harness.run("ip", "-n", self.world.netns, "link", "set", "pod0", "mtu", "1280")
        harness.run("ip", "-n", self.world.pod, "link", "set", "eth0", "mtu", "1500")
        connection, _ = self.world.connect_from(VIP, 80)
        with connection:
            self.assert_echoes(connection, 200_000)
        self.assertGreaterEqual(self.world.counts()["errors_translated"], 1)

    def test_split_and_exact_zero(self):
        self.world.echo(self.world.pod, POD2, 8080, "q")
        split = f"{VIP}/80/tcp={{}}@{POD}/8080/local,{{}}@{POD2}/8080/local"
        for weights, wanted in (((75, 25), {"p": 75, "q": 25}), ((100, 0), {"p": 100}), ((0, 100), {"q": 100})):
            self.world.tell("apply " + split.format(*weights))
            seen = {}
            for _ in range(100):
                connection, who = self.world.connect_from(VIP, 80)
                connection.close()
                seen[who] = seen.get(who, 0) + 1
            self.assertEqual(set(seen), set(wanted))
            for name, share in wanted.items():
                self.assertAlmostEqual(seen[name], share, delta=1)

    def test_connections_survive_change_restart_and_kill(self):
        connections = [self.world.connect_from(address, port)[0] for address, port in ((VIP, 80), (VIP, 81), (VIP6, 80))]
        self.world.tell(f"apply {NEAR}")  # the others' services are gone; their connections are not
        for connection in connections:
            self.assert_echoes(connection, 50_000)
        self.world.kill_tool()
        for connection in connections:
            self.assert_echoes(connection, 50_000)
        connection, _ = self.world.connect_from(VIP, 80)
        connections.append(connection)
        self.world.start_tool()
        status = self.world.tell("attach up0 peer0")
        self.assertIn("adopted", status)
        for stranger in ("PROBLEM", "beside"):  # one of ours on each hook, not two
            self.assertNotIn(stranger, status)
        for connection in connections:
            self.assert_echoes(connection, 50_000)
            connection.close()

    def test_two_services_on_one_endpoint_from_one_port(self):
        first, _ = self.world.connect_from(VIP, 80, source=40000)
        second, _ = self.world.connect_from(VIP, 82, source=40000)
        with first, second:
            self.assert_echoes(first, 50_000)
            self.assert_echoes(second, 50_000)
        self.assertEqual(self.world.counts()["port_shifted"], 1)

    def test_service_and_endpoint_itself_from_one_port(self):
        """Both ways round; each connection's timestamps are its own, so a mix-up would be refused (PAWS) or reset."""
        for first, second in (((VIP, 80), (POD, 8080)), ((POD, 8080), (VIP, 80))):
            port = 41000 + first[1]
            one, _ = self.world.connect_from(*first, source=port)
            two, _ = self.world.connect_from(*second, source=port)
            with one, two:
                self.assert_echoes(one, 50_000)
                self.assert_echoes(two, 50_000)

    def test_a_port_used_again(self):
        """The endpoint has the old connection in TIME_WAIT; the new one must not wait for it."""
        self.world.echo(self.world.pod, POD2, 8080, "c", close_first=True)
        self.world.tell(f"apply {VIP}/80/tcp=1@{POD2}/8080/local {VIP}/82/tcp=1@{POD2}/8080/local")
        for address, port in ((VIP, 80), (VIP, 82), (POD2, 8080), (VIP, 80), (POD2, 8080), (VIP, 82)):
            begin = time.monotonic()
            connection, who = self.world.connect_from(address, port, source=42000)
            with connection:
                self.assertEqual((who, connection.recv(1)), ("c", b""))
            self.assertLess(time.monotonic() - begin, 3, f"to {address} {port}")

    def test_what_is_not_ours_is_left_alone(self):
        """kube-proxy's NodePort beside, routing, and the node's own services."""
        self.require("nft")
        rules = (f"table ip nat {{\n chain pre {{\n type nat hook prerouting priority dstnat;\n"
                 f" tcp dport 30085 dnat to {POD}:8080;\n }}\n}}\n")
        harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", "nft", rules)
        for address, port in (("198.51.100.1", 30085), (POD, 8080), (VIP, 80)):
            connection, who = self.world.connect_from(address, port)
            with connection:
                self.assertEqual(who, "p")
                self.assert_echoes(connection, 100_000)
        self.assertEqual(self.world.checksum_errors(), 0)

    def test_a_syn_flood_leaves_connections_alone(self):
        self.world.kill_tool()
        self.world.start_tool("--flow-rate", "200", "--flows", "4096")
        self.world.tell(f"apply {NEAR}")
        self.world.tell("attach up0 peer0")
        connections = [self.world.connect_from(VIP, 80)[0] for _ in range(10)]
        stop = threading.Event()
        flooder = threading.Thread(target=lambda: inside(self.world.client, lambda: flood(stop)), daemon=True)
        flooder.start()
        harness.wait_for(lambda: self.world.counts().get("flood_picked", 0) > 20000, "a flood", 60)
        for connection in connections:
            self.assert_echoes(connection, 20_000)
        fresh, _ = self.world.connect_from(VIP, 80, timeout=15)
        stop.set()
        flooder.join(10)
        for connection in [*connections, fresh]:
            with connection:
                self.assert_echoes(connection, 20_000)
        counts = self.world.counts()
        self.assertGreater(counts["flood_picked"], 20000)
        self.assertLess(int(self.world.tell("flows")), 4096)

    def test_nothing_is_left(self):
        self.world.kill_tool()
        done = harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", north.TOOL, "--bpffs", self.world.bpffs,
                           "--uninstall")
        self.assertTrue(done.stdout.startswith("ok"), done.stdout)
        self.assertFalse(os.path.exists(self.world.bpffs))
        links = harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", "bpftool", "net", "show").stdout
        self.assertNotIn("weir", links)


class Beside(north.NorthTest):
    """Others' programs on the same devices."""

    def test_another_xdp_program_stays(self):
        self.require("bpftool")
        self.world.start_tool()
        # Any XDP program that passes everything will do: our own, attached by hand on a device of its own.
        self.world.tell("attach up0=xdp")
        self.assertIn("up0 tcx native", self.world.tell("status"))
        self.world.tell("attach")
        programs = harness.run("bpftool", "prog", "show", "name", "weir_xdp").stdout
        number = programs.split(":")[0].splitlines()[-1]
        harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", "bpftool", "net", "attach", "xdpdrv", "id", number,
                    "dev", "up0")
        answer = self.world.tell("attach up0=xdp")
        self.assertIn("another XDP program is there", answer)
        self.assertIn("up0 tcx -", answer)
        links = harness.run("nsenter", f"--net=/run/netns/{self.world.netns}", "bpftool", "net", "show").stdout
        self.assertIn("xdp:\nup0", links, "it was not replaced")

    def test_devices_come_and_go(self):
        self.world.start_tool()
        self.world.tell("attach up0 peer0")
        self.assertNotIn("PROBLEM", self.world.tell("status"))
        harness.run("ip", "-n", self.world.netns, "link", "del", "peer0")
        self.assertIn("peer0 - - PROBLEM no such device", self.world.tell("status"))
        answer = self.world.tell("attach up0")
        self.assertIn("up0 tcx -", answer)
        self.assertNotIn("peer0", answer)


def flood(stop):
    """SYNs from ever new addresses, as fast as this can."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        flood_by(raw, stop)


def flood_by(raw, stop):
    number = 0
    while not stop.is_set():
        number += 1
        source = socket.inet_aton(f"198.18.{number >> 8 & 255}.{number & 255}")
        destination = socket.inet_aton(VIP)
        tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60000, 80, number, 0, 5 << 4, 2, 64000, 0, 0)
        pseudo = source + destination + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, source, destination)
        raw.sendto(header + tcp, (VIP, 0))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


if __name__ == "__main__":
    harness.main()
