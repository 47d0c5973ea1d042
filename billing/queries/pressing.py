"""Which spend limits are reached, or close to it, in one cheap statement: it is asked on every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from billing.models import Enforcement
from billing.windows import QUARTER, ROLLING, windows_at

_FULL: Final = 100
_CLOSE: Final = 80

# A figure whose window has moved on since is added up again, from at most sixteen days of quarter-hours.
_PRESSING: Final = """
WITH standing AS (
  SELECT l.id, l.credential_id, l.limit_nanos, l.window_kind, l.enforcement, l.warn_at, since.start,
         CASE WHEN l.window_end > %(now)s THEN l.spent_nanos ELSE (
           SELECT coalesce(sum(b.cost_nanos), 0) FROM billing_spend_bucket b
            WHERE b.limit_id = l.id AND b.quarter >= since.start) END AS spent
    FROM billing_spend_limit l
   CROSS JOIN LATERAL (SELECT CASE WHEN l.window_end > %(now)s THEN l.window_start
                       WHEN l.window_kind = 'week' THEN %(week)s ELSE %(rolling)s END AS start) since
   WHERE l.organization_id = %(organization)s
), pressing AS (
  SELECT *, (SELECT max(share) FROM unnest(warn_at || 100::smallint) share
              WHERE spent * 100 >= share * limit_nanos) AS reached FROM standing
)
SELECT c.client_id, c.name, p.enforcement, p.reached, p.warn_at, p.spent, p.limit_nanos,
       CASE WHEN p.window_kind = 'week' THEN %(week_end)s WHEN p.spent >= p.limit_nanos THEN (
         SELECT min(w.quarter) FROM (
           SELECT b.quarter, b.cost_nanos,
                  sum(b.cost_nanos) OVER (ORDER BY b.quarter DESC) - b.cost_nanos AS rest
             FROM billing_spend_bucket b WHERE b.limit_id = p.id AND b.quarter >= p.start) w
          WHERE w.cost_nanos > 0 AND w.rest < p.limit_nanos) + %(kept)s END
  FROM pressing p LEFT JOIN organizations_credential c ON c.id = p.credential_id
 WHERE p.reached IS NOT NULL
 ORDER BY p.enforcement = 'pause' AND p.reached = 100 DESC, p.credential_id IS NULL DESC,
       p.spent / p.limit_nanos DESC, p.id
"""


@dataclass(frozen=True, slots=True)
class Pressing:
    """A limit of which at least one share is reached; the organization's has no ``client_id``.

    ``reached`` is the largest share, 100 for the whole; ``is_close`` tells whether that is urgent.
    ``resets_at`` is when a reached limit opens again if nothing more is spent, or its week ends.
    Units: nanos; ``reached`` in per cent.
    """

    client_id: str | None
    name: str | None
    pauses: bool
    reached: int
    is_close: bool
    spent_nanos: int
    limit_nanos: int
    resets_at: datetime | None

    @property
    def is_paused(self) -> bool:
        """Whether calls are refused."""
        return self.pauses and self.reached == _FULL


def pressing(organization_id: int, *, timezone: str, now: datetime) -> list[Pressing]:
    """Return the limits that are paused, then those beyond a share that is warned of, the fullest first.

    Tenancy: call in the tenant's scope.
    """
    windows = windows_at(now, timezone)
    given: dict[str, Any] = {
        "organization": organization_id,
        "now": now,
        "week": windows.week.start,
        "week_end": windows.week.end,
        "rolling": windows.rolling.start,
        "kept": QUARTER + ROLLING,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PRESSING, given)
        return [_pressing(*row) for row in cursor.fetchall()]


def is_close(reached: int, warn_at: Sequence[int]) -> bool:
    """Tell whether a share of a limit is urgent: 80, the last warning, or the last but one of three and more.

    Units: per cent.
    """
    late = sorted(warn_at)[1:][-2:] or warn_at
    return reached >= min([_CLOSE, *late])


def _pressing(
    client_id: str | None,
    name: str | None,
    enforcement: str,
    reached: int,
    warn_at: list[int],
    spent: int,
    limit: int,
    resets_at: datetime | None,
) -> Pressing:
    return Pressing(
        client_id,
        name,
        enforcement == Enforcement.PAUSE,
        reached,
        is_close(reached, warn_at),
        int(spent),
        int(limit),
        resets_at,
    )
