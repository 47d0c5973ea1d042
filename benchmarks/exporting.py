"""Write one export and say what it took (`python -m benchmarks.exporting FORMAT ORGANIZATION FROM TO`)."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import datetime

import django


def main(format_: str, organization_id: int, start: datetime, end: datetime) -> None:
    """Write it as a worker would, remove its file, and print the figures as JSON."""
    django.setup()
    from core.money import format_money
    from core.periods import Period
    from organizations.models import Organization
    from organizations.tenancy import tenant_scope
    from usage.exports import run, services
    from usage.models import Export
    from usage.queries.totals import Subject, totals

    period = Period(start, end)
    with tenant_scope(organization_id):
        organization = Organization.objects.get(pk=organization_id)
        export = Export.objects.create(
            organization=organization,
            dataset="records",
            format=format_,
            window_start=start,
            window_end=end,
            timezone=organization.timezone,
        )
    began = time.perf_counter()
    rows = run.run_export(export.pk, organization_id)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with tenant_scope(organization_id):
        export.refresh_from_db()
        found = totals(Subject(organization_id, organization.rollup_timezone), period, end)
    services.expire(export)
    expected = {
        "requests": found.requests,
        "promptTokens": found.prompt_tokens,
        "completionTokens": found.completion_tokens,
        "totalTokens": found.total_tokens,
        "cost": format_money(found.cost_nanos),
    }
    if export.sums != expected:
        raise AssertionError(f"The export adds up to {export.sums}, the totals are {expected}.")
    figures = {"rows": rows, "seconds": seconds, "peak": peak, "bytes": export.bytes}
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(datetime.fromisoformat, sys.argv[3:5]))
