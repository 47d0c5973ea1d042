"""Webhooks, signed as Standard Webhooks says."""

import json
from typing import Final

from django.conf import settings
from standardwebhooks import Webhook

from alerts.outbound import Exchange, Unanswered, exchange
from alerts.senders.jobs import Job, Result, by_status

USER_AGENT: Final = "Headroom-Webhooks/1"
SECONDS: Final = 20.0
"""How long a receiver may take; the standard recommends 15 to 30 seconds."""
_MOST_BYTES: Final = 16 * 1024


def send(job: Job) -> Result:
    """Post the snapshot, with the same ``webhook-id`` at every attempt.

    Source: the Standard Webhooks specification 1.0; after a rotation there is a signature of each secret.
    """
    body = json.dumps(job.payload, ensure_ascii=False, separators=(",", ":"))
    asked = Exchange(
        "POST",
        job.target,
        headers=_headers(job, body),
        body=body.encode(),
        seconds=SECONDS,
        most_bytes=_MOST_BYTES,
    )
    try:
        answer = exchange(asked, allowed=settings.ALERT_ALLOWED_NETWORKS)
    except Unanswered as error:
        return Result(delivered=False, error=str(error))
    return by_status(answer.status, answer.body, answer.headers)


def message_id(job: Job) -> str:
    """Return the id by which a receiver knows that it has a message already."""
    return f"msg_{job.delivery_id.hex}"


def _headers(job: Job, body: str) -> dict[str, str]:
    identity = message_id(job)
    signatures = (Webhook(secret).sign(identity, job.at, body) for secret in job.secrets)
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": identity,
        "webhook-timestamp": str(int(job.at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
