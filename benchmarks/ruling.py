"""Alert rules: how long it takes to look at those of ten thousand organizations, in how many statements."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from benchmarks.figures import SHARE_OF_A_MINUTE, Figure
from benchmarks.ground import Ground, temporary_ground
from benchmarks.scale import Scale

ORGANIZATIONS: Final = 10_000
RULES: Final = 5
KEYS: Final = 2
"""Of each organization; their use is in the cubes by model as well."""
MINUTES: Final = 60
HOURS: Final = 48
DAYS: Final = 31
MODEL_BUCKETS: Final = 8
MEETING: Final = 50
"""One in so many organizations fails and spends enough for its rules to be met."""

_ORGANIZATIONS: Final = """
INSERT INTO organizations_organization (
    name, slug, timezone, rollup_timezone, currency, plan_id, created_at
)
SELECT 'Bench ' || n, 'bench-' || n, 'UTC', 'UTC', 'USD', plan.id, now()
FROM generate_series(1, %s) AS n, organizations_plan AS plan WHERE plan.slug = 'enterprise';
"""
_CREDENTIALS: Final = """
INSERT INTO organizations_credential (
    organization_id, client_id, name, environment, scopes, key_hash, key_hint, created_at
)
SELECT id, 'cl_' || substr(md5(id::text || '-' || k), 1, 20), 'Key ' || k, 'production', '{{usage:write}}',
       sha256((id::text || ' ' || k)::bytea), 'abcd', now()
FROM organizations_organization, generate_series(1, {keys}) AS k;
"""
_RULES: Final = """
INSERT INTO alerts_rule (
    id, organization_id, code, name, metric, condition, scope_kind, "window", thresholds, severity,
    least_requests, hysteresis, quiet_minutes, enabled, revision, created_at, updated_at
)
SELECT gen_random_uuid(), organization.id, '', rule.name, rule.metric, rule.condition, rule.scope, rule.span,
       rule.thresholds, 'warning', 20, 5, 60, true, 1, now(), now()
FROM organizations_organization AS organization, (VALUES
    ('Spend this month', 'cost', 'above', 'organization', 'month', '{500,800,950,1000}'::numeric[]),
    ('Requests fail', 'errorRate', 'above', 'credential', '1h', '{5,20}'),
    ('Answers take long', 'latency.p95', 'above', 'model', '1h', '{5000}'),
    ('A key is suddenly busy', 'requests', 'rises', 'credential', '24h', '{900}'),
    ('Tokens in a week', 'tokens', 'above', 'organization', '7d', '{1000000000}')
) AS rule (name, metric, condition, scope, span, thresholds);
"""
_MEASURES: Final = """
    {n}::bigint AS requests, CASE WHEN organization_id % {meeting} = 0 THEN {n} / 4 ELSE 0 END AS errors,
    0 AS executions, 0 AS failed_executions, 0 AS unpriced, {n} AS count, {n}::bigint * 80 AS prompt_tokens,
    {n}::bigint * 20 AS completion_tokens, {n}::bigint * 100 AS total_tokens, 0 AS cached_prompt_tokens,
    0 AS cache_write_tokens, 0 AS reasoning_tokens,
    {n}::bigint * CASE WHEN organization_id % {meeting} = 0 THEN 20000000 ELSE 1000 END AS cost_nanos,
    {n} AS latency_records, {n}::bigint * 250000 AS latency_us
"""
_COLUMNS: Final = (
    "requests, errors, executions, failed_executions, unpriced, count, prompt_tokens, completion_tokens, "
    "total_tokens, cached_prompt_tokens, cache_write_tokens, reasoning_tokens, cost_nanos, latency_records, "
    "latency_us"
)
_HISTOGRAM: Final = "{n} * ('1' || repeat('0', 12 * 69))::numeric"


@dataclass(frozen=True)
class Round:
    """One look at all rules."""

    seconds: float
    statements: int
    rules: int
    told: int


def measure(scale: Scale) -> list[Figure]:
    """Return which share of a minute it takes to look at every rule."""
    organizations = scale.of(ORGANIZATIONS)
    with temporary_ground() as ground, ground.admin() as admin:
        _fill(admin, organizations)
        _start(ground)
        first = _look()
        rounds = [_look() for _ in range(scale.rounds)]
    name = f"{organizations:,} organizations with {RULES} rules each"
    return [
        Figure(
            f"{name}: the first look, which tells what is met",
            SHARE_OF_A_MINUTE,
            (first.seconds / 60,),
            1.0,
            0.5,
            _behind(first),
        ),
        Figure(
            f"{name}: each look after it",
            SHARE_OF_A_MINUTE,
            tuple(one.seconds / 60 for one in rounds),
            1.0,
            0.5,
            _behind(rounds[-1]),
        ),
    ]


def _behind(one: Round) -> str:
    return (
        f"{one.seconds:.1f} s; {one.statements} statements; {one.rules:,} rules; {one.told:,} events raised"
    )


def _fill(admin: psycopg.Connection[Any], organizations: int) -> None:
    """Make organizations, their keys, rules and use; what is made is not gone through the pipeline."""
    admin.execute(_ORGANIZATIONS, [organizations])
    admin.execute(_CREDENTIALS.format(keys=KEYS))
    admin.execute(_RULES)
    for table, moments, bucket, extra in (
        ("usage_rollup_minute", MINUTES, "date_trunc('minute', now()) - {k} * interval '1 minute'", False),
        (
            "usage_rollup_quarter",
            HOURS * 4,
            "date_bin('15 minutes', now(), timestamptz '2000-01-01 00:00Z') - {k} * interval '15 minutes'",
            True,
        ),
        ("usage_rollup_day", DAYS, "(now() AT TIME ZONE 'UTC')::date - {k}", True),
    ):
        _cubes(admin, table, moments, bucket.format(k="k"), dimensional=extra)
    admin.execute("VACUUM ANALYZE")


def _cubes(
    admin: psycopg.Connection[Any], table: str, moments: int, bucket: str, *, dimensional: bool
) -> None:
    many = {"usage_rollup_minute": 2, "usage_rollup_quarter": 30, "usage_rollup_day": 2880}[table]
    measures = _MEASURES.format(n=many, meeting=MEETING)
    if not dimensional:
        admin.execute(
            f"INSERT INTO {table} (organization_id, bucket, credential_id, {_COLUMNS}) "
            f"SELECT organization_id, {bucket}, id, {measures} "
            f"FROM organizations_credential, generate_series(0, {moments - 1}) AS k"
        )
        return
    admin.execute(
        f"INSERT INTO {table} (organization_id, dimension, bucket, credential_id, value, qualifier, "
        f"{_COLUMNS}, latency_histogram) "
        f"SELECT organization_id, dimension, {bucket}, id, value, '', {measures}, "
        f"{_HISTOGRAM.format(n=many)} FROM organizations_credential, generate_series(0, {moments - 1}) AS k, "
        "(VALUES (0, ''), (1, 'large')) AS dimensions (dimension, value) "
        # Of models, only what a rule looks at.
        f"WHERE dimension = 0 OR k < {MODEL_BUCKETS}"
    )


def _start(ground: Ground) -> None:
    import django

    os.environ.update(ground.environment)
    django.setup()


def _look() -> Round:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from alerts.rules.evaluate import evaluate

    with CaptureQueriesContext(connection) as said:
        began = time.perf_counter()
        found = evaluate()
        seconds = time.perf_counter() - began
    return Round(seconds, len(said), found.rules, found.told)
