"""Receivers for the tests: a web server that answers as it is told to, and notes what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from standardwebhooks import Webhook

Answer = Callable[[BaseHTTPRequestHandler], None]
_PATIENCE: Final = 30.0


class Listening(ThreadingHTTPServer):
    """A server that keeps everybody waiting who comes at once, instead of turning away all but five."""

    request_queue_size = 128


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        """The id by which a receiver tells repetitions apart."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return the message after checking its signature and its time, as a receiver does."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Receiver:
    """A web server on this machine: ``answers`` are given in turn, the last one for good."""

    server: ThreadingHTTPServer
    scheme: str = "http"
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that arrived, in order."""
        return [one.message_id for one in self.received]

    def then(self, *answers: Answer) -> None:
        """Answer like this from now on."""
        self.answers[:] = answers

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Note a request and answer it."""
        length = int(handler.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.received.append(Received(handler.path, headers, handler.rfile.read(length)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(handler)

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the test is over."""
        self.released.wait(_PATIENCE)

    def trickle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one byte after another, of a header that never ends."""
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.released.wait(0.05):
                handler.wfile.write(b"a")


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Return an answer with a status, a body and header fields."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def receiving(*answers: Answer, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver; with a context, it speaks TLS and notes the name that it is asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        do_GET = do_POST  # noqa: N815 the handler's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base's name
            pass

    receiver = Receiver(Listening(("127.0.0.1", 0), Handler), answers=list(answers or (status(204),)))
    receiver.server.daemon_threads = True
    if context is not None:
        receiver.scheme = "https"
        context.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
        receiver.server.socket = context.wrap_socket(
            receiver.server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(
        target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


def unused_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def waited(condition: Callable[[], bool]) -> bool:
    """Wait until something holds, and tell whether it does."""
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.02)
    return condition()
