"""From a record as it was sent to the row that is stored: defaults, units, limits. No database, no clock."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import md5
from typing import Any, Final

from core.moments import format_moment, parse_moment
from core.money import parse_money
from usage.batch import Row
from usage.dialects.errors import Fault, escape
from usage.dialects.plain import RecordIn, Tokens
from usage.links import LINKS

AHEAD: Final = timedelta(minutes=5)
MAX_COST_NANOS: Final = 10**15
_MAX_QUANTITY: Final = Decimal(10**15)
_STEP: Final = Decimal("1e-9")
_STATUSES: Final = {None: True, "success": True, "error": False}
_FIELDS: Final = dict(zip(RecordIn.__struct_encode_fields__, RecordIn.__struct_fields__, strict=True))
_LINK_FIELDS: Final = tuple((name, _FIELDS[name]) for name in LINKS)


@dataclass(frozen=True, slots=True)
class Context:
    """What completing a record needs to know of its batch.

    ``credentials`` maps the organization's client ids, those that its records name, to credentials.
    """

    organization_id: int
    client_id: str | None
    credentials: Mapping[str, int]
    received_at: datetime
    history_from: datetime


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
    total = None if tokens is None else _total(tokens)
    links = {name: value for name, field in _LINK_FIELDS if (value := getattr(record, field)) is not None}
    count = record.count
    if count is None:
        count = 1 if total is None else total
    return Row(
        key=record_key(context.organization_id, record_id),
        id=record_id,
        credential_id=_credential(record, context),
        occurred_at=_occurred_at(record.timestamp, context),
        count=count,
        succeeded=_succeeded(record),
        execution=record.execution_id is not None or is_execution(record.type),
        type=record.type,
        prompt_tokens=None if tokens is None else tokens.prompt,
        completion_tokens=None if tokens is None else tokens.completion,
        total_tokens=total,
        cached_prompt_tokens=None if tokens is None else tokens.cached_prompt,
        cache_write_tokens=None if tokens is None else tokens.cache_write,
        reasoning_tokens=None if tokens is None else tokens.reasoning,
        latency_us=None if record.latency_ms is None else round(record.latency_ms * 1000),
        cost_nanos=None if record.cost is None else _cost(record.cost),
        status_code=record.status_code,
        endpoint=record.endpoint,
        capability=record.capability,
        model=record.model,
        provider=record.provider,
        error_type=record.error_type,
        reservation_id=record.reservation_id,
        links=links or None,
        quantities=_quantities(record.quantities) if record.quantities else None,
        meta=record.meta or None,
    )


@lru_cache(maxsize=4096)
def is_execution(record_type: str) -> bool:
    """Tell whether records of this type are executions: runs, executions and invocations."""
    return record_type.rpartition(".")[2] in ("run", "execution", "invocation")


def _succeeded(record: RecordIn) -> bool:
    try:
        return _STATUSES[record.status]
    except KeyError:
        raise Fault(
            "/status", "invalid", f"Invalid status: {record.status!r}; accepted: success, error."
        ) from None


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
    if moment - context.received_at > AHEAD:
        latest = format_moment(context.received_at + AHEAD)
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
                return moment.astimezone(UTC)
    try:
        return parse_moment(value)
    except ValueError as error:
        raise Fault("/timestamp", "invalid", f"Invalid timestamp: {error}.") from error


def _total(tokens: Tokens) -> int:
    parts = tokens.prompt + tokens.completion
    if tokens.total is not None and tokens.total < parts:
        raise Fault(
            "/tokens/total", "invalid", f"total is less than prompt and completion together ({parts})."
        )
    if (tokens.cached_prompt or 0) + (tokens.cache_write or 0) > tokens.prompt:
        raise Fault(
            "/tokens/prompt",
            "invalid",
            "prompt includes cachedPrompt and cacheWrite and can't be less than both.",
        )
    if (tokens.reasoning or 0) > tokens.completion:
        raise Fault("/tokens/completion", "invalid", "completion includes reasoning and can't be less.")
    return parts if tokens.total is None else tokens.total


def _cost(text: str) -> int:
    try:
        nanos = parse_money(text)
    except ValueError as error:
        raise Fault("/cost", "invalid", f"Invalid cost: {error}.") from error
    if not 0 <= nanos <= MAX_COST_NANOS:
        raise Fault("/cost", "invalid", f"cost must be from 0 to {MAX_COST_NANOS // 10**9}.")
    return nanos


def _quantities(given: dict[str, Decimal]) -> dict[str, int | str]:
    return {meter: _quantity(meter, value) for meter, value in given.items()}


def _quantity(meter: str, value: Decimal) -> Any:
    if not value.is_finite() or not 0 <= value <= _MAX_QUANTITY:
        raise Fault(
            f"/quantities/{escape(meter)}", "invalid", f"{meter} must be a number from 0 to {_MAX_QUANTITY}."
        )
    whole = int(value)
    if whole == value:
        return whole
    if value != value.quantize(_STEP):
        raise Fault(f"/quantities/{escape(meter)}", "invalid", f"{meter} has more than 9 decimal places.")
    return format(value.normalize(), "f")
