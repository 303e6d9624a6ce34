"""An endpoint at every address: the echo server of the oracle (corpus/oracle/README.md), and raw requests to it.

Runs as threads of the harness, so that what endpoints saw is a list in memory. Requests tell it what to do: x-oracle-status,
x-oracle-fail-first, x-oracle-delay-ms, x-oracle-reset, x-oracle-resp-header."""

import ctypes
import http.client
import json
import os
import socket
import struct
import threading
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def in_netns(path, work):
    """What work() gives in another network namespace; its sockets stay there. The calling thread never leaves its own."""
    result = []

    def enter():
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {path}")
            finally:
                os.close(descriptor)
            result.append((work(), None))
        except OSError as error:
            result.append((None, error))
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    value, error = result[0]
    if error:
        raise error
    return value


class _Peer:
    """Reads HTTP/1.1 requests off a connection, however odd: what a proxy lets through is for the comparison to judge."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def _until(self, mark):
        while mark not in self.buffer:
            data = self.connection.recv(65536)
            if not data:
                return None
            self.buffer += data
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _exactly(self, number):
        while len(self.buffer) < number:
            data = self.connection.recv(65536)
            if not data:
                return None
            self.buffer += data
        data, self.buffer = self.buffer[:number], self.buffer[number:]
        return data

    def _chunks(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):  # trailers
                    pass
                return body
            body += self._exactly(size)
            self._until(b"\r\n")

    def request(self):
        """(method, path, headers, body), or None at the end."""
        head = self._until(b"\r\n\r\n")
        if not head:
            return None
        line, *fields = head.decode("utf-8", "replace").split("\r\n")
        method, _, rest = line.partition(" ")
        path = rest.rpartition(" ")[0]
        headers = []
        for field in fields:
            name, _, value = field.partition(":")
            headers.append([name.strip().lower(), value.strip()])
        named = dict(headers)
        if "chunked" in named.get("transfer-encoding", ""):
            body = self._chunks()
        else:
            body = self._exactly(int(named.get("content-length", "0")))
        return method, path, headers, (body or b"").decode("latin-1")


class Echo:
    """Listens in a network namespace at each of `places`, (address, port); address 0.0.0.0 is all of them. `pods`:
    {"10.244.0.2": "default/web-v1-0"}."""

    def __init__(self, netns, places, pods):
        self._pods = pods
        self._lock = threading.Lock()
        self._seen = []
        self._listeners = in_netns(netns, lambda: [self._listen(place) for place in places])
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    @staticmethod
    def _listen(place):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
        return listener

    def close(self):
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def forget(self):
        with self._lock:
            self._seen = []

    def seen(self):
        """What arrived since forget(), in the answers' form."""
        with self._lock:
            return list(self._seen)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            address, port = connection.getsockname()
            peer = _Peer(connection)
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    request = peer.request()
                    if request is None or not self._answer(connection, f"{address}:{port}", self._pods.get(address), *request):
                        return
            except (OSError, ValueError, AttributeError, TypeError):
                return  # cut off, or nothing that can be read

    def _answer(self, connection, endpoint, pod, method, path, headers, body):
        echo = {"endpoint": endpoint, "method": method, "path": path, "headers": headers}
        if pod:
            echo["pod"] = pod
        if body:
            echo["body"] = body
        with self._lock:
            earlier = sum(1 for other in self._seen if other["path"] == path and other["endpoint"] == endpoint)
            self._seen.append(echo)
        orders = dict(headers)
        time.sleep(int(orders.get("x-oracle-delay-ms", "0")) / 1000)
        if "x-oracle-reset" in orders:
            return False
        connection.sendall(_response(_status(orders, earlier), method, headers, json.dumps(echo).encode()))
        return True


def _status(orders, earlier):
    if "x-oracle-fail-first" in orders:
        return int(orders.get("x-oracle-status", "503")) if earlier < int(orders["x-oracle-fail-first"]) else 200
    return int(orders.get("x-oracle-status", "200"))


def _response(status, method, headers, body):
    lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Status')}", f"content-length: {len(body)}"]
    lines += [value for name, value in headers if name == "x-oracle-resp-header"]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + (b"" if method == "HEAD" else body)


def raw_request(request, method=None, path=None):
    """The bytes of a request of requests.json, or of what an endpoint saw of it (`headers` with the host)."""
    lines = [f"{method or request['method']} {path or request['path']} HTTP/1.1"]
    if request.get("host") is not None:
        lines.append(f"Host: {request['host']}")
    lines += [f"{name}: {value}" for name, value in request.get("headers") or []]
    body = request.get("body") or ""
    if body and not any(name.lower() == "content-length" for name, _ in request.get("headers") or []):
        lines.append(f"content-length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1", "replace")


def ask(netns, source, target, data, method, timeout):
    """One request on a connection of its own: {"status", "response_headers", "body", "elapsed"}; status None: closed without."""
    address, port = target
    client = in_netns(netns, socket.socket)
    started = time.monotonic()
    try:
        client.settimeout(timeout)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if source:
            client.bind((source, 0))
        client.connect((address, port))
        client.sendall(data)
        response = http.client.HTTPResponse(client, method=method)
        response.begin()
        body = response.read().decode("latin-1")
        return {"status": response.status, "response_headers": [[n.lower(), v] for n, v in response.getheaders()],
                "body": body, "elapsed": time.monotonic() - started}
    except (OSError, http.client.HTTPException) as error:
        return {"status": None, "response_headers": [], "body": "", "elapsed": time.monotonic() - started,
                "error": f"{type(error).__name__}: {error}"}
    finally:
        client.close()
