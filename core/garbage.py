"""How often a process looks for garbage: most of what it makes goes without that."""

import gc
from typing import Final

SELDOM: Final = (50_000, 20, 20)


def collect_seldom() -> None:
    """Look for garbage once for so many new objects, not for every 700."""
    gc.set_threshold(*SELDOM)
