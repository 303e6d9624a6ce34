#!/usr/bin/python3
"""Releases that look into the request: T0.5, T0.7 and T0.9 on Bookinfo's own files, T2.3, T2.5, T3.3 and T3.5; clients are curl,
wrk, h2load and hey, endpoints nginx, node, Python's http.server and aiohttp. The client just connects to the service's
address."""

import os
import re
import shutil
import time

import harness
import origins
from harness import EXAMPLES, istio_sample
from origins import Origin, curl, need, version_of, wait_version
from yaml_text import destination, destination_rule, endpoint_slice, pod, service, virtual_service

REVIEWS, RATINGS, DETAILS = "10.96.9.3:9080", "10.96.9.2:9080", "10.96.9.1:9080"
JASON = ("-H", "end-user: jason")
HEADERS = {"exact jason": {"headers": {"end-user": {"exact": "jason"}}}}


class DarkRelease(harness.WorldTest):
    """What the scenarios have in common."""

    def start(self, *options):
        self.world.start_agent(*options)

    def ask(self, url, *options):
        status, version = version_of(self.world, url, *options)
        self.assertEqual(status, "200")
        return version

    def assert_clean_load(self, argv, patterns):
        """A load tool's run; `patterns`: what its report must, and must not, say."""
        done = self.world.spawn(argv, cgroup=self.world.clients, stderr=harness.subprocess.STDOUT)
        out, _ = done.popen.communicate(timeout=60)
        self.assertEqual(done.popen.returncode, 0, out)
        for pattern, wanted in patterns:
            (self.assertRegex if wanted else self.assertNotRegex)(out, pattern)


class Bookinfo(DarkRelease):
    def setUp(self):
        super().setUp()
        for name in ("services.yaml", "pods.yaml", "endpoints.yaml"):
            shutil.copy(os.path.join(EXAMPLES, "bookinfo", name), self.world.config)
        shutil.copy(istio_sample("bookinfo", "networking", "destination-rule-all.yaml"), self.world.config)
        kinds = (("v1", "nginx"), ("v2", "node"), ("v3", "aiohttp"))
        self.reviews = {v: Origin(self.world, kind, v, f"127.1.3.{v[1]}", 9080) for v, kind in kinds}
        self.url = f"http://{REVIEWS}/reviews/0"

    def apply(self, name):
        self.world.weir("apply", "-f", istio_sample("bookinfo", "networking", f"{name}.yaml"))

    def asked(self):
        return {v: len(origin.asked()) for v, origin in self.reviews.items()}

    def forget(self):
        for origin in self.reviews.values():
            origin.forget()

    def test_istios_own_jason_rule(self):
        """T0.7 with virtual-service-reviews-jason-v2-v3.yaml as it is: jason v2, everybody else v3."""
        self.start()
        self.apply("virtual-service-reviews-jason-v2-v3")
        wait_version(self.world, self.url, "v2", *JASON)
        self.forget()
        for user, version in (("jason", "v2"), ("Jason", "v3"), ("jaso", "v3"), ("jasonx", "v3"), ("admin", "v3")):
            self.assertEqual(self.ask(self.url, "-H", f"end-user: {user}"), version, user)
        self.assertEqual(self.ask(self.url), "v3")
        self.assertEqual(self.ask(self.url, "-H", "END-USER: jason"), "v2", "a header's name is the same in any case")
        self.assertEqual(self.asked(), {"v1": 0, "v2": 2, "v3": 5})

    def test_jason_and_others_on_one_connection(self):
        """The rule is of the request: one kept-alive connection goes now here, now there."""
        self.start()
        self.apply("virtual-service-reviews-jason-v2-v3")
        wait_version(self.world, self.url, "v2", *JASON)
        form = ["-s", "-o", "/dev/null", "-w", "%{http_code} %header{x-version} %{num_connects}\\n"]
        users = ["jason", "mary", "jason", "jason", "Jason", "mary"]
        arguments = []
        for user in users:
            arguments += ["--next"] * bool(arguments) + [*form, "-H", f"end-user: {user}", self.url]
        lines = curl(self.world, *arguments).splitlines()
        self.assertEqual(lines, [f"200 {'v2' if user == 'jason' else 'v3'} {int(i == 0)}" for i, user in enumerate(users)])

    def test_the_client_sees_the_services_address(self):
        self.start()
        self.apply("virtual-service-reviews-jason-v2-v3")
        wait_version(self.world, self.url, "v2", *JASON)
        out = curl(self.world, "-o", "/dev/null", "-w", "%{remote_ip}:%{remote_port}", *JASON, self.url)
        self.assertEqual(out, REVIEWS)

    def test_half_and_half_of_requests_on_kept_alive_connections(self):
        """T0.5: per request, exact, over connections that live long."""
        need("wrk", "h2load")
        self.start("--http-split", "request")
        self.apply("virtual-service-reviews-v2-v3")
        harness.wait_for(lambda: {self.ask(self.url) for _ in range(4)} == {"v2", "v3"}, "v2 and v3 answer")
        self.forget()
        self.assert_clean_load(["h2load", "--h1", "-n", "1000", "-c", "10", self.url],
                               [(r"1000 succeeded, 0 failed, 0 errored, 0 timeout", True), (r"1000 2xx, 0 3xx, 0 4xx, 0 5xx", True)])
        asked = self.asked()
        self.assertEqual(asked["v1"], 0)
        self.assertLessEqual(abs(asked["v2"] - 500), 2, f"exactly half: {asked}")
        self.assertEqual(sum(asked.values()), 1000)
        # One connection is enough to be split.
        self.forget()
        self.assert_clean_load(["h2load", "--h1", "-n", "100", "-c", "1", self.url], [(r"100 succeeded, 0 failed", True)])
        self.assertLessEqual(abs(self.asked()["v2"] - 50), 2)

    def test_load_tools_meet_no_error_while_rules_change(self):
        need("wrk", "hey")
        self.start()
        self.apply("virtual-service-reviews-jason-v2-v3")
        wait_version(self.world, self.url, "v2", *JASON)
        self.forget()
        loads = [self.world.spawn(["wrk", "-t", "1", "-c", "8", "-d", "5s", "-H", "end-user: jason", self.url],
                                  cgroup=self.world.clients),
                 self.world.spawn(["hey", "-z", "5s", "-c", "4", self.url], cgroup=self.world.clients)]
        others = ("v1", "v3")
        for number in range(20):
            self.world.weir("apply", "-f", self.world.outside("rule.yaml", virtual_service("reviews", [
                {"match": [HEADERS["exact jason"]], "route": [destination("reviews", "v2")]},
                {"route": [destination("reviews", others[number % 2])]}])))
        wrk, hey = (load.popen.communicate(timeout=60)[0] for load in loads)
        self.assertNotRegex(wrk, r"Socket errors|Non-2xx", wrk)
        self.assertRegex(wrk, r"[1-9]\d* requests in")
        self.assertEqual(set(re.findall(r"\[(\d+)\]\s+\d+ responses", hey)), {"200"}, hey)
        self.assertNotIn("Error distribution", hey)
        asked = self.asked()
        self.assertEqual([v for v, n in asked.items() if n == 0], [], f"each version had its users: {asked}")

    def test_ratings_abort_for_jason(self):
        """T0.9 with virtual-service-ratings-test-abort.yaml as it is."""
        ratings = Origin(self.world, "python", "v1", "127.1.2.1", 9080)
        self.start()
        self.apply("virtual-service-ratings-test-abort")
        url = f"http://{RATINGS}/ratings/0"
        harness.wait_for(lambda: version_of(self.world, url, *JASON)[0] == "500", "jason is turned away")
        ratings.forget()
        self.assertEqual(curl(self.world, *JASON, url), "fault filter abort")
        self.assertEqual(ratings.asked(), [], "an abort never reaches an endpoint")
        self.assertEqual(self.ask(url), "v1")

    def test_ratings_delay_for_jason(self):
        """T0.9 with virtual-service-ratings-test-delay.yaml as it is: 7 s for jason, nothing for the others."""
        Origin(self.world, "python", "v1", "127.1.2.1", 9080)
        self.start()
        self.apply("virtual-service-ratings-test-abort")
        url = f"http://{RATINGS}/ratings/0"
        harness.wait_for(lambda: version_of(self.world, url, *JASON)[0] == "500", "the proxy has ratings")
        self.apply("virtual-service-ratings-test-delay")
        started = time.monotonic()
        self.assertEqual(self.ask(url, *JASON), "v1")
        self.assertGreaterEqual(time.monotonic() - started, 6.9)
        self.assertLess(float(curl(self.world, "-o", "/dev/null", "-w", "%{time_total}", url)), 3)

    def test_details_fault_of_istios_sample(self):
        """T0.9: fault-injection-details-v1.yaml gives everybody 555."""
        Origin(self.world, "python", "v1", "127.1.1.1", 9080)
        self.start()
        self.apply("fault-injection-details-v1")
        harness.wait_for(lambda: version_of(self.world, f"http://{DETAILS}/details/0")[0] == "555", "555 for everybody")


class Shop(DarkRelease):
    """One service web with v1 (nginx) and v2 (node or aiohttp)."""

    VIP = "10.96.72.1"
    URL = f"http://{VIP}:80"

    def setUp(self):
        super().setUp()
        self.addresses = {"v1": "127.7.3.1", "v2": "127.7.3.2"}
        pods = [(f"web-{v}", ip) for v, ip in self.addresses.items()]
        self.world.write("web.yaml", service("web", self.VIP, [("http", 80, 8000)]),
                         *(pod(name, ip, {"version": name[-2:]}) for name, ip in pods),
                         endpoint_slice("web", pods, [("http", 8000)]),
                         destination_rule("web", {v: {"version": v} for v in self.addresses}))
        self.v1 = Origin(self.world, "nginx", "v1", self.addresses["v1"], 8000)

    def second(self, kind="node", **how):
        self.v2 = Origin(self.world, kind, "v2", self.addresses["v2"], 8000, **how)

    def rules(self, *routes):
        self.world.write("rule.yaml", virtual_service("web", list(routes)))

    def test_by_request_content_as_the_console_writes_it(self):
        """T2.3: custom header, cookie, URL and client OS, exact, prefix and regex. A regex must match all of the value, each
        branch of an alternation by itself: the console's own expression for the client's OS does not mean what it looks like."""
        self.second()
        system = r".*(Windows NT ([\d.])+)|(Linux ).*"
        matches = [{"headers": {"x-group": {"exact": "beta"}}}, {"headers": {"x-build": {"regex": "r[0-9]+"}}},
                   {"headers": {"cookie": {"regex": "^(.*?;)?( *user=jason)(;.*)?$"}}}, {"headers": {"cookie": {"exact": "a=b"}}},
                   {"uri": {"prefix": "/beta"}}, {"uri": {"regex": "/v[0-9]+/.*"}}, {"headers": {"user-agent": {"regex": system}}}]
        self.rules({"match": matches, "route": [destination("web", "v2")]}, {"route": [destination("web", "v1")]})
        self.start()
        wait_version(self.world, f"{self.URL}/", "v2", "-H", "x-group: beta")
        wanted = [("/", ["x-group: beta"], "v2"), ("/", ["x-group: Beta"], "v1"), ("/", ["x-build: r12"], "v2"),
                  ("/", ["x-build: r12b"], "v1"), ("/", ["Cookie: lang=en; user=jason"], "v2"), ("/", ["Cookie: user=jason2"], "v1"),
                  ("/", ["Cookie: a=b"], "v2"), ("/", ["Cookie: a=b; c=d"], "v1"), ("/beta/x?y=1", [], "v2"), ("/Beta", [], "v1"),
                  ("/v2/shop", [], "v2"), ("/v2", [], "v1"), ("/", [], "v1"),
                  ("/", ["User-Agent: Linux x86_64"], "v2"), ("/", ["User-Agent: Mozilla/5.0 (X11; Linux x86_64)"], "v1"),
                  ("/", ["User-Agent: Mozilla/5.0 (Windows NT 10.0"], "v2"),
                  ("/", ["User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64)"], "v1")]
        for path, headers, version in wanted:
            with self.subTest(path=path, headers=headers):
                options = [part for header in headers for part in ("-H", header)]
                self.assertEqual(self.ask(self.URL + path, *options), version)

    def test_a_mirror_gets_a_copy_of_every_request_and_nobody_sees_it(self):
        """T2.5: v2 answers 500 after a second; clients see v1, at once."""
        need("h2load")
        self.second("aiohttp", status=500, delay_ms=1000)
        self.rules({"route": [destination("web", "v1")], "mirror": {"host": "web", "subset": "v2"}})
        self.start()
        harness.wait_for(lambda: self.ask(f"{self.URL}/first") == "v1" and self.v2.asked(), "v2 gets copies")
        harness.wait_for(lambda: len(self.v2.asked()) == len(self.v1.asked()), "copies of the first are in")
        self.v1.forget()
        self.v2.forget()
        started = time.monotonic()
        self.assert_clean_load(["h2load", "--h1", "-n", "200", "-c", "4", f"{self.URL}/shop?x=1"],
                               [(r"200 2xx, 0 3xx, 0 4xx, 0 5xx", True)])
        self.assertLess(time.monotonic() - started, 25, "200 answers of v2 alone take 50 s on four connections")
        self.assertEqual(len(self.v1.asked()), 200)
        harness.wait_for(lambda: len(self.v2.asked()) == 200, "a copy of each", timeout=20)
        self.assertEqual({line.rsplit(" ", 1)[0] for line in self.v2.asked()}, {f"GET /shop?x=1 {self.VIP}"})

    def test_a_body_is_mirrored_too(self):
        self.second("aiohttp")
        self.rules({"route": [destination("web", "v1")], "mirror": {"host": "web", "subset": "v2"}})
        self.start()
        harness.wait_for(lambda: self.ask(f"{self.URL}/first") == "v1" and self.v2.asked(), "v2 gets copies")
        self.v2.forget()
        curl(self.world, "-o", "/dev/null", "-d", "payload", f"{self.URL}/cart")
        harness.wait_for(lambda: any(line.startswith("POST /cart ") for line in self.v2.asked()), "the POST's copy")

    def test_what_no_rule_takes_is_404(self):
        self.second()
        self.rules({"match": [{"uri": {"prefix": "/shop"}}], "route": [destination("web", "v1")]})
        self.start()
        harness.wait_for(lambda: version_of(self.world, f"{self.URL}/other")[0] == "404", "no rule, no route")
        self.assertEqual(self.ask(f"{self.URL}/shop"), "v1")

    def test_no_endpoint_is_503_only_for_its_share(self):
        self.second()
        self.rules({"match": [{"headers": {"x-canary": {"exact": "yes"}}}], "route": [destination("web", "v3")]},
                   {"route": [destination("web", "v1")]})
        self.start()
        harness.wait_for(lambda: version_of(self.world, f"{self.URL}/", "-H", "x-canary: yes")[0] == "503", "no subset v3")
        self.assertEqual(self.ask(f"{self.URL}/"), "v1")


class Greeting(DarkRelease):
    """T3: message asks greeting, and hands on the header; safe and risky."""

    MESSAGE, GREETING = "127.8.1.1", "10.96.73.2:8080"

    def setUp(self):
        super().setUp()
        ends = {"safe": ("nginx", "127.8.2.1"), "risky": ("aiohttp", "127.8.2.2")}
        self.origins = {name: Origin(self.world, kind, name, ip, 8080) for name, (kind, ip) in ends.items()}
        pods = [(f"greeting-{name}", ip) for name, (_, ip) in ends.items()]
        self.world.write("greeting.yaml", service("greeting", self.GREETING.split(":")[0], [("http", 8080, 8080)]),
                         *(pod(name, ip, {"app": "greeting", "track": name.split("-")[1]}) for name, ip in pods),
                         endpoint_slice("greeting", pods, [("http", 8080)]),
                         destination_rule("greeting", {name: {"track": name} for name in ends}))
        self.dark()
        self.start()
        self.url = f"http://{self.MESSAGE}:8080/hello"
        origins.message_application(self.world, self.MESSAGE, 8080, self.GREETING)
        wait_version(self.world, self.url, "risky", "-H", "x-my-header: dark")

    def dark(self):
        self.world.write("dark.yaml", virtual_service("greeting", [
            {"match": [{"headers": {"x-my-header": {"exact": "dark"}}}], "route": [destination("greeting", "risky")]},
            {"route": [destination("greeting", "safe")]}]))

    def test_dark_release_on_the_second_hop(self):
        """T3.3: the header is the application's to hand on; only `dark` reaches risky."""
        for header, version in (("x-my-header: dark", "risky"), ("x-my-header: Dark", "safe"), ("x-my-header: darker", "safe"),
                                ("x-other: dark", "safe")):
            self.assertEqual(self.ask(self.url, "-H", header), version, header)
        self.assertEqual(self.ask(self.url), "safe")
        self.assertIn("message says risky", curl(self.world, "-H", "x-my-header: dark", self.url))

    def test_mirror_to_risky_counts_what_the_primary_counts(self):
        """T3.5"""
        self.world.write("dark.yaml", virtual_service("greeting", [
            {"route": [destination("greeting", "safe")], "mirror": {"host": "greeting", "subset": "risky"}}]))
        harness.wait_for(lambda: self.ask(self.url, "-H", "x-my-header: dark") == "safe", "safe answers everybody")
        harness.wait_for(lambda: self.origins["risky"].asked(), "copies arrive")
        for origin in self.origins.values():
            origin.forget()
        for _ in range(30):
            self.assertEqual(self.ask(self.url), "safe")
        harness.wait_for(lambda: len(self.origins["risky"].asked()) >= 30, "a copy of each")
        self.assertEqual({name: len(o.asked()) for name, o in self.origins.items()}, {"safe": 30, "risky": 30})


if __name__ == "__main__":
    harness.main()
