"""The bare views, their addresses and their application."""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.bare import TABLE

_FIELDS: Final = (
    "id", "type", "timestamp", "endpoint", "capability", "model", "provider", "status", "statusCode",
    "latencyMs",
)  # fmt: skip
_LINKS: Final = ("conversationId", "botId")
_INSERT: Final = f"INSERT INTO {TABLE} VALUES ({', '.join(['%s'] * 16)})"


def keep(request: HttpRequest) -> HttpResponse:
    """Insert the record of a request as one row."""
    record: dict[str, Any] = json.loads(request.body)
    row = [record.get(name) for name in _FIELDS]
    row += [
        record["tokens"]["prompt"],
        record["tokens"]["completion"],
        *(record.get(name) for name in _LINKS),
    ]
    row += [json.dumps(record["quantities"]), json.dumps(record["meta"])]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
    return HttpResponse(b'{"accepted": 1}', content_type="application/json")


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer, and nothing else."""
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("api/v1/records", keep), path("nothing", nothing)]


def application() -> WSGIHandler:
    """Return the application, made when the server's worker asks for it."""
    return get_wsgi_application()
