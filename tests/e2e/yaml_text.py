"""Istio's and Kubernetes' objects as YAML text, for tests that need more of them than a file would show."""

import json
import re

_PLAIN = re.compile(r"^[A-Za-z_*][A-Za-z0-9_./*-]*$")
_KEYWORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}


def _scalar(value):
    if isinstance(value, str):
        if _PLAIN.match(value) and not value.startswith("*") and value.lower() not in _KEYWORDS:
            return value
        return json.dumps(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def to_yaml(value, indent=0):
    """Block style, as people write it."""
    pad = "  " * indent
    lines = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict) and item:
                lines.append(f"{pad}{_scalar(key)}:\n{to_yaml(item, indent + 1)}")
            elif isinstance(item, list) and item:
                lines.append(f"{pad}{_scalar(key)}:\n{to_yaml(item, indent)}")
            else:
                lines.append(f"{pad}{_scalar(key)}: {_empty_or_scalar(item)}\n")
    else:
        for item in value:
            if isinstance(item, (dict, list)) and item:
                text = to_yaml(item, indent + 1)
                lines.append(f"{pad}- {text[len(pad) + 2:]}")
            else:
                lines.append(f"{pad}- {_empty_or_scalar(item)}\n")
    return "".join(lines)


def _empty_or_scalar(item):
    if item == {} and isinstance(item, dict):
        return "{}"
    if item == [] and isinstance(item, list):
        return "[]"
    return _scalar(item)


def documents(*objects):
    return "---\n".join(o if isinstance(o, str) else to_yaml(o) for o in objects)


def _meta(name, namespace, **more):
    return {"name": name, **({"namespace": namespace} if namespace else {}), **more}


def service(name, vips, ports, namespace="default", **spec):
    """`ports`: [(name, port, target)]"""
    vips = [vips] if isinstance(vips, str) else vips
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": _meta(name, namespace),
        "spec": {
            "clusterIP": vips[0], "clusterIPs": vips,
            "ports": [{"name": n, "port": p, "targetPort": t} for n, p, t in ports],
            "selector": {"app": name}, **spec,
        },
    }


def pod(name, ip, labels, namespace="default", node=None):
    ips = [ip] if isinstance(ip, str) else ip
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": _meta(name, namespace, labels=labels),
        **({"spec": {"nodeName": node}} if node else {}),
        "status": {
            "phase": "Running", "podIP": ips[0], "podIPs": [{"ip": i} for i in ips],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def endpoint_slice(service_name, pods, ports, namespace="default", address_type="IPv4", suffix="1"):
    """`pods`: [(name, ip)] or [(name, ip, ready)]; `ports`: [(name, port)]"""
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": _meta(f"{service_name}-{suffix}", namespace, labels={"kubernetes.io/service-name": service_name}),
        "addressType": address_type,
        "ports": [{"name": n, "port": p, "protocol": "TCP"} for n, p in ports],
        "endpoints": [
            {
                "addresses": [entry[1]], "conditions": {"ready": entry[2] if len(entry) > 2 else True},
                "targetRef": {"kind": "Pod", "name": entry[0], "namespace": namespace},
            }
            for entry in pods
        ],
    }


def destination_rule(host, subsets, namespace="default", name=None, **spec):
    """`subsets`: {"v1": {"version": "v1"}}"""
    return {
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": _meta(name or host.split(".")[0], namespace),
        "spec": {"host": host, "subsets": [{"name": n, "labels": l} for n, l in subsets.items()], **spec},
    }


def destination(host, subset=None, weight=None, port=None):
    inner = {"host": host}
    if subset:
        inner["subset"] = subset
    if port:
        inner["port"] = {"number": port}
    return {"destination": inner, **({"weight": weight} if weight is not None else {})}


def virtual_service(host, routes, namespace="default", name=None, protocol="http", **spec):
    """`routes`: [{"match": ..., "route": [destination(...)]}], or one list of destinations."""
    if routes and "destination" in routes[0]:
        routes = [{"route": routes}]
    return {
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": _meta(name or host.split(".")[0], namespace),
        "spec": {"hosts": [host], protocol: routes, **spec},
    }


def weights(host, **share):
    """virtual_service of one host by subset: weights("reviews", v1=90, v2=10)"""
    return virtual_service(host, [destination(host, subset, weight) for subset, weight in share.items()])
