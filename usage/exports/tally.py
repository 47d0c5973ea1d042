"""Adding up what goes into a file, so that it can be held against the totals."""

from collections.abc import Sequence
from typing import Final

from core.money import format_money
from usage.exports.columns import Batch, Column, Kind


class Tally:
    """The number of rows and the sums of the columns that are to be summed."""

    def __init__(self, columns: Sequence[Column], row_name: str = "") -> None:
        self.rows = 0
        self._row_name: Final = row_name
        self._summed: Final = [(place, column) for place, column in enumerate(columns) if column.summed]
        self._sums = dict.fromkeys((column.name for _, column in self._summed), 0)

    def add(self, batch: Batch) -> None:
        """Add rows."""
        self.rows += len(batch[0])
        for place, column in self._summed:
            self._sums[column.name] += sum(filter(None, batch[place]))

    def sums(self) -> dict[str, int | str]:
        """Return the sums by column, money as decimal strings."""
        rows = {self._row_name: self.rows} if self._row_name else {}
        return {**rows, **{column.name: self._written(column) for _, column in self._summed}}

    def _written(self, column: Column) -> int | str:
        value = self._sums[column.name]
        return format_money(value) if column.kind is Kind.MONEY else value
