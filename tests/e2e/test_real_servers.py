#!/usr/bin/python3
"""Servers and clients that nobody here wrote: nginx, Python's http.server, curl."""

import os
import shutil
import sys

import harness
from yaml_text import destination_rule, endpoint_slice, pod, service, weights

VIP = "10.96.70.1"
NGINX, PYTHON = "127.7.1.1", "127.7.2.1"


class RealServers(harness.WorldTest):
    def setUp(self):
        super().setUp()
        for tool in ("nginx", "curl"):
            if not shutil.which(tool):
                self.skipTest(f"needs {tool}")
        self.start_nginx()
        self.start_python()
        pods = [("web-v1", NGINX), ("web-v2", PYTHON)]
        self.world.write("web.yaml", service("web", VIP, [("http", 80, 8000)]),
                         *(pod(name, ip, {"version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("web", pods, [("http", 8000)]),
                         destination_rule("web", {v: {"version": v} for v in ("v1", "v2")}))
        self.world.write("split.yaml", weights("web", v1=70, v2=30))
        self.world.start_agent()

    def start_nginx(self):
        folder = os.path.join(self.world.folder, "nginx")
        os.mkdir(folder)
        with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
                       "events {}\nhttp { access_log off; server { listen %s:8000; location / "
                       "{ add_header X-Version v1; return 200 'v1 nginx\\n'; } } }\n" % NGINX)
        self.world.spawn(["nginx", "-p", folder, "-c", os.path.join(folder, "nginx.conf")])
        self.world.wait_answer(f"{NGINX}:8000")

    def start_python(self):
        folder = os.path.join(self.world.folder, "python")
        os.mkdir(folder)
        with open(os.path.join(folder, "index.html"), "w", encoding="ascii") as file:
            file.write("v2 python\n")
        self.world.spawn([sys.executable, "-m", "http.server", "8000", "--bind", PYTHON, "--directory", folder],
                         stderr=harness.subprocess.DEVNULL)
        self.world.wait_answer(f"{PYTHON}:8000")

    def test_split_between_nginx_and_python(self):
        self.assert_split(self.world.connect(f"{VIP}:80", 200, "--check-peer", f"{VIP}:80"), {"v1": 70, "v2": 30})

    def test_curl_sees_the_services_address(self):
        done = self.world.spawn(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{remote_ip}:%{remote_port}\\n",
                                 *[f"http://{VIP}/"] * 1], cgroup=self.world.clients)
        out, _ = done.popen.communicate(timeout=10)
        self.assertEqual(out, f"200 {VIP}:80\n")


if __name__ == "__main__":
    harness.main()
