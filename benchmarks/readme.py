"""Putting figures into the README, each suite's between marks of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine

README = Path(__file__).parent / "README.md"


def write(suite: str, found: str) -> None:
    """Replace the figures of one suite, with when and on what they were measured.

    Raises: ValueError when the README has no place for them.
    """
    text = README.read_text()
    begin, end = f"<!-- {suite}: begin -->\n", f"<!-- {suite}: end -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"{README} has no place for {suite}")
    when = datetime.now(UTC).strftime("%-d %B %Y")
    README.write_text(
        f"{before}{begin}\nMeasured on {when}: {machine.describe()}.\n\n{found}\n\n{end}{after}"
    )
