"""What goes into a mail, by what is told: which template, with what, which chart, and how to unsubscribe."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from alerts.consent.links import Of, confirm_link, mute_link, reports_link, unsubscribe_link
from alerts.models import Notice
from alerts.senders import reports
from alerts.senders.charts import draw, draw_report
from alerts.senders.jobs import Job
from alerts.senders.words import Words, words

_OF_EVENTS = (Notice.FIRED, Notice.RESOLVED)
CHART_OF_EVENT = "The figures of late, with the threshold."


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be; ``chart`` draws its picture, and ``unsubscribe`` is empty where nobody could."""

    organization: str
    title: str
    template: str
    context: dict[str, Any]
    chart: Callable[[], bytes | None] | None = None
    unsubscribe: str = ""


def write(job: Job) -> Letter:
    """Return what goes into the mail of a delivery."""
    link = _unsubscribe(job)
    if job.payload["type"] in reports.TYPES:
        return _report(job, link)
    said = words(job.payload)
    confirm = ""
    if job.notice == Notice.CONFIRMATION and job.channel_id is not None:
        confirm = confirm_link(job.organization_id, job.channel_id, job.target)
    context = {
        "said": said,
        **_frame(said),
        "alt": CHART_OF_EVENT,
        "unsubscribe": link,
        "confirm": confirm,
        "why": "" if confirm else _why(job, said.organization),
    }
    chart = partial(draw, job.chart) if job.chart else None
    return Letter(said.organization, said.title, "mail", context, chart, link)


def _report(job: Job, link: str) -> Letter:
    told = reports.told(job.payload)
    pairs = [told.cards[place : place + 2] for place in range(0, len(told.cards), 2)]
    context = {
        "told": told,
        "cards": pairs,
        **_frame(told),
        "alt": told.chart,
        "unsubscribe": link,
        "manage": reports_link(),
    }
    chart = partial(draw_report, job.payload["data"])
    return Letter(told.organization, told.title, "report", context, chart, link)


def _why(job: Job, organization: str) -> str:
    if job.channel_id is None:
        return f"You are told because you help to manage {organization}."
    return f"Headroom tells {organization} of this through one of its alert channels."


def _frame(said: Words | reports.Told) -> dict[str, Any]:
    return {"organization": said.organization, "title": said.title}


def _unsubscribe(job: Job) -> str:
    if job.subscription is not None:
        return unsubscribe_link(Of.REPORT, job.organization_id, job.subscription, job.target)
    if job.channel_id is None and job.notice in _OF_EVENTS:
        return mute_link(job.organization_id, job.target)
    if job.channel_id is None or job.notice == Notice.CONFIRMATION:
        return ""
    return unsubscribe_link(Of.CHANNEL, job.organization_id, job.channel_id, job.target)
