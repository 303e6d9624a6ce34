#!/usr/bin/python3
"""The agent comes, goes, dies and comes back; what runs in the kernel goes on, until `weir uninstall`."""

import json
import os
import shutil
import signal
import subprocess

import harness
import simple
from simple import TARGET

FOREIGN = """
__attribute__((section("license"), used)) char licence[] = "GPL";
__attribute__((section("cgroup/connect4"), used)) int foreign(void *context) { return 1; }
"""


class Lifecycle(simple.SimpleTest):
    def programs(self):
        """Ids and names of what is attached to the world's cgroup."""
        done = harness.run("bpftool", "-j", "cgroup", "show", self.world.cgroup, check=False)
        return {entry["id"]: entry["name"] for entry in json.loads(done.stdout.strip() or "[]")}

    def test_sigterm_leaves_the_split_working(self):
        self.world.start_agent()
        self.assertEqual(self.world.stop_agent(signal.SIGTERM), 0)
        self.assert_splits(90, 10, 500)

    def test_kill_leaves_the_split_working(self):
        self.world.start_agent()
        load = self.world.load(TARGET)
        self.world.stop_agent(signal.SIGKILL)
        self.assert_splits_loosely(90, 10)
        counts = load.finish()
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assert_splits(90, 10, 500)

    def assert_splits_loosely(self, v1, v2):
        counts = self.world.connect(TARGET, 200)  # beside a load that takes picks in between
        self.assert_split(counts, {"v1": v1, "v2": v2}, off=15)

    def test_restart_adopts_with_zero_operations_and_no_failure(self):
        self.world.start_agent()
        self.assert_splits(90, 10)
        before = self.world.status()
        programs = self.programs()
        load = self.world.load(TARGET, "--threads", "2")
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.world.stop_agent(how)
            self.world.start_agent()
            status = self.world.status()
            self.assertTrue(status["datapath"]["adopted"])
            self.assertEqual(status["last_apply"]["operations"], 0, "the kernel held all this already")
        counts = load.finish()
        self.assertEqual(counts["failed"], 0, counts["errors"])
        self.assertEqual(len(self.programs()), len(programs), "programs are replaced, not added")
        self.assertGreaterEqual(self.world.status()["generation"], before["generation"])
        self.assert_splits(90, 10, 500)

    def test_changes_made_while_it_was_away_are_taken_up(self):
        self.world.start_agent()
        self.world.stop_agent(signal.SIGKILL)
        self.split(20, 80)
        self.assert_splits(90, 10)
        self.world.start_agent()
        self.assert_splits(20, 80, 200)

    def test_a_start_takes_what_did_not_change_from_the_cache(self):
        cache = os.path.join(self.world.run_dir, "objects.cache")
        self.world.start_agent("--verbose")
        self.world.stop_agent()
        self.assertEqual(os.stat(cache).st_mode & 0o777, 0o600)
        written = os.stat(cache).st_mtime_ns
        self.world.start_agent("--verbose")
        self.assertIn("objects.cache holds the objects of", self.world.read_log())
        self.assert_splits(90, 10)
        self.world.stop_agent()
        self.assertEqual(os.stat(cache).st_mtime_ns, written, "nothing changed, nothing is written")
        self.split(20, 80)
        self.world.start_agent()
        self.assert_splits(20, 80, 200)
        self.world.stop_agent()
        self.assertNotEqual(os.stat(cache).st_mtime_ns, written)

    def test_a_broken_cache_is_dropped_with_a_line(self):
        cache = os.path.join(self.world.run_dir, "objects.cache")
        self.world.start_agent()
        self.world.stop_agent()
        with open(cache, "r+b") as file:
            file.seek(100)
            file.write(b"x")
            file.truncate(500)
        self.world.start_agent()
        self.assertIn("all files are read: " + cache + " holds 468 bytes behind its head", self.world.read_log())
        self.assert_splits(90, 10)
        self.world.stop_agent()
        os.remove(cache)
        self.world.start_agent("--no-start-cache")
        self.world.stop_agent()
        self.assertFalse(os.path.exists(cache))

    def test_a_second_agent_is_refused(self):
        self.world.start_agent()
        second = self.world.weir_agent_once()
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.world.agent.pid), second.stderr, "names the agent that runs")
        self.assert_splits(90, 10)

    def test_uninstall_removes_every_trace(self):
        self.world.start_agent()
        self.assert_splits(90, 10)
        refused = self.world.weir("uninstall", check=False)
        self.assertEqual(refused.returncode, 1, "an agent runs")
        self.assert_splits(90, 10)
        self.world.stop_agent()
        self.assertTrue(os.listdir(self.world.bpffs))
        self.assertTrue(self.programs())
        self.world.weir("uninstall")
        # A fresh bpffs comes with iterators of the kernel's own.
        self.assertEqual([name for name in os.listdir(self.world.bpf_mount) if not name.endswith(".debug")], [])
        self.assertEqual(self.programs(), {})
        self.assertEqual(self.world.connect(TARGET, 1)["errors"], {"ENETUNREACH": 1})
        self.world.weir("uninstall")  # nothing there is no error
        self.world.start_agent()
        self.assert_splits(90, 10)

    def test_another_projects_program_stays(self):
        if not shutil.which("bpftool") or not shutil.which("clang"):
            self.skipTest("needs bpftool and clang")
        source, built = (os.path.join(self.world.folder, f"foreign.{end}") for end in ("c", "o"))
        with open(source, "w", encoding="ascii") as file:
            file.write(FOREIGN)
        harness.run("clang", "-O2", "-target", "bpf", "-c", source, "-o", built)
        pin = os.path.join(self.world.bpf_mount, "foreign")
        harness.run("bpftool", "prog", "load", built, pin)
        harness.run("bpftool", "cgroup", "attach", self.world.cgroup, "connect4", "pinned", pin, "multi")
        foreign = set(self.programs())
        self.assertEqual(len(foreign), 1)
        self.world.start_agent()
        self.assert_splits(90, 10)
        self.assertLess(foreign, set(self.programs()))
        self.assertIn("shared with foreign", str(self.world.status()["problems"]), "status names it")
        self.world.stop_agent()
        self.world.weir("uninstall")
        self.assertEqual(set(self.programs()), foreign)
        harness.run("bpftool", "cgroup", "detach", self.world.cgroup, "connect4", "pinned", pin)

    def test_without_rights_it_says_so(self):
        nobody = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all", harness.WEIR, "agent",
             "--config", self.world.config, "--cgroup", self.world.cgroup, "--bpffs", self.world.bpffs,
             "--run-dir", "/tmp"], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(nobody.returncode, 77, nobody.stderr)

    def test_no_agent_no_answer(self):
        done = self.world.weir("get", "splits", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertIn("agent", done.stderr)

    def test_drift_is_found_and_mended(self):
        """Somebody edits a map with bpftool: the agent puts it back and says so."""
        if not shutil.which("bpftool"):
            self.skipTest("needs bpftool")
        self.world.start_agent("--reconcile-interval", "200ms")
        frontends = os.path.join(self.world.bpffs, "maps", "frontends")
        entry = self.world.dump("frontends", formatted=False)[0]
        harness.run("bpftool", "map", "delete", "pinned", frontends, "key", "hex", *(b[2:] for b in entry["key"]))
        harness.wait_for(lambda: self.world.connect(TARGET, 1)["failed"] == 0, "the frontend is back")
        self.assert_splits(90, 10)
        harness.wait_for(lambda: "drift" in self.world.read_log(), "the log says so")


if __name__ == "__main__":
    harness.main()
