"""Values that the records have and that questions ask for."""

from typing import Final

ELSEWHERE: Final = "elsewhere-only"
"""The model of three records in ten of every other organization, and of eight of the large one's."""
