"""Variables that are wrong are named; those that are right are typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Env, load_file


def test_an_empty_value_counts_as_not_set() -> None:
    env = Env({"A": "", "B": "   "})
    assert env.text("A", "fallback") == "fallback"
    assert env.integer("B", 7) == 7
    assert env.listing("A", ["x"]) == ["x"]


def test_a_required_variable_that_is_missing_is_named_with_its_purpose() -> None:
    with pytest.raises(ImproperlyConfigured, match="^SECRET_KEY is not set: production needs one\\.$"):
        Env({}).required("SECRET_KEY", "production needs one")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True),
        ("YES", True),
        ("on", True),
        ("1", True),
        ("false", False),
        ("No", False),
        ("off", False),
        ("0", False),
    ],
)
def test_switches_are_read_in_every_accepted_spelling(value: str, expected: bool) -> None:
    assert Env({"DEBUG": value}).boolean("DEBUG", not expected) is expected


def test_lists_are_split_at_commas_and_trimmed() -> None:
    assert Env({"ALLOWED_HOSTS": " a.example, ,b.example,"}).listing("ALLOWED_HOSTS") == [
        "a.example",
        "b.example",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
    ],
)
def test_durations_carry_their_unit(value: str, expected: timedelta) -> None:
    assert Env({"HSTS": value}).duration("HSTS", timedelta()) == expected


def test_integers_are_accepted_up_to_both_bounds() -> None:
    assert Env({"PORT": "1"}).integer("PORT", 8000, least=1, most=65535) == 1
    assert Env({"PORT": "65535"}).integer("PORT", 8000, least=1, most=65535) == 65535


WRONG: list[tuple[str, Callable[[Env], Any], str]] = [
    (
        "maybe",
        lambda env: env.boolean("X", False),
        "X must be one of true, false, yes, no, on, off, 1, 0, not 'maybe'.",
    ),
    ("0", lambda env: env.integer("X", 1, least=1, most=9), "X must be a whole number from 1 to 9, not '0'."),
    (
        "10",
        lambda env: env.integer("X", 1, least=1, most=9),
        "X must be a whole number from 1 to 9, not '10'.",
    ),
    (
        "1.5",
        lambda env: env.integer("X", 1, least=1, most=9),
        "X must be a whole number from 1 to 9, not '1.5'.",
    ),
    (
        "blue",
        lambda env: env.choice("X", ("json", "console"), "json"),
        "X must be one of json, console, not 'blue'.",
    ),
    (
        "7 days",
        lambda env: env.duration("X", timedelta()),
        "X must be a duration such as 500ms, 30s, 15m, 12h or 7d, not '7 days'.",
    ),
    (
        "http://a",
        lambda env: env.url("X", ("redis", "unix"), ""),
        "X must be a URL that begins with redis:// or unix://.",
    ),
    ("redis:a", lambda env: env.url("X", ("redis",), ""), "X must be a URL that begins with redis://."),
    (
        "redis://:secret@a:port",
        lambda env: env.url("X", ("redis",), ""),
        "X must be a URL that begins with redis://.",
    ),
]


@pytest.mark.parametrize(("value", "read", "message"), WRONG, ids=[value for value, _, _ in WRONG])
def test_a_wrong_value_names_the_variable_and_what_it_accepts(
    value: str, read: Callable[[Env], Any], message: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(Env({"X": value}))
    assert str(refused.value) == message


def test_a_file_adds_what_the_environment_lacks(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\nPORT=9000\nSECRET_KEY='quoted value'\n")
    environ = {"PORT": "8001"}
    load_file(file, environ)
    assert environ == {"PORT": "8001", "SECRET_KEY": "quoted value"}


def test_a_file_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    load_file(tmp_path / "missing", environ)
    assert environ == {}
