"""One call of the demo: how long it took, how much it used, and whether it failed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, Final

from core.money import NANOS, format_money
from core.periods import Period
from usage.demo.cast import Stream
from usage.demo.catalogue import TRYING_OUT, UPSTREAM_DOWN, USUAL, Failure, Model, Ways
from usage.demo.rhythm import utc_text
from usage.dialects.plain import RecordIn, Tokens

STRICKEN: Final = "openai"
"""Whose models are all but down during the incident."""

_DOWN: Final = 0.62
_DOWN_SLOWNESS: Final = 5.5
_QUOTA_NANOS: Final = NANOS // 500_000
_CREDIT_NANOS: Final = NANOS // 1_000
_CREDIT_STEP: Final = Decimal("0.001")
_MAX_LATENCY_MS: Final = 120_000.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much a call asks for and gets."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0
    pages: int = 0


class Caller:
    """Makes the calls of one stream, the same for the same random numbers."""

    def __init__(self, stream: Stream, client_id: str, incident: Period, random: Random) -> None:
        self.stream = stream
        self.random = random
        self._client_id = client_id
        self._incident = incident
        self._models = [model for model, _ in stream.models]
        self._weights = [weight for _, weight in stream.models]
        self._usual: Ways = USUAL if stream.failing == 1 else (*USUAL, *TRYING_OUT)

    def model(self) -> Model:
        """Return the model that a visit is served by."""
        return self.random.choices(self._models, self._weights)[0]

    def id(self, prefix: str) -> str:
        """Return a new id of something."""
        return f"{prefix}_{self.random.getrandbits(64):016x}"

    def call(
        self, moment: datetime, model: Model, size: Size, quantities: dict[str, int], **fields: Any
    ) -> RecordIn:
        """Return the record of a call."""
        failure = self._failure(moment, model)
        latency = self._latency_ms(moment, model, size)
        common: dict[str, Any] = {
            "id": self.id("req"),
            "timestamp": utc_text(moment),
            "client_id": self._client_id,
            "model": model.name,
            "provider": model.provider,
            **fields,
        }
        if failure is not None:
            return self._failed(failure, latency, size, common)
        nanos = model.cost_nanos(
            prompt=size.prompt, cached=size.cached, completion=size.completion, pages=size.pages
        )
        return RecordIn(
            **common,
            status_code=200,
            latency_ms=latency,
            tokens=_tokens(size),
            quantities=_amounts(quantities, nanos),
        )

    def _failed(self, failure: Failure, latency: float, size: Size, common: dict[str, Any]) -> RecordIn:
        if failure.latency_ms is not None:
            latency = _rounded(failure.latency_ms * self.random.lognormvariate(0, 0.2))
        return RecordIn(
            **common,
            status="error",
            status_code=failure.status_code,
            error_type=failure.error_type,
            latency_ms=latency,
            tokens=Tokens(prompt=size.prompt) if size.prompt else None,
            # Its provider does not charge for it, whatever the price of its tokens.
            cost=format_money(0),
        )

    def _failure(self, moment: datetime, model: Model) -> Failure | None:
        likelihood, ways = model.failing * self.stream.failing, self._usual
        if self._is_down(moment, model):
            likelihood, ways = _DOWN, UPSTREAM_DOWN
        if self.random.random() >= likelihood:
            return None
        return self.random.choices([failure for failure, _ in ways], [weight for _, weight in ways])[0]

    def _latency_ms(self, moment: datetime, model: Model, size: Size) -> float:
        typical = model.latency_ms * max(size.pages, 1) ** 0.6 + size.completion * model.token_ms
        slowness = _DOWN_SLOWNESS if self._is_down(moment, model) else 1.0
        return _rounded(typical * slowness * self.random.lognormvariate(0, model.spread))

    def _is_down(self, moment: datetime, model: Model) -> bool:
        return model.provider == STRICKEN and moment in self._incident


def _rounded(latency_ms: float) -> float:
    return round(min(latency_ms, _MAX_LATENCY_MS), 1)


def _tokens(size: Size) -> Tokens | None:
    if not size.prompt:
        return None
    return Tokens(
        prompt=size.prompt,
        completion=size.completion,
        cached_prompt=size.cached or None,
        reasoning=size.reasoning or None,
    )


def _amounts(quantities: dict[str, int], nanos: int) -> dict[str, int | Decimal]:
    amounts: dict[str, int | Decimal] = dict(quantities)
    amounts["quota"] = Decimal(nanos // _QUOTA_NANOS)
    amounts["credits"] = (Decimal(nanos) / _CREDIT_NANOS).quantize(_CREDIT_STEP)
    return amounts
