"""The columns of an exported table and the kinds of values they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a column holds; any value may be None.

    Units: ``MONEY`` is an integer of nanos here and a decimal with nine places in a file, ``DECIMAL`` a
    Decimal of at most eighteen places, ``MOMENT`` an aware datetime in UTC, ``JSON`` text that is an object.
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    DECIMAL = "decimal"
    MOMENT = "moment"
    DATE = "date"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file; ``summed`` says that the export reports its sum."""

    name: str
    kind: Kind
    summed: bool = False


Batch = Sequence[Sequence[Any]]
"""Some rows of a table, as one sequence of values for each of its columns."""
