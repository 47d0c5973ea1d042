"""The stage of the ingest pipeline that counts what is stored against the limits."""

from typing import Final

import msgspec

from billing.windows import windows_at
from usage.batch import Batch
from usage.pipeline import Stage, Then

_ENCODER: Final = msgspec.json.Encoder()


class Charge(Stage):
    """Adds the costs of the stored records to what was spent, and settles the reservations they name.

    The last of the stages: what it holds stays held until the transaction ends.
    """

    def then(self, batch: Batch) -> Then:
        """Have what was stored charged; see billing_charge_stored."""
        windows = windows_at(batch.received_at, batch.caller.timezone)
        note = {"moment": batch.received_at, "windows": windows.bounds}
        return Then("billing_charge_stored", _ENCODER.encode(note).decode())
