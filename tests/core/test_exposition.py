"""The format that a scraper is answered in, whatever it says that it accepts."""

from __future__ import annotations

import pytest
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from core.exposition import OPENMETRICS, TEXT, exposed

PLAIN = f"{TEXT}; version=0.0.4; charset=utf-8"
OPEN = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
# What Prometheus 2 and Prometheus 3 send.
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


class One:
    def collect(self) -> list[Metric]:
        return [CounterMetricFamily("headroom_calls", "Calls.", value=3)]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("text/html", PLAIN),
        ("text/plain;version=0.0.4", PLAIN),
        ("text/plain;version=1.0.0", f"{TEXT}; version=1.0.0; charset=utf-8; escaping=underscores"),
        (PROMETHEUS_2, f"{OPEN}; escaping=underscores"),
        (PROMETHEUS_3, f"{OPEN}; escaping=underscores"),
        ("Application/OpenMetrics-Text; Version=1.0.0", f"{OPEN}; escaping=underscores"),
        ("application/openmetrics-text", OPEN),
        ("application/openmetrics-text;q=0, text/plain", PLAIN),
        ("application/openmetrics-text;version=0.0.1", PLAIN),
        ("application/openmetrics-text;version=7.7.7", PLAIN),
        ("application/openmetrics-text;version=one", PLAIN),
        ("application/openmetrics-text;version=1.0.0;escaping=values", f"{OPEN}; escaping=underscores"),
        (";;,=,;version=", PLAIN),
    ],
)
def test_the_content_type_is_the_formats_own(accept: str, content_type: str) -> None:
    response = exposed(One(), accept)
    assert response["Content-Type"] == content_type
    name = "headroom_calls" if content_type.startswith(OPENMETRICS) else "headroom_calls_total"
    end = "# EOF\n" if content_type.startswith(OPENMETRICS) else ""
    assert response.content.decode() == (
        f"# HELP {name} Calls.\n# TYPE {name} counter\nheadroom_calls_total 3.0\n{end}"
    )
