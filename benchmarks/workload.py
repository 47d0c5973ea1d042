"""What is sent: realistic records of many organizations, none with an id or a moment of another."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from benchmarks import client
from benchmarks.values import MODELS, TYPES

PATH: Final = "/api/v1/records"
LATE_SHARE: Final = 0.01
LATEST: Final = timedelta(days=30)

REGIONS: Final = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
_STEP: Final = timedelta(microseconds=20)


@dataclass(frozen=True)
class Tenant:
    """An organization that sends, and the key it sends with."""

    organization_id: int
    key: str


class Workload:
    """An endless source of requests for some tenants, the first of whom sends most (Zipf).

    The same seed gives the same sizes and senders; ids and moments are new in every record.
    """

    def __init__(self, tenants: Sequence[Tenant], *, began: datetime, seed: int = 7) -> None:
        self._tenants = tenants
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(tenants) + 1)))
        self._random = random.Random(seed)
        self._moment = began

    def requests(self, number: int, size: int, *, only: Tenant | None = None) -> list[bytes]:
        """Return so many requests of `size` records each, ready to be sent."""
        return [self._request(size, only or self._tenant()) for _ in range(number)]

    def _tenant(self) -> Tenant:
        return self._random.choices(self._tenants, cum_weights=self._weights)[0]

    def _request(self, size: int, tenant: Tenant) -> bytes:
        records = [self._record() for _ in range(size)]
        return client.post(PATH, tenant.key, msgspec.json.encode(records[0] if size == 1 else records))

    def _record(self) -> dict[str, object]:
        draw = self._random
        kind, endpoint, capability, _ = draw.choices(TYPES, cum_weights=_TYPE_WEIGHTS)[0]
        model, provider, _ = draw.choices(MODELS, cum_weights=_MODEL_WEIGHTS)[0]
        failed = draw.random() < 0.02
        prompt = int(draw.lognormvariate(6.5, 1.0)) + 1
        return {
            "id": f"req_{draw.getrandbits(88):022x}",
            "type": kind,
            "timestamp": self._next_moment().isoformat(),
            "endpoint": endpoint,
            "capability": capability,
            "model": model,
            "provider": provider,
            "status": "error" if failed else "success",
            "statusCode": draw.choice((429, 500, 503)) if failed else 200,
            "latencyMs": round(draw.lognormvariate(6.8, 0.7), 2),
            "tokens": {"prompt": prompt, "completion": int(draw.lognormvariate(5.0, 0.9))},
            "quantities": {"messages": 2, "conversations": 1},
            "conversationId": f"conv_{draw.getrandbits(32):08x}",
            "botId": f"bot_{draw.randrange(40)}",
            "meta": {"region": draw.choice(REGIONS)},
        }

    def _next_moment(self) -> datetime:
        self._moment += _STEP
        if self._random.random() < LATE_SHARE:
            return self._moment - LATEST * self._random.random()
        return self._moment


def beginning() -> datetime:
    """Return where the moments of a run begin: long enough ago that none lies in the future."""
    return datetime.now(UTC) - timedelta(hours=2)


_TYPE_WEIGHTS: Final = list(itertools.accumulate(weight for *_, weight in TYPES))
_MODEL_WEIGHTS: Final = list(itertools.accumulate(weight for *_, weight in MODELS))
