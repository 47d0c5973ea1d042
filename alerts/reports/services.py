"""Making, changing and ending reports, who gets them, and sending one by hand.

Tenancy: call in the tenant's scope.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from alerts.channels.services import check_consent, check_tests
from alerts.consent.services import resume, stop
from alerts.deliveries import writing as deliveries
from alerts.models import Channel, Delivery, Kind, Notice, Report, ReportRecipient
from alerts.reports.figures import figures
from alerts.reports.queries import locked_report, report
from alerts.reports.schedule import last_due
from alerts.reports.snapshots import for_member, of_report
from core import clock
from core.periods import zone
from core.problems import conflict, invalid_field, not_found
from organizations import queries as organizations
from organizations.models import Membership
from organizations.services.locks import lock_organization

MOST_REPORTS: Final = 20
MOST_RECIPIENTS: Final = 50
PAGERS: Final = frozenset({Kind.PAGERDUTY, Kind.OPSGENIE})
"""The kinds of channels that wake people up: a report is no incident."""
_ENDED: Final = "The report was deleted, or is not sent there any more."


def create_report(
    *,
    organization_id: int,
    name: str,
    cadence: str,
    hour: int,
    members: Sequence[str] = (),
    channels: Sequence[UUID] = (),
    enabled: bool = True,
    created_by_id: int | None = None,
) -> Report:
    """Make a report; the first one sent is of the week or month that is under way.

    Raises: `Problem` 422 for a recipient that is none, 409 when there are as many as there may be.
    """
    lock_organization(organization_id)
    if Report.objects.filter(organization_id=organization_id).count() >= MOST_REPORTS:
        raise conflict(f"An organization has at most {MOST_REPORTS} reports.", code="too_many_reports")
    if not members and not channels:
        raise invalid_field("/members", "required", "A report needs members or channels to go to.")
    made = Report.objects.create(
        organization_id=organization_id,
        name=name,
        cadence=cadence,
        hour=hour,
        enabled=enabled,
        starts_at=clock.now(),
        created_by_id=created_by_id,
    )
    _set_members(made, members)
    _set_channels(made, channels)
    return report(organization_id, made.pk)


def change_report(
    *,
    organization_id: int,
    report_id: UUID,
    name: str | None = None,
    cadence: str | None = None,
    hour: int | None = None,
    enabled: bool | None = None,
    members: Sequence[str] | None = None,
    channels: Sequence[UUID] | None = None,
) -> Report:
    """Change what is given of a report. Enabled again, or of another cadence, it begins anew.

    Who stays among the recipients stays unsubscribed, too.
    Raises: `Problem` 404, 422.
    """
    found = locked_report(organization_id, report_id)
    if (cadence is not None and cadence != found.cadence) or (enabled and not found.enabled):
        found.starts_at = clock.now()
    for field, value in (("name", name), ("cadence", cadence), ("hour", hour), ("enabled", enabled)):
        if value is not None:
            setattr(found, field, value)
    found.save(update_fields=["name", "cadence", "hour", "enabled", "starts_at"])
    if members is not None:
        _set_members(found, members)
    if channels is not None:
        _set_channels(found, channels)
    return report(organization_id, report_id)


def delete_report(*, organization_id: int, report_id: UUID) -> None:
    """End a report; what is pending of it is cancelled, the log of it all stays.

    Raises: `Problem` 404.
    """
    found = locked_report(organization_id, report_id)
    deliveries.cancel_subscriptions(found.recipients.values_list("pk", flat=True), _ENDED)
    found.delete()


def request_test(
    *, organization_id: int, report_id: UUID, user_id: int | None, channel_id: UUID | None = None
) -> Delivery:
    """Send the last report that was due once more, marked as a test: to the member who asks, or a channel.

    Raises: `Problem` 404, 422 without either, 429 after too many tests within an hour.
    """
    found = report(organization_id, report_id)
    check_tests(organization_id)
    if channel_id is not None:
        channel = _channels(organization_id, [channel_id], "/channel")[0]
        check_consent(channel)
        told = deliveries.to_channel(channel, Notice.TEST, _last(found))
    elif user_id is not None:
        members = Membership.objects.select_related("user")
        member = members.get(organization_id=organization_id, user_id=user_id)
        seen = for_member(_last(found), member.role)
        told = deliveries.to_address(member.user.email, organization_id, Notice.TEST, seen)
    else:
        raise invalid_field("/channel", "required", "A key has no mailbox: name the channel to send it to.")
    return deliveries.write([told])[0]


def unsubscribe(*, organization_id: int, report_id: UUID, user_id: int) -> None:
    """Send a member no more of a report.

    Raises: `Problem` 404 when they don't get it.
    """
    stop(_own(organization_id, report_id, user_id))


def subscribe_again(*, organization_id: int, report_id: UUID, user_id: int) -> None:
    """Send a member a report again after they unsubscribed.

    Raises: `Problem` 404 when they are no recipient of it.
    """
    resume(_own(organization_id, report_id, user_id))


def _last(found: Report) -> dict[str, Any]:
    """Return what the last report that was due says, as it is known now."""
    now, organization = clock.now(), organizations.organization(found.organization_id)
    due = last_due(found.cadence, found.hour, zone(organization.timezone), now)
    return of_report(found, organization, uuid4(), figures(organization, due, now), now, is_test=True)


def _own(organization_id: int, report_id: UUID, user_id: int) -> ReportRecipient:
    mine = ReportRecipient.objects.filter(
        organization_id=organization_id, report_id=report_id, membership__user_id=user_id
    )
    found = mine.first()
    if found is None:
        raise not_found("You are no recipient of such a report.")
    return found


def _set_members(found: Report, addresses: Sequence[str]) -> None:
    wanted = {address.strip().lower() for address in addresses}
    members = Membership.objects.filter(organization_id=found.organization_id, user__email__in=wanted)
    known = dict(members.values_list("user__email", "pk"))
    for place, address in enumerate(addresses):
        if address.strip().lower() not in known:
            raise invalid_field(
                f"/members/{place}", "not_a_member", f"{address[:254]!r} is no member of this organization."
            )
    _replace(found, "membership_id", known.values())


def _set_channels(found: Report, identities: Sequence[UUID]) -> None:
    channels = _channels(found.organization_id, identities, "/channels")
    _replace(found, "channel_id", [channel.pk for channel in channels])


def _channels(organization_id: int, identities: Sequence[UUID], pointer: str) -> list[Channel]:
    """Return the channels, each of which a report can be sent to.

    Raises: `Problem` 422 naming the first that can't be.
    """
    known = Channel.objects.filter(organization_id=organization_id).in_bulk(identities)
    for place, identity in enumerate(identities):
        at = pointer if pointer == "/channel" else f"{pointer}/{place}"
        if identity not in known:
            raise invalid_field(at, "invalid_choice", f"There is no channel {identity} in this organization.")
        if known[identity].kind in PAGERS:
            raise invalid_field(
                at, "invalid_choice", "A report is no incident: choose a channel that wakes nobody up."
            )
    return list(known.values())


def _replace(found: Report, column: str, wanted: Iterable[int | UUID]) -> None:
    """Make these the report's members, or its channels; who is among them already keeps their choice."""
    now = set(wanted)
    held = ReportRecipient.objects.filter(report=found).exclude(**{column: None})
    there = dict(held.values_list(column, "pk"))
    if gone := [pk for one, pk in there.items() if one not in now]:
        deliveries.cancel_subscriptions(gone, _ENDED)
        ReportRecipient.objects.filter(pk__in=gone).delete()
    ReportRecipient.objects.bulk_create(
        ReportRecipient(organization_id=found.organization_id, report=found, **{column: one})
        for one in sorted(now - there.keys(), key=str)
    )
