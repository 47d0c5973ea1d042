"""The records, as the ORM sees them. Their tables, and those of the rollups, are made by the SQL in ``sql/``.

Nothing is written through these models: records come in through the pipeline, and no one changes them.
"""

from typing import Any, NoReturn

from django.db import models

from organizations.models import Credential, Organization


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
