"""What is left of what was paid in advance: for staff on the account, for the customer in the
portal."""

import re

import httpx
import pytest

from doubles.console import page, seen, those_that
from doubles.console.portal import as_customer, portal
from doubles.console.portal import services as portal_services

PREPAYMENT = {
    "customer_id": "c1", "alert_amount": "10.00", "alert_days": 5, "alert": None,
    "alert_since": None, "currency": "EUR", "balance": "41.10", "credit": "60.00",
    "drawn": "18.90", "drawn_through": "2025-11-10", "average_per_day": "2.10", "days_left": 18,
    "empty_on": "2025-11-30",
}  # fmt: skip
DAYS = {
    "customer_id": "c1",
    "currency": "EUR",
    "items": [
        {"day": "2025-11-10", "usage": "1.80", "standing": "0.30", "total": "2.10",
         "drawn": "2.10", "is_billed": False},
        {"day": "2025-11-09", "usage": "0.00", "standing": "0.00", "total": "0.00",
         "drawn": "0.00", "is_billed": False},
        {"day": "2025-10-31", "usage": "1.95", "standing": "0.30", "total": "2.25",
         "drawn": "0.00", "is_billed": True},
    ],
}  # fmt: skip
NEW = PREPAYMENT | {
    "drawn_through": None, "average_per_day": None, "days_left": None, "empty_on": None,
    "alert_amount": None,
}  # fmt: skip
GONE = httpx.Response(503, json={"code": "overloaded", "title": "Try again later"})


async def account(prepayment=None):
    """The text of staff's page of the account."""
    billing = {"/v1/customers/c1": {"id": "c1", "name": "Ada", "currency": "EUR", "email": None}}
    if prepayment is not None:
        billing["/v1/customers/c1/prepayment"] = prepayment
    ledger = {
        "/v1/customers/c1/balance": {"currencies": []}, "/v1/invoices": page(),
        "/v1/ageing": {"currencies": []}, "/v1/payment-plans": page(), "/v1/budget-plans": page(),
        "/v1/customers/c1/statement": {"currency": "EUR", "entries": [], "closing": "0.00"},
    }  # fmt: skip
    answer, text = await seen(those_that(billing=billing, ledger=ledger), "/customers/c1/account")
    assert answer.status_code == 200, text
    return text


async def test_staff_see_what_is_left_and_when_somebody_is_alerted():
    text = await account(PREPAYMENT)
    for part in ("Prepayment", "41.10", "alert below 10.00 EUR or 5 days ahead", "18.90",
                 "through 10 Nov 2025", "30 Nov 2025", "2.10 EUR a day"):  # fmt: skip
        assert part in text, part
    fresh = await account(NEW)
    assert "no day is known yet" in fresh
    assert "alert 5 days ahead" in fresh
    assert "Prepayment" not in await account()
    assert "Prepayment" in await account(GONE)


async def shown(path, prepayment=None, days=DAYS, language=None):
    own = portal_services()
    if prepayment is not None:
        own["billing"].answers["/v1/customers/c1/prepayment"] = prepayment
        own["billing"].answers["/v1/customers/c1/prepayment/days"] = days
    async with portal(own) as browser:
        await as_customer(browser)
        headers = {} if language is None else {"Accept-Language": language}
        answer = await browser.get(path, headers=headers)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


LOW, EMPTY = ({"alert": f"prepayment_{kind}"} for kind in ("low", "empty"))


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        (
            {},
            ["€41.10", "At €2.10 a day, as of late, it lasts until November 29, 2025."],
            ["used up"],
        ),
        (LOW, ["it lasts until November 29, 2025."], ["used up"]),
        (EMPTY | {"balance": "-3.00"}, ["-€3.00", "is used up. Please pay."], ["lasts until"]),
        ({"empty_on": None}, ["€41.10"], ["lasts until", "used up"]),
    ],
)
async def test_a_customer_sees_what_is_left_and_how_long_it_lasts(changes, said, unsaid):
    text = await shown("/portal", PREPAYMENT | changes)
    for part in said:
        assert part in text, part
    for part in unsaid:
        assert part not in text, part


async def test_the_account_lists_the_days_and_those_who_pay_by_bills_see_none_of_it():
    text = await shown("/portal/account", PREPAYMENT)
    assert "What each day took" in text
    billed = re.search(r"October 31, 2025 *in a bill *€1.95 *€0.30 *€2.25", text)
    drawn = re.search(r"November 10, 2025 *€1.80 *€0.30 *€2.10", text)
    assert billed, text
    assert drawn, text
    assert re.search(r"November 9, 2025 *€0.00", text), text  # it cost nothing, and is in no bill
    none = await shown("/portal/account", NEW, DAYS | {"items": []})
    assert "Nothing was measured of late" in none
    for path in ("/portal", "/portal/account"):
        assert "What each day took" not in await shown(path)
    assert "What each day took" in await shown("/portal/account", PREPAYMENT, GONE)
    assert "What each day took" not in await shown("/portal/account", GONE)
