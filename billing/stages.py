"""The stages of the ingest pipeline that this room provides."""

from typing import Final

from billing import book
from usage.batch import Batch
from usage.pipeline import Stage, Then

BOOK: Final = "price book"
MAX_COST_NANOS: Final = 10**15


class Rate(Stage):
    """Gives each row without a cost the one that the price book says; what has no price stays without."""

    def prepare(self, batch: Batch) -> None:
        known = book.current()
        batch.rests_on[BOOK] = known.version
        tenant = known.tenant(batch.caller.organization_id, batch.caller.currency)
        entries, entry_of = tenant.entries, tenant.entry
        for row in batch.rows:
            if row.cost_nanos is not None:
                continue
            names = (row.provider, row.model, row.service_tier)
            entry = entries.get(names) or entry_of(names)
            segment = entry.at(row.occurred_at)
            if segment.formula is not None:
                cost_nanos = segment.formula(row)
                # What no record may cost is no price, but a fault of the quantities.
                if cost_nanos <= MAX_COST_NANOS:
                    row.cost_nanos = cost_nanos
                    row.price_id = segment.price_id

    def renew(self, batch: Batch) -> None:
        """Rate the rows again: the book has changed since."""
        if book.current().version == batch.rests_on[BOOK]:
            book.forget()
        for row in batch.rows:
            if row.price_id is not None:
                row.cost_nanos = row.price_id = None
        self.prepare(batch)

    def then(self, batch: Batch) -> Then:
        """Have the book held as it is until the transaction ends, or the batch rated again."""
        return Then("billing_confirm_rated", str(batch.rests_on[BOOK]))
