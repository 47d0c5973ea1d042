"""How much something matters."""

from django.db import models


class Severity(models.TextChoices):
    """How much an event matters."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"
