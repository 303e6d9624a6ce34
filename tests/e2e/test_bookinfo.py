#!/usr/bin/python3
"""T0: Istio's Bookinfo with Istio's own rule files (scenarios 0.1-0.6 and 0.8), real pages through the service addresses."""

import os
import shutil

import harness
from harness import EXAMPLES, istio_sample
from yaml_text import destination, virtual_service

PRODUCTPAGE, DETAILS, REVIEWS, RATINGS = "10.96.9.4:9080", "10.96.9.1:9080", "10.96.9.3:9080", "10.96.9.2:9080"
NETWORKING = ("bookinfo", "networking")


class Bookinfo(harness.WorldTest):
    def setUp(self):
        super().setUp()
        self.samples = {name: istio_sample(*NETWORKING, f"{name}.yaml")
                        for name in ("destination-rule-all", "virtual-service-all-v1", "virtual-service-reviews-v2-v3",
                                     "virtual-service-reviews-90-10", "virtual-service-reviews-v3")}
        for name in ("services.yaml", "pods.yaml", "endpoints.yaml"):
            shutil.copy(os.path.join(EXAMPLES, "bookinfo", name), self.world.config)
        self.server = self.world.serve(
            [("bookinfo", name, f"127.1.{service}.{number}:9080") for name, service, number in
             (("details-v1", 1, 1), ("ratings-v1", 2, 1), ("reviews-v1", 3, 1), ("reviews-v2", 3, 2), ("reviews-v3", 3, 3),
              ("productpage-v1", 4, 1))],
            {"details": DETAILS, "reviews": REVIEWS, "ratings": RATINGS}, cgroup=self.world.clients)
        self.world.start_agent("--services", "all")

    def apply(self, name):
        self.world.weir("apply", "-f", self.samples[name])

    def refresh(self, n=100, requests=1):
        """Reviews' versions on n pages."""
        counts = self.world.connect(PRODUCTPAGE, n, "--path", "/productpage", "--key", "x-reviews-version",
                                    "--requests", str(requests))
        self.assertEqual(counts["failed"], 0, counts["errors"])
        return counts["by_version"]

    def wait_reviews(self, **weights):
        self.wait_split(REVIEWS, weights)

    def plain(self):
        self.assert_shares(self.refresh(90), {"v1": 1, "v2": 1, "v3": 1}, off=3)

    def test_1_destination_rules_alone_change_nothing(self):
        self.plain()
        self.apply("destination-rule-all")
        harness.wait_for(lambda: self.world.status()["config"]["objects"].get("DestinationRule") == 4, "4 DestinationRules")
        self.plain()
        # Subsets without pods (ratings v2-mysql, details v2 ...) are what istioctl analyze calls them, and nothing else is wrong.
        analysis = self.world.weir("analyze", self.world.config, check=False)
        self.assertNotRegex(analysis.stdout, r"Error \[(?!IST0173)")
        self.assertEqual(self.world.status()["config"]["state"], "ok")

    def test_2_all_to_v1(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-all-v1")
        self.wait_reviews(v1=1)
        before = self.server.counts()
        self.assert_shares(self.refresh(60), {"v1": 100, "v2": 0, "v3": 0})
        after = self.server.counts()
        for name in ("reviews-v2", "reviews-v3", "ratings-v1"):
            self.assertEqual(after[name], before[name], f"{name} runs and gets nothing")
        self.assertEqual(after["reviews-v1"], before["reviews-v1"] + 60)

    def test_3_and_4_blue_green_and_back_without_a_failure(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-all-v1")
        self.wait_reviews(v1=1)
        load = self.world.load(PRODUCTPAGE, "--path", "/productpage", "--key", "x-reviews-version", "--threads", "2")
        self.world.weir("apply", "-f", self.world.outside("reviews-v2.yaml", virtual_service(
            "reviews", [destination("reviews", "v2")])))
        self.wait_reviews(v2=1)
        self.assert_shares(self.refresh(60), {"v2": 100, "v1": 0, "v3": 0})
        shown = self.world.json("get", "routes")
        reviews = [r for r in shown["routes"] if r["name"] == "reviews"]
        self.assertEqual([[d["subset"] for d in r["destinations"]] for r in reviews], [["v2"]])
        self.apply("virtual-service-all-v1")  # the rollback is the old file again
        self.wait_reviews(v1=1)
        self.assert_shares(self.refresh(60), {"v1": 100, "v2": 0, "v3": 0})
        counts = load.finish()
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assertEqual(set(counts["by_version"]), {"v1", "v2"}, "no page without reviews, none with v3")

    def test_5_half_and_half_per_request_of_kept_alive_connections(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-reviews-v2-v3")
        self.wait_reviews(v2=50, v3=50)
        self.assert_shares(self.refresh(10, requests=20), {"v1": 0, "v2": 50, "v3": 50})

    def test_6_weight_zero_is_never(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-reviews-v2-v3")
        self.wait_reviews(v2=50, v3=50)
        for rule in ([destination("reviews", "v2", 100), destination("reviews", "v3", 0)], [destination("reviews", "v2", 100)]):
            self.world.weir("apply", "-f", self.world.outside("reviews.yaml", virtual_service("reviews", rule)))
            self.wait_reviews(v2=1)
            before = self.server.counts()["reviews-v3"]
            self.assert_shares(self.refresh(300), {"v1": 0, "v2": 100, "v3": 0})
            self.assertEqual(self.server.counts()["reviews-v3"], before)

    def test_7_ninety_ten(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-reviews-90-10")
        self.wait_reviews(v1=90, v2=10)
        self.assert_shares(self.refresh(200), {"v1": 90, "v2": 10, "v3": 0})

    def test_8_delete_leaves_plain_balancing_and_no_rule(self):
        self.apply("destination-rule-all")
        self.apply("virtual-service-all-v1")
        self.wait_reviews(v1=1)
        self.world.weir("delete", "-f", self.samples["virtual-service-all-v1"])
        self.world.weir("delete", "-f", self.samples["destination-rule-all"])
        self.wait_split(REVIEWS, {"v1": 1, "v2": 1, "v3": 1}, 60)
        self.plain()
        objects = self.world.status()["config"]["objects"]
        self.assertEqual((objects.get("VirtualService", 0), objects.get("DestinationRule", 0)), (0, 0))
        for split in self.world.dump("splits"):
            for part in split["value"]["destinations"][:split["value"]["destination_count"]]:
                self.assertNotIn(harness.label(part), ("v1", "v2", "v3"), "a stale rule in the maps")


if __name__ == "__main__":
    harness.main()
