#!/usr/bin/python3
"""The short form of tests/bench/soak.py: proxies are replaced, the agent is killed, rules change, and no request notices."""

import os
import signal
import sys

import harness

sys.path.insert(0, os.path.join(harness.SOURCE, "tests", "bench"))

from soak import Soak  # noqa: E402


class Unnoticed(harness.WorldTest):
    def setUp(self):
        super().setUp()
        self.soak = Soak(self.world)
        self.soak.start()
        self.soak.load("--connections", "8")
        self.soak.load("--connections", "20", "--rate", "40")  # each connection idles half a second between two requests

    def assert_unnoticed(self, at_least):
        counts = self.soak.finish()
        self.assertEqual((counts["failed"], counts["errors"]), (0, {}))
        self.assertGreaterEqual(counts["total"], at_least)
        self.assertEqual(set(counts["by_version"]), {"v2", "v3"})

    def test_changes(self):
        self.soak.run(upgrades=0, kills=0, changes=100)
        self.assert_unnoticed(at_least=500)

    def test_proxy_upgrades(self):
        self.soak.run(upgrades=4, kills=0, changes=0)
        self.assert_unnoticed(at_least=500)

    def test_agent_kills(self):
        self.soak.run(upgrades=0, kills=3, changes=0)
        self.assert_unnoticed(at_least=500)

    def test_all_at_once(self):
        self.soak.run(upgrades=3, kills=3, changes=60)
        self.assert_unnoticed(at_least=500)

    def test_requests_go_on_while_no_agent_runs(self):
        self.world.stop_agent(signal.SIGKILL)
        self.soak.load("--connections", "4")  # new connections, to a proxy that lost its agent
        self.world.start_agent()
        self.assert_unnoticed(at_least=100)


if __name__ == "__main__":
    harness.main()
