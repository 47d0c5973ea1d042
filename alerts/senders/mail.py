"""E-mail: a text and an HTML part, with the chart as an image inside, and a way to unsubscribe."""

import smtplib
from email.mime.image import MIMEImage
from email.utils import parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from alerts.senders.jobs import MOST_ERROR, Job, Result
from alerts.senders.letters import Letter, write

CHART_ID: Final = "chart"
MOST_SUBJECT: Final = 200
_ACCEPTED: Final = 250


def send(job: Job) -> Result:
    """Send the mail by the operator's server; an address that it refuses for good is not tried again."""
    if not settings.EMAIL_HOST:
        return Result(delivered=False, error="There is no mail server: EMAIL_URL is not set.")
    try:
        message(job).send()
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return _refused(code, text, final=code >= 500)
    except smtplib.SMTPAuthenticationError as error:
        return _refused(error.smtp_code, b"The mail server refuses the user of EMAIL_URL.")
    except smtplib.SMTPResponseException as error:
        is_content = isinstance(error, smtplib.SMTPDataError)
        return _refused(error.smtp_code, error.smtp_error, final=is_content and error.smtp_code >= 500)
    except (OSError, smtplib.SMTPException) as error:
        return Result(delivered=False, error=f"The mail server can't be reached: {error}"[:MOST_ERROR])
    return Result(delivered=True, status=_ACCEPTED)


def message(job: Job) -> EmailMultiAlternatives:
    """Return the mail; its ``Message-ID`` is the same at every attempt."""
    letter = write(job)
    chart = letter.chart() if letter.chart else None
    context: dict[str, Any] = {**letter.context, "chart": CHART_ID if chart else ""}
    mail = EmailMultiAlternatives(
        subject=f"[{letter.organization}] {letter.title}"[:MOST_SUBJECT],
        body=render_to_string(f"alerts/{letter.template}.txt", context),
        to=[job.target],
        headers=_headers(job, letter),
        connection=get_connection(timeout=settings.EMAIL_TIMEOUT),
    )
    mail.attach_alternative(render_to_string(f"alerts/{letter.template}.html", context), "text/html")
    if chart:
        mail.mixed_subtype = "related"  # type: ignore[attr-defined] # Django's, and missing from its stubs
        mail.attach(_image(chart))
    return mail


def _headers(job: Job, letter: Letter) -> dict[str, str]:
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    headers = {
        "Message-ID": f"<{job.delivery_id}@{sender.rpartition('@')[2] or 'localhost'}>",
        "Auto-Submitted": "auto-generated",
    }
    if letter.unsubscribe:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        # RFC 8058 has it for https alone.
        if letter.unsubscribe.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _image(png: bytes) -> MIMEImage:
    image = MIMEImage(png, "png")
    image.add_header("Content-ID", f"<{CHART_ID}>")
    image.add_header("Content-Disposition", "inline", filename="chart.png")
    return image


def _refused(code: int, text: bytes | str, *, final: bool = False) -> Result:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Result(
        delivered=False,
        status=code,
        response=said[:MOST_ERROR],
        error=f"The mail server answered {code}.",
        final=final,
    )
