"""Unsubscribing and confirming by link: whoever has the link may, since it went to that address alone."""

from dataclasses import dataclass
from typing import Final

from alerts.channels.queries import locked_channel
from alerts.consent.links import Grant, Of
from alerts.deliveries.writing import cancel_subscriptions, disable
from alerts.models import Channel, Disabled, Kind, MutedMember, ReportRecipient
from core import clock
from core.problems import Problem, not_found
from core.sealing import unseal
from organizations.models import Membership, Organization
from organizations.tenancy import Actor, tenant_scope

_ACTOR: Final = Actor(kind="system", job="link in an e-mail")
_ASKED_TO_STOP: Final = "The recipient unsubscribed."


@dataclass(frozen=True, slots=True)
class Standing:
    """What a link is about, as its page shows it.

    ``is_told`` says whether it still is; ``what`` names the report or the channel.
    """

    organization: str
    of: Of
    what: str
    is_told: bool


def standing(grant: Grant) -> Standing:
    """Return how a link to unsubscribe stands.

    Raises: `Problem` 404 when what it was about is gone.
    """
    with tenant_scope(grant.organization_id, actor=_ACTOR, snapshot=True):
        return _standing(grant)


def unsubscribe(grant: Grant) -> Standing:
    """Tell an address no more of what its link is about; again, it changes nothing.

    Raises: `Problem` 404 when what it was about is gone.
    """
    with tenant_scope(grant.organization_id, actor=_ACTOR):
        match grant.of:
            case Of.REPORT:
                stop(_recipient(grant))
            case Of.MEMBER:
                mute(_member(grant))
            case Of.CHANNEL:
                _turn_off(_mine(grant, _locked(grant)))
        return _standing(grant)


def subscribe_again(grant: Grant) -> Standing:
    """Tell an address again after it unsubscribed: who has its link can take that back.

    Raises: `Problem` 404 when what it was about is gone.
    """
    with tenant_scope(grant.organization_id, actor=_ACTOR):
        match grant.of:
            case Of.REPORT:
                resume(_recipient(grant))
            case Of.MEMBER:
                unmute(_member(grant))
            case Of.CHANNEL:
                channel = _mine(grant, _locked(grant))
                if channel.disabled_because == Disabled.UNSUBSCRIBED:
                    _enable(channel)
        return _standing(grant)


def resume(recipient: ReportRecipient) -> None:
    """Send a report's recipient what is written from now on."""
    recipient.unsubscribed_at = None
    recipient.save(update_fields=["unsubscribed_at"])


def stop(recipient: ReportRecipient) -> None:
    """Send a report's recipient nothing more."""
    if recipient.unsubscribed_at is None:
        recipient.unsubscribed_at = clock.now()
        recipient.save(update_fields=["unsubscribed_at"])
    cancel_subscriptions([recipient.pk], _ASKED_TO_STOP)


def confirm(grant: Grant) -> Standing:
    """Note that the owner of an address agreed, and tell them from now on; again, it changes nothing.

    Raises: `Problem` 404 when the channel is gone, or has another address.
    """
    with tenant_scope(grant.organization_id, actor=_ACTOR):
        channel = _mine(grant, _locked(grant))
        if channel.disabled_because == Disabled.UNCONFIRMED:
            _enable(channel)
        return _standing(grant)


def mute(member: Membership) -> None:
    """Send a member no mails of events."""
    MutedMember.objects.get_or_create(
        membership=member, defaults={"organization_id": member.organization_id, "muted_at": clock.now()}
    )


def unmute(member: Membership) -> None:
    """Send a member mails of events again."""
    MutedMember.objects.filter(membership=member).delete()


def _standing(grant: Grant) -> Standing:
    organization = _organization(grant)
    match grant.of:
        case Of.REPORT:
            recipient = _recipient(grant)
            return Standing(organization, grant.of, recipient.report.name, recipient.unsubscribed_at is None)
        case Of.MEMBER:
            is_muted = MutedMember.objects.filter(membership=_member(grant)).exists()
            return Standing(organization, grant.of, "", not is_muted)
    channel = _mine(grant, Channel.objects.filter(pk=grant.id).first())
    return Standing(organization, grant.of, channel.name, channel.enabled)


def _turn_off(channel: Channel) -> None:
    if channel.enabled:
        disable(channel, Disabled.UNSUBSCRIBED)
    elif channel.disabled_because != Disabled.UNCONFIRMED:
        channel.disabled_because = Disabled.UNSUBSCRIBED
        channel.save(update_fields=["disabled_because"])


def _enable(channel: Channel) -> None:
    channel.confirmed_at = clock.now()
    channel.enabled, channel.disabled_at, channel.disabled_because = True, None, ""
    channel.failing_since = None
    channel.save(
        update_fields=["confirmed_at", "enabled", "disabled_at", "disabled_because", "failing_since"]
    )


def _organization(grant: Grant) -> str:
    name = Organization.objects.filter(pk=grant.organization_id).values_list("name", flat=True).first()
    if name is None:
        raise _gone()
    return name


def _member(grant: Grant) -> Membership:
    members = Membership.objects.select_related("user").filter(organization_id=grant.organization_id)
    found = next((one for one in members if grant.is_for(one.user.email)), None)
    if found is None:
        raise _gone()
    return found


def _recipient(grant: Grant) -> ReportRecipient:
    found = ReportRecipient.objects.select_related("report").filter(pk=grant.id).first()
    if found is None:
        raise _gone()
    return found


def _locked(grant: Grant) -> Channel | None:
    try:
        return locked_channel(grant.organization_id, grant.id)
    except Problem:
        return None


def _mine(grant: Grant, channel: Channel | None) -> Channel:
    """Return the channel if it still has the address that the link went to."""
    if channel is None or channel.kind != Kind.EMAIL or not grant.is_for(unseal(channel.target)):
        raise _gone()
    return channel


def _gone() -> Problem:
    return not_found("You are not told any more of what this link was about: there is nothing to do.")
