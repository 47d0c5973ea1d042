"""What is said of one thing, a name and a value at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is said; ``url`` leads to what says the same, or to what it is made of.

    ``exact`` is the value in full, where ``text`` is shortened.
    """

    label: str
    text: str
    note: str = ""
    url: str = ""
    is_code: bool = False
    exact: str = ""
