from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from core.params import Params
from core.problems import Problem

ACCEPTED = ("from", "type", "limit", "timezone", "flag", "metrics")


def read(query: str, deep: tuple[str, ...] = ()) -> Params:
    return Params(QueryDict(query), ACCEPTED, deep=deep)


def refusal(query: str, deep: tuple[str, ...] = ()) -> Problem:
    with pytest.raises(Problem) as caught:
        read(query, deep)
    return caught.value


def test_an_unknown_parameter_is_named_and_the_accepted_are_listed() -> None:
    problem = refusal("tpye=x", deep=("meta",))
    assert (problem.status, problem.code) == (400, "unknown_parameter")
    assert problem.detail == (
        "There is no parameter 'tpye'; accepted: from, type, limit, timezone, flag, metrics, meta[key]."
    )
    assert problem.errors[0].pointer == "/tpye"


def test_every_unknown_parameter_is_told_at_once() -> None:
    assert [error.pointer for error in refusal("a=1&b=2").errors] == ["/a", "/b"]


def test_a_parameter_given_twice_is_refused_rather_than_chosen_from() -> None:
    assert refusal("type=a&type=b").code == "repeated_parameter"


def test_members_of_a_deep_object_are_read_by_key() -> None:
    params = read("meta[team]=a&meta[region.eu]=b%26c", deep=("meta",))
    assert params.deep("meta") == {"team": "a", "region.eu": "b&c"}


@pytest.mark.parametrize(
    "query", ["meta=x", "meta[]=x", "meta[a][b]=x", "other[a]=x", "meta[a]=%00", "meta[%00]=1"]
)
def test_a_deep_object_has_only_that_form(query: str) -> None:
    assert refusal(query, deep=("meta",)).status == 400


def test_a_deep_object_is_unknown_where_it_is_not_accepted() -> None:
    assert refusal("meta[a]=x").code == "unknown_parameter"


def test_absent_parameters_have_their_defaults() -> None:
    params = read("")
    assert params.text("type") is None
    assert params.choice("type", ["a"], "a") == "a"
    assert params.choices("metrics", ["a"], ("a",)) == ("a",)
    assert params.integer("limit", 5, minimum=1, maximum=9) == 5
    assert params.boolean("flag", True) is True
    assert params.moment("from") is None
    assert params.zone("timezone", "Europe/Berlin").key == "Europe/Berlin"
    assert "type" not in params


def test_values_are_read_as_what_they_are() -> None:
    params = read("type=b&limit=9&flag=false&from=2026-01-01T00:00:00Z&timezone=Asia/Kolkata&metrics=b,a,b")
    assert "type" in params
    assert params.text("type") == "b"
    assert params.choice("type", ["a", "b"], "a") == "b"
    assert params.choices("metrics", ["a", "b"]) == ("b", "a")
    assert params.integer("limit", 5, minimum=1, maximum=9) == 9
    assert params.boolean("flag", True) is False
    assert params.moment("from") == datetime(2026, 1, 1, tzinfo=UTC)
    assert params.zone("timezone", "UTC").key == "Asia/Kolkata"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit must be a whole number from 1 to 9."),
        ("limit=10", "limit must be a whole number from 1 to 9."),
        ("limit=1.0", "limit must be a whole number from 1 to 9."),
        ("limit=", "limit must be a whole number from 1 to 9."),
        ("limit=٣", "limit must be a whole number from 1 to 9."),
        ("type=c", "Invalid type: 'c'; accepted: a, b."),
        ("metrics=a,c", "Invalid metrics: 'c'; accepted: a, b."),
        ("metrics=", "Invalid metrics: ''; accepted: a, b."),
        ("flag=maybe", "Invalid flag: 'maybe'; accepted: true, false."),
        (
            "from=yesterday",
            "from: 'yesterday' is neither ISO 8601, such as 2026-11-21T09:30:00Z, nor Unix milliseconds.",
        ),
        ("timezone=Mars", "timezone: 'Mars' is not an IANA time zone, such as Europe/Berlin."),
    ],
)
def test_a_bad_value_is_told_with_what_would_do(query: str, detail: str) -> None:
    params = read(query)
    readers: dict[str, Callable[[], object]] = {
        "limit": lambda: params.integer("limit", 1, minimum=1, maximum=9),
        "type": lambda: params.choice("type", ["a", "b"], "a"),
        "metrics": lambda: params.choices("metrics", ["a", "b"]),
        "flag": lambda: params.boolean("flag", True),
        "from": lambda: params.moment("from"),
        "timezone": lambda: params.zone("timezone", "UTC"),
    }
    name = query.partition("=")[0]
    with pytest.raises(Problem) as caught:
        readers[name]()
    assert (caught.value.status, caught.value.code, caught.value.detail) == (400, "invalid_parameter", detail)
    assert caught.value.errors[0].pointer == f"/{name}"


@pytest.mark.parametrize("query", ["type=", "type=%00", "type=" + "x" * 256])
def test_text_that_no_column_holds_is_refused(query: str) -> None:
    params = read(query)
    with pytest.raises(Problem, match="400"):
        params.text("type")
