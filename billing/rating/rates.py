"""A rate: what so many units of a meter cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """What ``per`` units of a meter cost, for calls of more than ``above`` prompt tokens.

    Beyond the threshold the rate holds for the whole call, not only for what exceeds it. A rate that
    holds from the start has the threshold 0.
    Units: nanos for ``per`` units.
    """

    meter: str
    amount_nanos: int
    per: int
    above: int = 0

    def __post_init__(self) -> None:
        """Refuse what no price can be.

        Raises: ValueError.
        """
        if not self.meter or self.amount_nanos < 0 or self.per < 1 or self.above < 0:
            raise ValueError(f"not a rate: {self}")
