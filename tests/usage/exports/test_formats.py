"""The formats of exported files: exact values, nothing that runs, nothing that is lost unsaid."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pyarrow import parquet

from core.money import MAX_NANOS
from tests.usage.exports import support
from tests.usage.exports.support import csv_cells, sheets
from usage.exports.columns import Column, Kind
from usage.exports.formats import FORMATS, workbook
from usage.exports.formats import parquet as parquet_format
from usage.exports.tally import Tally

RUNS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff201",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example/?"&A1,"click")',
    "-",
    "=",
]
HARMLESS = [
    "plain",
    "a=b",
    "1+1",
    "ünï🙂",
    "日本語",
    "<b>&amp;</b>",
    'with "quotes", commas; and\r\nlines',
    "{=1}",
    "https://x.example/",
    "mailto:x@y.example",
    "_x0041_",
    "12345",
    "1e5",
    "TRUE",
    "<r><t>rich</t></r>",
    '<r></r></is></c><c r="B9"><f>1+1</f></c><c t="inlineStr"><is><r></r>',
    "\x01\x1f bell",
    "\ufffe\uffff",
    "   ",
]
TEXT = [Column("text", Kind.TEXT)]


def written(
    format_: str, columns: Sequence[Column], tmp_path: Path, *batches: Sequence[Sequence[Any]]
) -> bytes:
    """Return the file of a format with these rows."""
    path = tmp_path / f"file.{format_}"
    writer = FORMATS[format_].open(path, columns)
    for batch in batches:
        writer.write(batch)
    writer.finish()
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
    return path.read_bytes()


@pytest.mark.parametrize("text", RUNS)
def test_in_csv_text_that_would_run_has_an_apostrophe_before_it(text: str, tmp_path: Path) -> None:
    content = written("csv", TEXT, tmp_path, [[text]])
    assert csv_cells(content) == [["text"], [f"'{text}"]]


@pytest.mark.parametrize("text", HARMLESS)
def test_in_csv_other_text_is_as_it_was(text: str, tmp_path: Path) -> None:
    marked = text[0] in " " or not text[0].isprintable()
    content = written("csv", TEXT, tmp_path, [[text]])
    assert csv_cells(content) == [["text"], [f"'{text}" if marked else text]]


def test_without_one_apostrophe_every_text_of_a_csv_is_as_it_was(tmp_path: Path) -> None:
    texts = [*RUNS, *HARMLESS, "'", "''=1", "'=1+1", "a'"]
    cells = csv_cells(written("csv", TEXT, tmp_path, [texts]))
    assert [cell.removeprefix("'") for (cell,) in cells[1:]] == texts


def test_a_csv_is_utf_8_with_a_header_and_crlf(tmp_path: Path) -> None:
    columns = [Column("größe", Kind.INTEGER), Column("b", Kind.TEXT)]
    assert written("csv", columns, tmp_path, [[1, None], ["ß", "x"]]) == "größe,b\r\n1,ß\r\n,x\r\n".encode()


@pytest.mark.parametrize("text", [*RUNS, *HARMLESS])
def test_in_a_workbook_every_text_is_text_and_as_it_was(text: str, tmp_path: Path) -> None:
    columns = [*TEXT, Column("after", Kind.TEXT)]
    (lines,) = sheets(written("xlsx", columns, tmp_path, [[text, "x"], ["after", "after"]]))
    assert [line["A"] for line in lines[1:]] == [text, "x"]
    assert [line["B"] for line in lines] == ["after", "after", "after"]


def test_a_workbook_has_no_links_formulas_or_shared_strings(tmp_path: Path) -> None:
    content = written("xlsx", TEXT, tmp_path, [[*RUNS, *HARMLESS]])
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = book.namelist()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert not [name for name in names if "sheet1.xml.rels" in name or "calcChain" in name]
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet


def test_text_longer_than_a_cell_holds_is_cut_and_says_so(tmp_path: Path) -> None:
    most = workbook.CELL_CHARACTERS
    texts = ["x" * most, "x" * (most + 1), "🙂" * (most // 2), "🙂" * most]
    (lines,) = sheets(written("xlsx", TEXT, tmp_path, [texts]))
    cells = [str(line["A"]) for line in lines[1:]]
    assert cells[0] == texts[0]
    assert cells[1] == "x" * (most - 1) + "…"
    assert cells[2] == texts[2]
    assert cells[3] == "🙂" * ((most - 1) // 2) + "…"


def test_a_workbook_goes_on_on_another_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    columns = [Column("number", Kind.INTEGER)]
    content = written("xlsx", columns, tmp_path, [range(5)], [range(5, 6)], [range(6, 7)])
    assert [[line["A"] for line in lines] for lines in sheets(content)] == [
        ["number", 0, 1, 2],
        ["number", 3, 4, 5],
        ["number", 6],
    ]


def test_a_sheet_that_is_just_full_has_no_other_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    content = written("xlsx", [Column("number", Kind.INTEGER)], tmp_path, [range(3)])
    assert len(list(sheets(content))) == 1


@pytest.mark.parametrize(
    ("nanos", "cell"),
    [
        (0, 0.0),
        (1, 1e-09),
        (-1, -1e-09),
        (61_200_000, 0.0612),
        (999_999_999_999_999, 999_999.999999999),
        (123_456_789_000_000_000, 123_456_789.0),
        (1_000_000_000_000_001, "1000000.000000001"),
        (-1_000_000_000_000_001, "-1000000.000000001"),
        (MAX_NANOS, "9223372036.854775807"),
    ],
)
def test_an_amount_in_a_workbook_is_a_number_where_that_is_exact_else_text(
    nanos: int, cell: float | str, tmp_path: Path
) -> None:
    (lines,) = sheets(written("xlsx", [Column("cost", Kind.MONEY)], tmp_path, [[nanos]]))
    assert lines[1]["A"] == cell
    assert Decimal(str(cell)) == Decimal(nanos).scaleb(-9)


@pytest.mark.parametrize(
    ("value", "cell"),
    [("0.000003", 0.000003), ("800", 800.0), ("0.1428571428571428571", "0.1428571428571428571")],
)
def test_a_decimal_in_a_workbook_is_a_number_where_that_is_exact_else_text(
    value: str, cell: float | str, tmp_path: Path
) -> None:
    (lines,) = sheets(written("xlsx", [Column("price", Kind.DECIMAL)], tmp_path, [[Decimal(value)]]))
    assert lines[1]["A"] == cell


def test_a_workbooks_moments_and_days_are_dates_and_its_large_numbers_text(tmp_path: Path) -> None:
    columns = [Column("m", Kind.MOMENT), Column("d", Kind.DATE), Column("i", Kind.INTEGER)]
    moment = datetime(2026, 7, 15, 12, 34, 56, 789012, tzinfo=UTC)
    content = written("xlsx", columns, tmp_path, [[moment], [date(2026, 7, 15)], [10**15]])
    (lines,) = sheets(content)
    cells = lines[1]
    assert support.serial_moment(float(cells["A"])) == "2026-07-15T12:34:56.789000Z"
    assert (cells["B"], cells["C"]) == (46218.0, "1000000000000000")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        styles = book.read("xl/styles.xml").decode()
    assert 'formatCode="yyyy-mm-dd"' in styles


def test_a_workbook_is_well_formed_in_every_part(tmp_path: Path) -> None:
    content = written("xlsx", TEXT, tmp_path, [[*RUNS, *HARMLESS]])
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        for name in book.namelist():
            ElementTree.fromstring(book.read(name))  # noqa: S314 it is our own


def test_parquet_has_types_that_hold_every_value(tmp_path: Path) -> None:
    columns = [Column(kind.value, kind) for kind in Kind]
    moment = datetime(2026, 7, 15, 12, 34, 56, 789012, tzinfo=UTC)
    day = date(2026, 7, 15)
    batch: list[list[Any]] = [
        ["=1+1", None],
        [2**63 - 1, None],
        [0.125, None],
        [MAX_NANOS, None],
        [Decimal("0.000000000000000001"), None],
        [moment, None],
        [day, None],
        ['{"a":1}', None],
    ]
    content = written("parquet", columns, tmp_path, batch)
    table = parquet.read_table(io.BytesIO(content))
    assert [str(field.type) for field in table.schema] == [
        "string",
        "int64",
        "double",
        "decimal128(38, 9)",
        "decimal128(38, 18)",
        "timestamp[us, tz=UTC]",
        "date32[day]",
        "string",
    ]
    assert [column.to_pylist() for column in table.columns] == [
        ["=1+1", None],
        [2**63 - 1, None],
        [0.125, None],
        [Decimal("9223372036.854775807"), None],
        [Decimal("0.000000000000000001"), None],
        [moment, None],
        [day, None],
        ['{"a":1}', None],
    ]


def test_amounts_in_parquet_are_exact_whatever_their_sign_and_size(tmp_path: Path) -> None:
    nanos = [0, 1, -1, 10**9, -(10**18), 61_200_001, MAX_NANOS, -MAX_NANOS]
    content = written("parquet", [Column("cost", Kind.MONEY)], tmp_path, [nanos], [nanos])
    (column,) = parquet.read_table(io.BytesIO(content)).columns
    assert column.to_pylist() == [Decimal(value).scaleb(-9) for value in nanos] * 2


def test_parquet_is_written_in_large_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_format, "ROW_GROUP", 10)
    columns = [Column("number", Kind.INTEGER)]
    content = written("parquet", columns, tmp_path, *([range(4)] for _ in range(7)))
    file = parquet.ParquetFile(io.BytesIO(content))
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert sizes == [12, 12, 4]


def test_ndjson_nests_what_is_json_and_writes_money_as_text(tmp_path: Path) -> None:
    columns = [
        Column("t", Kind.TEXT),
        Column("c", Kind.MONEY),
        Column("j", Kind.JSON),
        Column("m", Kind.MOMENT),
    ]
    moment = datetime(2026, 7, 15, 12, 34, 56, tzinfo=UTC)
    batch: list[list[Any]] = [
        ["=ünï🙂\n", None],
        [61_200_000, None],
        ['{"a": [1, "x"]}', None],
        [moment, None],
    ]
    lines = written("ndjson", columns, tmp_path, batch).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"t": "=ünï🙂\n", "c": "0.061200000", "j": {"a": [1, "x"]}, "m": "2026-07-15T12:34:56Z"},
        {"t": None, "c": None, "j": None, "m": None},
    ]


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_a_file_that_is_given_up_leaves_nothing_open(
    format_: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    writer = FORMATS[format_].open(tmp_path / "file", TEXT)
    writer.write([["a"]])
    writer.discard()
    del writer
    assert [str(warning.message) for warning in recwarn] == []


def test_what_goes_into_a_file_is_added_up_by_column() -> None:
    columns = [
        Column("name", Kind.TEXT),
        Column("tokens", Kind.INTEGER, summed=True),
        Column("price", Kind.MONEY),
        Column("cost", Kind.MONEY, summed=True),
    ]
    tally = Tally(columns, "requests")
    tally.add([["a", "b"], [1, None], [7, 7], [500_000_000, 1]])
    tally.add([["c"], [2**62], [7], [None]])
    assert tally.sums() == {"requests": 3, "tokens": 2**62 + 1, "cost": "0.500000001"}
    assert Tally(columns).sums() == {"tokens": 0, "cost": "0.000000000"}


def test_the_web_never_loads_what_only_files_need() -> None:
    code = (
        "import django; django.setup(); import config.urls, config.celery, usage.tasks, sys; "
        "print({'pyarrow', 'xlsxwriter'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
