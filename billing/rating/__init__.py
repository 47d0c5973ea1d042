"""What use costs under a price: exact, in whole numbers, without a database, a clock or settings.

`cost` says what a call costs, `lines` of what that is made up, `units`
and `calls` how much a budget buys.
docs/rating.md shows worked tables.
"""

from billing.rating.formula import Sheet, cost
from billing.rating.inverse import calls, one, units
from billing.rating.lines import Line, lines
from billing.rating.rates import Rate
from billing.rating.usage import Usage, Used

__all__ = ["Line", "Rate", "Sheet", "Usage", "Used", "calls", "cost", "lines", "one", "units"]
