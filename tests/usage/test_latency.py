"""Histograms of latency: how they are packed, and how near their percentiles come."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.usage.model import nearest_rank
from usage.rollups.latency import (
    DIGITS,
    EDGES_US,
    FIRST_EDGE_US,
    LAST_BUCKET,
    LAST_EDGE_US,
    RATIO,
    counts,
    middle_ms,
    percentiles_ms,
)

RANKS = (0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)

latencies = st.integers(FIRST_EDGE_US, LAST_EDGE_US) | st.floats(2.0, 10.9, allow_nan=False).map(
    lambda exponent: min(LAST_EDGE_US, round(10**exponent))
)
buckets = st.dictionaries(st.integers(0, LAST_BUCKET), st.integers(1, 10**9), max_size=30)


def packed(numbers: dict[int, int]) -> int:
    return sum(count * 10 ** (DIGITS * bucket) for bucket, count in numbers.items())


def histogram(microseconds: list[int]) -> int:
    numbers: dict[int, int] = {}
    for latency in microseconds:
        bucket = bisect_right(EDGES_US, latency)
        numbers[bucket] = numbers.get(bucket, 0) + 1
    return packed(numbers)


@given(buckets)
def test_counts_are_read_back_as_they_were_packed(numbers: dict[int, int]) -> None:
    assert dict(counts(packed(numbers))) == numbers
    assert dict(counts(Decimal(packed(numbers)))) == numbers


@given(st.lists(buckets, max_size=5))
def test_adding_histograms_adds_their_counts(parts: list[dict[int, int]]) -> None:
    expected: dict[int, int] = {}
    for part in parts:
        for bucket, count in part.items():
            expected[bucket] = expected.get(bucket, 0) + count
    assert dict(counts(sum(map(packed, parts)))) == expected


@given(st.lists(latencies, min_size=1, max_size=200))
def test_percentiles_are_within_six_percent_of_the_exact_ones(microseconds: list[int]) -> None:
    found = percentiles_ms(histogram(microseconds), RANKS)
    rising = sorted(latency / 1000 for latency in microseconds)
    for rank, approximate in zip(RANKS, found, strict=True):
        assert approximate is not None
        exact = nearest_rank(rising, rank)
        # Edges are whole microseconds and answers have three places: that much comes on top.
        assert abs(approximate - exact) <= 0.06 * exact + 0.0015


def test_without_a_measurement_there_is_no_percentile() -> None:
    assert percentiles_ms(0, (0.5, 0.95)) == (None, None)
    assert percentiles_ms(Decimal(0), (0.99,)) == (None,)


def test_what_is_faster_than_the_first_edge_stands_for_half_of_it() -> None:
    assert percentiles_ms(histogram([0, 50, 99]), (0.5,)) == (0.05,)


def test_a_trillion_of_one_bucket_would_be_too_many_and_nothing_less() -> None:
    most = 10**DIGITS - 1
    assert dict(counts(packed({3: most, 4: 1}))) == {3: most, 4: 1}


def test_edges_rise_by_the_ratio_and_reach_from_a_tenth_of_a_millisecond_to_a_day() -> None:
    assert EDGES_US[0] == FIRST_EDGE_US == 100
    assert EDGES_US[-1] >= LAST_EDGE_US == 86_400_000_000
    assert EDGES_US[-2] < LAST_EDGE_US
    for lower, upper in pairwise(EDGES_US):
        assert abs(upper / lower - RATIO) < 0.01
    assert [middle_ms(bucket) for bucket in range(LAST_BUCKET + 1)] == sorted(
        map(middle_ms, range(LAST_BUCKET + 1))
    )


@pytest.mark.django_db
def test_the_database_puts_every_edge_into_the_bucket_that_python_does() -> None:
    microseconds = sorted({edge + step for edge in EDGES_US for step in (-1, 0, 1)} | {0})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(latency, %s::bigint[]) FROM unnest(%s::bigint[]) AS given (latency)",
            [list(EDGES_US), microseconds],
        )
        assert [row[0] for row in cursor.fetchall()] == [
            bisect_right(EDGES_US, each) for each in microseconds
        ]
        cursor.execute("SELECT bucket, unit FROM usage_latency_bucket ORDER BY bucket")
        assert cursor.fetchall() == [(bucket, 10 ** (DIGITS * bucket)) for bucket in range(LAST_BUCKET + 1)]
