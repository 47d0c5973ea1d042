"""The short way of the calls that keys make, and the id of every request."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.usage.factories import make_tenant

pytestmark = pytest.mark.django_db


def test_a_record_sent_with_a_key_takes_the_short_way() -> None:
    tenant = make_tenant("Acme")
    answer = tenant.api.send({"type": "task.execution"})
    assert (answer.status, answer.body["accepted"]) == (200, 1)
    # What pages need and the write path doesn't was not asked to answer.
    assert "Content-Security-Policy" not in answer.headers
    assert (answer.headers["X-Content-Type-Options"], "X-Request-Id" in answer.headers) == ("nosniff", True)


def test_a_record_sent_without_a_key_goes_the_long_way_and_is_refused() -> None:
    answer = Client().post("/api/v1/records", {"type": "task.execution"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "Content-Security-Policy" in answer.headers


def test_other_methods_of_the_same_path_go_the_long_way() -> None:
    tenant = make_tenant("Acme")
    assert "Content-Security-Policy" in tenant.api.get("/records").headers
