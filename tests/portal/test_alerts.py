"""The pages of alerts: what fired, who was told, and where the organization wants to be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alerts.models import Channel, Event
from alerts.rules.evaluate import evaluate
from organizations.tenancy import tenant_scope
from tests.alerts.receivers import Receiver, receiving, status
from tests.alerts.rules.ruling import built_in, events, make_rule, only
from tests.alerts.telling import again, clear, deliveries, fire, mailbox, webhook, work
from tests.portal.pages import HTMX, sign_in, text
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.example.com/hook"
CHART = {
    "unit": "EUR",
    "timezone": "Europe/Berlin",
    "threshold": "10",
    "points": [["2026-07-14T10:00:00Z", "4"], ["2026-07-14T11:00:00Z", "12.5"]],
}


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker listens in the tests: turns are taken by hand.
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)


@pytest.fixture
def receiver(settings: Any) -> Any:
    """A receiver of webhooks on this machine, which the operator allows."""
    settings.ALERT_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with receiving() as running:
        yield running


def happened(tenant: Tenant, message: str, **more: Any) -> Event:
    """Have something fire that has not fired before."""
    event = fire(tenant, message=message, occurrence=uuid4().hex, **more)
    assert event is not None
    return event


def messages_of(page: Any, part: str) -> list[str]:
    """Return what the events of a part of the page say."""
    match = re.search(rf'<ul class="notices" id="{part}">(.*?)</ul>', page.content.decode(), flags=re.DOTALL)
    return [] if match is None else re.findall(r"<a [^>]*>([^<]*)</a>", match[1])


def in_order(client: Client, path: str, part: str = "events") -> list[str]:
    """Return what every page says, from the first on."""
    found: list[str] = []
    while path:
        page = client.get(path)
        found += messages_of(page, part)
        path = page.context["older"]
    return found


CHANNEL_STATES: tuple[dict[str, Any], ...] = (
    {},
    {"failing_since": NOW},
    {"enabled": False, "disabled_at": NOW, "disabled_because": "unconfirmed"},
    {"enabled": False, "disabled_at": NOW, "disabled_because": "unsubscribed"},
    {"enabled": False, "disabled_at": NOW, "disabled_because": "byHand"},
)
"""What the states of channels are made of, in their order."""


@pytest.fixture
def many(acme: Tenant) -> list[Channel]:
    """More channels than fit on a page, newest first: of every state, some of them never delivered to."""
    for number in range(30):
        if number % 3:
            made = webhook(acme, HOOK, f"{'Hh'[number % 2]}ook {number * 7 % 30:02}").channel
        else:
            made = mailbox(acme, f"m{number}@example.org")
        lasting = {"old_secret": b"old", "old_secret_until": NOW + timedelta(hours=number - 15)}
        with tenant_scope(acme.id):
            Channel.objects.filter(pk=made.pk).update(
                created_at=NOW + timedelta(minutes=number * 11 % 30),
                delivered_at=NOW - timedelta(hours=number) if number % 2 else None,
                **CHANNEL_STATES[number % 5],
                **(lasting if number % 3 == 1 else {}),
            )
    with tenant_scope(acme.id):
        return list(Channel.objects.order_by("-created_at"))


def state_of(channel: Channel) -> int:
    """Return where the state of a channel stands among all of them."""
    states = ("", "", "unconfirmed", "unsubscribed", "byHand")
    return states.index(channel.disabled_because) + (channel.failing_since is not None)


def previous_of(channel: Channel) -> datetime | None:
    """Return when the previous secret of a channel ends, if it has not."""
    until = channel.old_secret_until
    return until if until is not None and until > NOW else None


CHANNEL_ORDERS: dict[str, tuple[Callable[[Channel], Any], str, str]] = {
    "created": (lambda one: one.created_at, "Oldest first", "Newest first"),
    "name": (lambda one: one.name.lower(), "By name", "By name, descending"),
    "kind": (lambda one: one.get_kind_display().lower(), "By kind", "By kind, descending"),
    "state": (state_of, "By state, enabled first", "By state, disabled first"),
    "delivered": (
        lambda one: one.delivered_at,
        "By last delivery, earliest first",
        "By last delivery, latest first",
    ),
    "previous": (
        previous_of,
        "By end of the previous secret, earliest first",
        "By end of the previous secret, latest first",
    ),
}


def keys_in(page: Any) -> list[str]:
    """Return the channels of a page by their ids, in their order."""
    return re.findall(r'<th scope="row"><a href="/alerts/channels/([^/]+)/"', page.content.decode())


def in_order_of(found: list[Channel], sort: str, *, is_falling: bool) -> list[str]:
    """Return the ids of channels in an order; what has nothing to go by comes last."""
    figure = CHANNEL_ORDERS[sort][0]
    known = [one for one in found if figure(one) is not None]
    rest = [one for one in found if figure(one) is None]
    return [str(one.pk) for one in sorted(known, key=figure, reverse=is_falling) + rest]


class TestEvents:
    def test_what_holds_comes_first(self, acme: Tenant, member: Client) -> None:
        over = happened(acme, "Over.")
        happened(acme, "Holds.", fired_at=NOW - timedelta(days=3))
        clear(acme, over)
        page = member.get("/alerts/")
        assert messages_of(page, "holding") == ["Holds."]
        assert messages_of(page, "events") == ["Over."]
        assert "Warning Over. 15 Jul 2026, 14:34 · Resolved 15 Jul 2026, 14:34" in text(page)

    def test_filters_are_in_the_address(self, acme: Tenant, member: Client) -> None:
        happened(acme, "Bad.", severity="critical")
        happened(acme, "So so.")
        assert messages_of(member.get("/alerts/?state=open&severity=critical"), "events") == ["Bad."]
        assert "No alerts match these filters." in text(member.get("/alerts/?state=resolved"))
        assert "No alerts yet. Rules watch" in text(sign_in(make_tenant("Quiet")).get("/alerts/"))
        assert member.get("/alerts/?state=closed").status_code == 400

    def test_pages_go_on_where_the_last_one_ended(self, acme: Tenant, member: Client) -> None:
        for number in range(53):
            event = happened(acme, f"{number}", fired_at=NOW - timedelta(minutes=number))
            clear(acme, event)
        happened(acme, "Holds.")
        assert in_order(member, "/alerts/") == [f"{number}" for number in range(53)]
        assert member.get("/alerts/?cursor=bogus").status_code == 400

    def test_what_was_asked_for_is_paged_too(self, acme: Tenant, member: Client) -> None:
        for number in range(30):
            happened(acme, f"{number}", fired_at=NOW - timedelta(minutes=number))
        page = member.get("/alerts/")
        assert len(messages_of(page, "holding")) == 25
        assert "View all open alerts" in text(page)
        assert in_order(member, "/alerts/?state=open") == [f"{number}" for number in range(30)]

    def test_one_is_read_in_full(self, acme: Tenant, member: Client) -> None:
        mailbox(acme)
        event = happened(
            acme, "It costs too much.", unit="EUR", threshold=Decimal(10), value=Decimal("12.5"), chart=CHART
        )
        page = member.get(f"/alerts/events/{event.pk}/")
        said = text(page)
        for words in (
            "It costs too much. Warning Open Times in Europe/Berlin, UTC+02:00",
            "Recommendation Raise the limit, or look at what spends the most.",
            "Metric Cost",
            "Value 12.50 EUR Threshold 10.00 EUR",
            "Window 1 Jul 2026, 02:00 – 1 Aug 2026, 02:00",
            "Spend within the limit's window, EUR",
            "14 Jul 2026, 12:00 4.00 EUR 10.00 EUR 14 Jul 2026, 13:00 12.50 EUR 10.00 EUR",
            "Pending Alert fired to Operations",
        ):
            assert words in said
        assert '"datasets": {"points": [{"at": "2026-07-14T12:00:00Z"' in page.content.decode()
        api = member.get(f"/api/v1/alerts/events/{event.pk}").json()
        assert (api["value"], api["threshold"], api["message"]) == ("12.5", "10", "It costs too much.")

    def test_an_event_of_a_metric_is_drawn_around_the_moment_it_fired(
        self, acme: Tenant, member: Client
    ) -> None:
        only(acme, "error_rate_up")
        acme.api.keep(*[record(timestamp=at(NOW - timedelta(minutes=20)), model="m") for _ in range(45)])
        acme.api.keep(
            *[record(timestamp=at(NOW - timedelta(minutes=10)), status="error", model="m") for _ in range(15)]
        )
        evaluate()
        event = events(acme)[0]
        page = member.get(f"/alerts/events/{event.pk}/")
        said = text(page)
        for words in (
            "Error rate over 1 hour, %",
            "Each point covers the hour before it. The dashed line is the threshold.",
            "Windows with fewer than 50 requests are not evaluated.",
            "15 Jul 2026, 14:34 25% 5% Fired",
        ):
            assert words in said
        marks = page.context["alert"].chart.specification["datasets"]["marks"]
        assert marks == [{"at": "2026-07-15T14:34:56.789012Z", "name": "Fired", "row": 0}]
        records, usage = page.context["alert"].links
        assert f"clientId={acme.client_id}" in records.url
        assert "status=error" in records.url
        for link in (records, usage):
            assert member.get(link.url).status_code == 200

    def test_what_cannot_be_drawn_says_why(self, acme: Tenant, member: Client) -> None:
        rule = make_rule(acme)
        event = happened(acme, "Once.", rule_id=rule.pk, rule_revision=9, rule_name="Busy")
        page = member.get(f"/alerts/events/{event.pk}/")
        assert "its earlier settings aren't known: no chart." in text(page)
        old = happened(
            acme, "Long ago.", rule_id=rule.pk, rule_revision=1, fired_at=NOW - timedelta(days=4000)
        )
        assert "is no longer kept, so there is no chart." in text(member.get(f"/alerts/events/{old.pk}/"))

    def test_used_credits_stand_for_the_share_that_is_not_kept(self, acme: Tenant, member: Client) -> None:
        rule = built_in(acme, "credits")
        event = happened(
            acme,
            "Credits are at 95% of the credits granted.",
            rule_id=rule.pk,
            rule_revision=1,
            rule_name=rule.name,
            metric="credits",
            unit="percent",
            threshold=Decimal(95),
            value=Decimal(95),
        )
        acme.api.keep(record(timestamp=at(NOW - timedelta(hours=2)), quantities={"credits": 7}))
        said = text(member.get(f"/alerts/events/{event.pk}/"))
        assert "Credits over 24 hours" in said
        assert "Shown instead: credits used in the 24 hours before each point." in said
        assert "15 Jul 2026, 14:34 7 credits Fired" in said

    def test_who_was_told_is_for_those_who_set_it_up(self, acme: Tenant) -> None:
        mailbox(acme)
        event = happened(acme, "Told.")
        for role, sees in (("owner", True), ("analyst", False)):
            client = sign_in(acme, role)
            assert ("Notifications" in text(client.get(f"/alerts/events/{event.pk}/"))) is sees
            assert ("Deliveries" in text(client.get("/alerts/"))) is sees

    def test_another_organizations_is_not_found(self, acme: Tenant, member: Client) -> None:
        theirs = happened(make_tenant("Globex"), "Theirs.")
        assert member.get(f"/alerts/events/{theirs.pk}/").status_code == 404
        assert messages_of(member.get("/alerts/"), "holding") == []

    def test_questions_do_not_grow(
        self, acme: Tenant, member: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            clear(acme, happened(acme, f"{number}"))
        # The session, its user, the memberships twice, each in a scope of its own; the strip; the two lists.
        with django_assert_max_num_queries(2 + 2 * 5 + 4 + 1 + 2):
            member.get("/alerts/")


class TestChannels:
    def test_a_webhook_is_added_and_its_secret_shown_once(self, acme: Tenant, member: Client) -> None:
        answer = member.post("/alerts/channels/new/?kind=webhook", {"name": "Hook", "target": HOOK})
        secret = re.search(r"whsec_[\w+/=]+", answer.content.decode())
        assert secret is not None
        with tenant_scope(acme.id):
            channel = Channel.objects.get()
        page = member.get(f"/alerts/channels/{channel.pk}/")
        assert "Webhook Address https://hooks.example.com/…hook" in text(page)
        assert secret[0] not in page.content.decode()
        assert HOOK not in page.content.decode()

    def test_every_kind_can_be_chosen(self, member: Client) -> None:
        page = member.get("/alerts/channels/new/")
        kinds = re.findall(r'href="/alerts/channels/new/\?kind=(\w+)"', page.content.decode())
        assert len(kinds) == 12
        for kind in kinds:
            assert member.get(f"/alerts/channels/new/?kind={kind}").status_code == 200

    @pytest.mark.parametrize(
        ("kind", "target", "words"),
        [
            ("email", "nobody", "Must be an e-mail address."),
            ("webhook", "ftp://example.com", "begins with https://"),
            ("webhook", "https://127.0.0.1/", "an address where no request may go"),
            ("slack", "https://example.com/", "hooks.slack.com"),
            ("webhook", "", "This field is required."),
        ],
    )
    def test_what_is_no_address_is_said_at_the_field(
        self, member: Client, kind: str, target: str, words: str
    ) -> None:
        answer = member.post(f"/alerts/channels/new/?kind={kind}", {"name": "It", "target": target})
        assert answer.status_code == 422
        assert words in text(answer)

    def test_a_test_is_sent_and_its_result_shown(
        self, acme: Tenant, member: Client, receiver: Receiver
    ) -> None:
        channel = webhook(acme, receiver.url).channel
        sent = member.post(f"/alerts/channels/{channel.pk}/test/")
        waiting = member.get(sent["Location"])
        assert "Sending…" in text(waiting)
        assert 'hx-trigger="every 1s"' in waiting.content.decode()
        work()
        result = member.get(sent["Location"], headers=HTMX)
        assert "Delivered Test to Hook" in text(result)
        assert "every 1s" not in result.content.decode()
        assert "Attempt 1 15 Jul 2026, 14:34:56 Delivered status 204" in text(result)

    def test_a_channel_is_switched_off_and_on(self, acme: Tenant, member: Client) -> None:
        channel = webhook(acme, HOOK).channel
        path = f"/alerts/channels/{channel.pk}/"
        assert "Pending deliveries are cancelled" in text(
            member.post(f"{path}switch/", {"enabled": "off"}, follow=True)
        )
        assert not again(channel).enabled
        assert "Disabled Disabled by a member" in text(member.get("/alerts/channels/"))
        member.post(f"{path}switch/", {"enabled": "on"})
        assert again(channel).enabled
        assert member.post(f"{path}switch/", {"enabled": "perhaps"}).status_code == 422

    def test_a_channel_is_changed_without_its_address_being_shown(self, acme: Tenant, member: Client) -> None:
        channel = webhook(acme, HOOK).channel
        path = f"/alerts/channels/{channel.pk}/change/"
        member.post(path, {"name": "Renamed", "target": ""})
        assert (again(channel).name, again(channel).shown) == ("Renamed", "https://hooks.example.com/…hook")
        member.post(path, {"name": "Renamed", "target": "https://hooks.example.com/other"})
        assert again(channel).shown == "https://hooks.example.com/…ther"
        refused = member.post(path, {"name": "Renamed", "target": "nonsense"})
        assert refused.status_code == 422

    def test_a_secret_is_rotated_and_shown_once(self, acme: Tenant, member: Client) -> None:
        issued = webhook(acme, HOOK)
        answer = member.post(f"/alerts/channels/{issued.channel.pk}/rotate/")
        found = re.search(r"whsec_[\w+/=]+", answer.content.decode())
        assert found is not None
        assert found[0] != issued.secret
        assert "valid until 16 Jul 2026, 14:34" in text(member.get(f"/alerts/channels/{issued.channel.pk}/"))
        assert member.post(f"/alerts/channels/{mailbox(acme).pk}/rotate/").status_code == 409

    def test_the_settings_list_what_signs(self, acme: Tenant, member: Client) -> None:
        issued = webhook(acme, HOOK)
        mailbox(acme)
        page = member.get("/settings/webhooks/")
        assert "Hook https://hooks.example.com/…hook" in text(page)
        assert "Operations" not in text(page)
        assert f'action="/alerts/channels/{issued.channel.pk}/rotate/"' in page.content.decode()
        assert sign_in(acme, "billing").get("/settings/webhooks/").status_code == 403

    @pytest.mark.parametrize("sort", ["created", "name", "kind", "state", "delivered"])
    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_channels_stand_in_any_order_page_by_page(
        self, many: list[Channel], member: Client, sort: str, order: str
    ) -> None:
        is_falling = order == "desc"
        asked = {"sort": sort, "order": order}
        pages = [member.get("/alerts/channels/", {**asked, "page": page}) for page in (1, 2)]
        assert [len(keys_in(page)) for page in pages] == [25, 5]
        listed = [key for page in pages for key in keys_in(page)]
        assert listed == in_order_of(many, sort, is_falling=is_falling)
        html = pages[0].content.decode()
        assert f"<caption>{CHANNEL_ORDERS[sort][1 + is_falling]}; at most 50</caption>" in html
        other = "asc" if is_falling else "desc"
        assert f'href="/alerts/channels/?sort={sort}&amp;order={other}" hx-get' in html
        assert f'rel="next" href="/alerts/channels/?sort={sort}&amp;order={order}&amp;page=2"' in html
        assert html.count("aria-sort=") == 1
        assert pages[1].context["here"] == f"/alerts/channels/?sort={sort}&order={order}&page=2"

    @pytest.mark.parametrize("sort", ["created", "name", "state", "previous"])
    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_what_signs_stands_in_any_order(
        self, many: list[Channel], member: Client, sort: str, order: str
    ) -> None:
        is_falling = order == "desc"
        page = member.get("/settings/webhooks/", {"sort": sort, "order": order})
        signing = [one for one in many if one.secret is not None]
        assert keys_in(page) == in_order_of(signing, sort, is_falling=is_falling)
        assert len(signing) == 20
        html = page.content.decode()
        assert f"<caption>{CHANNEL_ORDERS[sort][1 + is_falling]}; each webhook signs" in html
        assert f'href="/settings/webhooks/?sort={sort}&amp;order={"asc" if is_falling else "desc"}"' in html
        assert page.context["here"] == f"/settings/webhooks/?sort={sort}&order={order}"

    def test_the_part_of_what_signs_is_what_its_headings_replace(
        self, many: list[Channel], member: Client
    ) -> None:
        part = member.get("/settings/webhooks/?sort=name", headers=HTMX).content.decode()
        assert part.strip().startswith('<div id="live">')
        assert "<h1>" not in part

    @pytest.mark.parametrize("path", ["/alerts/channels/", "/settings/webhooks/"])
    def test_channels_stand_newest_first_unasked(
        self, many: list[Channel], member: Client, path: str
    ) -> None:
        found = [one for one in many if "channels" in path or one.secret is not None]
        assert keys_in(member.get(path)) == [str(one.pk) for one in found][:25]

    @pytest.mark.parametrize(
        ("path", "accepted"),
        [
            ("/alerts/channels/?sort=previous", "created, name, kind, state, delivered."),
            ("/settings/webhooks/?sort=kind", "created, name, state, previous."),
            ("/settings/webhooks/?page=2", "organization, sort, order."),
        ],
    )
    def test_what_there_is_no_order_for_is_refused(self, member: Client, path: str, accepted: str) -> None:
        refused = member.get(path)
        assert refused.status_code == 400
        assert f"accepted: {accepted}" in text(refused)

    def test_a_channel_is_removed_and_its_log_stays(self, acme: Tenant, member: Client) -> None:
        channel = webhook(acme, HOOK).channel
        happened(acme, "Told.")
        page = member.post(f"/alerts/channels/{channel.pk}/remove/", follow=True)
        assert "Channel Hook deleted." in text(page)
        assert "No channels yet." in text(page)
        assert "Cancelled Alert fired to Hook" in text(member.get("/alerts/deliveries/"))

    def test_those_who_only_read_see_no_buttons(self, acme: Tenant) -> None:
        channel = webhook(acme, HOOK).channel
        page = sign_in(acme, "analyst").get(f"/alerts/channels/{channel.pk}/")
        assert page.status_code == 200
        for word in ("Send test", "Disable", "Rotate", "Delete", "Edit channel", "Recent deliveries"):
            assert word not in text(page)
        assert "Add channel" not in text(sign_in(acme, "billing").get("/alerts/channels/"))

    def test_another_organizations_is_neither_shown_nor_changed(self, acme: Tenant, member: Client) -> None:
        theirs = webhook(make_tenant("Globex"), HOOK).channel
        assert member.get(f"/alerts/channels/{theirs.pk}/").status_code == 404
        for action in ("test", "switch", "rotate", "remove", "change"):
            answer = member.post(
                f"/alerts/channels/{theirs.pk}/{action}/", {"enabled": "off", "name": "Mine"}
            )
            assert answer.status_code == 404
        assert (again(theirs).enabled, again(theirs).name) == (True, "Hook")


class TestDeliveries:
    def test_the_log_has_every_attempt(self, acme: Tenant, member: Client, receiver: Receiver) -> None:
        receiver.answers[:] = [status(503)]
        webhook(acme, receiver.url)
        happened(acme, "Told.")
        work()
        said = text(member.get("/alerts/deliveries/"))
        assert "Pending Alert fired to Hook Webhook · 15 Jul 2026, 14:34:56 Told." in said
        assert "Next attempt 15 Jul 2026, 14:35:0" in said
        assert "Failed status 503" in said

    def test_it_is_filtered_by_state_and_channel(self, acme: Tenant, member: Client) -> None:
        hook = webhook(acme, HOOK).channel
        mailbox(acme)
        happened(acme, "Told.")
        page = member.get("/alerts/deliveries/", {"channel": str(hook.pk), "state": "pending"})
        assert page.content.decode().count('class="delivery"') == 1
        assert "Channel: Hook" in text(page)
        assert "No deliveries match these filters." in text(member.get("/alerts/deliveries/?state=failed"))
        assert member.get("/alerts/deliveries/?channel=bogus").status_code == 400

    def test_it_is_paged(self, acme: Tenant, member: Client) -> None:
        mailbox(acme)
        for number in range(30):
            happened(acme, f"{number}.")
        shown = member.get("/alerts/deliveries/")
        rest = member.get(shown.context["older"])
        counts = [page.content.decode().count('class="delivery"') for page in (shown, rest)]
        assert counts == [25, 5]
        assert rest.context["older"] == ""

    def test_what_was_given_up_is_sent_again(self, acme: Tenant, member: Client) -> None:
        channel = mailbox(acme)
        happened(acme, "Told.")
        [told] = deliveries(acme)
        page = member.get(f"/alerts/deliveries/{told.pk}/")
        assert "Resend" not in text(page)
        refused = member.post(f"/alerts/deliveries/{told.pk}/again/", follow=True)
        assert "Only what was given up can be tried again." in text(refused)
        member.post(f"/alerts/channels/{channel.pk}/switch/", {"enabled": "off"})
        member.post(f"/alerts/channels/{channel.pk}/switch/", {"enabled": "on"})
        assert "Resend" in text(member.get("/alerts/deliveries/?state=cancelled"))
        answer = member.post(f"/alerts/deliveries/{told.pk}/again/")
        [copy] = [one for one in deliveries(acme) if one.pk != told.pk]
        assert answer["Location"] == f"/alerts/deliveries/{copy.pk}/"
        assert (copy.state, copy.payload) == ("pending", told.payload)
        assert member.post(f"/alerts/deliveries/{uuid4()}/again/").status_code == 404

    def test_it_is_the_log_of_the_api(self, acme: Tenant, member: Client) -> None:
        mailbox(acme)
        happened(acme, "Told.")
        [found] = deliveries(acme)
        api = member.get(f"/api/v1/alerts/deliveries/{found.pk}").json()
        page = text(member.get(f"/alerts/deliveries/{found.pk}/"))
        assert api["payload"]["data"]["message"] == "Told."
        assert "Pending Alert fired to Operations E-mail · 15 Jul 2026, 14:34:56 Told." in page
