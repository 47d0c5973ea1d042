"""Connections that are only made to vetted addresses, and end at a deadline whatever the other side does."""

import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from alerts.outbound.addresses import Networks, vet


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves a host once, vets every address, and connects to one of them.

    TLS and the ``Host`` header go by the host's name all the same, since they come from the URL.
    Units: ``deadline`` in seconds of the monotonic clock.
    """

    def __init__(self, *, deadline: float, allowed: Networks, only_allowed: bool) -> None:
        self._deadline = deadline
        self._allowed = allowed
        self._only_allowed = only_allowed
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers.

        Raises: `AddressRefused`; httpcore's ConnectError and ConnectTimeout.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in vet(host, resolve(host, port), allowed=self._allowed, only_allowed=self._only_allowed):
            try:
                stream = self._sockets.connect_tcp(address, port, timeout=_left(self._deadline, timeout))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Refuse: no address that an organization gives is a file of this machine."""
        raise httpcore.ConnectError("sockets of this machine are not connected to")


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline, so that a trickle of bytes can't prolong it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout)
        secured = self._stream.start_tls(ssl_context, server_hostname=server_hostname, timeout=left)
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order in which they should be tried.

    Raises: httpcore's ConnectError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} can't be resolved") from error
    return [str(entry[4][0]) for entry in found]


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return left if timeout is None else min(left, timeout)
