#!/usr/bin/python3
"""Bad input: one clear error with file:line:col, nothing half applied, the last good configuration goes on, and `weir status`
says since when and why. Each case is held against real connections."""

import os
import shutil
import time

import harness
import simple
from simple import TARGET
from yaml_text import documents, endpoint_slice, pod, service, weights

RULE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: app
spec:
  hosts: [app]
  http:
  - route:
    - destination: {host: app, subset: v1}
      weight: %s
    - destination: {host: app, subset: v2}
      weight: %s
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))

# name, text of split.yaml, what the error says (regular expression)
CASES = [
    ("broken syntax", "kind: VirtualService\nspec: [\n", r"split\.yaml:\d+:\d+"),
    ("tabs", "kind: VirtualService\nspec:\n\thosts: app\n", r"split\.yaml:3:\d+"),
    ("binary", "\x00\x01\x02 not yaml", r"split\.yaml:1"),
    ("negative weight", RULE % ("-1", "101"), r"split\.yaml:10:15: .*-1"),
    ("all weights zero", RULE % ("0", "0"), r"split\.yaml:\d+:\d+: .*weight"),
    ("a weight that is no number", RULE % ("many", "1"), r"split\.yaml:10:15"),
    ("a weight too large", RULE % ("99999999999", "1"), r"split\.yaml:10:15"),
    ("duplicate key", RULE % ("1", "1") + "  hosts: [other]\n", r"split\.yaml:13:3: .*hosts"),
    ("10,000 levels of nesting", "a: " + "[" * 10000 + "]" * 10000 + "\n", r"split\.yaml:1:\d+: .*(depth|deep|nest)"),
    ("alias bomb", BOMB, r"split\.yaml:\d+:\d+: .*(alias|node)"),
    ("an alias of itself", "a: &a [*a]\n", r"split\.yaml:1:\d+"),
    ("no hosts", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: app}\nspec: {http: []}\n",
     r"split\.yaml:\d+:\d+"),
    ("no name", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {hosts: [app]}\n", r"split\.yaml:\d+:\d+"),
    ("a list where an object belongs", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: app}\nspec: [1]\n",
     r"split\.yaml:4:7"),
]


class BadInput(simple.SimpleTest):
    def put(self, text, name="split.yaml"):
        path = os.path.join(self.world.config, name)
        with open(path + "~", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + "~", path)

    def problem(self):
        """What status says is wrong with the configuration: {"since", "errors": [text]} or None."""
        config = self.world.status()["config"]
        return None if config["state"] == "ok" else config

    def wait_problem(self, pattern):
        config = harness.wait_for(self.problem, "status shows the problem")
        text = "\n".join(str(e) for e in config["errors"])
        self.assertRegex(text, pattern)
        self.assertTrue(config["since"], "since when")
        return config

    def wait_fine(self):
        harness.wait_for(lambda: self.problem() is None, "all is well again")

    def test_every_case_keeps_the_last_good_configuration(self):
        self.world.start_agent()
        self.assert_splits(90, 10)
        for name, text, pattern in CASES:
            with self.subTest(name):
                generation = self.world.status()["generation"]
                self.put(text)
                try:
                    self.wait_problem(pattern)
                    self.assert_splits(90, 10)
                    self.assertEqual(self.world.status()["generation"], generation, "nothing was applied")
                    self.assertRegex(self.world.read_log(), pattern)
                finally:
                    self.split(90, 10)
                    self.wait_fine()
        self.split(30, 70)
        self.wait_split(TARGET, {"v1": 30, "v2": 70})

    def test_analyze_shows_place_line_caret_and_exit_code(self):
        for name, text, pattern in CASES:
            with self.subTest(name):
                self.put(text)
                done = self.world.weir("analyze", self.world.config, check=False)
                self.assertIn(done.returncode, (65, 79), done.stderr)
                self.assertRegex(done.stdout + done.stderr, pattern)
        self.put(RULE % ("-1", "101"))
        shown = self.world.weir("analyze", self.world.config, check=False).stdout
        self.assertRegex(shown, r"      weight: -1\n +\^", "the source line and a caret")

    def test_a_duplicate_object_names_both_places(self):
        self.world.start_agent()
        self.world.write("again.yaml", weights("app", v1=1, v2=99))
        config = self.wait_problem(r"again\.yaml:\d+:\d+")
        self.assertIn("split.yaml", str(config["errors"]))
        self.assert_splits(90, 10)
        self.world.remove("again.yaml")
        self.wait_fine()

    def test_bad_at_the_start(self):
        """Nothing good was ever read: the agent stays, says why, and takes the first good configuration."""
        self.put("kind: [")
        self.world.start_agent(wait=False)
        harness.wait_for(lambda: "split.yaml:1" in self.world.read_log(), "the log names the file")
        self.assertIsNone(self.world.agent.popen.poll(), "the agent lives")
        self.split(90, 10)
        self.world.wait_ready()
        self.wait_split(TARGET, {"v1": 90, "v2": 10})

    def test_bad_at_a_restart_keeps_what_the_kernel_has(self):
        self.world.start_agent()
        self.world.stop_agent()
        self.put("kind: [")
        self.world.start_agent(wait=False)
        harness.wait_for(lambda: "split.yaml:1" in self.world.read_log(), "the log names the file")
        self.assert_splits(90, 10, 300)

    def test_half_written_file(self):
        """A writer that takes its time: half a file may be valid YAML, and must not be taken for the whole."""
        self.world.start_agent()
        text = documents(weights("app", v1=10, v2=90))
        path = os.path.join(self.world.config, "split.yaml")
        generation = self.world.status()["generation"]
        with open(path, "w", encoding="ascii") as file:
            for part in (text[:len(text) // 3], text[len(text) // 3:len(text) // 2], text[len(text) // 2:]):
                file.write(part)
                file.flush()
                deadline = time.monotonic() + 0.5
                while time.monotonic() < deadline:  # longer than any debounce: the split stays as it was
                    self.assert_splits(90, 10, 20)
                self.assertEqual(self.world.status()["generation"], generation)
        self.wait_split(TARGET, {"v1": 10, "v2": 90})
        self.assertIsNone(self.problem())

    def test_truncated_file(self):
        self.world.start_agent()
        with open(os.path.join(self.world.config, "split.yaml"), "r+", encoding="ascii") as file:
            text = file.read()
            file.truncate(text.index("weight: 10") + len("wei"))
        self.wait_problem(r"split\.yaml:\d+:\d+")
        self.assert_splits(90, 10)

    def test_directory_vanishes_and_comes_back(self):
        self.world.start_agent()
        away = self.world.config + ".away"
        os.rename(self.world.config, away)
        self.wait_problem(r"config")
        self.assert_splits(90, 10)
        os.rename(away, self.world.config)
        self.wait_fine()
        self.split(40, 60)
        self.wait_split(TARGET, {"v1": 40, "v2": 60})
        shutil.rmtree(self.world.config)
        self.wait_problem(r"config")
        self.assert_splits(40, 60)

    def test_unreadable_kinds_of_file(self):
        self.world.start_agent()
        os.mkfifo(os.path.join(self.world.config, "fifo.yaml"))
        self.wait_problem(r"fifo\.yaml.*(FIFO|regular)")
        self.assert_splits(90, 10)
        self.world.remove("fifo.yaml")
        self.wait_fine()
        os.symlink("/dev/zero", os.path.join(self.world.config, "zero.yaml"))
        self.wait_problem(r"zero\.yaml")
        self.world.remove("zero.yaml")
        self.wait_fine()
        self.assert_splits(90, 10)

    def test_a_full_map_applies_nothing(self):
        self.world.start_agent("--map-endpoints", "64", "--services", "all")
        self.assert_splits(90, 10)
        pods = [(f"big-{i}", f"127.7.{i // 250}.{i % 250 + 1}") for i in range(200)]
        self.world.write("big.yaml", service("big", "10.96.61.1", [("http", 80, 8080)]),
                         *(pod(name, ip, {"version": "v1"}) for name, ip in pods),
                         endpoint_slice("big", pods, [("http", 8080)]))
        self.wait_problem(r"endpoints")
        self.assert_splits(90, 10)
        self.assertEqual(self.world.connect("10.96.61.1:80", 1)["errors"], {"ENETUNREACH": 1}, "not half applied")
        self.world.remove("big.yaml")
        self.wait_fine()
        self.split(30, 70)
        self.wait_split(TARGET, {"v1": 30, "v2": 70})

    def test_unknown_kinds_are_skipped_with_a_line(self):
        self.world.write("other.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n")
        self.world.start_agent()
        self.assertIn("Deployment", self.world.weir("analyze", self.world.config).stdout + self.world.read_log())
        self.assertIsNone(self.problem())
        self.assert_splits(90, 10)


if __name__ == "__main__":
    harness.main()
