"""What a statement says that a call costs is what rating says, to the nano."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.rating import Rate, Sheet, Usage, cost
from billing.rating.statement import cost_sql
from tests.billing.rating.strategies import sheets, usages

CALL = (
    "(SELECT %s::bigint AS prompt_tokens, %s::bigint AS completion_tokens, "
    "%s::bigint AS cached_prompt_tokens, %s::bigint AS cache_write_tokens, %s::bigint AS reasoning_tokens, "
    "%s::jsonb AS quantities, %s::boolean AS succeeded) AS call"
)


def by_statement(sheet: Sheet, used: Usage) -> Any:
    values = [
        used.prompt_tokens,
        used.completion_tokens,
        used.cached_prompt_tokens,
        used.cache_write_tokens,
        used.reasoning_tokens,
        None if used.quantities is None else json.dumps(dict(used.quantities)),
        used.succeeded,
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {cost_sql(sheet)} FROM {CALL}", values)
        (found,) = cursor.fetchone() or (None,)
    return found


@pytest.mark.django_db
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sheet=sheets(), used=usages())
def test_a_statement_costs_every_call_as_rating_does(sheet: Sheet, used: Usage) -> None:
    assert by_statement(sheet, used) == cost(used, sheet)


@pytest.mark.django_db
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=st.integers(0, 40))
def test_ties_go_to_the_even_neighbour(tokens: int) -> None:
    sheet, used = Sheet(1, (Rate("prompt", 1, 2),)), Usage(tokens)
    assert by_statement(sheet, used) == cost(used, sheet) == round(tokens / 2)


@pytest.mark.django_db
@pytest.mark.parametrize(("prompt", "nanos"), [(200_000, 200_000), (200_001, 400_002), (None, 0)])
def test_beyond_a_threshold_the_whole_call_has_its_rate(prompt: int | None, nanos: int) -> None:
    sheet = Sheet(1, (Rate("prompt", 1, 1), Rate("prompt", 2, 1, 200_000)))
    assert by_statement(sheet, Usage(prompt)) == cost(Usage(prompt), sheet) == nanos


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["it's", "100%", "a\\b", "%s", "'; DROP TABLE x; --"])
def test_a_meter_may_be_called_anything(name: str) -> None:
    sheet, used = Sheet(1, (Rate(name, 3, 1),)), Usage(quantities={name: 2})
    assert by_statement(sheet, used) == cost(used, sheet) == 6
