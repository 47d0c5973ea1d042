"""Reading metrics as Prometheus does: with the parsers of its own client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

ACCEPTS: Final = {
    "text": "text/plain;version=0.0.4",
    "openmetrics": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
}
_read_text: Callable[[str], Iterable[Metric]] = text_string_to_metric_families
_read_openmetrics: Any = openmetrics.text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Scrape:
    """What was scraped: families by name, and samples by name and labels."""

    families: dict[str, Metric]
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    def value(self, name: str, **labels: str) -> float:
        """Return one sample's value."""
        return self.samples[name, tuple(sorted(labels.items()))]

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return the values of a family by one label; no two samples may share it."""
        found = [(dict(labels).get(label, ""), value) for labels, value in self.of(name)]
        assert len(dict(found)) == len(found)
        return dict(found)

    def of(self, name: str) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:
        """Yield the labels and values of all samples of a name."""
        return ((labels, value) for (own, labels), value in self.samples.items() if own == name)


def read(body: bytes, content_type: str) -> Scrape:
    """Read an answer by its content type; a sample that stands there twice is an error."""
    text = body.decode()
    is_open = content_type.startswith("application/openmetrics-text")
    families = list((_read_openmetrics if is_open else _read_text)(text))
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in families:
        for sample in family.samples:
            place = (sample.name, tuple(sorted(sample.labels.items())))
            assert place not in samples, place
            samples[place] = sample.value
    return Scrape({family.name: family for family in families}, samples)


def amount(value: float) -> str:
    """Write an amount as the API does."""
    return f"{Decimal(str(value)):.9f}"
