"""The registry of what a process counts of itself, for the operator's metrics.

Processes count in files that they share if ``PROMETHEUS_MULTIPROC_DIR`` was set when they began, else each
in its own memory.
"""

from typing import Final

from prometheus_client import CollectorRegistry

REGISTRY: Final = CollectorRegistry()
