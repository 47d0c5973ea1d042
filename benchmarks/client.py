"""A load generator that costs little: ready-made requests over sockets that stay open."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

OK = 200
SPREAD = 4


class Refused(RuntimeError):
    """The server answered something else than 200."""


class Connection:
    """One connection to a server on this machine, kept open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer.

        Raises: Refused.
        """
        self._socket.sendall(request)
        head = self._until(b"\r\n\r\n").lower()
        status = int(head[9:12])
        _, found, rest = head.partition(b"content-length:")
        body = self._exactly(int(rest.partition(b"\r\n")[0])) if found else self._chunks()
        if status != OK:
            raise Refused(f"{status}: {body[:500].decode(errors='replace')}")
        return body

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n").strip() or b"0", 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return body

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._rest += self._receive()
        found, _, self._rest = self._rest.partition(mark)
        return found + b"\r\n"

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._receive()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _receive(self) -> bytes:
        received = self._socket.recv(1 << 18)
        if not received:
            raise ConnectionError("The server closed the connection.")
        return received


@dataclass
class Drive:
    """How a stretch of load went.

    Units: seconds.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def percentile(self, rank: float) -> float:
        """Return the latency that so large a share of the requests stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(rank * len(ordered)))]


def post(path: str, key: str, body: bytes) -> bytes:
    """Return a ready-made request that sends JSON."""
    return (
        _head("POST", path, key)
        + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def get(path: str, key: str) -> bytes:
    """Return a ready-made request that asks for JSON."""
    return _head("GET", path, key) + b"\r\n"


def visit(path: str, session: str) -> bytes:
    """Return a ready-made request for a page, with the cookie of a session."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n".encode()


def drive(port: int, requests: Iterable[bytes], *, senders: int) -> Drive:
    """Send every request once, by so many senders at a time, and return how it went.

    Which worker a connection belongs to is a matter of chance: each sender takes turns with several, as the
    many clients of a real service do, so that no worker is left idle.

    Raises: Refused, or whatever else ended a sender.
    """
    result = Drive()
    failures: list[BaseException] = []
    waiting = iter(requests)
    lock = threading.Lock()

    def next_request() -> bytes | None:
        with lock:
            return next(waiting, None)

    def send(own: list[Connection]) -> None:
        try:
            result.latencies.extend(_timed(own, iter(next_request, None)))
        except BaseException as error:  # noqa: BLE001 raised again by the caller
            failures.append(error)

    connections = [[Connection(port) for _ in range(SPREAD)] for _ in range(senders)]
    threads = [threading.Thread(target=send, args=(own,)) for own in connections]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - began
    for connection in itertools.chain.from_iterable(connections):
        connection.close()
    if failures:
        raise failures[0]
    return result


def _timed(own: list[Connection], requests: Iterator[bytes]) -> list[float]:
    latencies = []
    for connection, request in zip(itertools.cycle(own), requests):
        began = time.perf_counter()
        connection.ask(request)
        latencies.append(time.perf_counter() - began)
    return latencies


def _head(method: str, path: str, key: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n".encode()
