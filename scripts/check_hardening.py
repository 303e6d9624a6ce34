#!/usr/bin/env python3
"""Holds docs/hardening.md to the tests: each of its rows names tests, all of which exist. And N16: nothing of the request path asks
the wall clock, but for what it writes down."""

import re
import subprocess
import sys

TABLE = "docs/hardening.md"
ROWS = [f"H{number}" for number in range(1, 39)] + [f"N{number}" for number in range(1, 19)]
GTEST = re.compile(r"^TEST(?:_P|_F)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
UNITTEST = re.compile(r"^\s+def (test_\w+)\(", re.MULTILINE)

WALL_CLOCK = re.compile(r"system_clock|CLOCK_REALTIME|\bstd::time\(|gettimeofday\(")
# Who reads it, for the Date field and for log lines.
MAY_READ_WALL_CLOCK = {"userspace/proxy/worker.cpp", "userspace/proxy/session.cpp", "userspace/proxy_process/log.cpp"}


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
                            capture_output=True, text=True, check=True)
    return listed.stdout.split()


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:  # removed, not yet committed
        return ""


def known_tests():
    tests = {"wall_clock"}
    for path in tracked("tests/*.cpp"):
        tests.update(".".join(pair) for pair in GTEST.findall(read(path)))
    for path in tracked("tests/e2e/*.py"):
        tests.update(UNITTEST.findall(read(path)))
    return tests


def table_rows():
    for line in read(TABLE).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"[HN]\d+", cells[0]):
            yield cells[0], cells[3].split()


def check_table():
    tests = known_tests()
    rows = list(table_rows())
    names = [row for row, _ in rows]
    faults = [f"{TABLE}: no row {row}" for row in ROWS if row not in names]
    faults += [f"{TABLE}: {row} stands there twice" for row in set(names) if names.count(row) > 1]
    for row, named in rows:
        if not named:
            faults.append(f"{TABLE}: {row} names no test")
        faults += [f"{TABLE}: {row}: there is no test {name}" for name in named if name not in tests]
    return faults


def check_wall_clock():
    return [f"{path}: reads the wall clock (N16)"
            for path in tracked("userspace/net/*", "userspace/proxy/*", "userspace/http/*", "userspace/proxy_process/*.cpp")
            if path not in MAY_READ_WALL_CLOCK and WALL_CLOCK.search(re.sub(r"SCMP_SYS\(\w+\)", "", read(path)))]


def main():
    faults = check_table() + check_wall_clock()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
