"""Who a report is sent to."""

from django.db.models import Q, QuerySet

from alerts.models import Report, ReportRecipient


def active(report: Report) -> QuerySet[ReportRecipient]:
    """Return those who get a report: nobody who unsubscribed or was shut out, no channel that is disabled."""
    wanted = ReportRecipient.objects.filter(report=report, unsubscribed_at=None)
    reachable = Q(channel__enabled=True) | Q(membership__user__is_active=True)
    return wanted.filter(reachable).select_related("channel", "membership__user").order_by("pk")
