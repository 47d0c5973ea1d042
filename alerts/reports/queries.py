"""Reading reports; each read takes the organization first."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from alerts.models import Report, ReportRecipient
from core.problems import not_found


def reports(organization_id: int, *, limit: int, offset: int = 0) -> tuple[list[Report], int]:
    """Return reports with their recipients, newest first, and how many there are in all."""
    found = Report.objects.filter(organization_id=organization_id)
    page = with_recipients(found).order_by("-created_at", "-pk")[offset : offset + limit]
    return list(page), found.count()


def report(organization_id: int, report_id: UUID) -> Report:
    """Return one report with its recipients.

    Raises: `Problem` 404.
    """
    mine = Report.objects.filter(organization_id=organization_id, pk=report_id)
    return _one(with_recipients(mine).first())


def locked_report(organization_id: int, report_id: UUID) -> Report:
    """Return one report, held until the transaction ends.

    Raises: `Problem` 404.
    """
    found = Report.objects.select_for_update(no_key=True)
    return _one(found.filter(organization_id=organization_id, pk=report_id).first())


def with_recipients(found: QuerySet[Report]) -> QuerySet[Report]:
    """Have the recipients read along, members by their addresses before channels by their names."""
    recipients = ReportRecipient.objects.select_related("membership__user", "channel")
    ordered = recipients.order_by("membership__user__email", "channel__name", "pk")
    return found.prefetch_related(Prefetch("recipients", queryset=ordered))


def _one(found: Report | None) -> Report:
    if found is None:
        raise not_found("There is no such report.")
    return found
