"""The records, as the ORM sees them, the exports of them, and the imports of files.

The tables of records and rollups are made by the SQL in ``sql/``. Nothing is written through `Record`:
records come in through the pipeline, and no one changes them.
"""

import uuid
from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q

from core import clock
from organizations.models import Credential, Organization, User


class Record(models.Model):
    """One call of the platform: immutable, unique by its key, partitioned by the week of ``occurred_at``.

    Units: ``latency_us`` microseconds, ``cost_nanos`` nanos of the organization's currency or None.
    Tenancy: row-level security shows only the tenant's.
    """

    key = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, models.DO_NOTHING, db_constraint=False, related_name="+")
    credential = models.ForeignKey(Credential, models.DO_NOTHING, db_constraint=False, related_name="+")
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    record_id = models.TextField("id", db_column="id")
    type = models.TextField()
    count = models.BigIntegerField()
    succeeded = models.BooleanField()
    execution = models.BooleanField()
    status_code = models.SmallIntegerField(null=True)
    error_type = models.TextField(null=True)
    endpoint = models.TextField(null=True)
    capability = models.TextField(null=True)
    model = models.TextField(null=True)
    provider = models.TextField(null=True)
    service_tier = models.TextField(null=True)
    prompt_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    total_tokens = models.BigIntegerField(null=True)
    cached_prompt_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    latency_us = models.BigIntegerField(null=True)
    cost_nanos = models.BigIntegerField(null=True)
    price_id = models.BigIntegerField(null=True)
    reservation_id = models.TextField(null=True)
    links = models.JSONField(null=True)
    quantities = models.JSONField(null=True)
    meta = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "usage_record"
        verbose_name = "usage record"

    def __str__(self) -> str:
        return self.record_id

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: records come in through the pipeline and never change."""
        raise TypeError("usage records are immutable")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: only retention removes records, whole partitions at a time."""
        raise TypeError("usage records are immutable")


class ExportState(models.TextChoices):
    """How far an export has come."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


class Export(models.Model):
    """A file that was asked for: of what, for whom, and how far it has come.

    ``attempts`` counts the workers that began it: what is written on behalf of an earlier one is refused.
    Units: the window is half-open; ``bytes`` the file's size; ``sums`` by column, money as decimal strings.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    dataset = models.CharField(max_length=40)
    format = models.CharField(max_length=20)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    timezone = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True)
    rows_done = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(null=True)
    sums = models.JSONField(null=True)
    file = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    credential = models.ForeignKey(Credential, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["organization", "created_at", "id"], name="export_listing"),
            models.Index(
                fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="export_unfinished"
            ),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="export_expiring"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(state__in=ExportState.values), name="export_state_known"),
            models.CheckConstraint(
                condition=Q(window_end__gte=F("window_start")), name="export_window_ordered"
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(heartbeat_at__isnull=False, attempts__gt=0),
                name="export_running_is_alive",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | (Q(bytes__isnull=False, sums__isnull=False, expires_at__isnull=False) & ~Q(file="")),
                name="export_done_has_file",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed", "expired"]) | Q(finished_at__isnull=False),
                name="export_end_has_moment",
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset} as {self.format}"


class ImportState(models.TextChoices):
    """How far an import has come; a draft waits for somebody to say what its columns are."""

    DRAFT = "draft", "Draft"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Import(models.Model):
    """A file that was uploaded: how it is to be read, how far that has come, and what became of its lines.

    ``attempts`` counts the workers that began it: what is written on behalf of an earlier one is refused.
    ``accepted`` counts over all of them, each record once; ``duplicates`` and ``rejected`` are of the last.
    ``first_at`` and ``last_at`` are the moments of the first and the last record that it accepted.
    Shape: ``chosen`` as `usage.imports.jobs.choice.Choice` reads it; ``refusals`` the first refused lines,
    each as line, column, field and reason; ``beyond`` members that were left out though nobody chose to.
    Units: ``size`` and ``read`` are bytes of the file as it was uploaded.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    file = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField()
    chosen = models.JSONField()
    timezone = models.CharField(max_length=64, default="UTC")
    credential = models.ForeignKey(Credential, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=ImportState.choices, default=ImportState.DRAFT)
    attempts = models.PositiveSmallIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    refusals = models.JSONField(default=list)
    refusals_file = models.CharField(max_length=200, blank=True)
    beyond = models.JSONField(default=list)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["organization", "created_at", "id"], name="import_listing"),
            models.Index(
                fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="import_unfinished"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="import_expiring"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["draft", "queued", "running"]) | ~Q(file=""),
                name="import_ahead_has_file",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(heartbeat_at__isnull=False, attempts__gt=0),
                name="import_running_is_alive",
            ),
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(expires_at__isnull=False), name="import_draft_expires"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed", "cancelled"]) | Q(finished_at__isnull=False),
                name="import_end_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(first_at__isnull=True, last_at__isnull=True)
                | Q(first_at__isnull=False, last_at__isnull=False, last_at__gte=F("first_at")),
                name="import_moments_ordered",
            ),
        )

    def __str__(self) -> str:
        return self.name
