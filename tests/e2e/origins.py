"""Endpoints that nobody here wrote: nginx, node, Python's http.server and aiohttp. Each says its version in X-Version and in the
body, and keeps a log of what it was asked."""

import os
import shutil
import sys
import unittest

import harness

_NODE = """
const http = require('http'), fs = require('fs');
const [version, address, port, log, status, delay] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    fs.appendFileSync(log, `${request.method} ${request.url} ${request.headers.host} ${request.socket.remotePort}\\n`);
    setTimeout(() => {
      response.writeHead(Number(status), {'X-Version': version});
      response.end(`${version} node\\n`);
    }, Number(delay));
  });
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), address);
"""

_PYTHON = """
import http.server, sys
version, address, port, log, status, delay = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with open(log, "a") as file:
            file.write(f"{self.command} {self.path} {self.headers['Host']} {self.client_address[1]}\\n")
        body = f"{version} python\\n".encode()
        self.send_response(int(status))
        self.send_header("X-Version", version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_PUT = do_GET
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()
"""

_AIOHTTP = """
import asyncio, sys
from aiohttp import web
version, address, port, log, status, delay = sys.argv[1:]
async def answer(request):
    await request.read()
    with open(log, "a") as file:
        file.write(f"{request.method} {request.path_qs} {request.host} {request.transport.get_extra_info('peername')[1]}\\n")
    await asyncio.sleep(int(delay) / 1000)
    return web.Response(status=int(status), text=f"{version} aiohttp\\n", headers={"X-Version": version})
application = web.Application()
application.router.add_route("*", "/{path:.*}", answer)
web.run_app(application, host=address, port=int(port), print=None, access_log=None)
"""

# What a message application does: it asks greeting, and hands on the header that the caller gave it.
_MESSAGE = """
const http = require('http');
const [address, port, next, nextPort] = process.argv.slice(2);
const agent = new http.Agent({keepAlive: true, maxSockets: 4});
http.createServer((request, response) => {
  const headers = {host: 'greeting:8080'};
  if (request.headers['x-my-header']) headers['x-my-header'] = request.headers['x-my-header'];
  const ask = http.get({host: next, port: Number(nextPort), path: request.url, headers, agent}, (greeting) => {
    let body = '';
    greeting.on('data', (data) => { body += data; });
    greeting.on('end', () => {
      response.writeHead(greeting.statusCode, {'X-Version': greeting.headers['x-version'] || 'none'});
      response.end('message says ' + body);
    });
  });
  ask.on('error', (error) => { response.writeHead(502); response.end(error.code + '\\n'); });
}).listen(Number(port), address);
"""


def need(*tools):
    for tool in tools:
        if tool == "aiohttp":
            if harness.run("/usr/bin/python3", "-c", "import aiohttp", check=False).returncode != 0:
                raise unittest.SkipTest("needs python3-aiohttp")
        elif not shutil.which(tool):
            raise unittest.SkipTest(f"needs {tool}")


def _script(world, name, text):
    path = os.path.join(world.folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Origin:
    """`kind`: nginx, node, python or aiohttp; `status`, `delay_ms`: how it answers (node and aiohttp)."""

    def __init__(self, world, kind, version, address, port, status=200, delay_ms=0):
        need({"python": "python3"}.get(kind, kind))
        self.version = version
        self.log = os.path.join(world.folder, f"{kind}-{address}.log")
        open(self.log, "w", encoding="ascii").close()
        arguments = [version, address, str(port), self.log, str(status), str(delay_ms)]
        if kind == "nginx":
            argv = self._nginx(world, address, port)
        elif kind == "node":
            argv = ["node", _script(world, "origin.js", _NODE), *arguments]
        else:
            text = _AIOHTTP if kind == "aiohttp" else _PYTHON
            python = "/usr/bin/python3" if kind == "aiohttp" else sys.executable
            argv = [python, _script(world, f"origin-{kind}.py", text), *arguments]
        world.spawn(argv, stdout=harness.subprocess.DEVNULL, stderr=harness.subprocess.DEVNULL)
        harness.wait_for(lambda: world.connect(f"{address}:{port}", 1, "--mode", "connect", cgroup=False)["failed"] == 0,
                         f"{kind} listens", timeout=20)
        self.forget()

    def _nginx(self, world, address, port):
        folder = os.path.join(world.folder, f"nginx-{address}")
        os.mkdir(folder)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
                       "events { worker_connections 4096; }\nhttp { log_format asked '$request_method $request_uri $http_host $remote_port';\n"
                       f"access_log {self.log} asked; keepalive_requests 1000000; server {{ listen {address}:{port};\n"
                       f"location / {{ add_header X-Version {self.version} always; return 200 '{self.version} nginx\\n'; }} }} }}\n")
        return ["nginx", "-p", folder, "-c", config]

    def asked(self):
        """["GET /path host port"], the requests since the last forget()."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(self._start)
            return file.read().splitlines()

    def forget(self):
        self._start = os.path.getsize(self.log)


def message_application(world, address, port, greeting):
    need("node")
    host, _, next_port = greeting.rpartition(":")
    world.spawn(["node", _script(world, "message.js", _MESSAGE), address, str(port), host, next_port],
                stdout=harness.subprocess.DEVNULL, cgroup=world.clients)
    harness.wait_for(lambda: harness.run("nsenter", f"--net=/run/netns/{world.netns}", "curl", "-s", "-o", "/dev/null",
                                         f"http://{address}:{port}/", check=False).returncode == 0, "message answers")


def _curl(world, arguments, timeout):
    """(exit code, stdout, stderr)"""
    need("curl")
    done = world.spawn(["curl", "-sS", "--max-time", str(timeout), *arguments], cgroup=world.clients, stderr=harness.subprocess.PIPE)
    out, err = done.popen.communicate(timeout=timeout + 5)
    world.processes.remove(done)
    return done.popen.returncode, out, err


def curl(world, *arguments, timeout=30):
    """curl among the clients: what it wrote to stdout."""
    code, out, err = _curl(world, arguments, timeout)
    if code != 0:
        raise AssertionError(f"curl {' '.join(arguments)}: exit {code}: {err}")
    return out


def version_of(world, url, *options, timeout=30):
    """(status, version) of one request: "200", "v2"; ("curl 7", "") where there was no answer."""
    code, out, _ = _curl(world, ["-o", "/dev/null", "-w", "%{http_code} %header{x-version}", *options, url], timeout)
    status, _, version = out.partition(" ")
    return (status, version) if code == 0 else (f"curl {code}", "")


def wait_version(world, url, version, *options):
    harness.wait_for(lambda: version_of(world, url, *options) == ("200", version), f"{url} {' '.join(options)}: {version}")
