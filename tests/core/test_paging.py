from typing import Any

import pytest
from django.http import QueryDict
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from core.paging import (
    CURSOR_PARAMS,
    OFFSET_PARAMS,
    OffsetPage,
    decode_cursor,
    encode_cursor,
    fingerprint,
    next_link,
    read_cursor_page,
    read_offset_page,
)
from core.params import Params
from core.problems import Problem

positions = st.lists(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False), max_size=4
)
MARK = fingerprint({"type": "a"})


def refused(cursor: str, mark: str = MARK) -> bool:
    with pytest.raises(Problem) as caught:
        decode_cursor(cursor, mark)
    return caught.value.code == "invalid_cursor" and caught.value.status == 400


@given(positions)
def test_a_cursor_leads_back_to_its_position(position: list[Any]) -> None:
    assert decode_cursor(encode_cursor(position, MARK), MARK) == position


@given(positions, st.data())
def test_a_changed_cursor_is_refused(position: list[Any], data: st.DataObject) -> None:
    cursor = encode_cursor(position, MARK)
    place = data.draw(st.integers(min_value=0, max_value=len(cursor) - 1))
    character = data.draw(st.characters().filter(lambda character: character != cursor[place]))
    assert refused(cursor[:place] + character + cursor[place + 1 :])


@given(st.text())
def test_what_never_was_a_cursor_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("text", ["", ".", "a.b", "x" * 5000, "\ud800"])
def test_garbage_is_refused(text: str) -> None:
    assert refused(text)


def test_a_cursor_of_other_filters_is_refused() -> None:
    assert refused(encode_cursor([1], MARK), fingerprint({"type": "b"}))


def test_a_cursor_outlives_the_rotation_of_the_secret_key() -> None:
    cursor = encode_cursor([1], MARK)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert refused(cursor)
    from django.conf import settings

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert decode_cursor(cursor, MARK) == [1]


def test_a_fingerprint_is_the_filters_and_not_their_order() -> None:
    assert fingerprint({"a": 1, "b": None}) == fingerprint({"b": None, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_a_cursor_page_has_its_defaults() -> None:
    page = read_cursor_page(Params(QueryDict(""), CURSOR_PARAMS))
    assert (page.take, page.order, page.cursor) == (100, "desc", None)
    assert page.descending
    assert page.position(MARK) is None


def test_a_cursor_page_is_read() -> None:
    query = QueryDict(mutable=True)
    query.update({"take": "1000", "order": "asc", "cursor": encode_cursor(["x", 7], MARK)})
    page = read_cursor_page(Params(query, CURSOR_PARAMS))
    assert (page.take, page.descending, page.position(MARK)) == (1000, False, ["x", 7])


@pytest.mark.parametrize("query", ["take=0", "take=1001", "order=up", "cursor="])
def test_a_cursor_page_out_of_bounds_is_refused(query: str) -> None:
    with pytest.raises(Problem, match="400"):
        read_cursor_page(Params(QueryDict(query), CURSOR_PARAMS))


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "offset=2147483648"])
def test_an_offset_page_out_of_bounds_is_refused(query: str) -> None:
    with pytest.raises(Problem, match="400"):
        read_offset_page(Params(QueryDict(query), OFFSET_PARAMS))


@pytest.mark.parametrize(
    ("offset", "total", "more"), [(0, 10, False), (0, 11, True), (10, 11, False), (20, 11, False)]
)
def test_an_offset_page_knows_whether_there_is_more(offset: int, total: int, more: bool) -> None:
    page = read_offset_page(Params(QueryDict(f"limit=10&offset={offset}"), OFFSET_PARAMS))
    assert page == OffsetPage(10, offset)
    assert page.pagination(total) == {"total": total, "limit": 10, "offset": offset, "hasMore": more}


def test_the_next_link_keeps_the_filters_and_replaces_the_cursor() -> None:
    request = RequestFactory().get("/api/v1/records?meta[a]=x%26y&take=5&cursor=old")
    assert next_link(request, "new.sig") == (
        '<http://testserver/api/v1/records?meta%5Ba%5D=x%26y&take=5&cursor=new.sig>; rel="next"'
    )
