#!/usr/bin/python3
"""Every folder of config/examples is accepted without a finding, and splits real connections as its comments say."""

import os
import shutil

import harness
from harness import EXAMPLES


class Examples(harness.WorldTest):
    def use(self, name):
        folder = os.path.join(EXAMPLES, name)
        done = self.world.weir("analyze", folder)
        self.assertNotRegex(done.stdout, r"(Error|Warning) \[")
        for file in os.listdir(folder):
            if file.endswith(".yaml"):
                shutil.copy(os.path.join(folder, file), self.world.config)

    def test_every_example_has_a_test(self):
        folders = {e.name for e in os.scandir(EXAMPLES) if e.is_dir()}
        self.assertEqual(folders, {"bookinfo", "my-app", "service-entry", "tcp-echo"})

    def test_bookinfo_steps(self):
        self.use("bookinfo")
        self.world.serve([("http", f"v{i}", f"127.1.3.{i}:9080") for i in (1, 2, 3)])
        self.world.start_agent("--services", "all")
        target = "10.96.9.3:9080"
        self.assert_split(self.world.connect(target, 90), {"v1": 1, "v2": 1, "v3": 1}, off=3)
        steps = [("destination-rule-all.yaml", {"v1": 1, "v2": 1, "v3": 1}), ("virtual-service-all-v1.yaml", {"v1": 1}),
                 ("reviews-v2.yaml", {"v2": 1}), ("virtual-service-reviews-v3.yaml", {"v3": 1}),
                 ("virtual-service-reviews-50-v3.yaml", {"v1": 50, "v3": 50}),
                 ("virtual-service-reviews-80-20.yaml", {"v1": 80, "v2": 20}),
                 ("virtual-service-reviews-90-10.yaml", {"v1": 90, "v2": 10}),
                 ("virtual-service-reviews-v2-v3.yaml", {"v2": 50, "v3": 50}),
                 ("reviews-v2-100-v3-0.yaml", {"v2": 100, "v3": 0}), ("reviews-jason-v3.yaml", {"v2": 100, "v3": 0})]
        for file, weights in steps:
            with self.subTest(file):
                self.world.weir("apply", "-f", os.path.join(EXAMPLES, "bookinfo", "rules", file))
                self.wait_split(target, weights, 60)
                self.assert_split(self.world.connect(target, 100), weights)

    def test_my_app(self):
        self.use("my-app")
        self.world.serve([("http", v, f"127.2.{v[1]}.{i}:8080") for v in ("v1", "v2") for i in (1, 2, 3)])
        self.world.start_agent()
        self.assert_split(self.world.connect("10.96.20.1:80", 300), {"v1": 90, "v2": 10})

    def test_service_entry(self):
        self.use("service-entry")
        server = self.world.serve([("tcp", "v1", "127.3.1.1:18443"), ("tcp", "v1", "127.3.1.2:18443"),
                                   ("tcp", "v2", "127.3.2.1:18444")])
        self.world.start_agent()
        self.assert_split(self.world.connect("10.98.0.1:8443", 300, "--mode", "tcp"), {"v1": 75, "v2": 25})
        counts = server.by_address()
        share = counts["127.3.1.1:18443"] / (counts["127.3.1.1:18443"] + counts["127.3.1.2:18443"])
        self.assertAlmostEqual(share, 2 / 3, delta=0.03, msg="endpoint weights 2 and 1")

    def test_tcp_echo(self):
        self.use("tcp-echo")
        self.world.serve([("tcp", "v1", "127.4.1.1:9000"), ("tcp", "v2", "127.4.2.1:9000")])
        self.world.start_agent()
        self.assert_split(self.world.connect("10.96.40.1:9000", 200, "--mode", "tcp"), {"v1": 80, "v2": 20})


if __name__ == "__main__":
    harness.main()
