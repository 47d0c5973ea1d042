"""The script that draws charts: Vega, Vega-Lite and Vega-Embed, put together from an installed package."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

import vl_convert
from django.conf import settings

NAME: Final = "generated/vega.js"
# The bundle's own names stay inside: only what charts.js calls becomes global.
SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


def path() -> Path:
    """Return where the script is kept among the static files."""
    return Path(settings.BASE_DIR) / "static" / NAME


def build() -> bool:
    """Write the script unless the installed version has made it already; return whether it was written.

    Concurrency: whoever reads meanwhile sees the old file or the new one, whole.
    """
    target, mark = path(), f"/* vl-convert {version('vl-convert-python')} */\n"
    if _begins_with(target, mark):
        return False
    bundle = vl_convert.javascript_bundle(SNIPPET)
    _replace(target, f"{mark}(() => {{{bundle}\n}})();\n")
    return True


def _begins_with(target: Path, mark: str) -> bool:
    try:
        with target.open(encoding="utf-8") as file:
            return file.read(len(mark)) == mark
    except FileNotFoundError:
        return False


def _replace(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".vega-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh = Path(name)
    fresh.chmod(0o644)
    fresh.replace(target)
