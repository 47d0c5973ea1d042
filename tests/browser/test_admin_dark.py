"""The operator's admin by night: no page that axe or the browser's console complains of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.operating import look_everywhere

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_every_page_is_accessible(transactional_db: None, open_page: Callable[..., Visit]) -> None:
    assert look_everywhere(open_page(theme="dark"), at_one_width=True) == []
