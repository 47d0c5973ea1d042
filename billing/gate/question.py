"""What a caller may say of the call that it asks for. No database, no clock."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from core.money import parse_money
from core.problems import bad_request, invalid_field, unsupported_media_type
from usage.dialects.errors import Fault
from usage.tiers import Tier

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\\x00]*$")]
Tokens = Annotated[int, Meta(ge=0, le=10**9)]
MAX_BYTES: Final = 16 * 1024
MAX_ESTIMATE_NANOS: Final = 10**15


class Question(Struct, forbid_unknown_fields=True, kw_only=True, rename="camel", frozen=True):
    """The call that is asked for: whose, of which model, and how much it may use at most."""

    client_id: Name | None = None
    model: Name | None = None
    provider: Name | None = None
    service_tier: str | None = None
    estimated_cost: str | None = None
    prompt_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    ttl_seconds: Annotated[int, Meta(ge=1)] | None = None

    @property
    def tells_tokens(self) -> bool:
        """Whether anything is said of tokens."""
        return self.prompt_tokens is not None or self.max_completion_tokens is not None


NOTHING: Final = Question()
_DECODER: Final = msgspec.json.Decoder(Question)


def read_question(content_type: str, body: bytes) -> Question:
    """Return the question that a body asks; an empty one asks for a call of which nothing is known.

    Raises: `Problem` 400, 415, or 422 naming the field.
    """
    if not body:
        return NOTHING
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise unsupported_media_type(content_type, ["application/json"])
    if len(body) > MAX_BYTES:
        raise bad_request(f"A question has at most {MAX_BYTES} bytes.", code="too_large")
    try:
        question = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        fault = Fault.of(error, accepted=Question.__struct_encode_fields__)
        raise invalid_field(fault.pointer, fault.code, fault.detail) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"The body is not JSON: {error}.", code="malformed_body") from error
    _check(question)
    return question


def estimated_nanos(question: Question) -> int | None:
    """Return the cost that the caller estimates itself, as nanos.

    Raises: `Problem` 422.
    """
    if question.estimated_cost is None:
        return None
    try:
        nanos = parse_money(question.estimated_cost)
    except ValueError as error:
        raise invalid_field("/estimatedCost", "invalid_money", f"{error}.") from error
    if not 0 <= nanos <= MAX_ESTIMATE_NANOS:
        most = MAX_ESTIMATE_NANOS // 10**9
        raise invalid_field("/estimatedCost", "invalid", f"estimatedCost must be from 0 to {most}.")
    return nanos


def _check(question: Question) -> None:
    if question.estimated_cost is not None and question.tells_tokens:
        raise invalid_field(
            "/estimatedCost", "invalid", "Give either estimatedCost, or promptTokens and maxCompletionTokens."
        )
    if question.tells_tokens and question.model is None:
        raise invalid_field("/model", "missing_field", "Tokens are estimated by the price of the model.")
    if question.service_tier is not None and question.service_tier not in Tier.values:
        raise invalid_field(
            "/serviceTier",
            "invalid_choice",
            f"Invalid serviceTier: {question.service_tier!r}; accepted: {', '.join(Tier.values)}.",
        )
