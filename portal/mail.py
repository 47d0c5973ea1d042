"""What the portal sends by e-mail. Without a mail server set up nothing is sent, and nothing fails."""

from __future__ import annotations

from smtplib import SMTPException

import structlog
from django.core.mail import send_mail
from django.template.loader import render_to_string

from organizations.models import Invitation, User

log = structlog.get_logger(__name__)


def invite(invitation: Invitation, organization: str, by: User, link: str) -> bool:
    """Send an invitation with its link; return whether a mail server took it."""
    context = {"organization": organization, "by": by.get_full_name(), "link": link, "invitation": invitation}
    try:
        send_mail(
            f"Join {organization} on Headroom",
            render_to_string("portal/mail/invitation.txt", context),
            None,
            [invitation.email],
        )
    except (OSError, SMTPException) as error:
        log.warning("invitation_not_mailed", error=str(error))
        return False
    return True
