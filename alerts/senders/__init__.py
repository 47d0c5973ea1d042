"""How each kind of channel is spoken to: a job in, a result out; without the database."""

from alerts.models import Kind
from alerts.senders import chat, mail, webhook
from alerts.senders.jobs import Job, Result

__all__ = ["Job", "Result", "send"]


def send(job: Job) -> Result:
    """Make one attempt. What a receiver does wrong is a result; an exception is a fault of ours."""
    match job.kind:
        case Kind.EMAIL:
            return mail.send(job)
        case Kind.WEBHOOK:
            return webhook.send(job)
    return chat.send(job)
