"""An issuer of OpenID Connect on this machine, which says of whoever asks what it was told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


class Issuer(ThreadingHTTPServer):
    """Knows whoever comes by the same claims; with ``refusal`` it sends them back with that error."""

    claims: dict[str, Any]
    refusal: str

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a server is told to sign people in here."""
        return {
            "OIDC_ISSUER": self.url,
            "OIDC_CLIENT_ID": "headroom",
            "OIDC_CLIENT_SECRET": "secret",
            "OIDC_NAME": "Acme ID",
            "OIDC_ALLOW_HTTP": "true",
        }


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/authorize":
            self._send_back(parse_qs(address.query))
            return
        url = self.server.url
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        configuration = {f"{name}_endpoint": f"{url}/{path}" for name, path in ends.items()}
        self._answer(self.server.claims if address.path == "/userinfo" else {"issuer": url, **configuration})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "token", "token_type": "Bearer"})

    def _send_back(self, asked: dict[str, list[str]]) -> None:
        refusal = self.server.refusal
        said = {"error": refusal} if refusal else {"code": "code"}
        self.send_response(302)
        where = asked["redirect_uri"][0]
        self.send_header("Location", f"{where}?{urlencode({**said, 'state': asked['state'][0]})}")
        self.end_headers()

    def _answer(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer that knows whoever comes as Ada."""
    with Issuer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.claims = {"sub": "1", "email": "Ada@example.org", "email_verified": True}
        server.refusal = ""
        try:
            yield server
        finally:
            server.shutdown()
