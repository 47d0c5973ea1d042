"""Charts as Vega-Lite specifications. Their colours and sizes are the page's, or whoever draws them."""

from portal.charts.daily import SHAPES, Day, daily
from portal.charts.donut import Slice, donut
from portal.charts.forecast import Coming, Past, forecast
from portal.charts.heat import heat
from portal.charts.level import Level, Mark, level
from portal.charts.series import Bucket, Series, series

__all__ = [
    "SHAPES",
    "Bucket",
    "Coming",
    "Day",
    "Level",
    "Mark",
    "Past",
    "Series",
    "Slice",
    "daily",
    "donut",
    "forecast",
    "heat",
    "level",
    "series",
]
