"""The FOCUS exports: a row for each day, credential and item that was charged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from billing.charges import Charged, Sums, read
from billing.focus.rows import Account, Charge, SubAccount, columns, row
from billing.invoices.calculation import standing
from core.periods import Period, billing_period, day_bounds, local_date, zone
from organizations.models import Credential, Organization
from organizations.roles import Scope
from usage.exports.catalogue import Source
from usage.exports.columns import Batch, Column

ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Focus:
    """Charges of a window in one version of FOCUS, day by day of the organization's zone."""

    name: str
    version: str
    scope: str = Scope.BILLING_READ
    row_name: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the version."""
        return columns(self.version)

    def size(self, source: Source) -> None:
        """Return None: the rows are what adding up leaves."""

    def batches(self, source: Source) -> Iterator[Batch]:
        """Yield the charges, oldest day first; no more than a day's are held at once."""
        rows: list[tuple[Any, ...]] = []
        for charge in _Charges(source).all():
            rows.append(row(charge, self.version))
            if len(rows) == ROWS:
                yield list(zip(*rows, strict=True))
                rows = []
        if rows:
            yield list(zip(*rows, strict=True))


FOCUS: Final = Focus("focus", "1.4")
FOCUS_1_2: Final = Focus("focus-1.2", "1.2")


class _Charges:
    """The charges of a window: what is read once, and the day that is being added up."""

    def __init__(self, source: Source) -> None:
        organization = Organization.objects.get(pk=source.organization_id)
        self._source = source
        self._tz = zone(source.timezone)
        self._account = Account(
            organization.slug, organization.name, source.currency, settings.INVOICE_ISSUER[0]
        )
        found = Credential.objects.values_list("pk", "client_id", "name", "environment")
        self._sub_accounts = {pk: SubAccount(*named) for pk, *named in found}
        self._invoices = [
            (Period(start, end), number)
            for start, end, number in standing(source.organization_id).values_list(
                "period_start", "period_end", "number"
            )
        ]

    def all(self) -> Iterator[Charge]:
        day: Period | None = None
        sums: dict[int, Sums] = {}
        for charged in read(self._source.organization_id, self._source.period):
            if day is None or charged.occurred_at >= day.end:
                if day is not None:
                    yield from self._of_day(day, sums)
                day, sums = self._day(charged), {}
            sums.setdefault(charged.credential_id, Sums()).add(charged.parts)
        if day is not None:
            yield from self._of_day(day, sums)

    def _day(self, charged: Charged) -> Period:
        return day_bounds(local_date(charged.occurred_at, self._tz), self._tz)

    def _of_day(self, day: Period, sums: dict[int, Sums]) -> Iterator[Charge]:
        month, invoice = self._month(day.start)
        window = self._source.period
        asked = Period(max(day.start, window.start), min(day.end, window.end))
        for credential_id in sorted(sums):
            sub_account = self._sub_accounts.get(credential_id, SubAccount("", "", ""))
            for item, quantity, cost_nanos in sums[credential_id].parts():
                yield Charge(self._account, sub_account, asked, month, invoice, item, quantity, cost_nanos)

    def _month(self, moment: datetime) -> tuple[Period, str | None]:
        for period, number in self._invoices:
            if moment in period:
                return period, number
        return billing_period(moment, self._tz), None
