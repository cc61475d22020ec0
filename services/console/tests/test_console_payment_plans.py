"""A customer's payment plans: on the page of the account, and what they make of a bill."""

import re

import pytest

from doubles.console import page, seen, those_that
from doubles.console.portal import as_customer, portal
from doubles.console.portal import services as portal_services

CUSTOMER = {"id": "c1", "name": "Ada", "currency": "EUR", "email": None}
STATEMENT = {"currency": "EUR", "entries": [], "closing": "60.00"}


def plan(state, *parts):
    instalments = [{"due_on": day, "amount": "90.00", "open": open_} for day, open_ in parts]
    return {
        "agreed_at": "2025-01-31T00:00:00Z", "state": state, "late": "20.00", "paid": "5.00",
        "total": "1060.00", "currency": "EUR", "instalments": instalments,
    }  # fmt: skip


async def account(*plans, budgets=()):
    ledger = {
        "/v1/customers/c1/balance": {"currencies": []},
        "/v1/invoices": page(),
        "/v1/ageing": {"currencies": []},
        "/v1/payment-plans": page(*plans),
        "/v1/budget-plans": page(*budgets),
        "/v1/customers/c1/statement": STATEMENT,
    }
    services = those_that(billing={"/v1/customers/c1": CUSTOMER}, ledger=ledger)
    answer, _ = await seen(services, "/customers/c1/account")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_plan_shows_its_state_and_what_comes_next():
    text = await account(plan("late", ("2025-02-28", "0.00"), ("2025-03-31", "15.00")))
    assert "Payment plans" in text
    for said in ("late", "15.00 by 31 Mar 2025", "20.00", "1,060.00"):
        assert said in text, said


async def test_a_budget_plan_shows_what_it_asks_for_next_and_what_was_used():
    """What was not asked for yet has nothing open, and is what comes next."""
    budget = plan("running", ("2025-02-28", "0.00"), ("2025-03-31", None)) | {
        "start_on": "2025-02-01", "end_on": "2026-02-01", "requested": "180.00", "used": "171.30",
        "settled": "0.00",
    }  # fmt: skip
    text = await account(budgets=[budget])
    assert "Budget plans" in text
    for said in ("running", "90.00 by 31 Mar 2025", "180.00", "171.30"):
        assert said in text, said
    assert "Budget plans" not in await account()


async def test_nothing_comes_next_of_a_cancelled_plan_and_no_plan_has_no_panel():
    text = await account(plan("cancelled", ("2025-03-31", "15.00")))
    assert "cancelled" in text
    assert "31 Mar 2025" not in text
    assert "Payment plans" not in await account()


def allocated(transaction_id, kind, amount, source_id=None):
    return {
        "transaction_id": transaction_id, "kind": kind, "reference": "", "amount": amount,
        "source_id": source_id or transaction_id,
    }  # fmt: skip


DEFERRED = allocated("t1", "deferral", "69.00")


@pytest.mark.parametrize(
    ("allocations", "state", "paid", "is_deferred"),
    [
        ([DEFERRED], "in your monthly amounts", "€0.00", True),
        ([allocated("t0", "payment", "9.00"), allocated("t1", "deferral", "60.00")],
         "in your monthly amounts", "€9.00", True),
        ([allocated("t1", "payment", "69.00")], "paid", "€69.00", False),
        # the plan ended, and what it had taken upon itself was paid otherwise
        ([DEFERRED, allocated("t2", "reversal", "-69.00", "t1"),
          allocated("t3", "payment", "69.00")], "paid", "€69.00", False),
        ([], "paid", "€69.00", False),
    ],
)  # fmt: skip
async def test_a_bill_of_a_budget_plan_is_not_called_paid(allocations, state, paid, is_deferred):
    """Nobody has paid it, so the page says why nothing is to be paid."""
    own = portal_services()
    own["ledger"].answers["/v1/invoices/i1"] |= {"allocations": allocations}
    async with portal(own) as browser:
        await as_customer(browser)
        answer = await browser.get("/portal/bills/i1")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
    assert f"To pay €0.00 {state} Paid {paid} " in text
    assert ("nothing for this bill by itself" in text) == is_deferred


async def test_the_list_of_bills_says_which_are_in_the_monthly_amounts():
    """The ledger's list names no allocations; billing says which a budget plan covers."""
    own = portal_services()
    october, september = (dict(own["billing"].answers[f"/v1/invoices/{key}"]) for key in
                          ("i3", "i1"))  # fmt: skip
    covered = september | {"settles_on": "2026-02-12"}
    own["billing"].answers["/v1/invoices"] = page(october, covered)
    async with portal(own) as browser:
        await as_customer(browser)
        text = (await browser.get("/portal/bills")).text
    assert text.count("in your monthly amounts") == 1
