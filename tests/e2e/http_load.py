#!/usr/bin/python3
"""Keep-alive HTTP clients that ask without a pause until stdin ends: what a change must not disturb.

http_load.py HOST:PORT [--threads N] [--path P] [--host NAME] [--pause SECONDS] [--close]
Prints "started" on stderr; at the end {"total", "failed", "errors", "by_version", "longest_gap"} on stdout. A request
has failed when its connection breaks before the answer is whole, or its status is 5xx. The gap is the longest time
between two answers of one client. With --close each request has a connection of its own."""

import argparse
import collections
import http.client
import json
import sys
import threading
import time

stopping = threading.Event()


class Client(threading.Thread):
    def __init__(self, options):
        super().__init__(daemon=True)
        self.options = options
        self.versions, self.errors = collections.Counter(), collections.Counter()
        self.total = self.gap = 0

    def run(self):
        host, _, port = self.options.target.rpartition(":")
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=10)
        headers = {"Host": self.options.host} if self.options.host else {}
        if self.options.close:
            headers["Connection"] = "close"
        last = time.monotonic()
        while not stopping.is_set():
            self.total += 1
            try:
                connection.request("GET", self.options.path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status >= 500:
                    self.errors[str(answer.status)] += 1
                else:
                    self.versions[answer.getheader("X-Version", "?")] += 1
                    self.gap = max(self.gap, time.monotonic() - last)
                    last = time.monotonic()
            except (OSError, http.client.HTTPException) as error:
                self.errors[f"{type(error).__name__}: {error}"] += 1
                connection.close()
                time.sleep(0.01)
            if self.options.pause:
                time.sleep(self.options.pause)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--path", default="/")
    parser.add_argument("--host")
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("--close", action="store_true")
    options = parser.parse_args()
    clients = [Client(options) for _ in range(options.threads)]
    for client in clients:
        client.start()
    print("started", file=sys.stderr, flush=True)
    sys.stdin.read()
    stopping.set()
    for client in clients:
        client.join(15)
    versions, errors = collections.Counter(), collections.Counter()
    for client in clients:
        versions.update(client.versions)
        errors.update(client.errors)
    print(json.dumps({"total": sum(c.total for c in clients), "failed": sum(errors.values()), "errors": errors,
                      "by_version": versions, "longest_gap": max(c.gap for c in clients)}))


main()
