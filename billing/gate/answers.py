"""What the gate answers: a permission, or the problem that says why not and until when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from billing.services.authorize import Ask, Decided, Verdict
from billing.services.reservations import format_reservation
from core.moments import format_moment
from core.money import format_money
from core.problems import Problem, forbidden


@dataclass(frozen=True, slots=True)
class Permission:
    """A call may go ahead.

    ``verdict`` is None where the database could not be asked, and the settings let the call through.
    """

    client_id: str | None
    organization: str
    currency: str
    ask: Ask
    verdict: Verdict | None

    def as_dict(self) -> dict[str, Any]:
        """Return the permission as it is answered."""
        decided = self.verdict.decided if self.verdict else None
        held = self.verdict is not None and self.verdict.reservation is not None
        return {
            "allowed": True,
            "clientId": self.client_id,
            "reservationId": self.reservation_id,
            "held": format_money(self.ask.amount_nanos) if held else None,
            "expiresAt": format_moment(self.ask.moment + self.ask.ttl) if held else None,
            "checked": decided is not None,
            **_figures(decided, self.currency),
        }

    @property
    def reservation_id(self) -> str | None:
        """The reservation that holds the amount, by the id that clients know."""
        reservation = self.verdict.reservation if self.verdict else None
        return None if reservation is None else format_reservation(reservation)

    @property
    def remaining(self) -> str | None:
        """What is left, where there is a limit."""
        decided = self.verdict.decided if self.verdict else None
        if decided is None or decided.remaining_nanos is None:
            return None
        return format_money(int(decided.remaining_nanos))


def refusal(decided: Decided, client_id: str | None, currency: str, now: datetime) -> Problem:
    """Return the problem of a call that may not go ahead."""
    if decided.reason == "revoked":
        return forbidden("This credential has been revoked.", code="credential_revoked")
    code, text = _REASONS[decided.reason or ""]
    whose = "organization" if decided.whole else "credential"
    figures = _figures(decided, currency)
    detail = text.format(
        whose="The organization's" if decided.whole else "This credential's",
        limit=figures["limit"],
        remaining=figures["remaining"],
        currency=currency,
    )
    headers = {}
    if decided.until is not None:
        headers["Retry-After"] = str(max(1, -int((now - decided.until).total_seconds() // 1)))
    return Problem(
        status=402,
        code=code,
        detail=detail,
        headers=headers,
        members={
            "clientId": client_id,
            "scope": whose,
            **figures,
            "resetsAt": None if decided.until is None else format_moment(decided.until),
        },
    )


_FIGURES: Final = ("limit", "spent", "reserved", "remaining")
"""The amounts of a decision, by their names on the wire."""
_REASONS: Final = {
    "reached": ("spend_limit_reached", "{whose} spend limit of {limit} {currency} is reached."),
    "full": (
        "spend_limit_full",
        "{whose} spend limit of {limit} {currency} has only {remaining} left that is neither spent nor held.",
    ),
    "unpriced": (
        "unpriced_model",
        "{whose} spend limit can't count this call: its model has no price. Send an estimatedCost.",
    ),
}


def _figures(decided: Decided | None, currency: str) -> dict[str, Any]:
    figures = decided[4:8] if decided is not None else (None,) * 4
    written = (None if nanos is None else format_money(int(nanos)) for nanos in figures)
    return {"currency": currency, **dict(zip(_FIGURES, written, strict=True))}
