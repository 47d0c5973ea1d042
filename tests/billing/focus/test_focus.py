"""The FOCUS exports: what a charge is in FOCUS's terms, in both versions, and that its validator agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from billing.book.services import add_discount
from billing.rating import Rate
from tests.billing.focus.reading import focus
from tests.billing.invoices.months_of_use import IN_JUNE, JUNE, call, issue, list_price
from tests.usage.exports.support import ask, download, write
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = pytest.mark.django_db


def rows_of_one(tenant: Tenant, dataset: str = "focus") -> dict[str, dict[str, str]]:
    """Return a file's rows by their meter."""
    return {row["SkuMeter"]: row for row in focus(tenant, dataset)[1]}


def test_a_charge_has_its_price_quantity_and_cost(acme: Tenant) -> None:
    price_id = list_price()
    acme.api.keep(call("a"), call("b"))
    row = rows_of_one(acme)["Cached prompt tokens"]
    assert json.loads(row.pop("Tags")) == {"environment": "production"}
    assert json.loads(row.pop("SkuPriceDetails")) == {
        "x_above": 0,
        "x_discountBasisPoints": 0,
        "x_per": 1_000_000,
    }
    assert row == {
        "BilledCost": "0.000240000",
        "BillingAccountId": "acme",
        "BillingAccountName": "Acme",
        "BillingCurrency": "EUR",
        "BillingPeriodEnd": "2026-06-30T22:00:00Z",
        "BillingPeriodStart": "2026-05-31T22:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": "Cached prompt tokens of gpt-4o",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": "2026-06-10T22:00:00Z",
        "ChargePeriodStart": "2026-06-09T22:00:00Z",
        "ConsumedQuantity": "800.0",
        "ConsumedUnit": "Tokens",
        "ContractedCost": "0.00024",
        "ContractedUnitPrice": "0.0000003",
        "EffectiveCost": "0.000240000",
        "HostProviderName": "openai",
        "InvoiceId": "",
        "InvoiceIssuerName": "Headroom",
        "ListCost": "0.00024",
        "ListUnitPrice": "0.0000003",
        "PricingCategory": "Standard",
        "PricingQuantity": "800.0",
        "PricingUnit": "Tokens",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "gpt-4o",
        "ServiceProviderName": "openai",
        "ServiceSubcategory": "Generative AI",
        "SkuId": "openai/gpt-4o",
        "SkuMeter": "Cached prompt tokens",
        "SkuPriceId": f"{price_id}/cachedPrompt/0",
        "SubAccountId": acme.client_id,
        "SubAccountName": "First key",
        "SubAccountType": "API key",
    }


def test_a_reported_cost_is_priced_by_the_request(acme: Tenant) -> None:
    acme.api.keep(
        *(record(timestamp=at(IN_JUNE), cost=cost) for cost in ("0.5", "0.25", "0.25")),
        record(timestamp=at(IN_JUNE)),
    )
    (row,) = focus(acme)[1]
    assert [row[name] for name in ("BilledCost", "ListCost", "ContractedCost")] == [
        "1.000000000",
        "1.0",
        "1.0",
    ]
    assert (row["PricingQuantity"], row["PricingUnit"]) == ("3.0", "Requests")
    assert (row["ListUnitPrice"], row["PricingCategory"]) == ("0.333333333333333333", "Other")
    assert (row["SkuId"], row["SkuPriceId"]) == ("Unnamed model", "reported")
    assert (row["ServiceName"], row["ServiceProviderName"]) == ("Unnamed model", "Headroom")


def test_a_discount_stands_between_list_and_contracted(acme: Tenant) -> None:
    list_price()
    add_discount(organization_id=acme.id, basis_points=1250)
    acme.api.keep(call("a", NOW))
    row = rows_of_one(acme)["Completion tokens"]
    assert (row["ListUnitPrice"], row["ListCost"]) == ("0.000015", "0.0015")
    assert (row["ContractedUnitPrice"], row["ContractedCost"]) == ("0.000013125", "0.0013125")
    assert (row["BilledCost"], row["EffectiveCost"]) == ("0.001312500", "0.001312500")


def test_days_and_credentials_have_rows_of_their_own(acme: Tenant) -> None:
    list_price(rates=(Rate("requests", 10**9, 1),))
    other = acme.another_credential("Other")
    midnight = JUNE.start + timedelta(days=3)
    for tenant, moment in ((acme, midnight - timedelta(seconds=1)), (acme, midnight), (other, midnight)):
        tenant.api.keep(call(None, moment))
    found = [(row["ChargePeriodStart"], row["SubAccountName"]) for row in focus(acme)[1]]
    assert found == [
        (at(midnight - timedelta(days=1)), "First key"),
        (at(midnight), "First key"),
        (at(midnight), "Other"),
    ]


def test_a_window_cuts_days_off(acme: Tenant) -> None:
    list_price(rates=(Rate("requests", 10**9, 1),))
    acme.api.keep(call("a"), call("b", IN_JUNE + timedelta(hours=3)))
    window = {"from_": at(IN_JUNE), "to": at(IN_JUNE + timedelta(hours=2))}
    (row,) = focus(acme, **window)[1]
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (window["from_"], window["to"])
    assert row["BilledCost"] == "1.000000000"


def test_an_invoiced_charge_names_its_invoice(acme: Tenant) -> None:
    acme.api.keep(call("a", cost="1"), call("b", NOW, cost="2"))
    number = issue(acme).invoice.number
    assert [(row["BilledCost"], row["InvoiceId"]) for row in focus(acme)[1]] == [
        ("1.000000000", number),
        ("2.000000000", ""),
    ]


def test_version_1_2_has_its_own_names(acme: Tenant) -> None:
    list_price()
    acme.api.keep(call("a"))
    new, old = (rows_of_one(acme, dataset)["Prompt tokens"] for dataset in ("focus", "focus-1.2"))
    assert old.keys() - new.keys() == {"ProviderName", "PublisherName", "BillingAccountType"}
    assert new.keys() - old.keys() == {"ServiceProviderName", "HostProviderName"}
    assert (old["ProviderName"], old["BilledCost"]) == ("openai", new["BilledCost"])


def test_parquet_holds_every_value_exactly(acme: Tenant, tmp_path: Path) -> None:
    list_price(rates=(Rate("completion", 1, 7),))
    acme.api.keep(call("a"))
    done = write(acme, ask(acme, "focus", "parquet"))
    file = tmp_path / "focus.parquet"
    file.write_bytes(download(acme, done).body)
    (row,) = parquet.read_table(file).to_pylist()
    assert row["ListUnitPrice"] == Decimal("0.000000000142857143")
    assert row["ListCost"] == Decimal("0.0000000142857143")
    assert row["BilledCost"] == Decimal("0.000000014")


def test_the_focus_toolkit_finds_nothing_wrong(acme: Tenant, tmp_path: Path) -> None:
    list_price()
    list_price(model="odd", rates=(Rate("prompt", 7, 3), Rate("seconds", 10**9, 60), Rate("requests", 5, 1)))
    add_discount(organization_id=acme.id, basis_points=333)
    acme.api.keep(
        *(
            call(f"a{n}", NOW, model=("gpt-4o", "odd")[n % 2], quantities={"seconds": "1.5"})
            for n in range(40)
        ),
        call("reported", cost="0.000000001"),
        record("nameless", timestamp=at(IN_JUNE), cost="3"),
        call("formula", cost="1", model="=1+1", provider='"quoted", ünïcode'),
    )
    content, rows = focus(acme)
    assert len(rows) == 9
    assert validated(content, tmp_path) == "valid"
    broken = content.replace(b"Usage-Based", b"Sometimes")
    assert "ChargeFrequency" in validated(broken, tmp_path)


def validated(content: bytes, tmp_path: Path) -> str:
    """Return what the toolkit says of a Cost and Usage file in FOCUS 1.4."""
    file = tmp_path / "focus.csv"
    file.write_bytes(content)
    done = subprocess.run(
        [
            sys.executable, "-m", "focus_data_toolkit", "validate", str(file), "--dataset", "cost-and-usage",
            "--supports", "SupportsUnitPricing", "--supports", "SupportsMultiplePricingCategories",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    return "valid" if done.returncode == 0 else done.stdout + done.stderr


def test_it_takes_the_scope_to_read_bills(acme: Tenant) -> None:
    plain = acme.another_credential().api
    answer: Any = plain.call("POST", "/exports", {"dataset": "focus", "format": "csv"})
    assert answer.body["code"] == "scope_required"
