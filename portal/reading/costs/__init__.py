"""What the Costs page shows."""

from portal.reading.costs.causes import DIMENSIONS, SORTS
from portal.reading.costs.page import CostsPage, read

__all__ = ["DIMENSIONS", "SORTS", "CostsPage", "read"]
