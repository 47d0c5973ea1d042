"""Asking for exports, having them written, and reading their files back."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from xml.etree import ElementTree

from pyarrow import parquet

from core.moments import format_moment
from tests.usage.factories import Answer, Tenant
from usage.exports.run import run_export
from usage.links import LINKS

Rows = list[dict[str, Any]]

MONEY: Final = frozenset({"cost"})
MOMENTS: Final = frozenset({"timestamp", "createdAt", "adjustedAt"})
JSON: Final = frozenset({"quantities", "meta"})
NUMBERS: Final = frozenset({"latencyMs", "averageLatencyMs"})
TEXTS: Final = frozenset(
    {
        "id",
        "type",
        "clientId",
        "endpoint",
        "capability",
        "model",
        "provider",
        "serviceTier",
        "status",
        "errorType",
    }
    | {"currency", "reservationId", *LINKS}
)
_SHEET: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ESCAPED: Final = re.compile("_x([0-9A-F]{4})_")


def ask(tenant: Tenant, dataset: str = "records", format_: str = "csv", **window: str) -> dict[str, Any]:
    """Ask for an export and return it."""
    named = {name.rstrip("_"): value for name, value in window.items()}
    answer = tenant.api.call("POST", "/exports", {"dataset": dataset, "format": format_, **named})
    assert answer.status == 202, answer.body
    asked: dict[str, Any] = answer.body
    return asked


def write(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    """Have a worker write an export, and return it as it is then."""
    run_export(UUID(asked["id"]), tenant.id)
    done: dict[str, Any] = tenant.api.get(f"/exports/{asked['id']}").body
    return done


def export(tenant: Tenant, dataset: str, format_: str, **window: str) -> tuple[dict[str, Any], Rows]:
    """Ask for an export, have it written, download it, and return it with the rows of its file."""
    done = write(tenant, ask(tenant, dataset, format_, **window))
    assert done["state"] == "done", done
    answer = download(tenant, done)
    assert answer.status == 200
    assert done["bytes"] == len(answer.body)
    return done, READERS[format_](answer.body)


def download(tenant: Tenant, asked: dict[str, Any]) -> Answer:
    """Return the answer of an export's file."""
    return tenant.api.get(f"/exports/{asked['id']}/file")


def csv_cells(content: bytes) -> list[list[str]]:
    """Return the cells of a CSV file as they are."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def read_csv(content: bytes) -> Rows:
    """Return the rows of a CSV file, with values as the API has them."""
    header, *lines = csv_cells(content)
    return [{name: _of_text(name, cell) for name, cell in zip(header, line, strict=True)} for line in lines]


def read_ndjson(content: bytes) -> Rows:
    """Return the rows of an NDJSON file, with values as the API has them."""
    lines = content.decode().split("\n")
    assert lines.pop() == ""
    rows = [json.loads(line) for line in lines]
    return [{**row, **_money(row)} for row in rows]


def read_parquet(content: bytes) -> Rows:
    """Return the rows of a Parquet file, with values as the API has them."""
    rows: Rows = parquet.read_table(io.BytesIO(content)).to_pylist()
    return [{name: _of_parquet(name, value) for name, value in row.items()} for row in rows]


def read_xlsx(content: bytes) -> Rows:
    """Return the rows of all sheets of a workbook, with values as the API has them."""
    rows: Rows = []
    for header, *lines in sheets(content):
        names = {column: str(name) for column, name in header.items()}
        rows += [
            {name: _of_sheet(name, line.get(column)) for column, name in names.items()} for line in lines
        ]
    return rows


def sheets(content: bytes) -> Iterator[list[dict[str, str | float]]]:
    """Yield the lines of each sheet, as cells by their columns; a formula is an error."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        for name in sorted(names, key=lambda name: (len(name), name)):
            root = ElementTree.fromstring(book.read(name))  # noqa: S314 it is our own
            assert root.find(f".//{_SHEET}f") is None
            yield [dict(map(_cell, line)) for line in root.iter(f"{_SHEET}row")]


def _cell(cell: ElementTree.Element) -> tuple[str, str | float]:
    column = re.sub("[0-9]", "", cell.attrib["r"])
    if cell.attrib.get("t") == "inlineStr":
        text = "".join(part.text or "" for part in cell.iter(f"{_SHEET}t"))
        return column, _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return column, float(cell.findtext(f"{_SHEET}v") or "nan")


def _of_text(name: str, cell: str) -> Any:
    if cell == "":
        return None
    if name in TEXTS:
        return cell.removeprefix("'")
    if name in MONEY:
        return Decimal(cell)
    if name in JSON:
        return json.loads(cell)
    if name in NUMBERS:
        return float(cell)
    return cell if name in MOMENTS or name == "date" else int(cell)


def _of_parquet(name: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(value) if name in JSON else value


def _of_sheet(name: str, cell: str | float | None) -> Any:
    if cell is None:
        return None
    if name in JSON:
        return json.loads(str(cell))
    if name in MONEY:
        return Decimal(str(cell)).quantize(Decimal("1e-9"))
    if name in NUMBERS or name in TEXTS:
        return cell
    if name == "date":
        return (date(1899, 12, 30) + timedelta(days=int(cell))).isoformat()
    if name in MOMENTS:
        return serial_moment(float(cell))
    return int(cell)


def serial_moment(number: float) -> str:
    """Return a sheet's date, which is exact to the millisecond."""
    moment = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(milliseconds=round(number * 86_400_000))
    return format_moment(moment)


def _money(row: dict[str, Any]) -> dict[str, Decimal | None]:
    return {name: None if row[name] is None else Decimal(row[name]) for name in MONEY & row.keys()}


READERS: Final[dict[str, Callable[[bytes], Rows]]] = {
    "csv": read_csv,
    "ndjson": read_ndjson,
    "parquet": read_parquet,
    "xlsx": read_xlsx,
}
