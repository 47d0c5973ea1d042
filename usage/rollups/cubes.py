"""The cubes: which tables there are, what each is keyed by, and the SQL that makes their rows from records.

A cube is narrow: organization × credential × one further dimension × bucket. Totals are a dimension of
their own, so that the commonest questions read the fewest rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from usage.rollups.measures import HISTOGRAM, MEASURES, Measure


class Dimension(IntEnum):
    """What a cube row is about besides its credential; the values are stored."""

    TOTAL = 0
    MODEL = 1
    ENDPOINT = 2
    CAPABILITY = 3
    TYPE = 4
    SUCCESS = 5
    ERROR = 6


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way to group records for a cube: the columns, and what they become in its rows."""

    columns: tuple[str, ...]
    dimension: str
    value: str = "''"
    qualifier: str = "''"


_TOTAL = Grouping((), str(Dimension.TOTAL.value))
_MODEL = Grouping(("model", "provider"), str(Dimension.MODEL.value), "model", "provider")
_ENDPOINT = Grouping(("endpoint",), str(Dimension.ENDPOINT.value), "endpoint")
_CAPABILITY = Grouping(("capability",), str(Dimension.CAPABILITY.value), "capability")
_TYPE = Grouping(("type",), str(Dimension.TYPE.value), "type")
_OUTCOME = Grouping(
    ("succeeded", "status_code", "error_type"),
    f"CASE WHEN succeeded THEN {Dimension.SUCCESS.value} ELSE {Dimension.ERROR.value} END",
    "status_code::text",
    "error_type",
)

_FINE: Final = (_MODEL, _ENDPOINT, _CAPABILITY, _TOTAL)
_COARSE: Final = (_MODEL, _ENDPOINT, _CAPABILITY, _TYPE, _OUTCOME, _TOTAL)


SumsOf = Callable[[tuple[Measure, ...]], str]
"""Writes measures as columns over expanded rows."""


def sums_of_records(measures: tuple[Measure, ...]) -> str:
    """Write what records add up to."""
    return ", ".join(f"{measure.of_records} AS {measure.name}" for measure in measures)


def sums_of_adjustments(measures: tuple[Measure, ...]) -> str:
    """Write what costs given later add to what their records add up to already."""
    return ", ".join(f"{measure.of_adjustments} AS {measure.name}" for measure in measures)


@dataclass(frozen=True, slots=True)
class Cube:
    """One rollup table.

    ``bucket`` is the column of the expanded records (see `usage.rollups.expand`) that becomes the bucket.
    """

    table: str
    bucket: str
    groupings: tuple[Grouping, ...]
    measures: tuple[Measure, ...]
    dimensional: bool = True
    meters: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        if not self.dimensional:
            return ("organization_id", "bucket", "credential_id")
        place = ("organization_id", "dimension", "bucket", "credential_id", "value", "qualifier")
        return (*place, "meter") if self.meters else place

    @property
    def sums(self) -> tuple[str, ...]:
        """The columns that add up."""
        return tuple(measure.name for measure in self.measures)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, key first."""
        return (*self.key, *self.sums)

    def rows_from(self, source: str, sums_of: SumsOf = sums_of_records) -> str:
        """Return the SELECT of this cube's rows, with `columns`, from expanded records and their `layers`."""
        if not self.dimensional:
            return self._undimensional(source, sums_of)
        layer = metered(source) if self.meters else compact(source)
        fixed = ["organization_id", self.bucket, "credential_id", *(["meter"] if self.meters else [])]
        sets = ", ".join(f"({', '.join([*fixed, *g.columns])})" for g in self.groupings)
        sums = ", ".join(f"sum({name}) AS {name}" for name in self.sums)
        return (
            f"SELECT organization_id, {self._case('dimension')} AS dimension, {self.bucket} AS bucket, "
            f"credential_id, coalesce({self._case('value')}, '') AS value, "
            f"coalesce({self._case('qualifier')}, '') AS qualifier, "
            f"{'meter, ' if self.meters else ''}{sums} FROM {layer} GROUP BY GROUPING SETS ({sets})"
        )

    def upsert(self, rows: str) -> str:
        """Return the INSERT that adds rows to the cube."""
        added = ", ".join(f"{name} = {self.table}.{name} + excluded.{name}" for name in self.sums)
        return self._insert(rows, added)

    def replace(self, rows: str) -> str:
        """Return the INSERT that puts rows in the place of what the cube says."""
        return self._insert(rows, ", ".join(f"{name} = excluded.{name}" for name in self.sums))

    def _insert(self, rows: str, conflict: str) -> str:
        columns, key = ", ".join(self.columns), ", ".join(self.key)
        # In key order, so that two writers would meet in one order.
        return (
            f"INSERT INTO {self.table} ({columns}) SELECT {columns} FROM ({rows}) AS fresh "
            f"ORDER BY {key} ON CONFLICT ({key}) DO UPDATE SET {conflict}"
        )

    def _undimensional(self, source: str, sums_of: SumsOf) -> str:
        return (
            f"SELECT organization_id, {self.bucket} AS bucket, credential_id, {sums_of(self.measures)} "
            f"FROM {source} GROUP BY organization_id, {self.bucket}, credential_id"
        )

    def _case(self, part: str) -> str:
        """Return the expression that tells the grouping sets apart; totals, without a column, come last."""
        branches = " ".join(
            f"WHEN grouping({g.columns[0]}) = 0 THEN {getattr(g, part)}" for g in self.groupings if g.columns
        )
        total = next(g for g in self.groupings if not g.columns)
        return f"CASE {branches} ELSE {getattr(total, part)} END"


_JOINT_KEY: Final = (
    "organization_id, quarter, day, credential_id, type, endpoint, capability, model, provider, "
    "succeeded, status_code, error_type"
)
"""Everything that any cube groups by. Few records differ in all of it: grouping twice is less work."""


def layers(source: str) -> str:
    """Return the common table expressions that cubes are made from, over the expanded records ``source``.

    Shape: `compact` has a row for every joint key with all measures; `metered` one for every meter of it.
    """
    quantities = (
        f"SELECT {_JOINT_KEY}, quantities, count(*) AS n FROM {source} "
        f"WHERE quantities IS NOT NULL GROUP BY {_JOINT_KEY}, quantities"
    )
    return (
        f"{compact_layer(source)}, "
        f"{metered(source)} AS MATERIALIZED (SELECT {_JOINT_KEY}, meter, sum(n) AS records, "
        f"sum(n * amount::numeric) AS quantity FROM ({quantities}) AS alike "
        f"CROSS JOIN LATERAL jsonb_each_text(quantities) AS entry (meter, amount) "
        f"GROUP BY {_JOINT_KEY}, meter)"
    )


def compact_layer(source: str, sums_of: SumsOf = sums_of_records) -> str:
    """Return the layer of measures alone."""
    sums = sums_of((*MEASURES, HISTOGRAM))
    return (
        f"{compact(source)} AS MATERIALIZED (SELECT {_JOINT_KEY}, {sums} FROM {source} GROUP BY {_JOINT_KEY})"
    )


def compact(source: str) -> str:
    """Return the name of the layer of measures over a source."""
    return f"{source}_compact"


def metered(source: str) -> str:
    """Return the name of the layer of quantities over a source."""
    return f"{source}_metered"


_METER_MEASURES: Final = (Measure("records", "count(*)"), Measure("quantity", "sum(amount::numeric)"))

MINUTE: Final = Cube("usage_rollup_minute", "minute", (), MEASURES, dimensional=False)
QUARTER: Final = Cube("usage_rollup_quarter", "quarter", _FINE, (*MEASURES, HISTOGRAM))
DAY: Final = Cube("usage_rollup_day", "day", _COARSE, (*MEASURES, HISTOGRAM))
METER_QUARTER: Final = Cube("usage_meter_quarter", "quarter", _FINE, _METER_MEASURES, meters=True)
METER_DAY: Final = Cube("usage_meter_day", "day", _COARSE, _METER_MEASURES, meters=True)

CUBES: Final = (MINUTE, QUARTER, DAY, METER_QUARTER, METER_DAY)
COST_CUBES: Final = (MINUTE, QUARTER, DAY)
"""Those that know what things cost."""
