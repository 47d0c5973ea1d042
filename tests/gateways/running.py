"""A gateway, with a documented configuration, in front of a small upstream."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.gateways.packages import program
from tests.serving import ROOT, free_port

DOCUMENTED = ROOT / "docs" / "gateways"
START_SECONDS = 15
NGINX = """
daemon off; master_process off; pid {work}/pid; error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
    include {work}/headroom.conf;
}}
"""


class Upstream:
    """An API that tells what of each call reached it."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                seen = {
                    "path": self.path,
                    "body": self.rfile.read(length).decode(),
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                }
                answer = json.dumps(seen).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class Gateway:
    """nginx or Caddy with its documented configuration, only the addresses changed."""

    def __init__(self, name: str, work: Path, *, headroom: int, upstream: int) -> None:
        self._name, self._work = name, work
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._ports = {"8080": self.port, "127.0.0.1:8000": headroom, "127.0.0.1:9000": upstream}
        self._log = work / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Gateway:
        command = self._nginx() if self._name == "nginx" else self._caddy()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._work,
                env={"HOME": str(self._work), "XDG_CONFIG_HOME": str(self._work)},
            )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def _nginx(self) -> list[str]:
        (self._work / "headroom.conf").write_text(self._configuration("nginx.conf"))
        main = self._work / "nginx.conf"
        main.write_text(NGINX.format(work=self._work))
        return [str(program("nginx")), "-p", str(self._work), "-c", str(main)]

    def _caddy(self) -> list[str]:
        path = self._work / "Caddyfile"
        path.write_text("{\n\tadmin off\n}\n" + self._configuration("Caddyfile"))
        return [str(program("caddy")), "run", "--config", str(path), "--adapter", "caddyfile"]

    def _configuration(self, file: str) -> str:
        text = (DOCUMENTED / file).read_text()
        for documented, port in self._ports.items():
            assert documented in text
            text = text.replace(documented, f"127.0.0.1:{port}" if ":" in documented else str(port))
        return text

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=5) as client:
            while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
                with suppress(httpx.TransportError):
                    client.get(self.url)
                    return
                time.sleep(0.05)
        raise RuntimeError(f"{self._name} did not start.\n{self._log.read_text(errors='replace')}")
