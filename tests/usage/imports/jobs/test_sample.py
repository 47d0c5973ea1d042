"""What is seen of a file before it is imported: its form, its columns, and what its lines would become."""

from __future__ import annotations

import gzip
import io

import pytest

from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant
from tests.usage.imports.jobs.support import objects
from usage.imports.jobs import preview as previewing
from usage.imports.jobs import sample as sampling
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.preview import Preview, preview
from usage.imports.jobs.sample import Found, Head, Sample, head_of, sample_of
from usage.imports.source import Source


def head(content: str | bytes) -> Head:
    body = content.encode() if isinstance(content, str) else content
    return head_of(Source(io.BytesIO(body), len(body)))


def sampled(content: str | bytes) -> Sample:
    return sample_of(head(content))


def test_columns_of_a_table_are_found_with_their_values_and_the_fields_they_are_called_like() -> None:
    found = sampled("Time Stamp;latency_ms;x;x;meta.team\n\n;12;1;2;a\n;13;;2;\nshort\n")
    assert (found.form, found.separator, found.is_packed) == ("csv", ";", False)
    assert found.columns == (
        Found("Time Stamp", ("short",), "timestamp"),
        Found("latency_ms", ("12", "13"), "latencyMs"),
        Found("x", ("1",), "", is_repeated=True),
        Found("meta.team", ("a",), "meta.team"),
    )


def test_members_of_objects_are_found_by_their_dots_and_groups_as_they_are() -> None:
    found = sampled(
        gzip.compress(
            objects(
                {"type": "chat", "use": {"in": 3, "deep": {"er": [1]}}, "meta": {"a": 1}},
                {"type": "chat", "tokens": 7, "late": None},
            ).encode()
            + b"no object\n"
        )
    )
    assert (found.form, found.separator, found.is_packed) == ("ndjson", "", True)
    assert found.columns == (
        Found("type", ("chat", "chat"), "type"),
        Found("use.in", ("3",), ""),
        Found("use.deep.er", ("[1]",), ""),
        Found("meta", ('{"a": 1}',), "meta", is_group=True),
        Found("tokens", ("7",), ""),
        Found("late", (), ""),
    )


def test_of_several_columns_called_like_a_field_the_first_fills_it() -> None:
    assert [one.field for one in sampled("model,Model,MODEL\n").columns] == ["model", "", ""]


def test_long_values_are_cut() -> None:
    [column] = sampled("a\n" + "x" * 100 + "\n").columns
    assert column.examples == ("x" * 59 + "…",)


def test_a_head_ends_with_a_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "HEAD_BYTES", 8)
    assert head("a,b\n1,2\n") == Head(b"a,b\n1,2\n", is_whole=True, is_packed=False)
    assert head("a,b\n1,2\n3") == Head(b"a,b\n1,2\n", is_whole=False, is_packed=False)
    assert head("a,b\n1,2,3\n") == Head(b"a,b\n", is_whole=False, is_packed=False)


def previewed(tenant: Tenant, content: str, columns: dict[str, str]) -> Preview:
    with tenant_scope(tenant.id):
        return preview(head(content), Choice(columns).mapping(), "UTC", tenant.caller(), NOW)


TYPED = {"type": "type", "id": "id"}


@pytest.mark.django_db
def test_lines_are_previewed_in_their_order_with_those_that_repeat_an_id(
    acme: Tenant, stopped_clock: object
) -> None:
    found = previewed(acme, "type,id\nc,9\na,1\nb,9\n,2\n", TYPED)
    assert [row.id for row in found.rows] == ["9", "1"]
    assert [row.type for row in found.rows] == ["c", "a"]
    assert (found.repeated, found.lines, found.is_whole) == (1, 4, True)
    assert [tuple(one) for one in found.refused] == [(5, "type", "type", "The field 'type' is required.")]


@pytest.mark.django_db
def test_only_the_first_lines_are_previewed(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, stopped_clock: object
) -> None:
    monkeypatch.setattr(previewing, "LINES", 2)
    assert previewed(acme, "type,id\na,1\na,2\n", TYPED).is_whole
    found = previewed(acme, "type,id\na,1\na,2\na,3\n", TYPED)
    assert ([row.id for row in found.rows], found.is_whole) == (["1", "2"], False)


@pytest.mark.django_db
def test_a_row_that_goes_on_beyond_the_head_is_no_refused_one(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, stopped_clock: object
) -> None:
    monkeypatch.setattr(sampling, "HEAD_BYTES", 30)
    found = previewed(acme, 'type,id\na,1\n"b\nb\nb\nb\nb\nb\nb\nb",2\n', TYPED)
    assert ([row.id for row in found.rows], found.refused, found.is_whole) == (["1"], [], False)
