#!/usr/bin/python3
"""T3.2 and rules that tell clients apart: two hops between pods in network namespaces of their own, sourceLabels and
sourceNamespace."""

import harness
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

MESSAGE, GREETING = "10.96.30.1:8080", "10.96.30.2:8080"
PODS = {"client": "10.99.1.1", "other": "10.99.1.2", "message": "10.99.1.3"}


class Sources(harness.WorldTest):
    def setUp(self):
        super().setUp()
        self.netns = {name: self.world.add_pod(name, ip) for name, ip in PODS.items()}
        self.servers = {"safe": "10.99.2.1", "risky": "10.99.2.2", "beta": "10.99.2.3"}
        for ip in self.servers.values():
            self.world.add_address(ip)
        self.greeting = self.world.serve([("http", name, f"{ip}:8080") for name, ip in self.servers.items()])
        self.world.write(
            "pods.yaml",
            *(pod(f"{name}-1", ip, {"app": name}, "shop" if name == "other" else "default", "node-1")
              for name, ip in PODS.items()),
            *(pod(f"greeting-{name}", ip, {"app": "greeting", "track": name}) for name, ip in self.servers.items()))
        self.world.write(
            "services.yaml", service("message", MESSAGE.split(":")[0], [("http", 8080, 8080)]),
            service("greeting", GREETING.split(":")[0], [("http", 8080, 8080)]),
            endpoint_slice("message", [("message-1", PODS["message"])], [("http", 8080)]),
            endpoint_slice("greeting", [(f"greeting-{n}", ip) for n, ip in self.servers.items()], [("http", 8080)]),
            destination_rule("greeting", {n: {"track": n} for n in self.servers}))

    def greeting_rule(self, *routes):
        self.world.write("greeting.yaml", virtual_service("greeting", list(routes)))

    def test_second_hop_splits_80_20(self):
        """client -> message -> greeting: the split is at message's own connection."""
        self.world.serve([("relay", "message", f"{PODS['message']}:8080")], {"next": GREETING},
                         netns=self.netns["message"], cgroup=self.world.clients)
        self.greeting_rule({"route": [destination("greeting", "safe", 80), destination("greeting", "risky", 20)]})
        self.world.write("message.yaml", virtual_service("message", [destination("message")]))
        self.world.start_agent()
        before = self.greeting.counts()
        counts = self.world.connect(MESSAGE, 200, "--key", "x-next-version", "--requests", "2", netns=self.netns["client"])
        self.assert_split(counts, {"safe": 80, "risky": 20})
        after = self.greeting.counts()
        self.assertEqual(after["safe"] + after["risky"] - before["safe"] - before["risky"], 400)

    def test_source_labels_reach_only_that_pod(self):
        self.greeting_rule(
            {"match": [{"sourceLabels": {"app": "client"}}], "route": [destination("greeting", "beta")]},
            {"route": [destination("greeting", "safe", 80), destination("greeting", "risky", 20)]})
        self.world.start_agent()
        self.wait_split(GREETING, {"beta": 1}, netns=self.netns["client"])
        for _ in range(2):
            self.assert_split(self.world.connect(GREETING, 100, netns=self.netns["client"]), {"beta": 100, "safe": 0, "risky": 0})
            for netns in (self.netns["other"], None):
                self.assert_split(self.world.connect(GREETING, 100, netns=netns), {"safe": 80, "risky": 20, "beta": 0})

    def test_source_namespace(self):
        self.greeting_rule(
            {"match": [{"sourceNamespace": "shop"}], "route": [destination("greeting", "risky")]},
            {"route": [destination("greeting", "safe")]})
        self.world.start_agent()
        self.wait_split(GREETING, {"risky": 1}, netns=self.netns["other"])
        self.assert_split(self.world.connect(GREETING, 50, netns=self.netns["other"]), {"risky": 1, "safe": 0})
        self.assert_split(self.world.connect(GREETING, 50, netns=self.netns["client"]), {"safe": 1, "risky": 0})

    def test_a_pod_that_comes_later(self):
        self.greeting_rule(
            {"match": [{"sourceLabels": {"app": "late"}}], "route": [destination("greeting", "beta")]},
            {"route": [destination("greeting", "safe")]})
        self.world.start_agent()
        late = self.world.add_pod("late", "10.99.1.9")
        self.assert_split(self.world.connect(GREETING, 20, netns=late), {"safe": 1, "beta": 0})
        self.world.write("late.yaml", pod("late-1", "10.99.1.9", {"app": "late"}, node="node-1"))
        self.wait_split(GREETING, {"beta": 1}, netns=late)
        self.world.remove("late.yaml")
        self.wait_split(GREETING, {"safe": 1}, netns=late)


if __name__ == "__main__":
    harness.main()
