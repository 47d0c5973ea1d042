"""The stage of the ingest pipeline that burns grants down."""

from typing import Final

import msgspec

from usage.batch import Batch
from usage.pipeline import Stage, Then

_ENCODER: Final = msgspec.json.Encoder()


class Burn(Stage):
    """Takes what the stored records use of credits and quota from the organization's grants."""

    def then(self, batch: Batch) -> Then:
        """Have what was stored taken; see billing_burn_stored."""
        return Then("billing_burn_stored", _ENCODER.encode(batch.received_at).decode())
