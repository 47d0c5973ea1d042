"""Series and totals of ninety days over many records, held against the same over a tenth of them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from benchmarks.dataset import Manifest
from benchmarks.figures import COST, Figure, count, milliseconds
from benchmarks.reading import open_readers
from benchmarks.scale import Scale

LEAST: Final = 2.0
BEYOND: Final = 1.3


def measure(scale: Scale) -> list[Figure]:
    """Return what each question costs over the larger table, in its costs over the smaller."""
    with open_readers(scale) as (small, large):
        names = list(_questions(small.manifest))
        ratios: dict[str, list[float]] = {name: [] for name in names}
        behind: dict[str, str] = {}
        for _ in range(scale.rounds):
            for name in names:
                few = small.seconds(_questions(small.manifest)[name], scale.repeats)
                many = large.seconds(_questions(large.manifest)[name], scale.repeats)
                ratios[name].append(many / few)
                behind[name] = f"{milliseconds(many)} against {milliseconds(few)}"
        sizes = f"{count(large.manifest.rows)} against {count(small.manifest.rows)}"
    return [
        Figure(f"{name}: {sizes}", COST, tuple(ratios[name]), LEAST, BEYOND, behind[name]) for name in names
    ]


def _questions(manifest: Manifest) -> dict[str, str]:
    return {
        "90-day series": "/api/v1/usage/series",
        "90-day series of one credential": f"/api/v1/usage/series?clientId={manifest.main_client}",
        "totals of 90 days": f"/api/v1/usage?{urlencode(manifest.window(days_ago=90, days=90))}",
        "totals of the billing period": "/api/v1/usage",
    }
