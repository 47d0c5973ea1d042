"""One request and its answer, through the guard."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from typing import Final

import httpcore
import httpx

from alerts.outbound.addresses import AddressRefused, Networks
from alerts.outbound.network import GuardedBackend

CONNECT_SECONDS: Final = 5.0
WHOLE_SECONDS: Final = 20.0
MOST_BYTES: Final = 1 << 20
SCHEMES: Final = ("https", "http")


class Unanswered(Exception):
    """The request got no answer; the text says why, in words that may be shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: never followed anywhere, and its body only up to ``MOST_BYTES``."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to be made. Plain HTTP goes only to networks that the operator allows.

    Units: ``seconds`` for all of it, ``most_bytes`` of the answer's body.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float = WHOLE_SECONDS
    most_bytes: int = MOST_BYTES


def exchange(asked: Exchange, *, allowed: Networks) -> Answer:
    """Make one request.

    Raises: `Unanswered` when nothing answered in time, or the request may not be made.
    """
    url = _url(asked.url)
    backend = GuardedBackend(
        deadline=time.monotonic() + asked.seconds, allowed=allowed, only_allowed=url.scheme != b"https"
    )
    timeouts = {"connect": CONNECT_SECONDS, "read": asked.seconds, "write": asked.seconds, "pool": 1.0}
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in asked.headers.items()]
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_trust(), network_backend=backend) as pool,
            pool.stream(
                asked.method, url, headers=headers, content=asked.body, extensions={"timeout": timeouts}
            ) as response,
        ):
            body = _beginning(response, asked.most_bytes)
            return Answer(response.status, _headers(response.headers), body)
    except AddressRefused as error:
        raise Unanswered(str(error)) from error
    except httpcore.TimeoutException as error:
        raise Unanswered(f"No answer within {asked.seconds:g} seconds.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise Unanswered(_reason(error)) from error


def _url(text: str) -> httpcore.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise Unanswered("The address is not one.") from error
    if url.scheme not in SCHEMES or not url.host:
        raise Unanswered("The address is neither https nor http.")
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _beginning(response: httpcore.Response, most_bytes: int) -> bytes:
    """Read the body as far as it is wanted; the status counts even if the rest never comes."""
    body = bytearray()
    try:
        for chunk in response.iter_stream():
            body += chunk
            if len(body) >= most_bytes:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return bytes(body[:most_bytes])


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _reason(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{text[0].upper()}{text[1:180]}."


@cache
def _trust() -> SSLContext:
    # Certifi's authorities, or those that SSL_CERT_FILE names.
    return httpx.create_ssl_context()
