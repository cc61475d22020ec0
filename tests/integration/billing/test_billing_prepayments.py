"""A customer on prepayment, from readings to the alert, and whatever happens in between."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.billing.handlers import budget_plans, prepayments
from gridtally.billing.store import prepayments as store
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.http.context import utc_now
from gridtally.kernel.errors import Transient
from gridtally.kernel.periods import Period
from integration.locks import somebody_waits

NOW = datetime(2025, 3, 20, 10, tzinfo=UTC)
D = Decimal
DAYS = {"from": "2025-01-01", "to": "2025-05-01"}


async def look(world, *, days=0):
    """The loop looks until nobody is to be looked at, so many days from now."""
    async with world.transaction() as tx:
        while await prepayments.look_at_prepayments(tx, utc_now() + timedelta(days=days)):
            pass


async def owe(world, make, customer_id, balance, *, version, invoiced="0", now=NOW):
    """The ledger has published a balance, as billing's consumer takes it."""
    event = make.balance_changed(customer_id, str(balance), version=version, invoiced=str(invoiced))
    await world.owe(event)
    async with world.transaction() as tx:
        await prepayments.look_at_balances(tx, [make.received(event, world.tenant)], now)


async def said(world):
    """What was published of prepayments, in order."""
    rows = await world.rows(
        "SELECT value FROM outbox WHERE topic = $1 AND tenant_id = $2 ORDER BY seq",
        PrepaymentChanged.TOPIC,
        world.tenant,
        tenant="*",
    )
    return [PrepaymentChanged.model_validate_json(row["value"]) for row in rows]


async def alerts_said(world):
    return [(event.change, event.alert, event.version) for event in await said(world)]


async def test_from_readings_to_the_alert_and_to_the_invoice(world, make, clients):
    home = await world.home()
    api = await clients(world.tenant)
    path = f"/v1/customers/{home.customer_id}/prepayment"
    assert (await api.get(path)).json()["code"] == "prepayment_unknown"
    await owe(world, make, home.customer_id, "-12.00", version=1)
    asked = await api.put(path, json={"alert_amount": "5.00"})
    assert asked.status_code == 200, asked.text
    assert (asked.json()["balance"], asked.json()["days_left"]) == ("12.00", None)
    assert (await api.put(path, json={"alert_amount": "5.00"})).json() == asked.json()
    await look(world)
    assert await alerts_said(world) == [("terms", None, 1)]

    # 9.6 kWh cost 2.88 and tax of 0.55; 12.50 a month and 2.38 of tax are 0.48 on a day of March
    days = [make.MARCH.start_on + timedelta(days=number) for number in range(31)]
    await world.use(make.used(home.meter_id, days[17]))
    shown = (await api.get(path)).json()
    assert (shown["balance"], shown["drawn"], shown["credit"]) == ("8.09", "3.91", "12.00")
    assert (shown["drawn_through"], shown["average_per_day"]) == ("2025-03-18", "3.91")
    await world.use(make.used(home.meter_id, days[18]))
    await look(world)
    assert (await alerts_said(world))[1:] == [("alert", "prepayment_low", 2)]
    [*_, low] = await said(world)
    assert (low.currency, low.balance, low.drawn_through) == ("EUR", D("4.18"), days[18])
    await look(world)
    await look(world, days=1)  # everybody is looked at once a day
    assert len(await said(world)) == 2
    assert (await api.get("/v1/prepayments", params={"alert": "prepayment_low"})).json()["items"]
    assert not (await api.get("/v1/prepayments?alert=prepayment_empty")).json()["items"]

    # a correction of a day, threefold use: what it cost first is not drawn any more
    await world.use(make.used(home.meter_id, days[17], version=2, wh=300))
    await look(world)
    assert (await alerts_said(world))[2:] == [("alert", "prepayment_empty", 3)]
    await owe(world, make, home.customer_id, "-112.00", version=2)
    await look(world)
    assert (await alerts_said(world))[3:] == [("alert", None, 4)]

    # an alert that is none by other terms ends with them, though nothing was paid
    await api.put(path, json={"alert_amount": "500.00"})
    await look(world)
    eased = await api.put(path, json={"alert_amount": "1.00"})
    assert eased.json()["alert"] is None
    assert (await alerts_said(world))[4:] == [
        ("terms", None, 5), ("alert", "prepayment_low", 6),
        ("terms", "prepayment_low", 7), ("alert", None, 8),
    ]  # fmt: skip


async def test_what_comes_while_the_loop_looks_is_neither_lost_nor_said_twice(world, clients):
    """The loop has the prepayment's row, and has looked; the operator and a payment wait for it."""
    home = await world.home()
    api = await clients(world.tenant)
    path = f"/v1/customers/{home.customer_id}/prepayment"
    assert (await api.put(path, json={})).status_code == 200
    async with world.transaction() as tx:
        assert await prepayments.look_at_prepayments(tx, utc_now()) == 1
        ending = asyncio.create_task(api.delete(path))
        await somebody_waits(world.value)
    assert (await ending).status_code == 204
    assert (await api.get(path)).json()["code"] == "prepayment_unknown"
    assert await alerts_said(world) == [
        ("terms", None, 1), ("alert", "prepayment_empty", 2), ("end", None, 3),
    ]  # fmt: skip
    assert (await api.put(path, json={})).status_code == 200
    async with world.transaction() as tx:
        assert await prepayments.look_at_prepayments(tx, utc_now()) == 1
        marking = asyncio.create_task(mark(world, home.customer_id))
        await somebody_waits(world.value)
    await marking
    assert await world.value("SELECT look_at <= now() FROM prepayment")


async def mark(world, customer_id):
    """What happens to a customer has its prepayment looked at."""
    async with world.transaction() as tx:
        await store.mark_customers(tx, [(world.tenant, customer_id)], utc_now())


async def test_one_that_cannot_be_judged_keeps_nobody_else_from_it(
    world, make, clients, monkeypatch
):
    """It is looked at again tomorrow; what is newer is never overwritten."""
    homes = [await world.home() for _ in range(3)]
    api = await clients(world.tenant)
    for home in homes:
        await api.put(f"/v1/customers/{home.customer_id}/prepayment", json={})
        await world.use(make.used(home.meter_id, make.MARCH.start_on))
    rated = prepayments.drawn_days

    def failing(tenant_id, days, *known):
        if days[0].meter_id == homes[1].meter_id:
            raise ZeroDivisionError
        return rated(tenant_id, days, *known)

    monkeypatch.setattr(prepayments, "drawn_days", failing)
    async with world.transaction() as tx:
        assert await prepayments.look_at_prepayments(tx, utc_now()) == 3
        assert await prepayments.look_at_prepayments(tx, utc_now()) == 0
    alerted = [event.customer_id for event in await said(world) if event.change == "alert"]
    assert set(alerted) == {homes[0].customer_id, homes[2].customer_id}
    monkeypatch.setattr(prepayments, "drawn_days", rated)
    monkeypatch.setattr(prepayments, "STEP_DAYS_MAX", 1)
    monkeypatch.setattr(prepayments, "STEP_CUSTOMERS", 2)
    async with world.transaction() as tx:
        tomorrow = utc_now() + timedelta(days=1)
        looked = [await prepayments.look_at_prepayments(tx, tomorrow) for _ in range(3)]
    assert looked == [2, 1, 0]  # no more days at once than there is time for
    assert len(await said(world)) == 6
    [known] = [own for own in await said(world) if own.version == 1][:1]
    async with world.transaction() as tx:
        stale = prepayments.events.prepayment_of(known)
        assert await store.upsert_prepayments(tx, [(world.tenant, stale)], utc_now()) == set()
        with pytest.raises(Transient):
            await prepayments._store(tx, [(world.tenant, stale)], utc_now())


async def test_an_invoice_takes_its_days_and_the_next_month_is_drawn_again(world, make, clients):
    home = await world.home()
    api = await clients(world.tenant)
    path = f"/v1/customers/{home.customer_id}/prepayment"
    await owe(world, make, home.customer_id, "-112.00", version=2)
    assert (await api.put(path, json={})).status_code == 200
    await world.use(*(make.used(home.meter_id, day) for day in make.MARCH.dates()))
    # the invoice comes to what it comes to, and is posted later
    before = D((await api.get(path)).json()["balance"])
    await world.close(make.closed(home))
    [invoice] = await world.invoices()
    for balance, invoiced in (
        (D("-112.00"), D(0)),
        (invoice["total"] - 112, invoice["total"]),
    ):
        await owe(world, make, home.customer_id, balance, version=3 + (invoiced > 0),
                  invoiced=invoiced)  # fmt: skip
        shown = (await api.get(path)).json()
        assert D(shown["balance"]) == 112 - invoice["total"] != before
        assert (D(shown["drawn"]), D(shown["credit"])) == (0, 112 - invoice["total"])
    listed = (await api.get(f"{path}/days", params=DAYS)).json()["items"]
    assert [(D(day["drawn"]), day["is_billed"]) for day in listed] == [(D(0), True)] * 31
    assert sum(D(day["standing"]) for day in listed) == D("14.88")
    assert listed[0]["day"] == "2025-03-31"
    assert len((await api.get(f"{path}/days", params=DAYS | {"to": "2025-03-02"})).json()["items"])
    wrong = await api.get(f"{path}/days", params=DAYS | {"to": "2024-12-31"})
    assert wrong.json()["code"] == "invalid_window"

    # what is left at the end is credit
    await world.use(make.used(home.meter_id, make.APRIL.start_on))
    assert D((await api.get(path)).json()["drawn"]) == D("3.43") + D("0.50")  # 14.88 / 30
    async with world.transaction() as tx:
        for until, number in (("2025-04-01", 2), ("2025-04-02", 3)):
            days = Period(date(2025, 3, 30), date.fromisoformat(until))
            read = await store.fetch_accounts(
                tx, [(world.tenant, home.customer_id)], days.start_on, days
            )
            assert [len(account.days) for account in read.values()] == [number]
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).json()["code"] == "prepayment_unknown"
    assert (await alerts_said(world))[-1][0] == "end"
    await look(world, days=60)
    assert (await alerts_said(world))[-1][0] == "end"


async def test_whatever_happens_it_is_payments_less_invoices_less_days_without_one(
    world, make, clients
):
    """Two homes of one customer, and a random walk: payments, days, corrections of days, invoices,
    their corrections, credit notes of a part, days that nobody bills. Each time the API's balance
    is what is summed beside it from the days that it lists and the documents that were issued."""
    chance = random.Random(20250320)
    document = make.FLAT | {"components": [*make.FLAT["components"], make.FEED_IN]}
    first = await world.home(document=document)
    second = make.agreement(tariff_id=first.tariff_id)
    await world.register(make.registered(second.meter_id))
    second = await world.agree_on(replace(second, customer_id=first.customer_id))
    homes = [first, second]
    api = await clients(world.tenant)
    path = f"/v1/customers/{first.customer_id}/prepayment"
    assert (await api.put(path, json={})).json()["alert_days"] == 7
    months = (make.JANUARY, make.FEBRUARY, make.MARCH)
    paid, posted, revisions, day_versions = D(0), D(0), {}, {}
    dismissed = set()
    for version in range(1, 46):
        home, month = chance.choice(homes), chance.choice(months)
        match chance.choice(("pay", "read", "read", "bill", "bill", "credit", "post", "dismiss")):
            case "pay":
                paid += chance.randrange(1, 9_000) / D(100)
            case "read":
                for day in chance.sample(month.dates(), 4):
                    number = day_versions[home.id, day] = day_versions.get((home.id, day), 0) + 1
                    wh, flow = chance.randrange(20, 900), chance.choice(("import", "export"))
                    await world.use(make.used(home.meter_id, day, version=number, wh=wh, flow=flow))
            case "bill":
                key = (home.id, month)
                revisions[key] = revisions.get(key, 0) + 1
                dismissed.discard(key)
                wh = chance.randrange(20, 200)
                await world.close(make.closed(home, period=month, revision=revisions[key], wh=wh))
            case "credit":
                live = [own for own in await world.invoices() if own["credited_by"] is None]
                if live:
                    asked = {"reason": "goodwill", "amount": "0.01"}
                    own = chance.choice(live)["id"]
                    await api.post(f"/v1/invoices/{own}/credit-notes", json=asked)
            case "post":
                posted = await issued(world)
            case "dismiss":
                key = (home.id, month)
                if key not in revisions:
                    revisions[key] = 1
                    held = make.closed(home, period=month, flows=["generation"])
                    await world.close(held)
                    where = f"/v1/held-invoices/{home.id}/{month.start_on}/dismiss"
                    answer = await api.post(where, json={"reason": "nobody's"})
                    assert answer.status_code == 204, answer.text
                    dismissed.add(key)
        await owe(world, make, first.customer_id, posted - paid, version=version, invoiced=posted)
        await check(world, api, path, paid, dismissed)
    assert len(await world.invoices()) > 4


async def issued(world):
    """What all invoices less credit notes come to."""
    sums = """SELECT (SELECT coalesce(sum(total), 0) FROM invoice)
                   - (SELECT coalesce(sum(total), 0) FROM credit_note) AS total"""
    return await world.value(sums)


async def check(world, api, path, paid, dismissed):
    """The balance, against the sum of what stands beside it."""
    live = {
        (own["agreement_id"], own["start_on"])
        for own in await world.invoices()
        if own["credited_by"] is None
    } | {(agreement_id, month.start_on) for agreement_id, month in dismissed}
    costs = await world.rows("SELECT agreement_id, day, gross FROM daily_cost")
    drawn = [own for own in costs if (own["agreement_id"], own["day"].replace(day=1)) not in live]
    standing = sum((share(own["day"]) for own in drawn), D(0))
    expected = paid - await issued(world) - sum((own["gross"] for own in drawn), D(0)) - standing
    shown = (await api.get(path)).json()
    assert D(shown["balance"]) == expected
    listed = (await api.get(f"{path}/days", params=DAYS)).json()["items"]
    assert sum((D(own["drawn"]) for own in listed), D(0)) == D(shown["drawn"])


def share(day):
    """A day's part of 14.88 a month, in whole cents that add up: what is due through it, less what
    was due through the day before, each rounded half to even."""
    length = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
    through, before = (
        (D("14.88") * number / length).quantize(D("0.01")) for number in (day.day, day.day - 1)
    )
    return through - before


async def test_who_pays_by_a_budget_plan_or_is_nobody_is_not_on_prepayment(world, make, clients):
    home = await world.home()
    api = await clients(world.tenant)
    path = f"/v1/customers/{home.customer_id}/prepayment"
    plan = BudgetPlanChanged(
        plan_id=uuid4(), customer_id=home.customer_id, currency="EUR", start_on="2025-01-01",
        end_on="2026-01-01", instalments=[], settle_on="2026-02-12", settled=D(0), version=1,
        agreed_at=NOW,
    )  # fmt: skip
    settled = plan.model_copy(update={"settled_at": NOW, "version": 3})
    ended = plan.model_copy(update={"end_on": make.MARCH.start_on, "version": 2})
    for events, status in (([plan], 409), ([ended], 409), ([settled, ended], 200)):
        async with world.transaction() as tx:
            received = [make.received(event, world.tenant) for event in events]
            await budget_plans.apply_plans(tx, received)
        answer = await api.put(path, json={"alert_days": 3})
        assert answer.status_code == status, answer.text
        assert status == 200 or answer.json()["code"] == "budget_plan_running"
    foreign = await clients(world.another().tenant)
    for client, own_path, body, code in (
        (api, f"/v1/customers/{uuid4()}/prepayment", {}, "customer_unknown"),
        (foreign, path, {}, "customer_unknown"),
        (api, path, {"alert_amount": "-1"}, "invalid_request"),
        (api, path, {"alert_days": 367}, "invalid_request"),
        (api, path, {"alert": "prepayment_low"}, "invalid_request"),
    ):
        answer = await client.put(own_path, json=body)
        assert answer.json()["code"] == code, answer.text
    assert (await foreign.get(path)).json()["code"] == "prepayment_unknown"
    assert (await foreign.get("/v1/prepayments")).json()["items"] == []
    bea = (await api.post("/v1/customers", json={"name": "Bea", "currency": "EUR"})).json()["id"]
    erased = await api.post(f"/v1/customers/{bea}/erase", json={"reason": "asked"})
    assert erased.status_code == 200, erased.text
    refused = await api.put(f"/v1/customers/{bea}/prepayment", json={})
    assert refused.json()["code"] == "customer_erased"


async def test_a_prepayment_is_adopted_as_it_was_said_and_ends_with_its_customer(
    world, make, clients
):
    api = await clients(world.tenant)
    made = (await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"})).json()
    path = f"/v1/customers/{made['id']}/prepayment"
    await api.put(path, json={"alert_days": 2})
    await look(world)
    events = await said(world)
    assert [(event.change, event.alert) for event in events] == [
        ("terms", None), ("alert", "prepayment_empty"),
    ]  # fmt: skip
    other = world.another()
    async with world.transaction() as tx:
        for order in (events[::-1], events):
            received = [make.received(event, other.tenant) for event in order]
            assert await prepayments.adopt_prepayments(tx, received) == []
    columns = "SELECT alert, alert_since, alert_balance, alert_days, version FROM prepayment"
    assert await other.rows(columns) == await world.rows(columns)
    await look(other, days=999)  # one whose customer is not there says nothing
    assert len(await said(other)) == 0
    elsewhere = await clients(other.tenant)
    for of_nobody in (path, f"{path}/days?from=2025-01-01&to=2025-02-01"):
        assert (await elsewhere.get(of_nobody)).json()["code"] == "prepayment_unknown"
    deleted = await api.delete(f"/v1/customers/{made['id']}", headers={"If-Match": "*"})
    assert deleted.status_code == 204, deleted.text
    assert [(event.change, event.state) for event in await said(world)][2:] == [("end", "ended")]
