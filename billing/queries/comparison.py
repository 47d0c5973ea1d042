"""What the same use would have cost on another model."""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from billing.rating import Sheet
from billing.rating.statement import cost_sql
from core.periods import Period
from usage.queries.facets import RECORD_COLUMNS, Facet
from usage.queries.totals import Subject
from usage.rollups.adjusted import ADJUSTED_RECORDS

FACETS: Final = (Facet.MODEL, Facet.PROVIDER, Facet.ENDPOINT, Facet.CAPABILITY, Facet.TYPE)
"""What of the use can be chosen by."""


@dataclass(frozen=True, slots=True)
class Part:
    """The use of one model of a provider, empty where records name none.

    ``cost_nanos`` is what the records with a cost came to, ``other_nanos`` what these would have on the other
    model; ``unpriced`` and ``unpriced_other_nanos`` are the same of records that have no cost.
    Units: nanos.
    """

    model: str
    provider: str
    records: int
    cost_nanos: int
    other_nanos: int
    unpriced: int
    unpriced_other_nanos: int


def comparison(subject: Subject, period: Period, sheet: Sheet, filters: dict[Facet, str | int]) -> list[Part]:
    """Return what calls with tokens cost, and what each would have under a sheet, by their models.

    Every record is rated and rounded by itself, beyond the other model's thresholds at its rates there.
    Shape: dearest first, then by model and provider.
    Tenancy: call in the tenant's scope.
    Concurrency: one statement.
    """
    chosen = dict(filters)
    if subject.credential_id is not None:
        chosen[Facet.CLIENT] = subject.credential_id
    where = "".join(f" AND {RECORD_COLUMNS[facet]} = %s" for facet in chosen)
    params: list[Any] = [subject.organization_id, period.start, period.end, *chosen.values()]
    with connection.cursor() as cursor:
        cursor.execute(_SELECT.format(other=cost_sql(sheet), where=where), params)
        return [Part(model, provider, *map(int, sums)) for model, provider, *sums in cursor.fetchall()]


_SELECT: Final = (
    "SELECT model, provider, count(cost_nanos), coalesce(sum(cost_nanos), 0) AS paid, "
    "coalesce(sum(other) FILTER (WHERE cost_nanos IS NOT NULL), 0), "
    "count(*) FILTER (WHERE cost_nanos IS NULL), "
    "coalesce(sum(other) FILTER (WHERE cost_nanos IS NULL), 0) "
    "FROM (SELECT coalesce(model, '') AS model, coalesce(provider, '') AS provider, cost_nanos, "
    "{other} AS other "
    f"FROM {ADJUSTED_RECORDS} AS stored "
    "WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s "
    "AND total_tokens IS NOT NULL{where} "
    # Computed once a record, not once for every sum.
    "OFFSET 0) AS rated GROUP BY model, provider ORDER BY paid DESC, model, provider"
)
