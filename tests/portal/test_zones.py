"""A page that tells the time of day of anything names the zone that it is told in."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from tests.browser.walking import addresses, furnish
from tests.portal.pages import signed_in
from tests.usage.factories import NOW, Tenant, at, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

MOMENT: Final = re.compile(r"\b\d\d:\d\d\b")
ZONE: Final = "Europe/Berlin, UTC+02:00"
FILLED_IN: Final = {"limit-trial": {"limit": "0.5"}}
"""What a page is asked for to show what it has."""


@pytest.fixture
def quiet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is done by whom the test says, not told to others."""
    monkeypatch.setattr("billing.repricings.run.EVERY_SECONDS", 3600.0)
    monkeypatch.setattr("billing.repricings.sweep.enqueue", lambda repricing_id: True)


def main_of(response: Any) -> str:
    """Return the words of what a page is about, without those of its choices and of the strip above it."""
    assert response.status_code == 200, response.status_code
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    told = re.sub(r"<(script|select|svg)\b.*?</\1>|<div id=.strip.*?</div>", " ", main, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", told).split())


def test_a_page_with_times_names_their_zone(acme: Tenant, quiet: None) -> None:
    acme.api.keep(record("1-1", timestamp=at(NOW), cost="1", tokens={"prompt": 5}))
    fold_pending()
    reader = signed_in(furnish(acme))
    pages = addresses(acme)
    told = {
        name: main_of(reader.get(path, {"organization": "acme", **FILLED_IN.get(name, {})}, follow=True))
        for name, path in pages.items()
    }
    timed = {name for name, words in told.items() if MOMENT.search(words.replace(ZONE, ""))}
    assert not {name: pages[name] for name in timed if ZONE not in told[name]}
    assert timed > {"members", "exports", "record", "delivery", "limit-trial", "imports"}
