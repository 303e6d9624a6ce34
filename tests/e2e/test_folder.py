#!/usr/bin/python3
"""How a configuration changes: editors, renames, a ConfigMap's swap, and the commands apply, delete, diff and weight."""

import os
import shutil
import subprocess

import harness
import simple
from simple import TARGET
from yaml_text import destination, documents, virtual_service, weights


class Folder(simple.SimpleTest):
    def text(self, v1, v2):
        return documents(weights("app", v1=v1, v2=v2))

    def path(self, name="split.yaml"):
        return os.path.join(self.world.config, name)

    def test_editors_ways_of_saving(self):
        self.world.start_agent()
        with open(self.path(), "w", encoding="ascii") as file:  # in place
            file.write(self.text(80, 20))
        self.wait_split(TARGET, {"v1": 80, "v2": 20})
        # vi: the old file becomes a backup, a new one is written, the backup goes.
        os.rename(self.path(), self.path("split.yaml~"))
        with open(self.path(), "w", encoding="ascii") as file:
            file.write(self.text(70, 30))
        os.unlink(self.path("split.yaml~"))
        self.wait_split(TARGET, {"v1": 70, "v2": 30})
        # emacs, rsync, most programs: a temporary file renamed over it. Hidden and foreign names are no configuration.
        with open(self.path(".#split.yaml"), "w", encoding="ascii") as file:
            file.write("not: [yaml")
        with open(self.path("notes.txt"), "w", encoding="ascii") as file:
            file.write("not: [yaml")
        self.split(60, 40)
        self.wait_split(TARGET, {"v1": 60, "v2": 40})
        os.rename(self.path(), self.path("renamed.yml"))  # the same rule in a file of another name
        self.assert_splits(60, 40)
        shutil.move(self.path("renamed.yml"), os.path.join(self.world.folder, "gone.yaml"))
        harness.wait_for(lambda: self.world.connect(TARGET, 1)["errors"] == {"ENETUNREACH": 1}, "no rule, left alone")
        self.assertEqual(self.world.status()["config"]["state"], "ok")

    def test_config_map_swap(self):
        """Kubernetes' way: files are links into ..data, which is a link to a directory of one version."""
        mount = self.world.config
        texts = {name: open(self.path(name), encoding="ascii").read() for name in ("app.yaml", "split.yaml")}
        for name in texts:
            self.world.remove(name)

        def swap(version, split):
            os.mkdir(os.path.join(mount, f"..{version}"))
            for name, text in {**texts, "split.yaml": split}.items():
                with open(os.path.join(mount, f"..{version}", name), "w", encoding="ascii") as file:
                    file.write(text)
            os.symlink(f"..{version}", os.path.join(mount, "..data_tmp"))
            os.rename(os.path.join(mount, "..data_tmp"), os.path.join(mount, "..data"))

        swap("2026_01", self.text(90, 10))
        for name in texts:
            os.symlink(f"..data/{name}", self.path(name))
        self.world.start_agent()
        self.assert_splits(90, 10)
        for number, (v1, v2) in enumerate(((25, 75), (0, 100), (50, 50))):
            swap(f"2026_1{number}", self.text(v1, v2))
            self.wait_split(TARGET, {"v1": v1, "v2": v2})
        shutil.rmtree(os.path.join(mount, "..2026_01"))
        self.assertEqual(self.world.status()["config"]["state"], "ok")
        self.assert_splits(50, 50)

    def test_a_link_to_the_folder_that_is_turned(self):
        link, first, second = (os.path.join(self.world.folder, n) for n in ("link", "first", "second"))
        shutil.copytree(self.world.config, first)
        self.split(20, 80)
        shutil.copytree(self.world.config, second)
        os.symlink("first", link)
        self.world.config = link
        self.world.start_agent()
        self.assert_splits(90, 10)
        os.symlink("second", link + "~")
        os.rename(link + "~", link)
        self.wait_split(TARGET, {"v1": 20, "v2": 80})

    def test_diff_apply_weight_delete(self):
        self.world.start_agent()
        change = self.world.outside("change.yaml", weights("app", v1=75, v2=25))
        done = self.world.weir("diff", "-f", change, check=False)
        self.assertEqual(done.returncode, 1, "they differ")
        self.assertRegex(done.stdout, r"(?m)^-.*90(.|\n)*^\+.*75")
        self.assert_splits(90, 10)
        self.world.weir("apply", "-f", change)
        self.wait_split(TARGET, {"v1": 75, "v2": 25})
        self.assertEqual(self.world.weir("diff", "-f", change, check=False).returncode, 0, "nothing differs any more")
        self.world.weir("apply", "-f", change)  # again: no change
        self.world.weir("weight", "app", "v1=60", "v2=40")
        self.wait_split(TARGET, {"v1": 60, "v2": 40})
        shown = {d["subset"]: d["weight"] for d in self.world.split_of("app")["destinations"]}
        self.assertEqual(shown, {"v1": 60, "v2": 40})
        self.world.weir("delete", "-f", change)
        harness.wait_for(lambda: self.world.connect(TARGET, 1)["errors"] == {"ENETUNREACH": 1}, "no rule, left alone")
        self.assertEqual(self.world.status()["config"]["objects"].get("VirtualService", 0), 0)

    def test_apply_from_standard_input_and_of_a_new_object(self):
        self.world.remove("split.yaml")
        self.world.start_agent()
        done = subprocess.run([harness.WEIR, "apply", "-f", "-", "--run-dir", self.world.run_dir], input=self.text(30, 70),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_split(TARGET, {"v1": 30, "v2": 70})

    def test_refused_changes_change_nothing(self):
        self.world.start_agent()
        files = {name: open(self.path(name), encoding="ascii").read() for name in os.listdir(self.world.config)}
        for text in ("kind: [", self.text(-1, 101), self.text(0, 0)):
            bad = self.world.outside("bad.yaml", text)
            done = self.world.weir("apply", "-f", bad, check=False)
            self.assertIn(done.returncode, (1, 65, 79), text)
            self.assertRegex(done.stderr, r"bad\.yaml:\d+:\d+")
        self.assertNotEqual(self.world.weir("weight", "app", "v1=60", "v9=40", check=False).returncode, 0)
        self.assertNotEqual(self.world.weir("weight", "nobody", "v1=60", "v2=40", check=False).returncode, 0)
        self.assertNotEqual(self.world.weir("weight", "app", "v1=0", "v2=0", check=False).returncode, 0)
        self.assertEqual(self.world.weir("weight", "app", "v1=x", check=False).returncode, 64)
        self.assertEqual({n: open(self.path(n), encoding="ascii").read() for n in os.listdir(self.world.config)}, files)
        self.assert_splits(90, 10)

    def test_weight_keeps_comments_and_layout(self):
        text = ("# the canary of the week\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: app\nspec:\n"
                "  hosts: [app]\n  http:\n  - route:   # two of them\n    - destination: {host: app, subset: v1}\n      weight: 90  # old\n"
                "    - destination: {host: app, subset: v2}\n      weight: 10  # new\n")
        with open(self.path(), "w", encoding="ascii") as file:
            file.write(text)
        self.world.start_agent()
        self.world.weir("weight", "app", "v1=5", "v2=95")
        self.wait_split(TARGET, {"v1": 5, "v2": 95}, 100)
        with open(self.path(), encoding="ascii") as file:
            self.assertEqual(file.read(), text.replace("weight: 90 ", "weight: 5 ").replace("weight: 10 ", "weight: 95 "))

    def test_a_rule_that_needs_the_request_is_said_to(self):
        """Until the request path exists its default route splits per connection; explain and status say so."""
        self.world.write("split.yaml", virtual_service("app", [
            {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [destination("app", "v2")]},
            {"route": [destination("app", "v1")]}]))
        self.world.start_agent()
        self.assert_split(self.world.connect(TARGET, 50), {"v1": 1, "v2": 0})
        told = self.world.json("explain", "--to", "http://app/", "-H", "end-user:jason")
        self.assertEqual((told["path"], [d["subset"] for d in told["destinations"]]), ("proxy", ["v2"]))
        services = self.world.json("get", "services")["services"]
        self.assertEqual([s["path"] for s in services if s["service"].startswith("app.")], ["proxy"])


if __name__ == "__main__":
    harness.main()
