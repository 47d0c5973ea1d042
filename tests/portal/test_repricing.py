"""What the Costs page tells members of repricing: how far it has come, and what the last one came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import RepricingPart
from billing.repricings import parts, run, services
from organizations.tenancy import system_scope
from tests.billing.repricings.support import ask, know, stored, use
from tests.portal.pages import HTMX, sign_in, text
from tests.usage.exports.watching import later
from tests.usage.factories import Tenant, make_tenant

pytestmark = pytest.mark.django_db

PATH = "/costs/repricing/"


@pytest.fixture(autouse=True)
def _no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    # On another connection, which sees nothing of a test that is one transaction.
    monkeypatch.setattr(run, "EVERY_SECONDS", 3600.0)
    monkeypatch.setattr("billing.repricings.sweep.enqueue", lambda repricing_id: True)


@pytest.fixture
def reader(acme: Tenant) -> Client:
    """A member who reads costs, signed in."""
    return sign_in(acme, "analyst")


def half_way(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a repricing that has looked at two of five requests."""
    asked = ask(acme)
    with monkeypatch.context() as patch:
        patch.setattr(run, "TURN", timedelta(0))
        run.run_repricing(asked.pk, chunk=2)
    return asked


def test_nothing_is_said_where_nothing_was_repriced(acme: Tenant, reader: Client) -> None:
    use(acme, 2)
    page = reader.get("/costs/")
    assert 'id="repricing"' not in page.content.decode()
    assert "starts a repricing" in text(page)
    assert "Nothing was repriced lately." in text(reader.get(PATH))


def test_progress_is_shown_and_renewed_until_it_ends(
    acme: Tenant, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(acme, 5)
    know(currency="EUR")
    asked = ask(acme)
    assert "Requests without a price are about to be priced." in text(reader.get("/costs/"))
    services.cancel(asked.pk)
    asked = half_way(acme, monkeypatch)
    page = reader.get("/costs/")
    said = "2 of 5 requests looked at, 2 priced so far: 0.000000024 EUR."
    assert said in text(page)
    assert f'hx-get="{PATH}" hx-trigger="every 2s"' in page.content.decode()
    assert '<progress aria-labelledby="repricing-title"' in page.content.decode()
    part = reader.get(PATH, headers=HTMX)
    assert said in text(part)
    assert "HX-Trigger" not in part

    run.run_repricing(asked.pk)
    assert stored(asked).state == "done"
    part = reader.get(PATH, headers=HTMX)
    assert part["HX-Trigger"] == "refresh"
    assert "5 requests priced, 0.00000006 EUR." in text(part)
    assert "hx-trigger" not in part.content.decode()


def test_what_the_last_one_left_is_told_as_long_as_something_has_no_price(
    acme: Tenant, reader: Client
) -> None:
    use(acme, 3)
    use(acme, 2, model="unknown-1")
    know(currency="EUR")
    run.run_repricing(ask(acme).pk)
    said = "3 requests priced, 0.000000036 EUR; 2 had no price in the price book."
    assert said in text(reader.get("/costs/"))
    with later(timedelta(days=8)):
        assert said in text(reader.get("/costs/", {"range": "30d"}))
    know("unknown-1", currency="EUR")
    run.run_repricing(ask(acme).pk)
    assert "2 requests priced, 0.000000024 EUR." in text(reader.get("/costs/"))
    with later(timedelta(days=8)):
        assert 'id="repricing"' not in reader.get("/costs/", {"range": "30d"}).content.decode()


def test_one_that_was_stopped_says_so(acme: Tenant, reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    use(acme, 5)
    know(currency="EUR")
    services.cancel(half_way(acme, monkeypatch).pk)
    said = text(reader.get("/costs/"))
    assert "2 requests priced, 0.000000024 EUR. It was stopped before the end." in said


def test_dry_runs_are_the_operators_alone(acme: Tenant, reader: Client) -> None:
    use(acme, 2)
    know(currency="EUR")
    run.run_repricing(ask(acme, dry_run=True).pk)
    ask(acme, dry_run=True)
    assert 'id="repricing"' not in reader.get("/costs/").content.decode()


def test_of_a_repricing_of_all_only_ones_own_part_is_told(acme: Tenant, reader: Client) -> None:
    globex = make_tenant("Globex")
    use(globex, 4, model="model-of-globex")
    use(acme, 1)
    know(currency="EUR")
    know("model-of-globex", currency="USD")
    asked = ask()
    claimed = services.claim(asked.pk)
    assert claimed is not None
    parts.count(claimed, acme.organization)
    parts.count(claimed, globex.organization)
    assert "about to be priced" in text(reader.get("/costs/"))
    with system_scope():
        assert RepricingPart.objects.count() == 2
        assert services.hand_on(claimed)
    run.run_repricing(asked.pk)
    said = text(reader.get("/costs/"))
    assert "1 request priced, 0.000000012 EUR." in said
    assert "model-of-globex" not in said
    assert "4 requests priced, 0.000000048 USD." in text(sign_in(globex).get("/costs/"))


def test_one_that_does_not_concern_an_organization_is_not_told(acme: Tenant, reader: Client) -> None:
    globex = make_tenant("Globex")
    use(globex, 1)
    ask(globex)
    use(acme, 1)
    assert 'id="repricing"' not in reader.get("/costs/").content.decode()
