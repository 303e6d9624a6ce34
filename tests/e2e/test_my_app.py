#!/usr/bin/python3
"""T1: a canary of two deployments (scenarios 1.1-1.6): names, weights, replicas, a ramp under load, clean-up, misconfiguration."""

import harness
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

NAMESPACE = "your-namespace"
HOST = f"my-app.{NAMESPACE}.svc.cluster.local"
TARGET = "10.96.20.1:80"
SUBSETS = {"v1": {"version": "v1"}, "v2": {"version": "v2"}}
MOST = 10  # pods of a version


def address(version, number):
    return f"127.2.{version[1]}.{number}"


class MyApp(harness.WorldTest):
    def setUp(self):
        super().setUp()
        self.server = self.world.serve([("http", v, f"{address(v, i)}:8080") for v in SUBSETS for i in range(1, MOST + 1)])
        self.world.write("service.yaml", service("my-app", "10.96.20.1", [("http", 80, 8080)], NAMESPACE))
        self.scale(v1=3, v2=3)
        self.rule_subsets(*SUBSETS)

    def scale(self, **replicas):
        pods = [(f"my-app-{v}-{i}", address(v, i), v) for v, n in replicas.items() for i in range(1, n + 1)]
        self.world.write(
            "pods.yaml", *(pod(name, ip, {"app": "my-app", "version": v}, NAMESPACE) for name, ip, v in pods),
            endpoint_slice("my-app", [(name, ip) for name, ip, _ in pods], [("http", 8080)], NAMESPACE))

    def rule_subsets(self, *names):
        self.world.write("rule.yaml", destination_rule(HOST, {n: SUBSETS[n] for n in names}, NAMESPACE))

    def split(self, *route):
        """The VirtualService names the service in full, its destinations in short, as in the tutorial."""
        self.world.write("split.yaml", virtual_service(HOST, list(route), NAMESPACE, "my-app"))

    def weights(self, v1, v2):
        self.split(destination("my-app", "v1", v1), destination("my-app", "v2", v2))

    def test_1_every_name_leads_to_v1(self):
        self.split(destination("my-app", "v1"))
        self.world.start_agent()
        self.assert_split(self.world.connect(TARGET, 100), {"v1": 100, "v2": 0})
        for name in (HOST, "my-app", f"my-app.{NAMESPACE}"):
            told = self.world.json("explain", "--to", f"http://{name}/", "--from-namespace", NAMESPACE)
            self.assertEqual((told["service"], told["path"], [d["subset"] for d in told["destinations"]]),
                             (HOST, "kernel", ["v1"]), name)

    def test_2_ninety_ten(self):
        self.weights(90, 10)
        self.world.start_agent()
        for n in (10, 100, 1000):
            self.assert_split(self.world.connect(TARGET, n), {"v1": 90, "v2": 10})
        self.assert_split(self.world.connect(TARGET, 2000, "--threads", "8"), {"v1": 90, "v2": 10})

    def test_3_the_split_does_not_depend_on_replicas(self):
        self.weights(90, 10)
        self.world.start_agent()
        for v1, v2 in ((3, 1), (3, 10), (1, 10), (3, 3)):
            self.scale(v1=v1, v2=v2)
            self.world.wait_endpoints(HOST, v1 + v2)
            before = self.server.by_address()
            self.assert_split(self.world.connect(TARGET, 400), {"v1": 90, "v2": 10})
            used = {a for a, n in self.server.by_address().items() if n > before[a]}
            wanted = {f"{address(v, i)}:8080" for v, n in (("v1", v1), ("v2", v2)) for i in range(1, n + 1)}
            self.assertEqual(used, wanted, "exactly the pods that are there, all of them")

    def test_4_a_ramp_under_load_fails_no_connection(self):
        self.weights(90, 10)
        self.world.start_agent()
        load = self.world.load(TARGET, "--threads", "4")
        for v1, v2 in ((75, 25), (50, 50), (0, 100), (90, 10)):
            self.weights(v1, v2)
            self.wait_split(TARGET, {"v1": v1, "v2": v2}, off=6)  # the load takes picks in between
        counts = load.finish()
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assertGreater(counts["total"], 500)
        self.weights(0, 100)
        self.wait_split(TARGET, {"v1": 0, "v2": 100})
        self.assert_split(self.world.connect(TARGET, 500), {"v1": 0, "v2": 100})

    def test_5_clean_up_of_v1(self):
        self.weights(0, 100)
        self.world.start_agent()
        load = self.world.load(TARGET, "--threads", "2")
        self.split(destination("my-app", "v2"))
        self.scale(v2=3)
        self.rule_subsets("v2")
        self.world.wait_endpoints(HOST, 3)
        self.assert_split(self.world.connect(TARGET, 100), {"v2": 100})
        counts = load.finish()
        self.assertEqual((counts["failed"], set(counts["by_version"])), (0, {"v2"}), counts["errors"])

    def test_5b_a_rule_that_still_names_v1_loses_its_share(self):
        self.weights(25, 75)
        self.world.start_agent()
        self.scale(v2=3)
        self.rule_subsets("v2")
        harness.wait_for(lambda: self.world.connect(TARGET, 20)["failed"], "v1's share is refused")
        counts = self.world.connect(TARGET, 400)
        self.assertEqual(set(counts["errors"]), {"EHOSTUNREACH"})
        self.assertLessEqual(abs(counts["failed"] - 100), 2, "25 of 100 are refused, nothing moves to v2")
        self.assertEqual(set(counts["by_version"]), {"v2"})
        self.assertTrue(self.world.conditions("v1"), "status names the subset")

    def test_6_subsets_without_a_destination_rule(self):
        self.weights(90, 10)
        self.world.remove("rule.yaml")
        self.world.start_agent()
        counts = self.world.connect(TARGET, 50)
        self.assertEqual(counts["errors"], {"EHOSTUNREACH": 50})
        self.assertTrue(self.world.conditions("my-app"), "status says what is missing")
        analysis = self.world.weir("analyze", self.world.config, check=False)
        self.assertEqual(analysis.returncode, 79)
        self.assertRegex(analysis.stdout, r"split\.yaml:\d+:\d+: Error \[IST0101\]")


if __name__ == "__main__":
    harness.main()
