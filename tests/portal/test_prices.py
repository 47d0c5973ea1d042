"""The plan, the prices in force, and how the cost of a record came about: all as the API says."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing import book
from billing.book.services import add_discount
from billing.rating import Rate
from tests.billing.pricing import price
from tests.portal.pages import HTMX, sign_in, text
from tests.portal.test_figures import api, cells, plain
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db

MILLION = 1_000_000
RATES = (
    Rate("prompt", 2_500_000_000, MILLION),
    Rate("cachedPrompt", 1_250_000_000, MILLION),
    Rate("completion", 10_000_000_000, MILLION),
    Rate("prompt", 5_000_000_000, MILLION, 100_000),
    Rate("pages", 1_500_000_000, 1000),
)


@pytest.fixture
def priced(acme: Tenant) -> Tenant:
    """An organization with a price of its own and a discount on the list, all in its currency."""
    for number in range(30):
        price(currency="EUR", provider="house", model=f"model-{number:02}")
    price(currency="EUR", provider="openai", model="gpt-4o", rates=RATES)
    price(currency="EUR", provider="openai", model="gpt-4o", tier="batch", prompt=3)
    price(acme.id, currency="EUR", provider="house", model="model-07", prompt=5)
    add_discount(organization_id=acme.id, basis_points=1250, provider="openai")
    book.forget()
    return acme


def fact(page: Any, name: str) -> str:
    match = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page.content.decode())
    assert match is not None, name
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", match[1])).split())


def test_prices_are_the_api_s_page_by_page(priced: Tenant, member: Client) -> None:
    path: str | None = "/prices/"
    seen: list[str] = []
    while path is not None:
        page = member.get(path)
        answer = api(member, page, "prices")
        rows = cells(page, "prices")
        assert [(row[0], row[1]) for row in rows] == [
            (f"{one['provider']}/{one['model']}", one["tier"]) for one in answer["items"]
        ]
        assert [row[7] for row in rows] == [one["effectiveFrom"] for one in answer["items"]]
        assert [row[6] for row in rows] == [one["discountPercent"] for one in answer["items"]]
        assert f"{answer['pagination']['total']} prices in force" in text(page)
        seen += [row[0] for row in rows]
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        path = unescape(following[1]) if following else None
    assert len(seen) == 32


@pytest.mark.parametrize("sort", ["model", "tier", "prompt", "completion", "effectiveFrom"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_prices_are_sorted_as_the_api_sorts_them(
    priced: Tenant, member: Client, sort: str, order: str
) -> None:
    page = member.get("/prices/", {"sort": sort, "order": order, "page": "2"})
    answer = api(member, page, "prices")
    assert answer["pagination"]["offset"] == 25
    names = [f"{one['provider']}/{one['model']}" for one in answer["items"]]
    assert [row[0] for row in cells(page, "prices")] == names
    other = "asc" if order == "desc" else "desc"
    assert f'href="/prices/?sort={sort}&amp;order={other}"' in page.content.decode()
    assert f'href="/prices/?sort={sort}&amp;order={order}&amp;page=1"' in page.content.decode()


def test_a_price_is_shown_with_its_rates_thresholds_and_discount(priced: Tenant, member: Client) -> None:
    page = member.get("/prices/", {"search": "GPT-4o", "tier": "standard"})
    [row] = cells(page, "prices")
    assert row[2:5] == ["2.50", "1.25", "10.00"]
    assert row[6] == "12.50"
    shown = text(page)
    assert "pages 1.50 per 1,000; above 100,000 prompt tokens: prompt 5.00" in shown
    assert "−12.5%" in shown
    assert "since the beginning" in shown


def test_prices_are_searched_and_own_ones_marked(priced: Tenant, member: Client) -> None:
    assert len(cells(member.get("/prices/", {"search": "model-0"}), "prices")) == 10
    own = member.get("/prices/", {"own": "true"})
    assert [row[0] for row in cells(own, "prices")] == ["house/model-07"]
    assert "house · Custom price" in text(own)
    assert [item["own"] for item in api(member, own, "prices")["items"]] == [True]
    assert "No prices match these filters." in text(member.get("/prices/", {"search": "100%_"}))
    sent = member.get("/prices/?search=gpt&tier=&own=", headers=HTMX)
    assert sent["HX-Push-Url"] == "/prices/?search=gpt"
    assert member.get("/prices/", {"tier": "gold"}).status_code == 400


def test_the_plan_is_what_the_api_says_with_what_higher_ones_add(
    stopped_clock: time_machine.Traveller, db: None
) -> None:
    small = make_tenant("Small", plan="starter", currency="EUR")
    client = sign_in(small)
    plan, page = client.get("/api/v1/plan").json(), client.get("/billing/")
    assert f"Current plan: {plan['name']}" in text(page)
    assert fact(page, "History").startswith(f"{plan['historyDays']} days")
    assert fact(page, "Requests per minute").split()[0] == str(plan["requestsPerMinute"])
    flags = {"Exports": "exports", "Spend limits": "spendLimit", "Invoices": "invoices"}
    for name, of_api in flags.items():
        assert fact(page, name) == ("Yes" if plan[of_api] else "No")
    html = page.content.decode()
    assert "Professional" in html
    assert "Free" not in html
    row = next(row for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL) if "Exports" in row)
    assert '<span class="tag good">Yes</span>' in row
    for way in ("/costs/", "/credits/", "/invoices/", "/prices/"):
        assert f'<a href="{way}">' in html
    assert sign_in(small, "developer").get("/billing/").status_code == 403


def test_a_record_says_which_rates_made_its_cost_up(priced: Tenant, member: Client) -> None:
    priced.api.keep(
        record(
            "one",
            provider="openai",
            model="gpt-4o",
            tokens={"prompt": 200_000, "cachedPrompt": 50_000, "completion": 1000},
            quantities={"pages": 3},
        )
    )
    page = member.get("/logs/one/")
    answer = api(member, page, "record-cost")
    rows = cells(page, "cost-lines")
    assert [[row[0], plain(row[1]), plain(row[3])] for row in rows] == [
        [line["meter"], str(line["quantity"]), plain(line["cost"])] for line in answer["lines"]
    ]
    assert len(rows) == 4
    assert sum(float(row[3]) for row in rows) == pytest.approx(float(answer["cost"]), abs=1e-12)
    assert fact(page, "Version").split()[0] == str(answer["price"]["id"])
    assert fact(page, "Price").startswith("openai / gpt-4o")
    assert fact(page, "Discount") == "−12.5%"
    assert "above 100,000 prompt tokens" in text(page)
    assert "/prices/?search=openai%2Fgpt-4o" in page.content.decode()


def test_a_cost_that_was_sent_and_one_that_is_missing_are_told_apart(priced: Tenant, member: Client) -> None:
    priced.api.keep(record("sent", cost="1.5"), record("none", model="nobody-knows"))
    assert fact(member.get("/logs/sent/"), "Pricing").startswith("Reported")
    assert fact(member.get("/logs/none/"), "Pricing").startswith("Unpriced")


def test_a_call_of_another_tier_says_that_the_standard_price_stands_for_it(
    priced: Tenant, member: Client
) -> None:
    priced.api.keep(
        record("flex", provider="openai", model="gpt-4o", serviceTier="flex", tokens={"prompt": 10})
    )
    assert "The request was served as flex" in fact(member.get("/logs/flex/"), "Tier")


def test_who_may_not_see_prices_sees_the_cost_alone(priced: Tenant) -> None:
    priced.api.keep(record("one", provider="openai", model="gpt-4o", tokens={"prompt": 1000}))
    page = sign_in(priced, "developer").get("/logs/one/")
    assert fact(page, "Cost") == "0.0021875 EUR"
    assert 'id="cost-lines"' not in page.content.decode()
    assert "Discount" not in text(page)


class TestWhatIf:
    """The same use on other models."""

    @pytest.fixture
    def used(self, priced: Tenant) -> Tenant:
        priced.api.keep(
            *(
                record(
                    f"{number}",
                    timestamp=at(NOW - timedelta(hours=number)),
                    provider="openai",
                    model="gpt-4o" if number % 2 else "unheard-of",
                    capability=("chat", "search")[number % 3 == 0],
                    tokens={"prompt": 1000 * number, "completion": 10},
                    **({} if number % 5 else {"cost": "0.25"}),
                )
                for number in range(40)
            )
        )
        return priced

    def answers(self, client: Client, page: Any) -> list[dict[str, Any]]:
        """Return what the API answers where the rows of the table lead."""
        paths = re.findall(r'<a href="(/api/v1/costs/compare[^"]+)"', page.content.decode())
        found = [client.get(unescape(path)) for path in paths]
        assert {one.status_code for one in found} == {200}
        return [one.json() for one in found]

    @pytest.mark.parametrize(
        "chosen", [{}, {"capability": "chat"}, {"model": "gpt-4o", "range": "day"}, {"clientId": "own"}]
    )
    def test_every_figure_is_the_api_s(self, used: Tenant, member: Client, chosen: dict[str, str]) -> None:
        given = {**chosen, **({"clientId": used.client_id} if chosen == {"clientId": "own"} else {})}
        page = member.get("/models/what-if/", {**given, "others": "house/model-07,openai/gpt-4o"})
        answers = self.answers(member, page)
        was, *rows = cells(page, "what-if")
        assert len(answers) == len(rows) == 2
        for row, answer in zip(rows, answers, strict=True):
            assert plain(was[1]) == plain(answer["cost"])
            assert plain(row[1]) == plain(answer["otherCost"])
            assert plain(row[2]) == plain(answer["difference"])
            assert float(row[3]) == answer["ratio"]
        for place, answer in enumerate(answers):
            shown = {row[0]: row for row in cells(page, "what-if-models")}
            for part in answer["byModel"]:
                row = shown[part["model"]]
                assert [row[1], plain(row[2]), plain(row[3 + place])] == [
                    str(part["records"]), plain(part["cost"]), plain(part["otherCost"])
                ]  # fmt: skip
        if answers[0]["unpriced"]["records"]:
            assert f"{answers[0]['unpriced']['records']} requests are unpriced and not included" in text(page)

    def test_models_are_added_and_removed(self, used: Tenant, member: Client) -> None:
        first = member.get("/models/what-if/", {"add": "house/model-01"}, headers=HTMX)
        assert first["HX-Push-Url"] == "/models/what-if/?others=house%2Fmodel-01"
        both = member.get("/models/what-if/", {"others": "house/model-01", "add": "house/model-02"})
        assert "Remove house/model-01" in both.content.decode()
        assert len(cells(both, "what-if")) == 3
        assert ">openai/gpt-4o</a>" in both.content.decode()

    @pytest.mark.parametrize(
        ("others", "said"),
        [
            ("house/nobody", "There is no price for"),
            ("nobody", "is not in the form provider/model"),
            (",".join(f"house/model-0{number}" for number in range(5)), "Compare with at most 4 models"),
        ],
    )
    def test_what_can_not_be_compared_is_refused(
        self, used: Tenant, member: Client, others: str, said: str
    ) -> None:
        answer = member.get("/models/what-if/", {"others": others})
        assert answer.status_code == 400
        assert said in text(answer)

    def test_the_page_of_models_leads_there_whoever_may_see_prices(
        self, used: Tenant, member: Client
    ) -> None:
        assert "/models/what-if/?range=7d" in member.get("/models/?range=7d").content.decode()
        developer = sign_in(used, "developer")
        assert "what-if" not in developer.get("/models/").content.decode()
        assert developer.get("/models/what-if/").status_code == 403
