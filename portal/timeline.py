"""Lists in order of time, as the addresses of their pages ask for them: newest first, or turned round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from core.paging import (
    ORDERS,
    CursorPage,
    Position,
    decode_cursor,
    encode_cursor,
    fingerprint,
    place,
    position,
)
from core.params import Params
from portal.showing import Showing
from portal.tables import Column

NAMES: Final = ("order", "cursor")
"""The parameters of a page with one list in order of time."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Which way round a list is, and where its page begins.

    ``here`` writes the page's address with all else that is chosen there, which ``mark`` ties cursors to;
    ``name`` is the parameter of the order.
    """

    here: Callable[..., str]
    mark: str
    name: str
    order: str
    cursor: str | None

    @property
    def descending(self) -> bool:
        """Whether the newest comes first."""
        return self.order == "desc"

    @property
    def kept(self) -> dict[str, str]:
        """The parameters that keep the order; newest first is what there is without any."""
        return {} if self.descending else {self.name: self.order}

    @property
    def said(self) -> str:
        """The order in words."""
        return "Newest first" if self.descending else "Oldest first"

    @property
    def other(self) -> str:
        """The other order in words."""
        return "Oldest first" if self.descending else "Newest first"

    @property
    def turned(self) -> str:
        """Where the list is the other way round, from its beginning."""
        return self.here(**({self.name: "asc"} if self.descending else {}))

    @property
    def after(self) -> Position | None:
        """Where the page before this one ended.

        Raises: `Problem` 400 for a cursor of the other order, of other filters or of another list.
        """
        return None if self.cursor is None else position(decode_cursor(self.cursor, self.mark))

    def at(self, **parameters: str) -> str:
        """Return the page's address in this order, with other parameters; an empty one is taken away."""
        return self.here(**self.kept, **parameters)

    def page(self, take: int) -> CursorPage:
        """Return what to ask for a page of so many."""
        return CursorPage(take, self.order, self.cursor)

    def column(self, label: str = "Time") -> Column:
        """Return the column of the time, whose heading turns the list round."""
        return Column(label, url=self.turned, sorted="descending" if self.descending else "ascending")

    def following(self, last: Position | None) -> str | None:
        """Return the cursor of the page after a position."""
        return None if last is None else encode_cursor(place(*last), self.mark)

    def context(self, following: str | None) -> dict[str, Any]:
        """Return what templates need of the list, with the ways to its first page and to the next one."""
        return {
            "timeline": self,
            "here": self.at(),
            "newest": "" if self.cursor is None else self.at(),
            "older": "" if following is None else self.at(cursor=following),
            "first_label": "Newest" if self.descending else "Oldest",
            "next_label": "Older" if self.descending else "Newer",
        }


def of_api(page: CursorPage) -> dict[str, str]:
    """Return the same page as parameters of the API."""
    order = {} if page.descending else {"order": page.order}
    cursor = {} if page.cursor is None else {"cursor": page.cursor}
    return {"take": str(page.take), **order, **cursor}


def read(
    params: Params, showing: Showing, own: Mapping[str, str] | None = None, *, name: str = "order"
) -> Timeline:
    """Read the order and the cursor of a list; ``own`` are the other parameters of its page.

    Raises: `Problem` 400 naming what the order can be.
    """
    own = own or {}
    order = params.choice(name, ORDERS, "desc")
    tied_to = {"page": showing.name, "of": showing.caller.organization_id, "own": own, "order": order}
    return Timeline(
        here=partial(showing.here, **own),
        mark=fingerprint(tied_to),
        name=name,
        order=order,
        cursor=params.text("cursor", max_length=4096),
    )
