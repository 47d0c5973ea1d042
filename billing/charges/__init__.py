"""What records cost, item by item: the one reading that invoices and cost files are made of.

`read` goes through the records of a window once, whatever their number, and says of each what its cost is
made up of. The costs of a record's items add up to the record's.
"""

from billing.charges.items import Item, Sums
from billing.charges.reading import Charged, read

__all__ = ["Charged", "Item", "Sums", "read"]
