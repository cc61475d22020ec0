"""Customers on prepayment, as billing says: no budget plan, and their credit pays by itself."""

from datetime import UTC, datetime

from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts.handlers.credit import apply_due_credits
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.accounts.handlers.prepayments import apply_prepayments
from integration.ledger.accounts import declare, invoice, issue, pay, posted, reconciled, states
from integration.ledger.test_ledger_budget_plans import budget


def prepaid(customer_id, version, state="active"):
    """What billing publishes of a customer's prepayment."""
    change = "terms" if state == "active" else "end"
    return PrepaymentChanged(customer_id=customer_id, state=state, change=change, version=version)


async def test_credit_paid_in_advance_pays_whatever_the_terms_say(ledger, acme):
    """A tenant that spends credit by hand has it pay for those on prepayment all the same."""
    await declare(acme, credit_allocation="manual")
    ada, bea = [(await issue(ledger, amount))[0] for amount in ("10", "10")]
    await posted(ledger, apply_prepayments, prepaid(ada, 1))
    for name, customer in (("a", ada), ("b", bea)):
        await pay(acme, customer, "100.00")
        later = invoice(name, customer=customer, energy="40", tax="0")
        await posted(ledger, post_invoices, later)
    assert (await states(acme, ada))["INV-a"] == ("paid", "0.00")
    assert (await states(acme, bea))["INV-b"] == ("open", "40.00")
    # what is open when prepayment begins is paid by what is there then, once
    await posted(ledger, apply_prepayments, prepaid(bea, 1), prepaid(ada, 2))
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        assert await apply_due_credits(tx, datetime.now(UTC)) == 2
    assert (await states(acme, bea))["INV-b"] == ("paid", "0.00")
    await posted(ledger, apply_prepayments, prepaid(bea, 2))
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        assert await apply_due_credits(tx, datetime.now(UTC)) == 0
    await reconciled(acme)


async def test_who_is_on_prepayment_gets_no_budget_plan_until_that_ends(ledger, acme):
    """The newest of what was said counts, in whatever order it comes."""
    customer, _ = await issue(ledger, "10")
    await posted(ledger, apply_prepayments, prepaid(customer, 3), prepaid(customer, 2, "ended"))
    await posted(ledger, apply_prepayments, prepaid(customer, 1, "ended"))
    refused = await budget(acme, customer, 409)
    assert refused["code"] == "customer_prepaid"
    await posted(ledger, apply_prepayments, prepaid(customer, 4, "ended"))
    await budget(acme, customer)
