"""The price book in this process: what a call costs an organization, found without asking the database twice.

docs/rating.md says which price applies.
"""

from billing.book.process import Book, Segment, confirmed, current, forget, sheet

__all__ = ["Book", "Segment", "confirmed", "current", "forget", "sheet"]
