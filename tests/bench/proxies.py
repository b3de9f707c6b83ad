"""The proxies under measurement, each with one upstream: nginx, a bare copy loop, the orchestrator with everything on."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.bench.processes import end, start, until

ROOT = Path(__file__).parents[2]

NGINX_CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/nginx-access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  tcp_nodelay on;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 600; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
  }}
}}
"""


class Proxy(Struct):
    """One running proxy."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def end(self) -> None:
        end(self.process)


def nginx_path() -> str | None:
    """Debian's nginx; installed if it is missing and we are root."""
    found = _find_nginx()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("nginx is missing: installing it", file=sys.stderr)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "nginx-light"]):
            subprocess.run(["apt-get", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False, timeout=300)
        found = _find_nginx()
    return found


def start_nginx(binary: str, upstream: int, folder: Path, core: int | None) -> Proxy:
    """nginx as a reverse proxy: one worker, keep-alive both ways, no buffering, an access log."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port, upstream=upstream))
    process = start([binary, "-c", str(config), "-p", str(folder), "-e", str(folder / "nginx-error.log")], core, folder / "nginx.log")
    return _ready(Proxy("nginx", port, process), folder / "nginx.log")


def start_copy_loop(upstream: int, core: int | None, folder: Path) -> Proxy:
    process = start([sys.executable, "-m", "tests.bench.copyloop", str(upstream)], core, folder / "copyloop.log", cwd=ROOT)
    return Proxy("copy loop", first_number(process), process)


def start_orchestrator(upstream: int, folder: Path, core: int | None) -> Proxy:
    """The real program on an empty data folder: log at info, probing on, the mock registered through the REST API."""
    port, data = free_port(), folder / "data"
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    env |= {"ORCHESTRATOR_HOST": "127.0.0.1", "ORCHESTRATOR_PORT": str(port), "ORCHESTRATOR_DATA_DIR": str(data), "ORCHESTRATOR_LOG_LEVEL": "info"}
    env["PYTHONPATH"] = str(ROOT)
    log = folder / "orchestrator.log"
    command = ["/bin/sh", "-c", 'exec "$0" -m orchestrator serve >>"$1" 2>&1', sys.executable, str(log)]
    proxy = _ready(Proxy("orchestrator", port, start(command, core, log, env, folder)), log)
    status, answer = _call(port, "/api/servers", {"id": "mock", "url": f"http://127.0.0.1:{upstream}"})
    if status != 201:
        raise RuntimeError(f"the mock was not registered: {status} {answer}")
    until(lambda: bool(_call(port, "/api/servers/mock")[1]["healthy"]), "the discovery of the mock")
    return proxy


def open_tabs(port: int, count: int, folder: Path, core: int | None) -> subprocess.Popen[bytes]:
    """Clients of the event stream, all of them open."""
    process = start([sys.executable, "-m", "tests.bench.tabs", str(port), str(count)], core, folder / "tabs.log", cwd=ROOT)
    if first_number(process) != count:
        raise RuntimeError("the event streams were not opened")
    return process


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def first_number(process: subprocess.Popen[bytes]) -> int:
    """The port that a process of ours prints on its first line."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def _find_nginx() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _ready(proxy: Proxy, log: Path) -> Proxy:
    """Waits until it accepts connections."""

    def accepts() -> bool:
        if proxy.process.poll() is not None:
            raise RuntimeError(f"{proxy.name} ended at once: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", proxy.port)) == 0

    try:
        until(accepts, f"the start of {proxy.name}")
    except RuntimeError:
        proxy.end()
        raise
    return proxy


def _call(port: int, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """One call of the admin API."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
