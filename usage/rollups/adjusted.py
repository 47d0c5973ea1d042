"""The records with the costs that were given to them later: what everything that adds up costs reads."""

from typing import Final

from usage.models import Record

_ADJUSTED: Final = ("cost_nanos", "price_id")


def _column(name: str) -> str:
    if name in _ADJUSTED:
        return f"coalesce(record.{name}, adjustment.{name}) AS {name}"
    return f'record."{name}"'


ADJUSTED_RECORDS: Final = (
    f"(SELECT {', '.join(_column(str(field.column)) for field in Record._meta.concrete_fields)}, "
    "adjustment.created_at AS adjusted_at FROM usage_record AS record "
    # Joined by all that the primary key has: where no cost is asked for, the planner leaves the join out.
    "LEFT JOIN usage_adjustment AS adjustment ON record.cost_nanos IS NULL "
    "AND adjustment.organization_id = record.organization_id "
    "AND adjustment.occurred_at = record.occurred_at AND adjustment.key = record.key)"
)
"""A table expression with the columns of ``usage_record`` and ``adjusted_at``, null for most."""
