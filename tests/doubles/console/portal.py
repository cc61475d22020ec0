"""A customer with three bills, one of them replaced, and another customer whose ids are known."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from doubles.console import KEY, Service, console, page, those_that

NOW = datetime(2025, 11, 12, 9, tzinfo=UTC)
HOSTILE = '<img src=x onerror="alert(1)">'
CUSTOMER = {
    "id": "c1", "name": HOSTILE, "currency": "EUR", "email": "anna@example.com", "language": None,
    "number": "K-17", "phone_number": None, "created_at": "2025-01-01T00:00:00Z",
    "supply_address": None, "billing_address": {
        "street": "Main Street 1", "addition": None, "postal_code": "1000", "city": "Town",
        "region": None, "country": "SE",
    },
}  # fmt: skip
QUALITY = {
    "worst": "actual", "estimated_intervals": 0, "substituted_intervals": 0,
    "missing_intervals": 0, "estimated_kwh": "0", "substituted_kwh": "0",
}  # fmt: skip
ESTIMATED = QUALITY | {"worst": "estimated", "estimated_intervals": 40, "estimated_kwh": "12.5"}


def line(component_id: str, quantity: str, amount: str, **fields: object) -> dict[str, object]:
    """A line of a bill; an energy line without `fields`."""
    return {
        "component_id": component_id, "kind": "energy", "band": None, "flow": "import",
        "quantity": quantity, "unit": "kWh", "rate": "0.3000", "amount": amount,
        "amount_exact": amount, "tariff_version_id": "v1", "start_on": "2025-10-01",
        "end_on": "2025-11-01", "payee": None, "tax_class": None, "quality": None,
    } | fields  # fmt: skip


def bill(invoice_id: str, start_on: str, end_on: str, total: str, **fields: object) -> dict:
    """A bill of the customer `c1`, unless `fields` say otherwise."""
    return {
        "id": invoice_id, "number": f"INV-{invoice_id}", "state": "issued", "customer_id": "c1",
        "agreement_id": "a1", "meter_id": "m1", "start_on": start_on, "end_on": end_on,
        "revision": 1, "restatement": 0, "currency": "EUR", "net": total, "tax": "0.00",
        "total": total, "brought_forward": "0.00", "arrears": "0.00", "amount_due": total,
        "settles_on": None, "quality": QUALITY, "issued_at": f"{end_on}T06:00:00Z",
        "is_collective": False, "revisions": [], "partial_credit_notes": [], "lines": [],
    } | fields  # fmt: skip


FIXED = line("basic-fee", "1", "9.00", kind="fixed", unit="month", flow=None, rate="9.00")
SEPTEMBER = bill("i1", "2025-09-01", "2025-10-01", "69.00", lines=[
    line("energy", "150", "45.00", band="evening-peak"),
    line("energy", "100", "15.00", band="night"), FIXED,
])  # fmt: skip
WRONG = bill("i2", "2025-10-01", "2025-11-01", "99.00", state="void", lines=[
    line("energy", "250", "75.00", band="evening-peak"),
    line("energy", "100", "15.00", band="night"), FIXED,
])  # fmt: skip
OCTOBER = bill(
    "i3", "2025-10-01", "2025-11-01", "84.00", revision=2, quality=ESTIMATED,
    lines=[
        line("energy", "200", "60.00", band="evening-peak"),
        line("energy", "100", "15.00", band="night"), FIXED,
    ],
    revisions=[
        {"invoice_id": "i2", "number": "INV-i2", "revision": 1, "restatement": 0, "state": "void",
         "total": "99.00", "issued_at": "2025-11-01T06:00:00Z"},
        {"invoice_id": "i3", "number": "INV-i3", "revision": 2, "restatement": 0,
         "state": "issued", "total": "84.00", "issued_at": "2025-11-05T06:00:00Z"},
    ],
)  # fmt: skip
WRONG["revisions"] = OCTOBER["revisions"]
FOREIGN = bill("i9", "2025-10-01", "2025-11-01", "1234.00", customer_id="c2", agreement_id="a9")
BILLS = [OCTOBER, WRONG, SEPTEMBER, FOREIGN]


def booked(invoice: Mapping[str, Any], state: str, open_: str, due_on: str) -> dict[str, object]:
    """A bill as the ledger has it."""
    names = ("id", "number", "customer_id", "currency", "total", "issued_at")
    paid = f"{float(invoice['total']) - float(open_):.2f}"
    return {name: invoice[name] for name in names} | {
        "kind": "invoice", "state": state, "open": open_, "allocated": paid, "due_on": due_on,
    }  # fmt: skip


BOOKED = [
    booked(OCTOBER, "open", "84.00", "2025-11-19"),
    booked(SEPTEMBER, "paid", "0.00", "2025-10-15"),
    booked(FOREIGN, "open", "1234.00", "2025-11-19"),
]
BALANCE = {
    "customer_id": "c1",
    "currencies": [
        {"currency": "EUR", "balance": "84.00", "receivable": "84.00", "arrears": "0.00",
         "prepaid": "0.00", "export_payable": "0.00", "invoiced_total": "153.00"},
    ],
}  # fmt: skip
PREVIEW = {
    "customer_id": "c1", "meter_id": "m1", "start_on": "2025-11-01", "end_on": "2025-12-01",
    "zone": "Europe/Stockholm", "currency": "EUR", "used_until": "2025-11-12T08:00:00Z",
    "so_far": {"total": "31.20"},
    "forecast": {"total": "80.10", "spread": {"low": "76.004", "high": "85.50", "weeks": 6}},
}  # fmt: skip
STATEMENT = {
    "customer_id": "c1", "currency": "EUR", "opening": "0.00", "closing": "84.00",
    "entries": [
        {"transaction_id": "t1", "kind": "invoice", "reference": "INV-i1", "memo": "",
         "occurred_at": "2025-10-01T06:00:00Z", "recorded_at": "2025-10-01T06:00:00Z",
         "amount": "69.00", "balance": "69.00"},
        {"transaction_id": "t2", "kind": "payment", "reference": "R-1", "memo": "",
         "occurred_at": "2025-10-10T06:00:00Z", "recorded_at": "2025-10-10T06:00:00Z",
         "amount": "-69.00", "balance": "0.00"},
    ],
}  # fmt: skip


def _bills(params: Mapping[str, str]) -> dict[str, object]:
    """The listing, with the filters that the portal has."""
    shown = [
        item
        for item in BILLS
        if params.get("state") in {None, item["state"]}
        and params.get("agreement_id") in {None, item["agreement_id"]}
        and params.get("from", "0") <= item["start_on"]
        and item["end_on"] <= params.get("to", "9")
    ]
    return page(*shown[: int(params.get("limit", 50))])


def _cost(params: Mapping[str, str]) -> dict[str, object]:
    """Twelve days of every November from 2025 on, ten of October before."""
    days = {"2025-11": 12, "2025-10": 31, "2024-11": 10}
    daily = [
        {"date": f"{month}-{number:02}", "currency": "EUR", "kwh": f"{8 + number % 5}.5",
         "base_cost": "2.40", "vat_amount": "0.60", "total_cost": f"{2 + number % 5}.004"}
        for month, count in days.items() for number in range(1, count + 1)
        if params["from"][:10] <= f"{month}-{number:02}" < params["to"][:10]
    ]  # fmt: skip
    kwh = f"{sum(float(item['kwh']) for item in daily):.1f}"
    cost = f"{sum(float(item['total_cost']) for item in daily):.3f}"
    part = {"currency": "EUR", "kwh": kwh, "total_cost": cost}
    return {
        "customer_id": "c1", "currency": "EUR", "total_kwh": kwh, "total_cost": cost,
        "buckets": len(daily) * 24, "buckets_without_tariff": 0, "daily": daily,
        "per_device": [part | {"device_id": f"m{n}", "device_name": f"Meter {n}"} for n in (1, 2)],
    }  # fmt: skip


def services() -> dict[str, Service]:
    """The four services of that customer."""
    billing = {
        "/v1/customers/c1": CUSTOMER,
        "/v1/customers/c2": CUSTOMER | {"id": "c2"},
        "/v1/seller": {"name": "City Power <b>", "component_names": {
            "energy": {"en": "Electricity", "de": "Strom"}}},
        "/v1/agreements": page({"id": "a1", "customer_id": "c1", "meter_id": "m1", "end_on": None}),
        "/v1/agreements/a1/preview": PREVIEW,
        "/v1/invoices": _bills,
        "/v1/credit-notes": page(
            {"id": "n1", "number": "CN-1", "invoice_id": "i2", "customer_id": "c1",
             "currency": "EUR", "total": "99.00", "issued_at": "2025-11-05T06:00:00Z"}),
        "/v1/credit-notes/n1": {"id": "n1", "customer_id": "c1"},
        "/v1/credit-notes/n1/document": b"%PDF credit",
        "/v1/fleet/customers/c1/cost": _cost,
        "/v1/fleet/customers/c1/cost/export": b"date,kwh\n",
        "/v1/invoice-documents": b"PK",
    }  # fmt: skip
    for item in BILLS:
        billing[f"/v1/invoices/{item['id']}"] = item
        billing[f"/v1/invoices/{item['id']}/document"] = b"%PDF"
    ledger = {
        "/v1/customers/c1/balance": BALANCE,
        "/v1/customers/c1/statement": STATEMENT,
        "/v1/customers/c1/registers": {"customer_id": "c1", "items": []},
        "/v1/invoices": page(*BOOKED),
        "/v1/budget-plans": page(),
        "/v1/payment-plans": page(),
        **{f"/v1/invoices/{item['id']}": item for item in BOOKED},
    }
    return those_that(billing=billing, ledger=ledger)


def portal(own: Mapping[str, Service], **settings: object) -> httpx.AsyncClient:
    """The console over those services at the time of this story, as a browser sees it."""
    return console(own, **{"clock": lambda: NOW, **settings})


async def link_for(browser: httpx.AsyncClient, customer_id: str = "c1") -> str:
    """The path of a link that the staff's page makes for a customer."""
    await browser.post("/sign-in", data={"key": KEY})
    made = await browser.post(f"/customers/{customer_id}/portal-link")
    shown = await browser.get(made.headers["location"])
    path = shown.text.partition('value="http://console.test')[2].partition('"')[0]
    browser.cookies.clear()
    return path


async def as_customer(browser: httpx.AsyncClient, customer_id: str = "c1") -> httpx.AsyncClient:
    """The browser, after its customer followed a link."""
    entered = await browser.get(await link_for(browser, customer_id))
    assert entered.headers["location"] == "/portal", entered.text
    return browser
