"""The smallest split that a test can stand on: one service, two versions, one endpoint each."""

import harness
from yaml_text import destination_rule, endpoint_slice, pod, service, weights

VIP = "10.96.60.1"
TARGET = f"{VIP}:80"
ENDPOINTS = {"v1": "127.6.1.1", "v2": "127.6.2.1"}


class SimpleTest(harness.WorldTest):
    """90/10; the agent is not started yet."""

    def setUp(self):
        super().setUp()
        self.server = self.world.serve([("http", v, f"{ip}:8080") for v, ip in ENDPOINTS.items()])
        pods = [(f"app-{v}", ip) for v, ip in ENDPOINTS.items()]
        self.world.write("app.yaml", service("app", VIP, [("http", 80, 8080)]),
                         *(pod(name, ip, {"app": "app", "version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("app", pods, [("http", 8080)]),
                         destination_rule("app", {v: {"version": v} for v in ENDPOINTS}))
        self.split(90, 10)

    def split(self, v1, v2):
        self.world.write("split.yaml", weights("app", v1=v1, v2=v2))

    def assert_splits(self, v1, v2, n=100):
        self.assert_split(self.world.connect(TARGET, n), {"v1": v1, "v2": v2})
