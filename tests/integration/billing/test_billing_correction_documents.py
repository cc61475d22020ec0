"""What a correction would make of derived meters, of credits by hand and of collective invoices is
what it then makes."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.billing.collective import collective_homes, ok
from doubles.billing.events import NOW, received
from gridtally.billing.domain import collective_invoices
from gridtally.billing.handlers import periods
from gridtally.contracts.metering import Definition, MeterDefined, Term
from gridtally.kernel.periods import midnight_utc

DAY = date(2025, 1, 15)


@pytest.fixture
async def api(world, clients):
    return await clients(world.tenant, "billing:read", "billing:write")


async def used(world, make, *homes):
    for home in homes:
        days = make.JANUARY.dates()
        await world.use(*(make.used(home.meter_id, day) for day in days))
    await world.close(*(make.closed(home, period=make.JANUARY) for home in homes))
    await world.retry_all()
    await world.issue_collective()


async def previewed(api, make, *changes):
    """The preview of whole days, by meter."""
    readings = [
        {"meter_id": str(meter_id), "minutes": 15, "values": [wh] * 96,
         "start_at": midnight_utc(make.BERLIN, DAY).isoformat()}
        for meter_id, wh in changes
    ]  # fmt: skip
    answer = await api.post("/v1/corrections/preview", json={"readings": readings})
    assert answer.status_code == 201, answer.text
    return answer.json()


def day_of(make, wh):
    """January with 100 Wh in each quarter of an hour, and one day with others."""
    values = [100] * make.JANUARY.slots(make.BERLIN, 15)
    first = (DAY - make.JANUARY.start_on).days * 96
    values[first : first + 96] = [wh] * 96
    return values


async def corrected(world, make, home, preview, wh):
    """The next revision, with another day, on behalf of a preview."""
    event = make.closed(home, period=make.JANUARY, revision=2, values=day_of(make, wh))
    async with world.transaction() as tx:
        message = received(event, world.tenant, preview["preview_id"])
        await periods.bill_closed_periods(tx, [message], NOW)
    await world.retry_all()
    await world.issue_collective()


async def credited(api, invoice_id, amount, **more):
    body = {"reason": "goodwill", "amount": amount} | more
    answer = await api.post(f"/v1/invoices/{invoice_id}/credit-notes", json=body)
    assert answer.status_code == 201, answer.text


async def check_made(api, preview):
    """All that was issued is what was previewed: how many notes and invoices, and their sum."""
    stored = (await api.get(f"/v1/corrections/preview/{preview['preview_id']}")).json()
    made = stored["made"]
    [totals] = preview["totals"]
    kinds = [own["kind"] for own in made]
    assert kinds.count("credit_note") == totals["credit_notes"]
    assert kinds.count("invoice") == totals["invoices"]
    assert sum(Decimal(own["total"]) for own in made) == Decimal(totals["delta"])
    documents = preview["documents"]
    invoices = [own["total"] for own in made if own["kind"] == "invoice"]
    assert sorted(invoices) == sorted(total for own in documents for total in own["totals"])
    notes = [-Decimal(own["total"]) for own in made if own["kind"] == "credit_note"]
    expected = [Decimal(own["credit_note_total"]) for own in documents]
    expected += [Decimal(own["total"]) for d in documents for own in d["repeated_credits"]]
    assert sorted(notes) == sorted(expected)
    assert await ok(api)


async def test_a_derived_meter_that_is_billed_changes_with_its_part(world, make, api):
    """`Rest` = main − flat: on a day the main meter has 200 instead of 160 Wh a quarter of an hour,
    so that the rest has 140 instead of 100."""
    home = await world.home()
    main, flat = uuid4(), uuid4()
    for meter_id in (main, flat):
        await world.register(make.registered(meter_id))
    await world.register(make.registered(home.meter_id, meter_type="derived", flows=(), version=2))
    terms = [
        Term(meter_id=part, sign=sign, flow="import") for part, sign in ((main, 1), (flat, -1))
    ]
    definition = Definition(from_on=date(2025, 1, 1), terms=terms, version=1)
    await world.define(MeterDefined(meter_id=home.meter_id, definitions=[definition], version=1))
    for meter_id, wh in ((main, 160), (flat, 60)):
        await world.use(*(make.used(meter_id, day, wh=wh) for day in make.JANUARY.dates()))
    await used(world, make, home)
    preview = await previewed(api, make, (main, 200))
    assert [own["meter_id"] for own in preview["derived_meters"]] == [str(home.meter_id)]
    assert [(d["meter_id"], d["wh_before"], d["wh_after"]) for d in preview["days"]] == [
        (str(main), 15_360, 19_200),
        (str(home.meter_id), 9_600, 13_440),
    ]
    [changed] = preview["invoices"]
    assert (changed["meter_id"], changed["cause"]) == (str(home.meter_id), "correction")
    await corrected(world, make, home, preview, 140)
    live = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    [invoice] = [(await api.get(f"/v1/invoices/{own['id']}")).json() for own in live]
    assert invoice["lines"] == changed["lines"]
    await check_made(api, preview)


async def test_credits_by_hand_are_given_again(world, make, api):
    """121.12 with 10.00 of goodwill that stays, and 5.00 that the correction puts right itself."""
    home = await world.home()
    await used(world, make, home)
    [invoice] = (await api.get("/v1/invoices")).json()["items"]
    await credited(api, invoice["id"], "10.00")
    await credited(api, invoice["id"], "5.00", repeat_on_correction=False)
    preview = await previewed(api, make, (home.meter_id, 200))
    [document] = preview["documents"]
    assert document["credited_before"] == "15.00"
    assert document["credit_note_total"] == "106.12"
    assert [own["total"] for own in document["repeated_credits"]] == ["10.00"]
    assert (document["total"], document["delta"]) == ("124.55", "8.43")
    await corrected(world, make, home, preview, 200)
    await check_made(api, preview)


async def test_a_collective_invoice_is_shown_whole(world, make, api):
    """Three sections of 121.12, of which two change; 20.00 were credited of all."""
    homes = await collective_homes(world, make, 3)
    await used(world, make, *homes)
    [invoice] = (await api.get("/v1/invoices")).json()["items"]
    await credited(api, invoice["id"], "20.00")
    preview = await previewed(api, make, *((home.meter_id, 200) for home in homes[:2]))
    [document] = preview["documents"]
    assert (document["invoice_id"], document["is_collective"]) == (invoice["id"], True)
    assert (document["total_before"], document["total"]) == ("363.36", "370.22")
    assert (document["credit_note_total"], document["delta"]) == ("343.36", "6.86")
    assert len(document["changed"]) == len(preview["invoices"]) == 2
    values = day_of(make, 200)
    await world.close(
        *(make.closed(h, period=make.JANUARY, revision=2, values=values) for h in homes[:2])
    )
    await world.issue_collective()
    live = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    assert [own["total"] for own in live] == [document["total"]]
    detail = (await api.get(f"/v1/invoices/{live[0]['id']}")).json()
    assert Decimal(detail["left"]) == Decimal(document["total"]) - 20
    assert await ok(api)


async def test_what_one_section_changes_is_made_on_behalf_of_the_preview(world, make, api):
    homes = await collective_homes(world, make)
    await used(world, make, *homes)
    [invoice] = (await api.get("/v1/invoices")).json()["items"]
    await credited(api, invoice["id"], "20.00")
    preview = await previewed(api, make, (homes[0].meter_id, 200))
    await corrected(world, make, homes[0], preview, 200)
    await check_made(api, preview)


async def test_an_invoice_that_becomes_too_long_is_shown_divided(world, make, api, monkeypatch):
    """Three sections on one invoice, of which only two fit on one by now: 121.12 twice and 124.55,
    in the order of their meters. 300.00 of goodwill are given again on the first one, as far as
    that comes to."""
    homes = await collective_homes(world, make, 3)
    await used(world, make, *homes)
    [invoice] = (await api.get("/v1/invoices")).json()["items"]
    await credited(api, invoice["id"], "300.00")
    line_count = len((await api.get(f"/v1/invoices/{invoice['id']}")).json()["lines"]) // 3
    monkeypatch.setattr(collective_invoices, "LINES_MAX", 2 * line_count)
    last = max(homes, key=lambda home: home.meter_id)
    preview = await previewed(api, make, (last.meter_id, 200))
    [document] = preview["documents"]
    assert document["totals"] == ["242.24", "124.55"]
    assert (document["total"], document["total_before"]) == ("366.79", "363.36")
    assert [own["total"] for own in document["repeated_credits"]] == ["242.24"]
    assert preview["totals"][0]["invoices"] == 2
    await corrected(world, make, last, preview, 200)
    await check_made(api, preview)


async def test_a_section_that_would_be_held_holds_its_whole_invoice(world, make, api):
    homes = await collective_homes(world, make)
    await used(world, make, *homes)
    preview = await previewed(api, make, (homes[0].meter_id, None), (homes[1].meter_id, 200))
    [document] = preview["documents"]
    assert (document["held"], document["total"], document["delta"]) == (
        "values_missing", None, None,
    )  # fmt: skip
    assert preview["totals"] == [
        {"currency": "EUR", "credit_notes": 0, "invoices": 0, "delta": "0.00"}
    ]
