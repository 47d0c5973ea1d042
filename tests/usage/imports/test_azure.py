"""A real trace: 19,366 requests to a conversation service, read twice."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from organizations.services import create_organization
from tests.usage.imports.support import call, figures
from usage.rollups.verify import verify

ROOT = Path(__file__).resolve().parents[3]
TRACE = ROOT.parent / "shared" / "data" / "azure_llm_inference_trace_conv_2023.csv"
MAPS = ["timestamp=TIMESTAMP", "tokens.prompt=ContextTokens", "tokens.completion=GeneratedTokens"]
SETS = ["type=conversation.completion", "model=gpt-4", "provider=azure"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not TRACE.is_file(), reason="the trace is not beside the project"),
]


@pytest.fixture(scope="module")
def rows() -> list[tuple[datetime, int, int]]:
    """What the file says, read without anything of ours."""
    return list(_rows())


def _rows() -> Iterator[tuple[datetime, int, int]]:
    with TRACE.open(newline="") as file:
        for row in csv.DictReader(file):
            moment = datetime.strptime(row["TIMESTAMP"][:26], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
            yield moment, int(row["ContextTokens"]), int(row["GeneratedTokens"])


def test_the_totals_are_the_sums_of_the_file_and_a_second_run_adds_nothing(
    rows: list[tuple[datetime, int, int]],
) -> None:
    made = create_organization(name="Acme", plan="enterprise", owner_email="owner@example.com")
    client = Client(headers={"authorization": f"Bearer {made.issued.key}"})
    assert len(rows) == 19_366
    for expected in (figures(19_366), figures(0, 19_366)):
        assert call(str(TRACE), map=MAPS, set=SETS)[0] == expected
        for window in _windows(rows):
            assert _answer(client, *window) == _sums(rows, *window)
    assert list(verify(made.organization)) == []


def _windows(rows: list[tuple[datetime, int, int]]) -> Iterator[tuple[datetime, datetime]]:
    """The whole, and windows that cut through days, quarter-hours and seconds."""
    first, last = rows[0][0], rows[-1][0]
    yield first, last + timedelta(microseconds=1)
    yield first, last
    yield datetime(2023, 11, 1, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC)
    yield rows[4321][0], rows[9876][0]
    yield first.replace(minute=30, second=0, microsecond=0), first.replace(minute=45, second=0, microsecond=0)


def _sums(rows: list[tuple[datetime, int, int]], start: datetime, end: datetime) -> tuple[int, int, int, int]:
    within = [(prompt, completion) for moment, prompt, completion in rows if start <= moment < end]
    prompt, completion = sum(p for p, _ in within), sum(c for _, c in within)
    return len(within), prompt, completion, prompt + completion


def _answer(client: Client, start: datetime, end: datetime) -> tuple[int, int, int, int]:
    response = client.get("/api/v1/usage", {"from": _text(start), "to": _text(end)})
    assert response.status_code == 200, response.content
    body = response.json()
    tokens = body["tokens"]
    return body["requests"]["total"], tokens["prompt"], tokens["completion"], tokens["total"]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
