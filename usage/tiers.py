"""The service tiers that a call can be made in."""

from django.db import models


class Tier(models.TextChoices):
    """How a provider served a call, which may change what it costs."""

    STANDARD = "standard", "Standard"
    BATCH = "batch", "Batch"
    PRIORITY = "priority", "Priority"
    FLEX = "flex", "Flex"
