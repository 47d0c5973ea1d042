"""Every page of the portal by night: nothing that axe, a narrow window or the browser complains of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.walking import furnish, walk
from tests.usage.factories import Tenant

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_every_page_is_accessible_and_fits(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page(theme="dark")
    visit.sign_in(used, user=furnish(used))
    assert list(walk(visit, used)) == []
