#!/usr/bin/env python3
"""Writes what Istio's own API says of its kinds: userspace/config/istio_schema.inc, from the CRDs of the Go module istio.io/api.

    scripts/istio_schema.py            writes the file
    scripts/istio_schema.py --check    fails where the file differs from what the module says; 77 (skipped) without Go or module

Needs Go (the module comes through its proxy) and Debian's python3-yaml. A rule of the CRDs that has no name in RULES below is an error:
write it in userspace/config/schema_rules.cpp and name it here."""

import json
import os
import re
import subprocess
import sys
import tempfile

MODULE = "istio.io/api@v1.32.0"
CRDS = "kubernetes/customresourcedefinitions.gen.yaml"
MESH = "mesh/v1alpha1/config.pb.go"
TARGET = os.path.join(os.path.dirname(__file__), "..", "userspace", "config", "istio_schema.inc")

# What a CEL rule asks for, by the name that schema_rules.cpp has for it. None: the kind's reader checks it, with more to say.
RULES = {
    'self.all(key, !key.contains("*"))': "no-star-in-keys",
    'self.all(key, key.size() != 0)': "no-empty-key",
    '!self.contains("*")': "no-star",
    "self.size() == 0": "empty",
    "duration(self) >= duration('1ms')": "duration",
    'self in ["", "HTTP", "HTTPS"]': "http-scheme",
    'url(self).getScheme() in ["http", "https"]': "web-url",
    "self.all(key, 0 < int(key) && int(key) <= 65535)": "port-keys",
    '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)': "value-only-inline",
    '((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true': "upsert-needs-value",
    '((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true': "remove-has-no-value",
    'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)':
        "waypoint-context",
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && !has(self.notPrincipals) && "
    "!has(self.namespaces) && !has(self.notNamespaces)) : true": "service-accounts-alone",
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0)"
    " : true": "ports-need-selector",
    'self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))': "port-names",
    "has(self.wasm) != has(self.lua)": "wasm-or-lua",
    # ServiceEntry, WorkloadEntry: read_service_entry.cpp.
    '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE")'
    ' in ["STATIC", "NONE"]))': None,
    '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true': None,
    '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1)'
    " : true": None,
    "has(self.address) || has(self.network)": None,
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true': None,
    'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true': None,
    'self.startsWith("unix://") ? !self.endsWith("/") : true': None,
    'self != "*"': None,
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))": None,
}
PATTERNS = {
    r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": "group-name",
    r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$": "kind-name",
    r"(^$|^[a-f0-9]{64}$)": "sha256",
    r"^[-_A-Za-z0-9]+$": "plain-header-name",
}
AT_MOST_ONE = re.compile(r"^\(has\(self\.\w+\) \? 1 : 0\)( \+ \(has\(self\.\w+\) \? 1 : 0\))* <= 1$")
PORT = "0 < self && self <= 65535"
URL = re.compile(r'^isURL\(self\) \? \(url\(self\)\.getScheme\(\)')


def number(value):
    return str(int(value)) if float(value).is_integer() else repr(value)


class Types:
    """Each distinct type once, children before parents."""

    def __init__(self):
        self.lines, self.names = [], {}

    def add(self, schema):
        text = self.text(schema)
        if text not in self.names:
            self.names[text] = f"t{len(self.names) + 1}"
            self.lines.append(f"{self.names[text]} {text}")
        return self.names[text]

    def text(self, schema):
        words, fields = [self.kind(schema)], []
        kind = schema.get("type")
        if kind == "array":
            words.append(self.add(schema["items"]))
        elif isinstance(schema.get("additionalProperties"), dict):
            words.append(self.add(schema["additionalProperties"]))
        for key in ("minimum", "minLength", "minItems", "minProperties"):
            if key in schema:
                words.append(f"min={number(schema[key])}")
        for key in ("maximum", "maxLength", "maxItems", "maxProperties"):
            if key in schema:
                words.append(f"max={number(schema[key])}")
        if schema.get("nullable"):
            words.append("null")
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            words.append("open")
        if "x-kubernetes-list-map-keys" in schema:
            words.append("keys=" + ",".join(schema["x-kubernetes-list-map-keys"]))
        if "pattern" in schema:
            words.append("rule=" + PATTERNS[schema["pattern"]])
        words += self.one_of(schema) + self.rules(schema)
        if "enum" in schema:
            words.append("enum=" + ",".join(schema["enum"]))
        for name, item in schema.get("properties", {}).items():
            required = "!" if name in schema.get("required", []) else ""
            fields.append(f"\n  {name}{required} {self.add(item)}")
        return " ".join(words) + "".join(fields)

    def kind(self, schema):
        kind = schema["type"]
        if kind == "object":
            return "map" if isinstance(schema.get("additionalProperties"), dict) else "object"
        return {"array": "list"}.get(kind, kind)

    def one_of(self, schema):
        groups = [schema["oneOf"]] if "oneOf" in schema else []
        groups += [part["oneOf"] for part in schema.get("allOf", [])]
        words = []
        for group in groups:  # [{not: any of them}, one, two ...]: at most one of them
            names = [item["required"][0] for item in group if "required" in item]
            assert [item["required"][0] for item in group[0]["not"]["anyOf"]] == names, group
            if len(names) > 1:
                words.append("one=" + ",".join(names))
        return words

    def rules(self, schema):
        words = []
        for item in schema.get("x-kubernetes-validations", []):
            rule = " ".join(item["rule"].split())
            if AT_MOST_ONE.match(rule):
                words.append("one=" + ",".join(re.findall(r"self\.(\w+)", rule)))
            elif rule == PORT:
                words.append("rule=port")
            elif URL.match(rule):
                words.append("rule=module-url")
            elif rule not in RULES:
                sys.exit(f"a rule that has no name: {rule} ({item.get('message')})")
            elif RULES[rule]:
                words.append("rule=" + RULES[rule])
        return words


def download():
    """The module's folder, or None."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "go.mod"), "w", encoding="utf-8") as file:
            file.write("module schema\n")
        try:
            answer = subprocess.run(["go", "mod", "download", "-json", MODULE], cwd=folder, capture_output=True, text=True,
                                    timeout=120, check=True, env={**os.environ, "GOFLAGS": "-mod=mod"})
        except (OSError, subprocess.SubprocessError):
            return None
        return json.loads(answer.stdout)["Dir"]


def mesh_fields(folder):
    """The names of MeshConfig's fields, as mesh.yaml has them."""
    with open(os.path.join(folder, MESH), encoding="utf-8") as file:
        body = file.read().split("type MeshConfig struct {", 1)[1].split("\n}", 1)[0]
    tags = re.findall(r'protobuf:"[^"]*\bname=(\w+),(?:json=(\w+),)?', body)
    return sorted(json_name or name for name, json_name in tags)


def write_schema(folder):
    import yaml  # after the check for the module: a skip needs nothing
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    types, kinds = Types(), []
    with open(os.path.join(folder, CRDS), encoding="utf-8") as file:
        for crd in yaml.load_all(file, Loader=loader):
            if not crd:
                continue
            spec = crd["spec"]
            versions = {}
            for version in spec["versions"]:
                schema = version["schema"]["openAPIV3Schema"]
                name = types.add(schema["properties"]["spec"]) + (" spec" if "spec" in schema.get("required", []) else "")
                versions.setdefault(name, []).append(version["name"])
            for name, served in versions.items():
                kinds.append(f"kind {spec['names']['kind']} {spec['group']} {','.join(sorted(served))} {name}")
    kinds.append("mesh " + ",".join(mesh_fields(folder)))
    head = f"# Made by scripts/istio_schema.py from {MODULE}. The format: schema.h.\n"
    return 'R"schema(' + head + "\n".join(types.lines + kinds) + '\n)schema"\n'


def main():
    folder = download()
    if folder is None:
        print(f"skipped: {MODULE} cannot be had (Go and its module proxy are needed)")
        return 77
    text = write_schema(folder)
    if "--check" in sys.argv:
        with open(TARGET, encoding="utf-8") as file:
            if file.read() == text:
                return 0
        print(f"{TARGET} is not what {MODULE} says: run scripts/istio_schema.py")
        return 1
    with open(TARGET, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
