"""Charts as Vega-Lite specifications. Their colours and sizes are the page's, or whoever draws them."""

from portal.charts.daily import SHAPES, Day, daily
from portal.charts.donut import Slice, donut
from portal.charts.heat import heat
from portal.charts.level import Level, level
from portal.charts.series import Bucket, Series, series

__all__ = ["SHAPES", "Bucket", "Day", "Level", "Series", "Slice", "daily", "donut", "heat", "level", "series"]
