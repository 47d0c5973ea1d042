"""Apache Parquet, with types that hold every value exactly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from core.money import PLACES
from usage.exports.columns import Batch, Column, Kind

ROW_GROUP: Final = 65_536
_NANOS: Final = pa.decimal128(38, 0)
_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.JSON: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.MONEY: pa.decimal128(38, PLACES),
    Kind.DECIMAL: pa.decimal128(38, 2 * PLACES),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
    Kind.DATE: pa.date32(),
}


class ParquetWriter:
    """Writes Parquet with zstd: money as a decimal with nine places, moments in UTC microseconds."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._writer = parquet.ParquetWriter(str(path), self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0

    def write(self, batch: Batch) -> None:
        """Add rows, a row group of them at a time."""
        arrays = [_array(field.type, values) for field, values in zip(self._schema, batch, strict=True)]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        self._rows += len(batch[0])
        if self._rows >= ROW_GROUP:
            self._write_group()

    def finish(self) -> None:
        """Complete the file."""
        if self._waiting:
            self._write_group()
        self._writer.close()

    def discard(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._rows)
        self._waiting, self._rows = [], 0


def _array(of: Any, values: Sequence[Any]) -> Any:
    if of != _TYPES[Kind.MONEY]:
        return pa.array(values, type=of)
    # The digits of nanos are those of the amount: only where the point stands is another.
    nanos = pa.array(values, type=pa.int64()).cast(_NANOS)
    return pa.Array.from_buffers(of, len(nanos), nanos.buffers(), nanos.null_count)
