"""A caller who is bound to a customer: what the ledger shows of it, and what its database does."""

import re
from functools import partial
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.sellers import SellerChanged
from gridtally.database import bind_customer, for_all_customers, snapshot
from gridtally.http.auth import CUSTOMER_HEADER
from gridtally.http.context import utc_now
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.postings import post_credit_notes
from gridtally.ledger.accounts.handlers.sellers import apply_sellers
from integration.ledger.accounts import credit_note, customer, issue, pay, post, posted, reverse
from integration.ledger.test_ledger_dunning import dun, notices, rule
from integration.ledger.test_ledger_payment_plans import agree, equal

SHOWN = {
    "account", "addressee", "allocation", "budget_plan", "dunning_notice", "open_item",
    "payment_plan", "posting", "transaction",
}  # fmt: skip
"""Tables of which a bound session sees its customer's rows."""
COMMON = {"seller": "the letterhead of every document"}
"""Tables that it sees whole, within its tenant; of all others it sees nothing."""
LISTS = {"/v1/budget-plans", "/v1/dunning-notices", "/v1/invoices", "/v1/payment-plans"}
EUROS = {"from": "2025-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z", "currency": "EUR"}
OPEN = (
    ("/v1/budget-plans", {}),
    ("/v1/budget-plans", {"customer_id": "{customer}"}),
    ("/v1/budget-plans/{budget}", {}),
    ("/v1/customers/{customer}/balance", {}),
    ("/v1/customers/{customer}/balance", {"as_of": "2025-05-15T00:00:00Z"}),
    ("/v1/customers/{customer}/statement", EUROS),
    ("/v1/customers/{customer}/statement", EUROS | {"format": "csv"}),
    ("/v1/customers/{customer}/statement", EUROS | {"format": "html"}),
    ("/v1/customers/{customer}/statement", EUROS | {"format": "pdf"}),
    ("/v1/dunning-notices", {}),
    ("/v1/dunning-notices", {"customer_id": "{customer}"}),
    ("/v1/dunning-notices/{notice}", {}),
    ("/v1/dunning-notices/{notice}/document", {"format": "html"}),
    ("/v1/invoices", {}),
    ("/v1/invoices", {"customer_id": "{customer}", "state": "paid"}),
    ("/v1/invoices/{paid}", {}),
    ("/v1/invoices/{void}", {}),
    ("/v1/payment-plans", {}),
    ("/v1/payment-plans", {"customer_id": "{customer}"}),
    ("/v1/payment-plans/{plan}", {}),
)


def asks(ids):
    for path, query in OPEN:
        filters = {name: value.format_map(ids) for name, value in query.items()}
        yield path.format_map(ids), filters


@pytest.fixture
async def pair(ledger, acme):
    """Two customers of whom everything was booked, with the ids of their things."""
    await posted(ledger, apply_sellers, SellerChanged(version=1, name="Grid"))
    return [await payer(ledger, acme) for _ in range(2)]


async def payer(ledger, acme):
    """A customer with invoices that are paid, void, planned and dunned, a payment that came back,
    credit and what was paid out of it."""
    who, (paid, void) = await issue(ledger, "70.00", "30.00")
    await posted(ledger, apply_customers, customer(who, name=f"Customer {who}"))
    await posted(ledger, post_credit_notes, credit_note(void))
    await pay(acme, who, "70.00", (paid.invoice_id, "70.00"))
    await reverse(acme, (await pay(acme, who, "9.00"))["id"])
    await pay(acme, who, "20.00")
    refund = {"customer_id": str(who), "currency": "EUR", "amount": "5.00", "reason": "x"}
    await post(acme, "refunds", **refund)
    _, [planned] = await issue(ledger, "50.00", customer=who)
    plan = await agree(acme, who, [planned], **equal())
    await issue(ledger, "40.00", customer=who)
    await rule(acme)
    await dun(ledger, acme)
    level = {"currency": "EUR", "amount": "35.00", "start_on": str(utc_now().date())}
    budget = await post(acme, "budget-plans", customer_id=str(who), **level)
    [notice] = await notices(acme, customer_id=str(who))
    return {
        "customer": str(who),
        "paid": str(paid.invoice_id),
        "void": str(void.invoice_id),
        "plan": plan["id"],
        "budget": budget["id"],
        "notice": notice["id"],
    }


async def test_it_sees_its_own_as_others_do_and_nothing_of_anybody_elses(acme, clients, pair):
    """Each answer is what an unbound caller gets who asks for that customer's; what is somebody
    else's is as if it had never been."""
    ada, bob = pair
    own = partial(acme.get, headers={CUSTOMER_HEADER: ada["customer"]})
    named = {"customer_id": ada["customer"]}
    for path, query in asks(ada):
        seen = await own(path, params=query)
        unbound = await acme.get(path, params=(named | query) if path in LISTS else query)
        assert (seen.status_code, seen.text) == (200, unbound.text), path
    nobody = {name: str(uuid4()) for name in bob}
    for (path, query), (unknown, other_query) in zip(asks(bob), asks(nobody), strict=True):
        seen, none = await own(path, params=query), await own(unknown, params=other_query)
        if path in LISTS:
            assert bob["customer"] not in seen.text
            assert (ada["customer"] in seen.text) == (not query), path
        else:
            assert seen.status_code == none.status_code
            assert said(seen, bob) == said(none, nobody), path
    other_tenant = await clients("south")
    for path, query in asks(ada):
        answer = await other_tenant.get(
            path, params=query, headers={CUSTOMER_HEADER: ada["customer"]}
        )
        shown = said(answer, ada)
        assert "70.00" not in shown, path
        assert "INV-" not in shown, path


def said(answer, ids):
    """What an answer says, but for what was asked for."""
    text = re.sub(r'"correlation_id":"[^"]*"', "", answer.text)
    for name, value in ids.items():
        text = text.replace(value, name)
    return text


async def rows_of(ledger, customer_id, sql):
    """What a session is shown that is bound to a customer, or to nobody."""
    with for_all_customers():
        if customer_id is not None:
            bind_customer(UUID(customer_id))
        async with snapshot(ledger, tenant="acme") as read:
            return {row["text"] for row in await read.raw.fetch(sql)}


async def test_every_table_shows_a_bound_session_its_own_rows_or_common_ones(ledger, pair):
    policies = await rows_of(
        ledger, None, "SELECT polrelid::regclass::text AS text, polcmd FROM pg_policy"
        " WHERE polname = 'customer'",
    )  # fmt: skip
    assert policies == SHOWN | COMMON.keys()
    isolated = await rows_of(
        ledger, None, "SELECT polrelid::regclass::text AS text FROM pg_policy"
        " WHERE polname = 'tenant'",
    )  # fmt: skip
    for table in sorted(isolated):
        whole = f"SELECT t::text AS text FROM {table} t"  # noqa: S608
        every = await rows_of(ledger, None, whole)
        of_ada, of_bob, of_nobody = [
            await rows_of(ledger, customer_id, whole)
            for customer_id in (pair[0]["customer"], pair[1]["customer"], str(uuid4()))
        ]
        if table in COMMON:
            assert of_ada == of_bob == of_nobody == every, table
            assert every, table
            continue
        assert not of_ada & of_bob, table
        assert not of_nobody, table
        assert bool(of_ada) == (table in SHOWN), table
        assert of_ada | of_bob <= every, table
