"""What is answered before any address is looked up: middlewares, and which addresses are theirs."""

from __future__ import annotations

from typing import Final

READ: Final = ("GET", "HEAD")

PROBES: Final = ("/healthz", "/readyz")
METRICS: Final = "/metrics"
FILE: Final = "/static/portal/app.js"
NOWHERE: Final = (
    "/nothing-here/",
    "/media/",
    "/files/",
    "/static/nothing.js",
    "/api/nothing",
    "/api/v1/nothing",
)
"""Addresses of nothing, and of what some servers have there: files that were taken in, and others' APIs."""

ANSWERING: Final[dict[str, tuple[str, ...]]] = {
    "config.health.Probes": PROBES,
    "config.metrics.middleware.Metrics": (METRICS,),
    "config.maintenance.Maintenance": (),
    "config.middleware.DirectPaths": (
        "/api/v1/records",
        "/api/v1/authorize",
        "/api/v1/gateway/forward",
        "/api/v1/gateway/envoy/",
        "/api/v1/gateway/nginx",
    ),
    "whitenoise.middleware.WhiteNoiseMiddleware": (FILE,),
}
"""Middlewares that answer themselves, with their addresses; in maintenance it is all but those above."""

PASSING: Final = frozenset(
    {
        "config.middleware.RequestContext",
        "django.middleware.security.SecurityMiddleware",
        "csp.middleware.CSPMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "organizations.middleware.OperatorScope",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "portal.errors.FormAddresses",
    }
)
"""Middlewares that have no address of their own: they redirect, refuse or add to what others answer."""
