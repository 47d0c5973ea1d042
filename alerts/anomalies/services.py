"""Looking for anomalies in an organization's last hour."""

from datetime import datetime
from typing import Final

from alerts.anomalies import queries
from alerts.anomalies.baseline import judge
from alerts.anomalies.findings import Driver, Finding, drivers
from organizations.models import Organization
from organizations.tenancy import tenant_scope
from usage.queries.facets import Facet
from usage.queries.metrics import METRICS, Metric
from usage.queries.totals import Subject

WATCHED: Final = ("requests", "errors", "tokens", "cost")
_FACETS: Final = {"credential": Facet.CLIENT, "model": Facet.MODEL}


def detect(organization_id: int, at: datetime) -> list[Finding]:
    """Return what was unusual in the last hour that was over at a moment, the most unusual first.

    Tenancy: opens the tenant's scope.
    Concurrency: two statements where nothing is unusual, and two more for each metric that is.
    """
    with tenant_scope(organization_id):
        timezone = Organization.objects.values_list("rollup_timezone", flat=True).get(pk=organization_id)
        return detect_for(Subject(organization_id, timezone), at)


def detect_for(subject: Subject, at: datetime) -> list[Finding]:
    """Return what was unusual in the last hour of an organization, or of one credential of it.

    Tenancy: call in the tenant's scope.
    """
    metrics = [METRICS[name] for name in WATCHED]
    hour = queries.hour_before(at)
    found = queries.hours(subject, metrics, hour)
    requests = sum(found.series(METRICS["requests"]))
    findings = [_finding(subject, metric, found, requests) for metric in metrics]
    unusual = [finding for finding in findings if finding is not None]
    return sorted(unusual, key=lambda finding: -finding.anomaly.score)


def _finding(subject: Subject, metric: Metric, hours: queries.Hours, requests: float) -> Finding | None:
    series = hours.series(metric)
    # Errors are counted one by one, tokens and cost come by the request.
    grain = max(sum(series) / requests, 1.0) if requests else 1.0
    anomaly = judge(series[:-1], series[-1], grain)
    if anomaly is None:
        return None
    driving: list[Driver] = []
    for kind, facet in _FACETS.items():
        parts = queries.parts(subject, metric, hours.hour, facet)
        driving += drivers(kind, parts, anomaly)
    return Finding(metric.name, hours.hour, anomaly, tuple(driving))
