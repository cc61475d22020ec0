"""What was posted for a customer beside documents and payments is there again after a restore."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from faults.polling import until
from gridtally.http.context import utc_now
from integration.ledger.accounts import AT, invoice, outgoing, post, reconciled, reverse
from integration.ledger.debits import (
    batch_of,
    came_back,
    came_in,
    collect,
    collect_for,
    read_bank,
    sign,
)
from integration.ledger.restored import SAID, stored
from restores import rows_of, said, until_drained, until_rows


@pytest.fixture
def come_back(restorable, running, publishing, kafka_bootstrap):
    """What `acts` post for the customer of an invoice that the copy does not have is there again
    after a restore; `check` then asks more. Invoices that an act returns are issued after it."""

    async def restored(*acts, check=reconciled):
        tenant, bill = f"t-{uuid4().hex[:8]}", invoice(1)
        async with running(tenant):
            pass
        await restorable.copy()

        async with running(tenant) as (database, acme):
            async with publishing() as publisher:
                await publisher.publish([outgoing(bill, tenant)])
            await until_rows(database, "transaction", tenant, 1)
            for act in acts:
                issued = await act(acme, {"customer_id": str(bill.customer_id), "currency": "EUR"})
                count = len(await rows_of(database, "transaction", tenant))
                async with publishing() as publisher:
                    await publisher.publish([outgoing(event, tenant) for event in issued or ()])
                await until_rows(database, "transaction", tenant, count + len(issued or ()))
            await until_drained(database, tenant, "entry_queue")
            before = await stored(database, tenant)
        heard = await said(kafka_bootstrap, tenant, *SAID)
        await restorable.restore()

        async with running(tenant) as (database, acme):
            await until_rows(database, "transaction", tenant, len(before["transaction"]))
            await until_drained(database, tenant, "adopted_payment", "entry_queue")
            after = await stored(database, tenant)
            for table, rows in before.items():
                assert set(after[table]) ^ set(rows) == set(), table
            await check(acme)
        assert await said(kafka_bootstrap, tenant, *SAID) == heard
        assert restorable.logged("adopted payment refused", tenant) == []

    return restored


async def test_opening_balances_come_back(come_back):
    """Owed and credit, one that was reversed and booked again, and what the credit paid."""
    lists = []

    async def take_over(acme, mine):
        owed = mine | {"amount": "80.00", "reference": "OLD-1", "due_on": "2025-02-01",
                       "occurred_at": "2025-03-01T00:00:00Z"}  # fmt: skip
        credit = mine | {"amount": "-30.00", "reference": "OLD-2", "occurred_at": AT}
        lists.append([owed, credit])
        wrong = await post(acme, "opening-balances/batch", items=[owed | {"amount": "90.00"}])
        await reverse(acme, wrong["items"][0]["id"])
        await post(acme, "opening-balances/batch", items=lists[0])

    async def check(acme):
        books = (await reconciled(acme))["EUR"]
        assert (books["opening_balances"], books["opening_account"]) == ("50.00", "-50.00")
        await post(acme, "opening-balances/batch", status=200, items=lists[0])

    await come_back(take_over, check=check)


async def test_deposits_come_back(come_back):
    """Taken, set off against an invoice that the copy does not have, returned, and reversed."""

    async def use(acme, mine):
        held = mine | {"source": "deposit"}
        await post(acme, "deposits", **mine, amount="50", reference="D 1")
        await reverse(acme, (await post(acme, "deposits", **mine, amount="9"))["id"])
        await post(acme, "allocations", **held, amount="30")
        await post(acme, "refunds", **held, amount="20", reason="moved out")

    await come_back(use)


async def test_payment_plans_come_back(come_back):
    """One that is kept, with what was paid of it, and one that was cancelled."""
    agreed = []

    async def agree(acme, mine):
        invoices = {"customer_id": mine["customer_id"]}
        [bill] = (await acme.get("/v1/invoices", params=invoices)).json()["items"]
        first_due_on = str(utc_now().date() + timedelta(days=1))
        plan = mine | {
            "invoice_ids": [bill["id"]], "equal": {"count": 3, "first_due_on": first_due_on},
        }  # fmt: skip
        wrong = await post(acme, "payment-plans", **plan, grace_days=0)
        await post(acme, f"payment-plans/{wrong['id']}/cancel", status=200, reason="mistake")
        await post(acme, "payment-plans", **plan)
        await post(acme, "payments", **mine, amount="50")
        agreed.append((await acme.get("/v1/payment-plans")).json())

    async def check(acme):
        assert (await acme.get("/v1/payment-plans")).json() == agreed[0]
        assert [plan["state"] for plan in agreed[0]["items"]] == ["cancelled", "kept"]
        assert agreed[0]["items"][1]["paid"] == "50.00"

    await come_back(agree, check=check)


async def test_budget_plans_come_back(come_back):
    """One that goes on, with an invoice that waits, and one that was settled: its invoice waited,
    and what was asked for beyond it is credit."""
    agreed, today = [], utc_now().date()

    def bill(n, who, amount, start_on):
        issued = invoice(n, customer=UUID(who), energy=amount, tax="0")
        changes = {"start_on": start_on, "end_on": today, "issued_at": utc_now()}
        return issued.model_copy(update=changes)

    async def agree(acme, mine):
        began = str(today - timedelta(days=60))
        plan = await post(acme, "budget-plans", **mine, amount="90", start_on=began, months=4)
        agreed.append(plan["id"])
        ended = today - timedelta(days=5)
        await post(acme, f"budget-plans/{plan['id']}/end", status=200, end_on=str(ended))
        await post(acme, "budget-plans", **mine, amount="40", start_on=str(ended))
        return [
            bill(2, mine["customer_id"], "70.00", ended - timedelta(days=20)),
            bill(3, mine["customer_id"], "55.00", ended),
        ]

    async def settle(acme, mine):
        await post(acme, "payments", **mine, amount="30")
        await post(acme, f"budget-plans/{agreed[0]}/settlement", status=200)
        agreed.append((await acme.get("/v1/budget-plans")).json())

    async def check(acme):
        plans = (await acme.get("/v1/budget-plans")).json()
        assert plans == agreed[1]
        assert [(own["used"], own["settled"]) for own in plans["items"]] == [
            ("70.00", "-20.00"), ("55.00", "0.00"),
        ]  # fmt: skip
        await reconciled(acme)

    await come_back(agree, settle, check=check)


async def test_dunning_comes_back(come_back):
    """Rules, a stop that was ended, a notice that was withdrawn and one that stands, whose fee was
    paid; and nobody is dunned again for the same."""
    level = {"name": "Demand", "after_days": 1, "days_to_pay": 9,
             "fees": [{"currency": "EUR", "amount": "5.00"}]}  # fmt: skip
    seen = []

    async def run(acme):
        run = await post(acme, "dunning-runs")

        async def is_finished():
            shown = await acme.get(f"/v1/dunning-runs/{run['id']}")
            return shown.json()["state"] == "finished"

        await until("the run is finished", is_finished)

    async def ask(acme):
        found = [await acme.get(f"/v1/{path}") for path in ("dunning-rules", "dunning-notices")]
        return [answer.json() for answer in found]

    async def dun(acme, mine):
        await acme.put("/v1/dunning-rules", json={"levels": [level, level]})
        stop = f"/v1/customers/{mine['customer_id']}/dunning-stop"
        assert (await acme.put(stop, json={"reason": "other"})).status_code == 200
        assert (await acme.delete(stop)).status_code == 204
        await run(acme)
        [wrong] = (await acme.get("/v1/dunning-notices")).json()["items"]
        path = f"dunning-notices/{wrong['id']}/withdraw"
        await post(acme, path, status=200, reason="mistake")
        await run(acme)
        stands = (await acme.get("/v1/dunning-notices")).json()["items"][1]
        fee = [{"invoice_id": stands["id"], "amount": "3.00"}]
        await post(acme, "payments", **mine, amount="3", allocations=fee)
        seen.append(await ask(acme))
        assert [own["fee_open"] for own in seen[0][1]["items"]] == ["0.00", "2.00"]

    async def check(acme):
        assert await ask(acme) == seen[0]
        await run(acme)
        assert await ask(acme) == seen[0]
        await reconciled(acme)

    await come_back(dun, check=check)


async def test_direct_debits_come_back(come_back):
    """Batches that were cancelled, returned and collected, with the mandate that they were by."""
    batches = []

    async def shown(acme):
        return [(await batch_of(acme, batch)).json() for batch in batches]

    async def debit(acme, mine):
        await collect_for(acme)
        await sign(acme, mine["customer_id"])
        batches.append(await collect(acme))
        await post(acme, f"direct-debits/{batches[0]['id']}/cancel", status=200)
        batches.append(await collect(acme))
        [returned] = batches[1]["debits"]
        await read_bank(acme, came_in(returned), came_back(returned, "MD06"))
        batches.append(await collect(acme, returned_too=True))
        batches[:] = [*await shown(acme), (await batch_of(acme, batches[2], "/file")).content]

    async def check(acme):
        file = batches.pop()
        assert await shown(acme) == batches
        assert (await batch_of(acme, batches[2], "/file")).content == file
        assert [own["debits"][0]["state"] for own in batches] == ["cancelled", "returned", "open"]
        assert batches[2]["debits"][0]["sequence"] == "recurrent"
        assert (await collect(acme, 200, returned_too=True))["count"] == 0
        await reconciled(acme)

    await come_back(debit, check=check)
