"""From a record as it was sent to the row that is stored: defaults, units, limits. No database, no clock."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import md5
from operator import attrgetter
from typing import Final

from core.moments import format_moment, parse_moment
from core.money import parse_money
from usage import kinds
from usage.batch import Row
from usage.dialects.accepted import MAX_COST
from usage.dialects.errors import Fault, escape
from usage.dialects.plain import MAX_QUANTITY, RecordIn, Tokens
from usage.links import LINKS
from usage.tiers import Tier

AHEAD: Final = timedelta(minutes=5)
MAX_COST_NANOS: Final = MAX_COST * 10**9
_STEP: Final = Decimal("1e-9")
_STATUSES: Final = {None: True, "success": True, "error": False}
_FIELDS: Final = dict(zip(RecordIn.__struct_encode_fields__, RecordIn.__struct_fields__, strict=True))
_linked: Final = attrgetter(*(_FIELDS[name] for name in LINKS))
_NO_LINKS: Final = (None,) * len(LINKS)
_NO_TOKENS: Final = (None,) * 6


@dataclass(frozen=True, slots=True)
class Context:
    """What completing a record needs to know of its batch.

    ``credentials`` maps the organization's client ids, those that its records name, to credentials;
    ``latest`` is as far ahead as a record's own clock may be.
    """

    organization_id: int
    client_id: str | None
    credentials: Mapping[str, int]
    received_at: datetime
    history_from: datetime
    latest: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latest", self.received_at + AHEAD)


def record_key(organization_id: int, record_id: str) -> str:
    """Return what makes a record unique: a digest of the organization and the client's id.

    Shape: 32 hexadecimal digits.
    """
    return md5(b"%d:%b" % (organization_id, record_id.encode()), usedforsecurity=False).hexdigest()


def complete(record: RecordIn, context: Context) -> Row:
    """Return the row of a record.

    Raises: `Fault` naming the field that can't be accepted.
    """
    record_id = record.id or f"rec_{uuid.uuid4().hex}"
    tokens = record.tokens
    prompt, completion, total, cached, written, reasoning = _NO_TOKENS if tokens is None else _counts(tokens)
    count = record.count
    if count is None:
        count = 1 if total is None else total
    found = _linked(record)
    succeeded = _STATUSES.get(record.status)
    if succeeded is None:
        raise _unknown_status(record.status)
    return Row(
        key=record_key(context.organization_id, record_id),
        id=record_id,
        credential_id=_credential(record, context),
        occurred_at=_occurred_at(record.timestamp, context),
        count=count,
        succeeded=succeeded,
        execution=record.execution_id is not None or is_execution(record.type),
        type=record.type,
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total,
        cached_prompt_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        latency_us=None if record.latency_ms is None else round(record.latency_ms * 1000),
        cost_nanos=None if record.cost is None else _cost(record.cost),
        status_code=record.status_code,
        endpoint=record.endpoint,
        capability=record.capability,
        model=record.model,
        provider=record.provider,
        service_tier=None if record.service_tier is None else _tier(record.service_tier),
        error_type=record.error_type,
        reservation_id=record.reservation_id,
        links=None if found == _NO_LINKS else _links(found),
        quantities=_quantities(record.quantities, tokens) if record.quantities else None,
        meta=record.meta or None,
    )


@lru_cache(maxsize=4096)
def is_execution(record_type: str) -> bool:
    """Tell whether records of this type are executions: runs, executions and invocations."""
    return record_type.rpartition(".")[2] in ("run", "execution", "invocation")


def _links(found: tuple[str | None, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(LINKS, found, strict=True) if value is not None}


def _unknown_status(status: str | None) -> Fault:
    return Fault("/status", "invalid", f"Invalid status: {status!r}; accepted: success, error.")


def _credential(record: RecordIn, context: Context) -> int:
    client_id = record.client_id or context.client_id
    if client_id is None:
        raise Fault("/clientId", "missing_field", "clientId is required when no key says whose use it is.")
    credential = context.credentials.get(client_id)
    if credential is None:
        raise Fault(
            "/clientId", "unknown_client", f"There is no credential {client_id!r} in this organization."
        )
    return credential


def _occurred_at(value: str | int | None, context: Context) -> datetime:
    if value is None:
        return context.received_at
    moment = _moment(value)
    if moment > context.latest:
        latest = format_moment(context.latest)
        raise Fault(
            "/timestamp", "timestamp_in_future", f"The timestamp is over 5 minutes ahead: at most {latest}."
        )
    if moment < context.history_from:
        first = format_moment(context.history_from)
        raise Fault("/timestamp", "timestamp_before_history", f"The plan's history begins at {first}.")
    return moment


def _moment(value: str | int) -> datetime:
    # The usual spelling by the quick reader; whatever that leaves open is for the strict one to say.
    if isinstance(value, str) and value[4:8:3] == "--" and value[10:11] in ("T", " ", "t"):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if moment.tzinfo is not None and 1900 < moment.year < 2999:
                return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    try:
        return parse_moment(value)
    except ValueError as error:
        raise Fault("/timestamp", "invalid", f"Invalid timestamp: {error}.") from error


def _counts(tokens: Tokens) -> tuple[int, int, int, int | None, int | None, int | None]:
    prompt, completion, total = tokens.prompt or 0, tokens.completion or 0, tokens.total
    cached, written, reasoning = tokens.cached_prompt, tokens.cache_write, tokens.reasoning
    parts = prompt + completion
    if total is None:
        total = parts
    elif total < parts:
        raise Fault(
            "/tokens/total", "invalid", f"total is less than prompt and completion together ({parts})."
        )
    if (cached or 0) + (written or 0) > prompt:
        raise Fault(
            "/tokens/prompt",
            "invalid",
            "prompt includes cachedPrompt and cacheWrite and can't be less than both.",
        )
    if reasoning is not None and reasoning > completion:
        raise Fault("/tokens/completion", "invalid", "completion includes reasoning and can't be less.")
    return prompt, completion, total, cached, written, reasoning


def _cost(text: str) -> int:
    try:
        nanos = parse_money(text)
    except ValueError as error:
        raise Fault("/cost", "invalid", f"Invalid cost: {error}.") from error
    if not 0 <= nanos <= MAX_COST_NANOS:
        raise Fault("/cost", "invalid", f"cost must be from 0 to {MAX_COST}.")
    return nanos


def _tier(name: str) -> str | None:
    if name not in Tier.values:
        raise Fault(
            "/serviceTier", "invalid", f"Invalid serviceTier: {name!r}; accepted: {', '.join(Tier.values)}."
        )
    # Most calls are of the standard tier, which needs no place in the table.
    return None if name == Tier.STANDARD else name


def _quantities(given: dict[str, int | Decimal], tokens: Tokens | None) -> dict[str, int | str]:
    quantities = {meter: _quantity(meter, value) for meter, value in given.items()}
    if not kinds.QUANTITIES.isdisjoint(quantities):
        kinds.check(tokens, quantities)
    return quantities


def _quantity(meter: str, value: int | Decimal) -> int | str:
    if type(value) is int and 0 <= value <= MAX_QUANTITY:
        return value
    exact = Decimal(value)
    if not exact.is_finite() or not 0 <= exact <= MAX_QUANTITY:
        raise Fault(
            f"/quantities/{escape(meter)}", "invalid", f"{meter} must be a number from 0 to {MAX_QUANTITY}."
        )
    whole = int(exact)
    if whole == exact:
        return whole
    if exact != exact.quantize(_STEP):
        raise Fault(f"/quantities/{escape(meter)}", "invalid", f"{meter} has more than 9 decimal places.")
    return format(exact.normalize(), "f")
