"""The plain dialect: a record as the wire contract spells it, in JSON or one a line."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

MAX_TOKENS: Final = 10**9
MAX_COUNT: Final = 10**12
MAX_LATENCY_MS: Final = 24 * 3600 * 1000
MAX_ENTRIES: Final = 50
MAX_META_KEY: Final = 100
MAX_META_TEXT: Final = 1000
MAX_QUANTITY: Final = 10**15
METER_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_.:/-]{0,99}$"

RecordType = Annotated[str, Meta(min_length=1, max_length=200)]
Dimension = Annotated[str, Meta(min_length=1, max_length=200)]
Reference = Annotated[str, Meta(min_length=1, max_length=255)]
TokenCount = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
# Python's $ would also match before a last line break, that of JSON Schema doesn't.
Meter = Annotated[
    str, Meta(pattern=METER_PATTERN.replace("$", r"\Z"), extra_json_schema={"pattern": METER_PATTERN})
]
MetaKey = Annotated[str, Meta(min_length=1, max_length=MAX_META_KEY)]
Scalar = Annotated[str, Meta(max_length=MAX_META_TEXT)] | int | float | bool | None


class Tokens(Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """The tokens of a call; prompt includes the cached part and the cache write, completion the reasoning."""

    prompt: TokenCount | None = 0
    completion: TokenCount | None = 0
    total: TokenCount | None = None
    cached_prompt: TokenCount | None = None
    cache_write: TokenCount | None = None
    reasoning: TokenCount | None = None


class Fields(Struct, forbid_unknown_fields=True, kw_only=True, rename="camel", gc=False):
    """What a record says besides which it is, of what type and when."""

    count: Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None = None
    client_id: Reference | None = None
    endpoint: Dimension | None = None
    capability: Dimension | None = None
    model: Dimension | None = None
    provider: Dimension | None = None
    service_tier: str | None = None
    status: str | None = None
    status_code: Annotated[int, Meta(ge=100, le=599)] | None = None
    error_type: Dimension | None = None
    latency_ms: Annotated[float, Meta(ge=0, le=MAX_LATENCY_MS)] | None = None
    tokens: Tokens | None = None
    quantities: Annotated[dict[Meter, int | Decimal], Meta(max_length=MAX_ENTRIES)] | None = None
    cost: str | None = None
    conversation_id: Reference | None = None
    message_id: Reference | None = None
    task_id: Reference | None = None
    contact_id: Reference | None = None
    blueprint_id: Reference | None = None
    bot_id: Reference | None = None
    dataset_id: Reference | None = None
    skillset_id: Reference | None = None
    ability_id: Reference | None = None
    processor_id: Reference | None = None
    document_id: Reference | None = None
    execution_id: Reference | None = None
    reservation_id: Reference | None = None
    meta: Annotated[dict[MetaKey, Scalar], Meta(max_length=MAX_ENTRIES)] | None = None


class Identity(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Which call a record is about, of what type and when."""

    type: RecordType
    id: Reference | None = None
    timestamp: str | int | None = None


class RecordIn(Fields, forbid_unknown_fields=True, kw_only=True, rename="camel", gc=False):
    """A record as a client sends it."""

    type: RecordType
    id: Reference | None = None
    timestamp: str | int | None = None


class Quick(RecordIn, forbid_unknown_fields=True, kw_only=True, rename="camel", gc=False):
    """The same but for the names of meters, which may be anything: most are seen again and again."""

    quantities: Annotated[dict[str, int | Decimal], Meta(max_length=MAX_ENTRIES)] | None = None


@lru_cache(maxsize=4096)
def is_meter(name: str) -> bool:
    """Tell whether a quantity may have this name."""
    return re.fullmatch(METER_PATTERN, name) is not None


ONE: Final = msgspec.json.Decoder(RecordIn)
QUICK_ONE: Final = msgspec.json.Decoder(Quick)
QUICK_MANY: Final = msgspec.json.Decoder(list[Quick])
FIELDS: Final = msgspec.json.Decoder(Fields | None)
