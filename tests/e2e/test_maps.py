#!/usr/bin/python3
"""What operators read with bpftool: every pinned map dumps with its field names (docs/maps.md)."""

import json
import os
import re
import shutil

import harness
import simple
from simple import ENDPOINTS, TARGET, VIP

# Map -> fields of its value that an operator looks for.
MAPS = {
    "frontends": {"split", "flags"},
    "splits": {"key", "generation", "destination_count", "name", "destinations"},
    "endpoints": {"address", "port", "counter", "split"},
    "counters": {"split_key", "picked", "opened", "closed"},
    "meta": {"abi", "generation", "node"},
    "verdicts": {"lookups", "translated", "no_endpoint", "record_full"},
}


def dotted(address):
    """16 bytes as bpftool prints them, v4-mapped, as a dotted quad."""
    return ".".join(str(int(b, 16) if isinstance(b, str) else b) for b in address[12:])


@harness.unittest.skipUnless(shutil.which("bpftool"), "needs bpftool")
class Maps(simple.SimpleTest):
    def setUp(self):
        super().setUp()
        # Small ones: bpftool prints every element of an array, 262144 of them unless told otherwise.
        self.world.start_agent("--map-endpoints", "256", "--map-counters", "256")
        self.assert_splits(90, 10)

    def test_every_map_dumps_with_field_names(self):
        for name, fields in MAPS.items():
            with self.subTest(name):
                entries = self.world.dump(name)
                self.assertTrue(entries, "not empty")
                value = entries[0].get("value", entries[0].get("values", [{}])[0])
                value = value.get("value", value) if "cpu" in value else value
                self.assertLessEqual(fields, set(value))

    def test_pins_are_found_and_named_within_the_kernels_limit(self):
        for kind in ("maps", "links"):
            self.assertTrue(os.listdir(os.path.join(self.world.bpffs, kind)))
        for name in os.listdir(os.path.join(self.world.bpffs, "maps")):
            self.assertLessEqual(len(name), 15, name)
            shown = json.loads(harness.run("bpftool", "-j", "map", "show", "pinned",
                                           os.path.join(self.world.bpffs, "maps", name)).stdout)
            self.assertEqual(shown["name"], name)
        self.assertEqual(os.stat(self.world.bpffs).st_mode & 0o077, 0, "nobody else looks in")

    def test_the_maps_tell_the_configuration(self):
        frontend = next(e for e in self.world.dump("frontends") if dotted(e["key"]["address"]) == VIP)
        split = next(e for e in self.world.dump("splits") if e["key"] == frontend["value"]["split"])["value"]
        self.assertRegex(harness.text_of(split["name"]), r"^default/app")
        parts = split["destinations"][:split["destination_count"]]
        self.assertEqual([harness.label(p) for p in parts], ["v1", "v2"])
        self.assertAlmostEqual(parts[0]["last"] / 2**32, 0.9, places=6)
        self.assertEqual(parts[1]["last"], 2**32 - 1)
        endpoints = {e["key"]: e["value"] for e in self.world.dump("endpoints")}
        for part, ip in zip(parts, ENDPOINTS.values()):
            self.assertEqual(dotted(endpoints[part["first"]]["address"]), ip)

    def test_the_counters_count(self):
        self.assert_splits(90, 10)
        picked = {dotted(e["value"]["address"]): e["value"]["picked"] for e in self.world.dump("counters")
                  if e["value"]["split_key"]}
        self.assertEqual(sum(picked.values()), 200)
        self.assertEqual({ip: round(n / 200, 2) for ip, n in picked.items()}, {ENDPOINTS["v1"]: 0.9, ENDPOINTS["v2"]: 0.1})
        verdicts = self.world.verdicts()
        self.assertEqual(verdicts["translated"], 200)

        def closed():
            return all(e["value"]["opened"] == e["value"]["closed"] for e in self.world.dump("counters"))
        harness.wait_for(closed, "nothing is open any more")
        observed = {d["subset"]: d["picked"] for d in self.world.split_of("app")["destinations"]}
        self.assertEqual(observed, {"v1": 180, "v2": 20})

    def test_weir_maps_prints_the_same(self):
        self.assertRegex(self.world.weir("maps").stdout, r"(?m)^frontends\b")
        self.assertIn(VIP, self.world.weir("maps", "dump").stdout)
        self.assertTrue(re.search(r"default/app", self.world.weir("maps", "dump").stdout))


if __name__ == "__main__":
    harness.main()
