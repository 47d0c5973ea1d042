"""What the demo's credentials do: conversations, searches, documents, tasks; each a visit of some calls."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from usage.demo.calls import Caller, Size
from usage.demo.catalogue import Model
from usage.dialects.plain import RecordIn

Visit = Callable[[Caller, datetime], Iterator[RecordIn]]

_MAX_TURNS: Final = 9
_CONTACTS: Final = 1_800
_BOTS: Final = ("support", "sales", "onboarding", "returns", "billing-help")
_CHANNELS: Final = ("widget", "web", "slack", "whatsapp")
_REGIONS: Final = ("eu-central", "eu-west", "us-east")
_LANGUAGES: Final = ("de", "en", "fr", "nl", "pl")
_ORIGINS: Final = ("mailbox", "upload", "sftp")
_TRIGGERS: Final = ("schedule", "webhook", "user")
_ABILITIES: Final = ("search-orders", "create-ticket", "send-email", "look-up-invoice", "book-appointment")
_REASONING: Final = "gemini-2.5-pro"


def chat(caller: Caller, start: datetime) -> Iterator[RecordIn]:
    """A conversation: every turn carries the turns before it, most of them from the provider's cache."""
    random, model = caller.random, caller.model()
    conversation, contact = caller.id("conv"), f"contact_{_regular(random, _CONTACTS):05d}"
    bot = _favourite(random, _BOTS)
    meta = {"channel": _favourite(random, _CHANNELS), "region": _favourite(random, _REGIONS)}
    context, moment = _about(random, 900, 0.4), start
    for turn in range(1 + min(int(random.expovariate(0.62)), _MAX_TURNS - 1)):
        question = _about(random, 70, 0.8)
        size = _chat_size(random, model, context, question, first=turn == 0)
        yield caller.call(
            moment,
            model,
            size,
            {"messages": 2, "conversations": 1} if turn == 0 else {"messages": 2},
            type="conversation.completion",
            capability="chat",
            endpoint="/v1/conversations/complete",
            conversation_id=conversation,
            message_id=caller.id("msg"),
            contact_id=contact,
            bot_id=f"bot_{bot}",
            meta=meta,
        )
        context = size.prompt + size.completion
        moment += timedelta(seconds=8 + random.expovariate(1 / 45))


def search(caller: Caller, start: datetime) -> Iterator[RecordIn]:
    """A search in a dataset, for which the question is embedded."""
    random = caller.random
    yield caller.call(
        start,
        caller.model(),
        Size(prompt=_about(random, 38, 0.6)),
        {},
        type="dataset.search",
        capability="embeddings",
        endpoint="/v1/datasets/search",
        dataset_id=f"dataset_{_favourite(random, ('help-centre', 'products', 'policies'))}",
        bot_id=f"bot_{_favourite(random, _BOTS)}",
        meta={"language": _favourite(random, _LANGUAGES)},
    )


def parse(caller: Caller, start: datetime) -> Iterator[RecordIn]:
    """A document that is turned into text, page by page."""
    random = caller.random
    pages = min(_about(random, 4, 0.9), 240)
    yield _processing(caller, start, "parse", "layout", Size(pages=pages), {"pages": pages})


def extract(caller: Caller, start: datetime) -> Iterator[RecordIn]:
    """A document of which a model reads the figures that matter."""
    random, model = caller.random, caller.model()
    pages = min(_about(random, 3, 0.6), 60)
    completion = _about(random, 420, 0.5)
    reasoning = int(completion * random.uniform(0.3, 0.6)) if model.name == _REASONING else 0
    size = Size(prompt=pages * _about(random, 720, 0.3), completion=completion, reasoning=reasoning)
    yield _processing(caller, start, "extract", "invoice-fields", size, {"pages": pages}, model)


def task(caller: Caller, start: datetime) -> Iterator[RecordIn]:
    """A task that is thought through by a model, with the abilities that it uses on the way."""
    random, model = caller.random, caller.model()
    links = {
        "task_id": caller.id("task"),
        "execution_id": caller.id("exec"),
        "blueprint_id": "bp_back-office",
    }
    meta = {"trigger": _favourite(random, _TRIGGERS)}
    prompt = _about(random, 2_600, 0.5)
    moment = start
    for _ in range(min(int(random.expovariate(0.7)), 4)):
        ability = _favourite(random, _ABILITIES)
        fields: dict[str, Any] = {
            **links,
            "ability_id": f"ability_{ability}",
            "skillset_id": "skills_back-office",
        }
        size = Size(prompt=prompt // 3, completion=_about(random, 60, 0.4))
        yield caller.call(
            moment,
            model,
            size,
            {},
            type="ability.invocation",
            capability="tools",
            endpoint="/v1/abilities/invoke",
            meta=meta,
            **fields,
        )
        moment += timedelta(seconds=1 + random.expovariate(1 / 4))
    yield caller.call(
        moment,
        model,
        Size(prompt=prompt, cached=prompt // 2, completion=_about(random, 520, 0.5)),
        {},
        type="task.execution",
        capability="tasks",
        endpoint="/v1/tasks/execute",
        meta=meta,
        **links,
    )


WORK: Final[dict[str, Visit]] = {
    "chat": chat,
    "search": search,
    "parse": parse,
    "extract": extract,
    "task": task,
}


def _processing(
    caller: Caller,
    start: datetime,
    step: str,
    processor: str,
    size: Size,
    quantities: dict[str, int],
    model: Model | None = None,
) -> RecordIn:
    random = caller.random
    return caller.call(
        start,
        model or caller.model(),
        size,
        {**quantities, "documents": 1, "processorRuns": 1},
        type="processor.run",
        capability=f"document-{'parsing' if step == 'parse' else 'extraction'}",
        endpoint=f"/v1/documents/{step}",
        processor_id=f"proc_{processor}",
        document_id=caller.id("doc"),
        execution_id=caller.id("exec"),
        meta={"origin": _favourite(random, _ORIGINS), "language": _favourite(random, _LANGUAGES)},
    )


def _chat_size(random: Random, model: Model, context: int, question: int, *, first: bool) -> Size:
    completion = _about(random, 190, 0.7)
    reasoning = int(completion * random.uniform(0.2, 0.5)) if model.name == _REASONING else 0
    # The instructions are cached from one conversation to the next, a conversation from turn to turn.
    cached = 0 if first and random.random() < 0.45 else int(context * 0.9)
    return Size(prompt=context + question, cached=cached, completion=completion, reasoning=reasoning)


def _about(random: Random, median: float, spread: float) -> int:
    return max(1, round(median * random.lognormvariate(0, spread)))


def _favourite(random: Random, choices: tuple[str, ...]) -> str:
    """Return one of the choices, an earlier one more often."""
    return choices[min(int(random.expovariate(1.1)), len(choices) - 1)]


def _regular(random: Random, number: int) -> int:
    """Return one of so many people, some of whom come often."""
    return int(number * random.random() ** 2.2)
