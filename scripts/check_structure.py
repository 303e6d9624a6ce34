#!/usr/bin/env python3
"""Holds the tree to its own rules: folders depend one way, files and functions stay small, tests mirror sources,
borders (yaml-cpp, libbpf, exceptions) are kept, and one word is used a thing."""

import os
import re
import subprocess
import sys

# Folder -> what it may include. The order of design and README.
LAYERS = {
    "base": set(),
    "pick": {"base"},
    "http": {"base"},
    "net": {"base"},
    "config": {"base"},
    "routing": {"base", "config"},
    "datapath": {"base", "pick", "config", "routing"},
    "proxy": {"base", "pick", "config", "routing", "net", "http"},
    "proxy_process": {"base", "config", "routing", "net", "http", "proxy"},
    "telemetry": {"base", "routing"},
    "admin": {"base", "net", "http"},
    "agent": {"base", "pick", "config", "routing", "datapath", "proxy", "proxy_process", "telemetry", "admin", "net",
              "http"},
    "cli": {"base", "pick", "config", "routing", "datapath", "proxy", "proxy_process", "telemetry", "admin", "net", "http",
            "agent"},
}

# The same inside a folder that has rooms: room -> what else of the folder it may include, "" for the folder's own files.
# Those may include any room: in agent/ they are the composition, in routing/ the words that all rooms share.
ROOMS = {
    "agent": {
        "node": set(),
        "dns": {"node"},
        "source": {"node"},
        "outside": {"node"},
        "proxy": {"node", "source"},
        "views": {"node", "dns", "outside", "proxy"},
    },
    "routing": {
        "rule": {""},
        "view": {"", "rule"},
        "plan": {"", "rule", "view"},
        "build": {"", "rule", "view", "plan"},
        "decide": {"", "rule", "view", "plan"},
    },
}

# A library that one folder alone may use, by the header it is reached through.
BORDERS = [
    (re.compile(r"#include <yaml-cpp/"), re.compile(r"^userspace/config/yaml_"), "yaml-cpp only in config/yaml_*"),
    (re.compile(r"#include <(bpf/|linux/bpf\.h)"), re.compile(r"^userspace/datapath/|^bpf/"), "libbpf only in datapath/"),
    (re.compile(r"#include <llhttp"), re.compile(r"^userspace/http/"), "llhttp only in http/"),
    (re.compile(r"#include <httplib"), re.compile(r"^userspace/admin/"), "cpp-httplib only in admin/"),
    (re.compile(r"#include <spdlog/"), re.compile(r"^userspace/(datapath|admin|agent|cli|proxy)/"),
     "no logging in base, config, routing, http"),
]

MAX_FILE_LINES = 400
MAX_TEST_LINES = 800
MAX_FUNCTION_LINES = 60
MAX_MAIN_LINES = 80

# A longer file or function, or a source without a test of its own name, each with its reason.
#   PATH REASON            the file may be longer
#   PATH:function REASON   its functions may be
#   PATH:test TEST REASON  tested by TEST, a file or folder, rather than by one of its own name
ALLOW_LIST = "scripts/check_structure.allow"

BANNED_WORDS = re.compile(r"\b(real_server|virtual_server)\b", re.IGNORECASE)


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", *patterns], capture_output=True, text=True, check=True).stdout
    return [line for line in out.splitlines() if os.path.exists(line)]


def allowed():
    entries = {}
    if os.path.exists(ALLOW_LIST):
        for line in open(ALLOW_LIST, encoding="utf-8"):
            line = line.strip()
            if line and not line.startswith("#"):
                name, _, reason = line.partition(" ")
                if not reason:
                    yield_error(ALLOW_LIST, 0, f"'{name}' has no reason")
                entries[name] = reason
    return entries


errors = []


def yield_error(path, line, text):
    errors.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")


def check_layers(path, lines):
    folder = path.split("/")[1]
    if folder not in LAYERS:
        yield_error(path, 0, f"folder userspace/{folder} is not in the table of layers")
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'#include "([a-z_]+)/[^"]+"', line)
        if not match:
            continue
        other = match.group(1)
        if other == "bpf":
            if folder not in ("pick", "datapath", "cli", "agent", "routing", "proxy") or not re.search(r'bpf/(packet/)?(abi|pick|sieve)\.h"', line):
                yield_error(path, number, f"{folder}/ may not include {line.split()[1]}")
        elif other != folder and other not in LAYERS[folder]:
            yield_error(path, number, f"{folder}/ may not include {other}/: folders depend one way")


def check_rooms(path, lines):
    folder, *inner = path.split("/")[1:-1]
    if folder not in ROOMS or not inner:
        return
    room = inner[0]
    if room not in ROOMS[folder]:
        yield_error(path, 0, f"{folder}/{room} is not in the table of rooms")
        return
    for number, line in enumerate(lines, 1):
        match = re.match(rf'#include "{folder}/(?:([a-z_]+)/)?[^"/]+"', line)
        if match and (match.group(1) or "") not in ROOMS[folder][room] | {room}:
            other = f"{folder}/{match.group(1) or ''}"
            yield_error(path, number, f"{folder}/{room}/ may not include {other.rstrip('/')}/: rooms depend one way")


def check_borders(path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, home, rule in BORDERS:
            if pattern.search(line) and not home.search(path):
                yield_error(path, number, rule)


def check_words(path, lines):
    for number, line in enumerate(lines, 1):
        if BANNED_WORDS.search(line):
            yield_error(path, number, f"say endpoint or service: {line.strip()[:80]}")


def function_lengths(lines):
    """Functions by clang-format's layout: a line that ends a parameter list and opens a brace, at column 0 or (a class's
    inline member) 2, up to the brace of the same column that closes it."""
    opened = {}
    for number, line in enumerate(lines, 1):
        indent = len(line) - len(line.lstrip())
        if indent in (0, 2) and line.strip() in ("}", "};") and indent in opened:
            start = opened.pop(indent)
            yield start, number - start + 1
        if re.match(r"^( {0,2})[A-Za-z_~\[].*\)( const| noexcept| override)* \{$", line) and not re.match(
                r"^ *(namespace|class|struct|enum|if|for|while|switch|TEST)\b", line):
            opened[indent] = number


def check_sizes(path, lines, exceptions):
    limit = MAX_TEST_LINES if path.startswith("tests/") else MAX_FILE_LINES
    if path.endswith("/main.cpp") and path.startswith("userspace/"):
        limit = MAX_MAIN_LINES
    if len(lines) > limit and path not in exceptions:
        yield_error(path, 0, f"{len(lines)} lines, limit {limit}")
    if path.startswith("tests/"):
        return
    for start, length in function_lengths(lines):
        if length > MAX_FUNCTION_LINES and f"{path}:function" not in exceptions:
            yield_error(path, start, f"function of {length} lines, limit {MAX_FUNCTION_LINES}")


def check_exceptions(path, lines):
    """throw/catch stay at the border of the libraries that throw."""
    for number, line in enumerate(lines, 1):
        if re.search(r"\bthrow\b|\bcatch \(", line.split("//")[0]) and "// border:" not in line:
            yield_error(path, number, "exceptions stop at a library's border; mark it with '// border: <library>'")


def check_tests_mirror(sources, exceptions):
    for path in sources:
        if not path.endswith(".cpp") or path.endswith("/main.cpp"):
            continue
        test = path.replace("userspace/", "tests/unit/", 1)[: -len(".cpp")] + "_test.cpp"
        if os.path.exists(test):
            continue
        elsewhere = exceptions.get(f"{path}:test", "").split(" ")[0]
        if not elsewhere:
            yield_error(path, 0, f"no {test}")
        elif not os.path.exists(elsewhere):
            yield_error(ALLOW_LIST, 0, f"{path} is said to be tested by {elsewhere}, which is not there")


def check_readme(folders):
    readme = open("README.md", encoding="utf-8").read() if os.path.exists("README.md") else ""
    for folder in sorted(folders):
        if f"userspace/{folder}" not in readme and f"`{folder}/`" not in readme:
            yield_error("README.md", 0, f"does not name userspace/{folder}")


def main():
    exceptions = allowed()
    sources = tracked("userspace/*.cpp", "userspace/*.h")
    for path in sources + tracked("bpf/*.c", "bpf/*.h", "tests/*.cpp", "tests/*.h"):
        lines = open(path, encoding="utf-8").read().splitlines()
        if path.startswith("userspace/"):
            if path.count("/") >= 2:
                check_layers(path, lines)
                check_rooms(path, lines)
            check_borders(path, lines)
            check_exceptions(path, lines)
            check_words(path, lines)
        check_sizes(path, lines, exceptions)
    check_tests_mirror([s for s in sources if s.count("/") >= 2], exceptions)
    check_readme({s.split("/")[1] for s in sources if s.count("/") >= 2})
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
