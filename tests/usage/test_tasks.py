"""What the worker does on schedule."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from config.celery import app
from core import clock
from organizations.services import set_timezone
from organizations.tenancy import system_scope
from tests.usage.factories import Tenant, at, record
from usage import tasks

pytestmark = pytest.mark.django_db


def scalar(sql: str) -> int:
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def test_everything_scheduled_is_a_task_of_ours(settings: Settings) -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert "usage.tasks.fold_pending" in scheduled


def test_folding_empties_what_is_pending_and_says_how_much_that_was(acme: Tenant) -> None:
    acme.api.keep(record("a"), record("b"))
    assert scalar("SELECT count(*) FROM usage_pending") == 2
    assert [tasks.fold_pending(), tasks.fold_pending()] == [2, 0]
    assert scalar("SELECT count(*) FROM usage_pending") == 0
    assert scalar("SELECT sum(requests) FROM usage_rollup_day WHERE dimension = 0") == 2


def test_partitions_of_the_coming_weeks_are_made_once() -> None:
    tasks.make_partitions()
    assert tasks.make_partitions() == 0
    assert scalar("SELECT count(*) FROM usage_partition_weeks() AS week WHERE week > current_date") >= 4


def test_days_follow_an_organization_that_moved(acme: Tenant) -> None:
    late = clock.now().replace(hour=23, minute=30) - timedelta(days=2)
    acme.api.keep(record("late", timestamp=at(late)))
    tasks.fold_pending()
    set_timezone(organization_id=acme.id, timezone="Asia/Kathmandu")
    assert [tasks.align_days(), tasks.align_days()] == [1, 0]
    day = f"date '{(late + timedelta(days=1)).date()}'"
    assert scalar(f"SELECT requests FROM usage_rollup_day WHERE dimension = 0 AND bucket = {day}") == 1
    assert tasks.verify_rollups() == 0


def test_a_cube_that_differs_is_reported(acme: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    acme.api.keep(record("a"))
    tasks.fold_pending()
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("UPDATE usage_rollup_day SET requests = 7 WHERE dimension = 0")
    assert tasks.verify_rollups() == 1
    assert any("rollups differ" in str(entry.msg) for entry in caplog.records)


def test_what_no_plan_entitles_to_any_more_is_dropped(acme: Tenant) -> None:
    assert tasks.drop_expired() == 0
