"""Slack, Teams, PagerDuty and the like, through apprise, whose requests all go through the guard.

Apprise takes any address of a hundred services, some of which read files or follow what they are told. So
each kind of channel knows the one plugin that may read its address and the options that may be in it; and in
the plugins' modules the name ``requests`` is a stand-in that can do nothing but make a guarded request.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import requests
from django.conf import settings
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from alerts.models import Kind
from alerts.outbound import Answer, Exchange, Unanswered, exchange
from alerts.senders.jobs import Job, Result, by_status
from alerts.senders.words import words

APP: Final = "Headroom"
_TYPES: Final = {"info": "info", "warning": "warning", "critical": "failure", "resolved": "success"}
_PASSED_ON: Final = frozenset({"codes", "exceptions", "RequestException", "ConnectionError", "Timeout"})
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head"})


class NotAnAddress(ValueError):
    """The text is no address of the service; its words say what is."""


@dataclass(frozen=True, slots=True)
class Service:
    """What apprise knows of one kind: its plugin, the options that an address may have, and how one looks."""

    module: str
    name: str
    options: frozenset[str]
    example: str


SERVICES: Final[Mapping[str, Service]] = {
    Kind.SLACK: Service("slack", "NotifySlack", frozenset(), "https://hooks.slack.com/services/T…/B…/…"),
    Kind.TEAMS: Service(
        "workflows",
        "NotifyWorkflows",
        frozenset({"api-version", "sp", "sv", "sig"}),
        "https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…",
    ),
    Kind.DISCORD: Service(
        "discord", "NotifyDiscord", frozenset({"thread"}), "https://discord.com/api/webhooks/…/…"
    ),
    Kind.PAGERDUTY: Service(
        "pagerduty", "NotifyPagerDuty", frozenset({"region"}), "pagerduty://INTEGRATION_KEY@API_KEY"
    ),
    Kind.OPSGENIE: Service("opsgenie", "NotifyOpsgenie", frozenset({"region"}), "opsgenie://API_KEY"),
    Kind.MATTERMOST: Service(
        "mattermost", "NotifyMattermost", frozenset({"channel"}), "mmosts://mattermost.example.com/TOKEN"
    ),
    Kind.GOOGLE_CHAT: Service(
        "google_chat",
        "NotifyGoogleChat",
        frozenset({"key", "token", "threadKey"}),
        "https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…",
    ),
    Kind.TELEGRAM: Service("telegram", "NotifyTelegram", frozenset({"topic"}), "tgram://BOT_TOKEN/CHAT_ID"),
    Kind.NTFY: Service("ntfy", "NotifyNtfy", frozenset({"mode"}), "ntfys://ntfy.example.com/TOPIC"),
    Kind.PUSHOVER: Service(
        "pushover", "NotifyPushover", frozenset({"priority", "sound"}), "pover://USER_KEY@TOKEN"
    ),
}


@dataclass(slots=True)
class _Line:
    """What was last said on the way of one attempt."""

    answer: Answer | None = None
    error: str = ""


_line: ContextVar[_Line] = ContextVar("headroom_alert_line")


def check(kind: str, url: str) -> None:
    """Go on only with an address that the kind's service can be reached by.

    Raises: `NotAnAddress`.
    """
    _plugin(kind, url)


def send(job: Job) -> Result:
    """Tell the service once."""
    try:
        plugin = _plugin(job.kind, job.target)
    except NotAnAddress as error:
        return Result(delivered=False, error=str(error), final=True)
    said = words(job.payload)
    _name_incident(plugin, job)
    line = _Line()
    token = _line.set(line)
    try:
        accepted = plugin.notify(body=said.text, title=said.title, notify_type=_type(said.tone))
    finally:
        _line.reset(token)
    return _result(bool(accepted), line)


def _result(accepted: bool, line: _Line) -> Result:
    if line.answer is None:
        return Result(delivered=False, error=line.error or "The service was not asked.")
    seen = by_status(line.answer.status, line.answer.body, line.answer.headers)
    if accepted == seen.delivered:
        return seen
    refused = "" if accepted else line.error or "The service answered that it did not accept this."
    return Result(delivered=accepted, status=seen.status, response=seen.response, error=refused)


def _name_incident(plugin: Any, job: Job) -> None:
    """Have the events of one incident recognised, where the service knows incidents."""
    incident = str(job.payload["data"].get("id", job.delivery_id))
    if job.kind == Kind.PAGERDUTY:
        plugin.dedup, plugin.action = incident, "map"
    elif job.kind == Kind.OPSGENIE:
        plugin.alias, plugin.action = incident, "new"


def _type(tone: str) -> Any:
    from apprise import NotifyType

    return NotifyType(_TYPES[tone])


def _plugin(kind: str, url: str) -> Any:
    service = SERVICES[kind]
    plugin = _guarded_plugin(service.module, service.name)
    _refuse_options(service, url)
    scheme = urlsplit(url).scheme.lower()
    read: Callable[[str], Any] | None = None
    if scheme in _schemes(plugin):
        read = plugin.parse_url
    elif scheme == "https":
        read = plugin.parse_native_url
    found = read(url) if read else None
    if not found:
        raise NotAnAddress(f"Must be an address such as {service.example}.")
    try:
        return plugin(**{**found, "asset": _asset()})
    except TypeError as error:
        raise NotAnAddress(f"Must be an address such as {service.example}.") from error


def _refuse_options(service: Service, url: str) -> None:
    given = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    unknown = [name for name in given if name not in service.options]
    if unknown:
        accepted = ", ".join(sorted(service.options)) or "none"
        raise NotAnAddress(f"The option {unknown[0][:40]!r} is not accepted here; accepted: {accepted}.")


def _schemes(plugin: Any) -> tuple[str, ...]:
    found: list[str] = []
    for schemes in (plugin.protocol, plugin.secure_protocol):
        found += [schemes] if isinstance(schemes, str) else list(schemes or ())
    return tuple(found)


@cache
def _asset() -> Any:
    from apprise import AppriseAsset

    return AppriseAsset(app_id=APP, app_desc=APP, app_url="", image_url_mask="", http_redirects=False)


@cache
def _guarded_plugin(module_name: str, name: str) -> Any:
    module: Any = import_module(f"apprise.plugins.{module_name}")
    if module.requests is not requests and not isinstance(module.requests, _GuardedRequests):
        raise RuntimeError(f"apprise's plugin {module_name} does not make its requests as it used to")
    module.requests = _GuardedRequests()
    return getattr(module, name)


class _GuardedRequests:
    """Stands in for the module ``requests`` where a plugin uses it."""

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Make a guarded request, without redirections, proxies or what is in this machine's netrc."""
        options |= {"allow_redirects": False, "verify": True, "timeout": None}
        with requests.Session() as session:
            session.trust_env = False
            session.adapters.clear()
            session.mount("https://", _GuardedAdapter())
            session.mount("http://", _GuardedAdapter())
            return session.request(method, url, **options)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda url, **options: self.request(name.upper(), url, **options)
        if name in _PASSED_ON:
            return getattr(requests, name)
        raise AttributeError(f"requests.{name} is not guarded")


class _GuardedAdapter(BaseAdapter):
    """Makes the requests of a session through the guard."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Make the request.

        Raises: requests' ConnectionError.
        """
        line = _line.get()
        body = request.body or b""
        asked = Exchange(
            request.method or "GET",
            request.url or "",
            headers={str(name): str(value) for name, value in request.headers.items()},
            body=body if isinstance(body, bytes) else str(body).encode(),
        )
        line.answer, line.error = None, ""
        try:
            line.answer = exchange(asked, allowed=settings.ALERT_ALLOWED_NETWORKS)
        except Unanswered as error:
            line.error = str(error)
            raise requests.ConnectionError(line.error) from error
        return _response(request, line.answer)

    def close(self) -> None:
        """Nothing is kept open."""


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.url = request.url or ""
    response.request = request
    response._content = answer.body  # noqa: SLF001 the way that requests itself has for a body already read
    return response
