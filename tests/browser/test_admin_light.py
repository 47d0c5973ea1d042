"""The operator's admin by day: no page that axe, a narrow window or the browser's console complains of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.operating import look_everywhere

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_every_page_is_accessible_and_fits(transactional_db: None, open_page: Callable[..., Visit]) -> None:
    assert look_everywhere(open_page(theme="light")) == []
