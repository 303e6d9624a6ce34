"""Whether what came of a request is what a real Istio made of it (corpus/oracle/README.md, "Comparing")."""

# Left out by the corpus: dates, names of proxies, lengths, and Envoy's own headers.
_LEFT_OUT_RESPONSE = {"date", "server", "content-length", "connection", "transfer-encoding"}
# How the body came is the hop's own matter (RFC 9112 6.1); what it says is compared.
_LEFT_OUT_REQUEST = {"connection", "transfer-encoding", "content-length"}
_MASKED = {"x-request-id": "<uuid>", "x-forwarded-for": "<address>"}
_TIME_SLACK_S = 1.0  # timings are held loosely: other work runs beside
_WEIGHT_SLACK = 2    # exact splits are never more than two off


def _is_healthy(endpoint):
    return endpoint.get("health", "HEALTHY") in ("HEALTHY", "UNKNOWN", None)


def endpoints_of(destination):
    return {e["address"]: e.get("weight", 1) for e in destination.get("endpoints") or [] if _is_healthy(e)}


def possible_endpoints(answer):
    """Addresses that may answer: the route's healthy endpoints, or the dialled address where the request is passed through."""
    found = set()
    for destination in (answer["route"] or {}).get("destinations") or []:
        found |= set(endpoints_of(destination))
        if destination.get("original_dst"):
            found.add(answer["observed"][0]["dialled"])
    return found


def is_dns(address):
    """An address of the oracle's own stand-in for DNS."""
    return address.startswith(("198.18.", "198.19."))


def has_rule(answer):
    """A rule had a say, if only that no route takes the request."""
    return (answer["route"] or {}).get("name") not in ("default", "allow_any")


def uses_dns(answer, given):
    """Served, or dialled, at an address that only the stand-in for DNS gave a name. `given`: addresses that the configuration
    has too."""
    dialled = answer["observed"][0]["dialled"]
    return any(is_dns(address) for address in possible_endpoints(answer)) or (
        is_dns(dialled) and dialled.rsplit(":", 1)[0] not in given)


def _fields(headers, left_out, ignored):
    fields = {}
    for name, value in headers:
        name = name.lower()
        if name in left_out or name in ignored or name.startswith("x-envoy-"):
            continue
        fields.setdefault(name, []).append(_MASKED.get(name, value))
    return fields


def _show(fields):
    return "; ".join(f"{name}={','.join(values)}" for name, values in sorted(fields.items())) or "none"


class Comparison:
    """One request's answer against one observation: {"status", "response_headers", "body", "elapsed", "seen"}; `seen`: all
    that endpoints saw of it. `ignored`: header names that are not compared, for a documented reason."""

    def __init__(self, answer, observed, ignored=frozenset()):
        self.theirs = answer["observed"][0]
        self.answer, self.ours, self.ignored = answer, observed, ignored
        self.found = []

    def expect(self, what, ours, theirs):
        if ours != theirs:
            self.found.append(f"{what}: {ours}, Istio: {theirs}")

    def run(self):
        self.expect("status", self.ours["status"], self.theirs.get("status"))
        if self.ours["status"] is None and self.theirs.get("status") is not None and self.ours.get("error"):
            self.found.append(f"({self.ours['error']})")
        self._response()
        self._requests()
        slow = self.theirs.get("slow_s", 0)
        if not slow - 0.1 <= self.ours["elapsed"] <= slow + _TIME_SLACK_S:
            self.found.append(f"took {self.ours['elapsed']:.2f} s, Istio: {slow} s")
        return self.found

    def _response(self):
        theirs = _fields(self.theirs.get("response_headers") or [], _LEFT_OUT_RESPONSE, self.ignored)
        ours = _fields(self.ours["response_headers"], _LEFT_OUT_RESPONSE, self.ignored)
        self.expect("response headers", _show(ours), _show(theirs))
        if "echo" not in self.theirs:
            self.expect("body", self.ours["body"], self.theirs.get("body", ""))

    def _requests(self):
        mirrored = self.theirs.get("mirrored") or []
        wanted = self.theirs.get("attempts") or ([self.theirs["echo"]] if self.theirs.get("echo") else [])
        main = possible_endpoints(self.answer)
        shadows = {m["endpoint"] for m in mirrored} - main
        ours = [s for s in self.ours["seen"] if s["endpoint"] not in shadows]
        copies = [s for s in self.ours["seen"] if s["endpoint"] in shadows]
        self.expect("attempts", len(ours), len(wanted))
        self.expect("mirrored", len(copies), len(mirrored))
        for seen, expected in zip(ours, wanted):
            if seen["endpoint"] not in main | {expected["endpoint"]}:
                self.found.append(f"endpoint: {seen['endpoint']}, Istio: {' '.join(sorted(main))}")
            self._request("", seen, expected)
        for seen, expected in zip(copies, mirrored):
            self.expect("mirrored to", seen["endpoint"], expected["endpoint"])
            self._request("mirrored ", seen, expected)

    def _ignored(self, seen):
        """A service without a rule is left to the kernel: nobody adds a field to its requests."""
        is_left_alone = not any(name == "via" for name, _ in seen["headers"])
        return set(self.ignored) | ({"x-forwarded-proto", "x-request-id"} if is_left_alone and not has_rule(self.answer) else set())

    def _request(self, what, seen, expected):
        for key in ("method", "path"):
            self.expect(what + key, seen[key], expected[key])
        if seen["endpoint"] == expected["endpoint"]:
            self.expect(what + "pod", seen.get("pod"), expected.get("pod"))
        self.expect(what + "body", seen.get("body", ""), expected.get("body", ""))
        ignored = self._ignored(seen)
        self.expect(what + "request headers", _show(_fields(seen["headers"], _LEFT_OUT_REQUEST, ignored)),
                    _show(_fields(expected["headers"], _LEFT_OUT_REQUEST, ignored)))


def compare_counts(answer, counts):
    """`counts`: {endpoint or "status 503": requests} of a repeated request, against the route's exact weights."""
    route = answer["route"] or {}
    destinations = route.get("destinations") or []
    total, number = sum(d["weight"] for d in destinations), sum(counts.values())
    if not total or set(counts) == {f"status {answer['status']}"}:
        return []
    wanted = {}
    for destination in destinations:
        share = destination["weight"] / total * number
        endpoints = endpoints_of(destination)
        if destination.get("original_dst"):
            endpoints = {answer["observed"][0]["dialled"]: 1}
        if not endpoints:
            wanted["status 503"] = wanted.get("status 503", 0) + share
        for address, weight in endpoints.items():
            wanted[address] = wanted.get(address, 0) + share * weight / sum(endpoints.values())
    found = [f"{who} answered, Istio never lets it" for who in counts if who not in wanted]
    return found + [f"{who} answered {counts.get(who, 0)} of {number}, its share is {share:g}" for who, share in wanted.items()
                    if abs(counts.get(who, 0) - share) > _WEIGHT_SLACK]
