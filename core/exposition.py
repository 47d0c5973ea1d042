"""Metrics in the text formats of Prometheus and OpenMetrics, in the one that a scraper asks for."""

from typing import Final

from django.http import HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

TEXT: Final = "text/plain"
OPENMETRICS: Final = "application/openmetrics-text"
_VERSIONS: Final = frozenset({"", "1.0.0"})


def exposed(collector: Collector, accept: str) -> HttpResponse:
    """Return what a collector collects now, in the format that an ``Accept`` header prefers.

    OpenMetrics 1.0, the text format 1.0, or for everything else that of version 0.0.4.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    encoder, content_type = choose_encoder(_understood(accept))
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    return HttpResponse(encoder(registry), content_type=content_type, headers=headers)


def _understood(accept: str) -> str:
    """Return the header without the versions that are not written here, and without parameters that are moot.

    The library would repeat any version it is sent, and compare one that is no number. Every name is of the
    plain character set, so that nothing has to be escaped.
    """
    kept = []
    for media_range in accept.split(","):
        media_type, *parameters = (part.strip() for part in media_range.lower().split(";"))
        version = next((p.removeprefix("version=") for p in parameters if p.startswith("version=")), "")
        if version in _VERSIONS and "q=0" not in parameters:
            kept.append(f"{media_type};version={version}" if version else media_type)
    return ",".join(kept)
