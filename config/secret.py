"""The secret key of a development start: made once, kept beside the data, never in the sources."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FILE = "secret_key"


def development_key(data: Path) -> str:
    """Return the key kept in `data`, making it on first use.

    Concurrency: of several processes that start at once one writes it; the file appears complete.
    """
    path = data / FILE
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
