"""Running schemathesis over the whole API, in this process and in the test's own transaction."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any, Final

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, connections
from django.test import Client
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import CheckFailureInfo, ScenarioRecorder
from schemathesis.generation.case import Case
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse
from schemathesis.transport.wsgi import WSGITransport

from tests.usage.factories import NOW

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
SEED: Final = 20260715
HISTORY_DAYS: Final = 30
"""How long the organization's history is: whole years by the minute take long, and show nothing else."""
REFUSED: Final = [400, 401, 403, 404, 405, 409, 413, 415, 422]
"""How what the document forbids may be refused: also for its size, which isn't among the usual ones."""

TAKEN: Final = ["2xx", 401, 402, 403, 404, 409, 429]
"""How what the document allows may be answered: also that a limit is reached."""

SWITCHED_OFF: Final = {
    "use_after_free": "A revoked key is still shown, with when it was revoked: what it did stays on record.",
}
"""Checks that are not made, and why."""

UNSAYABLE: Final = {
    ("invalid_cursor", "/cursor"): "A cursor has to be one that these pages gave out.",
    ("invalid_window", "/from"): "A window ends after it starts.",
    ("invalid_window", "/to"): "A window ends after it starts.",
    ("too_many_rows", ""): "How many rows a question spans follows from its window, granularity and groups.",
    ("invalid_parameter", "/from"): "A forecast starts from what is known.",
    ("invalid_parameter", "/to"): "A forecast ends a few months ahead.",
    ("invalid_parameter", "/metrics"): "Any meter is a metric, if it was ever sent.",
    ("invalid_parameter", "/sort"): "What is sorted by has to be asked for in metrics or groupBy.",
    ("invalid_parameter", "/model"): "A model that another is compared with has a price.",
    ("timestamp_before_history", "/timestamp"): "History begins so many days ago.",
    ("timestamp_in_future", "/timestamp"): "The future begins now.",
    ("invalid", "/tokens/total"): "The total is at least the sum of its parts.",
    ("invalid", "/tokens/prompt"): "The prompt includes its cached parts.",
    ("invalid", "/tokens/completion"): "The completion includes the reasoning.",
    ("unknown_client", "/clientId"): "A client id is that of a credential of the organization.",
    ("invalid", "/ttlSeconds"): "How long a hold may last is for the operator to say.",
    (
        "invalid",
        "/estimatedCost",
    ): "A cost is estimated, or tokens are, and by no more than a million.",
    ("missing_field", "/model"): "Tokens can be estimated for a model only.",
    ("invalid", "/limit"): "A limit is more than nothing.",
    ("invalid_parameter", "/limit"): "A limit is more than nothing.",
    ("invalid", "/quantities"): "A number has at most nine decimal places.",
    ("invalid_choice", "/channel"): "A channel is one of the organization's.",
    ("invalid_choice", "/channels"): "A channel is one of the organization's.",
    ("invalid_choice", "/members"): "A member is one of the organization's.",
    ("invalid", "/id"): "An event's source and id have to be short enough together.",
    ("required", "/members"): "A report has members or channels to go to.",
    ("required", "/channel"): "A key has no mailbox.",
    **dict.fromkeys(
        product(("required", "unknown_field", "invalid"), ("/url", "/address")),
        "Which of them a channel has, and what it looks like, follows from its kind.",
    ),
    **dict.fromkeys(
        product(
            ("invalid", "required"),
            (
                "/metric",
                "/condition",
                "/window",
                "/scope",
                "/scope/kind",
                "/scope/value",
                "/threshold",
                *map("/threshold/{}".format, range(10)),
            ),
        ),
        "Which of them go together follows from a rule's condition.",
    ),
    ("unknown_client", "/scope/value"): "A credential that is named is one of the organization.",
    ("unknown_channel", "/channels"): "A channel that is chosen is one of the organization.",
}
"""Faults, by code and pointer, of requests that the document allows: what no schema can say, and why."""

# Moments that records can have, and zones that there are: chance would hardly ever hit upon either.
schemathesis.openapi.format("iana-time-zone", st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]))
_LATEST: Final = NOW.replace(tzinfo=None)
schemathesis.openapi.format(
    "date-time",
    st.datetimes(_LATEST - timedelta(days=HISTORY_DAYS), _LATEST).map(
        lambda moment: f"{moment.isoformat()}Z"
    ),
)


@dataclass(slots=True)
class Run:
    """What came of a run: the answers by operation and status, and what was wrong."""

    operations: frozenset[str]
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: dict[object, str] = field(default_factory=dict)

    @property
    def failures(self) -> list[str]:
        """What was wrong, each only once."""
        return list(self.faults.values())

    @property
    def succeeded(self) -> set[str]:
        """The operations that were answered with success at least once."""
        return {label for label, counts in self.statuses.items() if any(status < 300 for status in counts)}

    def note(self, recorder: ScenarioRecorder) -> None:
        """Take in what happened to one operation."""
        for case_id, interaction in recorder.interactions.items():
            label = recorder.cases[case_id].value.operation.label
            if interaction.response is not None:
                self.statuses[label][interaction.response.status_code] += 1
            for check in recorder.checks.get(case_id, []):
                if check.failure_info is not None:
                    self._fail(label, check.failure_info, interaction.response)

    def _fail(self, label: str, found: CheckFailureInfo, response: Response | None) -> None:
        failure = found.failure
        content = response.content[:1000] if response else b""
        text = f"{label}: {failure.title}\n{failure.message}\n{found.code_sample[:3000]}\n{content!r}"
        self.faults.setdefault((label, failure.title, content), text)


def run(
    key: str,
    *,
    client_ids: Iterable[str],
    examples: Mapping[str, str],
    named: Mapping[str, Mapping[str, Any]],
    own: str,
    phases: Mapping[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Ask with a key whatever the document allows, and what it forbids.

    ``client_ids`` are those that filters may name, ``own`` the key's, which is not to be revoked;
    ``examples`` are values of required parameters that lead somewhere, ``named`` the schemas of fields that
    name what there is. ``phases`` are schemathesis' phases
    with how many examples each tries of an operation.
    """
    monkeypatch.setattr(WSGITransport, "send", _in_process(WSGITransport.send))
    schema = _schema(list(client_ids), examples, named, _config(key, phases))
    schema.hook("filter_case")(lambda context, case: own not in (case.path_parameters or {}).values())
    schema.hook("filter_body")(lambda context, body: _is_plain(body))
    schema.hook("filter_failure")(_is_fault)
    with one_transaction() as application:
        schema.app = application
        found = Run(frozenset(result.ok().label for result in schema.get_all_operations()))
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                found.note(event.recorder)
            elif isinstance(event, events.NonFatalError):
                found.faults[event.label] = f"{event.label}: {event.value!r}"
            elif isinstance(event, events.FatalError):
                raise event.exception
    return found


def _config(key: str, phases: Mapping[str, int]) -> SchemathesisConfig:
    generation = {"deterministic": True, "no-shrink": True, "database": "none"}
    chosen: dict[str, Any] = {name: {"enabled": name in phases} for name in PHASES}
    for name, examples in phases.items():
        if examples:
            chosen[name]["generation"] = {**generation, "max-examples": examples}
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {key}"},
            "generation": generation,
            "phases": chosen,
            "checks": {
                **{name: {"enabled": False} for name in SWITCHED_OFF},
                "negative_data_rejection": {"expected-statuses": REFUSED},
                "positive_data_acceptance": {"expected-statuses": TAKEN},
            },
        }
    )


def _schema(
    client_ids: list[str],
    examples: Mapping[str, str],
    named: Mapping[str, Mapping[str, Any]],
    config: SchemathesisConfig,
) -> Any:
    """Return the API's own document, with the client ids that there are, and examples of what is required."""

    def name_them(part: Any) -> Any:
        if isinstance(part, list):
            return [name_them(member) for member in part]
        if not isinstance(part, dict):
            return part
        if part.get("format") == "client-id":
            return {"type": "string", "enum": client_ids}
        if "in" in part and part.get("required"):
            return {**part, "example": examples[part["name"]]}
        return {name: name_them(member) for name, member in part.items()}

    document = json.loads(Client().get("/api/schema/?format=json").content)
    for component, schema in document["components"]["schemas"].items():
        # What is sent; answers may name others.
        fields = schema.get("properties", {}) if component.endswith("Request") else {}
        for name in fields.keys() & named.keys():
            fields[name] = {**fields[name], **named[name]}
    return schemathesis.openapi.from_dict(name_them(document), config=config)


def _is_plain(body: Any) -> bool:
    """Tell whether whole numbers are written as such: 1.0 is one to a schema, and to the API it is not."""
    if isinstance(body, dict):
        return all(map(_is_plain, body.values()))
    if isinstance(body, list):
        return all(map(_is_plain, body))
    return not (isinstance(body, float) and body.is_integer())


def _is_fault(context: object, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Tell whether a failure is one: not if only what no schema can say was wrong."""
    if isinstance(failure, RejectedPositiveData):
        problem = response.json()
        faults = problem.get("errors") or [{"code": problem["code"], "pointer": ""}]
        return not all((fault["code"], _place(fault["pointer"])) in UNSAYABLE for fault in faults)
    if isinstance(failure, AcceptedNegativeData):
        return not _is_good_in_part(case, response)
    if isinstance(failure, UnsupportedMethodResponse):
        # A gateway asks with the method of its client's request.
        return not case.operation.path.startswith("/api/v1/gateway/")
    return True


def _place(pointer: str) -> str:
    """Return where a fault is, whichever meter or member of a list it is about."""
    return "/quantities" if pointer.startswith("/quantities/") else re.sub(r"/[0-9]+$", "", pointer)


def _is_good_in_part(case: Case[Any], response: Response) -> bool:
    """Tell whether bad records were refused beside good ones, or the body became a good one after all."""
    components = case.meta.components.values() if case.meta else []
    refused = response.json().get("rejected", 0) if case.operation.path == "/api/v1/records" else 0
    return bool(refused) or not any(component.mode.is_negative for component in components)


def _in_process(send: Callable[..., Response]) -> Callable[..., Response]:
    """Return the transport's call without what concerns networks, which its probes pass on."""

    def sent(self: WSGITransport, case: Case[Any], **options: Any) -> Response:
        for name in ("max_redirects", "verify", "cert"):
            options.pop(name, None)
        return send(self, case, **options)

    return sent


@contextmanager
def one_transaction() -> Iterator[Any]:
    """Yield the application, every thread of which is in the transaction of the test."""
    mine = connections["default"]
    application = get_wsgi_application()

    def share(environ: dict[str, Any], start_response: Any) -> Any:
        connections["default"] = mine
        # Each time: Django's own test client would have it again after every request.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        return application(environ, start_response)

    connection.inc_thread_sharing()
    try:
        yield share
    finally:
        connection.dec_thread_sharing()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
