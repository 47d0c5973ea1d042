"""The questions that are measured: how the API is asked, how DuckDB is, and that both say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.columns import Columns
from benchmarks.dataset import DAYS, Manifest
from benchmarks.reading import Reader

Answer = dict[str, Any]
_WHERE: Final = (
    "FROM record WHERE organization_id = $organization AND occurred_at >= $begin AND occurred_at < $end"
)


@dataclass(frozen=True)
class Question:
    """A question over the ninety whole days before the last record's.

    ``sql`` selects first what adds up to ``total`` of the API's answer.
    """

    name: str
    address: str
    parameters: dict[str, str]
    sql: str
    total: Callable[[Answer], int]

    def path(self, manifest: Manifest) -> str:
        """Return what the API is asked."""
        named = {name: value.format(client=manifest.main_client) for name, value in self.parameters.items()}
        return f"/api/v1/{self.address}?{urlencode({**named, **_window(manifest)})}"

    def bound(self, manifest: Manifest) -> dict[str, Any]:
        """Return the values of the query's parameters; moments are UTC, without saying so."""
        window = _window(manifest)
        bounds = {
            side: datetime.fromisoformat(window[name]).replace(tzinfo=None)
            for side, name in (("begin", "from"), ("end", "to"))
        }
        return {"organization": manifest.big_id, **bounds}

    def check(self, reader: Reader, columns: Columns) -> None:
        """See that the API says what the records add up to.

        Raises: RuntimeError.
        """
        said = self.total(json.loads(reader.answer(self.path(reader.manifest))))
        found = sum(row[0] for row in columns.rows(self.sql, self.bound(reader.manifest)))
        if said != found:
            raise RuntimeError(f"{self.name}: the API says {said}, the records {found}")


def _window(manifest: Manifest) -> dict[str, str]:
    return manifest.window(days_ago=DAYS, days=DAYS)


def _of_rows(metric: str) -> Callable[[Answer], int]:
    return lambda answer: sum(int(row[metric]) for row in answer["rows"])


def _query(*, metrics: str, by: str = "", granularity: str = "total") -> dict[str, str]:
    grouped = {"groupBy": by} if by else {}
    return {"metrics": metrics, "granularity": granularity, "timezone": "UTC", "limit": "1000", **grouped}


_DAY: Final = "date_trunc('day', occurred_at)"
_SUMS: Final = "count(*), sum(total_tokens), sum(cost_nanos)"

QUESTIONS: Final = (
    Question(
        "series of days",
        "usage/query",
        _query(metrics="requests,tokens,cost", granularity="day"),
        f"SELECT {_SUMS}, {_DAY} {_WHERE} GROUP BY ALL ORDER BY ALL",
        _of_rows("requests"),
    ),
    Question(
        "series of days by model",
        "usage/query",
        _query(metrics="requests,tokens,cost", by="model", granularity="day"),
        f"SELECT {_SUMS}, {_DAY}, model {_WHERE} GROUP BY ALL ORDER BY ALL",
        _of_rows("requests"),
    ),
    Question(
        "sums by capability",
        "usage/query",
        _query(metrics="requests,tokens,cost,errors", by="capability"),
        f"SELECT {_SUMS}, count(*) FILTER (NOT succeeded), capability {_WHERE} GROUP BY ALL",
        _of_rows("requests"),
    ),
    Question(
        "sums by credential and model",
        "usage/query",
        _query(metrics="requests,tokens,cost", by="clientId,model"),
        f"SELECT {_SUMS}, credential_id, model {_WHERE} GROUP BY ALL",
        _of_rows("requests"),
    ),
    Question(
        "percentiles of latency by endpoint",
        "usage/query",
        _query(metrics="requests,latency.p50,latency.p95,latency.p99", by="endpoint"),
        f"SELECT count(*), quantile_cont(latency_us, [0.5, 0.95, 0.99]), endpoint {_WHERE} GROUP BY ALL",
        _of_rows("requests"),
    ),
    Question(
        "totals with every meter",
        "usage",
        {"timezone": "UTC"},
        "SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(total_tokens), sum(cost_nanos), "
        f"sum(messages), sum(conversations), count(*) FILTER (succeeded) {_WHERE}",
        lambda answer: int(answer["requests"]["total"]),
    ),
)
