"""Corrections before they are made: what they would change is what they then do change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.billing.events import NOW, received
from gridtally.billing.handlers import periods
from gridtally.kernel.ids import own_meter_id
from gridtally.kernel.periods import midnight_utc

DAY = date(2025, 1, 15)


@pytest.fixture
async def api_client(world, clients):
    return await clients(world.tenant)


async def preview(client, *readings, status=201, **headers):
    answer = await client.post(
        "/v1/corrections/preview", json={"readings": list(readings)}, headers=headers
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def whole_day(make, home, day=DAY, wh=200, **more):
    """The readings of a whole day."""
    start_at = midnight_utc(make.BERLIN, day)
    return {
        "meter_id": str(home.meter_id),
        "start_at": start_at.isoformat(),
        "minutes": 15,
        "values": [wh] * 96,
    } | more


async def used(world, make, home, *months):
    """100 Wh in each quarter of an hour, closed and billed."""
    for month in months:
        await world.use(*(make.used(home.meter_id, day) for day in month.dates()))
        await world.close(make.closed(home, period=month))
    await world.retry_all()


async def correct(world, make, home, month, correlation_id="c-1", day=DAY, wh=200):
    """The correction itself: the next revision, on behalf of a correlation id."""
    slots = month.slots(make.BERLIN, 15)
    values = [100] * slots
    first = (day - month.start_on).days * 96
    values[first : first + 96] = [wh] * 96
    event = make.closed(home, period=month, revision=2, values=values)
    async with world.transaction() as tx:
        await periods.bill_closed_periods(tx, [received(event, world.tenant, correlation_id)], NOW)
    await world.retry_all()


async def test_a_correction_by_hand(world, make, api_client):
    """January has 297.6 kWh: 89.28 + 12.50 = 101.78, 19 % of it 19.34, 121.12. A day of 19.2
    instead of 9.6 kWh makes 92.16 + 12.50 = 104.66, 19.89, 124.55: 3.43 more. The day itself costs
    2.88 and 5.76 before tax, 3.43 and 6.85 with it."""
    home = await world.home()
    await used(world, make, home, make.JANUARY)
    (old,) = await world.invoices()
    found = await preview(api_client, whole_day(make, home))
    assert [(d["day"], d["wh_before"], d["wh_after"]) for d in found["days"]] == [
        ("2025-01-15", 9_600, 19_200)
    ]
    assert [(c["gross_before"], c["gross_after"]) for c in found["costs"]] == [("3.43", "6.85")]
    (changed,) = found["invoices"]
    assert changed["invoice_id"] == str(old["id"])
    assert changed["cause"] == "correction"
    assert (changed["credit_note_total"], changed["total"], changed["delta"]) == (
        "121.12",
        "124.55",
        "3.43",
    )
    assert found["totals"] == [
        {"currency": "EUR", "credit_notes": 1, "invoices": 1, "delta": "3.43"}
    ]
    assert found["open_periods"] == found["derived_meters"] == []


async def test_what_was_previewed_is_what_is_issued_and_names_it(world, make, api_client):
    """Tiers of a year: the correction of January restates February and March too."""
    home = await world.home(document=make.TIERED)
    months = (make.JANUARY, make.FEBRUARY, make.MARCH)
    await used(world, make, home, *months)
    found = await preview(api_client, whole_day(make, home))
    causes = [changed["cause"] for changed in found["invoices"]]
    assert causes == ["correction", "carried_forward"]  # March lies in the second tier already
    path = f"/v1/corrections/preview/{found['preview_id']}"
    stored = (await api_client.get(path)).json()
    assert stored == found | {"made": []}

    await correct(world, make, home, make.JANUARY, found["preview_id"])
    live = {
        str(row["start_on"]): row for row in await world.invoices() if row["credited_by"] is None
    }
    for changed in found["invoices"]:
        issued = await api_client.get(f"/v1/invoices/{live[changed['start_on']]['id']}")
        invoice = issued.json()
        assert invoice["total"] == changed["total"]
        assert invoice["lines"] == changed["lines"]
    made = (await api_client.get(path)).json()["made"]
    kinds = [(own["kind"], own["total"].startswith("-")) for own in made]
    assert kinds == [("credit_note", True)] * 2 + [("invoice", False)] * 2
    total = sum(Decimal(own["total"]) for own in made)
    assert total == Decimal(found["totals"][0]["delta"])


async def test_a_delta_is_at_the_price_in_force_on_its_day(world, make, api_client):
    """From the 20th of January on a kWh costs 0.60: 9.6 kWh more on the 15th are 2.88, on the 21st
    5.76, before 19 %: 3.43 and 6.85."""
    home = await world.home()
    dear = make.FLAT | {"components": [
        *make.FLAT["components"][:1],
        {"kind": "energy", "id": "energy", "rate": "0.60"},
        make.FLAT["components"][2],
    ]}  # fmt: skip
    await world.publish(make.published(home.tariff_id, dear, number=2, since=date(2025, 1, 20)))
    await used(world, make, home, make.JANUARY)
    for day, delta in ((DAY, Decimal("3.43")), (date(2025, 1, 21), Decimal("6.85"))):
        (changed,) = (await preview(api_client, whole_day(make, home, day)))["invoices"]
        assert abs(Decimal(changed["delta"]) - delta) <= Decimal("0.01")


async def test_days_without_an_invoice_change_what_is_so_far(world, make, api_client):
    home = await world.home()
    await used(world, make, home, make.JANUARY)
    day = make.FEBRUARY.start_on
    await world.use(make.used(home.meter_id, day))
    waiting = await world.agree(tariff_id=uuid4(), meter_id=uuid4())
    await world.register(make.registered(waiting.meter_id))
    await used(world, make, waiting, make.JANUARY)
    found = await preview(
        api_client,
        whole_day(make, home, day),
        whole_day(make, home, date(2025, 1, 31), wh=100),
        whole_day(make, waiting),
    )
    assert found["invoices"] == []
    by_state = {period["state"]: period for period in found["open_periods"]}
    assert by_state.keys() == {"open", "held"}
    assert by_state["open"]["agreement_id"] == str(home.id)
    before, after = (Decimal(by_state["open"][f"total_{when}"]) for when in ("before", "after"))
    assert after - before == Decimal("3.43")
    assert (by_state["held"]["refused"], by_state["held"]["total_after"]) == (
        "tariff_missing",
        None,
    )


async def test_readings_that_are_taken_away_hold_the_invoice(world, make, api_client):
    home = await world.home()
    await used(world, make, home, make.JANUARY)
    gone = whole_day(make, home, values=[None] * 96)
    (changed,) = (await preview(api_client, gone))["invoices"]
    assert (changed["held"], changed["total"], changed["delta"]) == ("values_missing", None, None)


async def test_the_same_values_change_nothing(world, make, api_client):
    home = await world.home()
    await used(world, make, home, make.JANUARY)
    found = await preview(api_client, whole_day(make, home, wh=100))
    for part in ("days", "costs", "invoices", "open_periods", "totals"):
        assert found[part] == []


async def test_the_rest_of_a_site_that_nobody_bills_changes_with_its_total(world, make, api_client):
    """`unmetered` is total − gg − sg of its property, of which gg was never read: it is not there;
    and then with gg of 4 Wh a quarter of an hour it is."""
    property_id = uuid4()
    total, gg, sg = (
        own_meter_id(world.tenant, property_id, kind) for kind in ("total", "gg", "sg")
    )
    rest = own_meter_id(world.tenant, property_id, "unmetered")
    for meter_id, kind in ((total, "total"), (gg, "gg"), (sg, "sg"), (rest, "unmetered")):
        flows = () if kind == "unmetered" else ("import",)
        await world.register(
            make.registered(meter_id, property_id=property_id, meter_type=kind, flows=flows)
        )
    readings = {"meter_id": str(total), "minutes": 15, "values": [200] * 96,
                "start_at": midnight_utc(make.BERLIN, DAY).isoformat()}  # fmt: skip
    await world.use(make.used(total, DAY), make.used(sg, DAY, wh=6))
    assert (await preview(api_client, readings))["derived_meters"] == []
    await world.use(make.used(gg, DAY, wh=4))
    found = await preview(api_client, readings)
    assert [(own["meter_id"], own["meter_type"]) for own in found["derived_meters"]] == [
        (str(rest), "unmetered")
    ]
    assert [(d["meter_id"], d["wh_before"], d["wh_after"]) for d in found["days"]] == [
        (str(total), 9_600, 19_200),
        (str(rest), 8_640, 18_240),
    ]


async def test_a_preview_changes_nothing_but_that_it_is_stored(world, make, api_client):
    home = await world.home(document=make.TIERED)
    await used(world, make, home, make.JANUARY, make.FEBRUARY)
    counted = {}
    tables = await world.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity")
    for _ in range(2):
        before = dict(counted)
        for name in sorted(row["relname"] for row in tables):
            counted[name] = await world.value(
                f"SELECT count(*)::text || ' ' || coalesce(max(xmin::text::bigint), 0) FROM {name}"  # noqa: S608
            )
        if not before:
            await preview(api_client, whole_day(make, home), **{"Idempotency-Key": "once"})
            again = await preview(api_client, whole_day(make, home), **{"Idempotency-Key": "once"})
            assert again["preview_id"]
    changed = {name for name in counted if counted[name] != before[name]}
    assert changed == {"correction_preview", "idempotency_key"}
    assert await world.value("SELECT count(*) FROM correction_preview") == 1


async def test_each_bad_correction_gets_a_clear_problem(world, make, api_client, clients):
    home, fresh = await world.home(), await world.home()
    await used(world, make, home, make.JANUARY)
    right = whole_day(make, home)
    late = datetime(2025, 1, 15, 10, 7, tzinfo=UTC).isoformat()
    cases = [
        (right | {"meter_id": str(uuid4())}, 404, "meter_unknown", "meter_id"),
        (right | {"flow": "export"}, 422, "readings_misfit", "flow"),
        (right | {"minutes": 5}, 422, "readings_misfit", "minutes"),
        (right | {"start_at": late}, 422, "readings_misfit", "start_at"),
        (right | {"values": []}, 422, "invalid_request", "values"),
        (right | {"meter_id": str(fresh.meter_id)}, 422, "no_usage_yet", None),
    ]
    for wrong, status, code, name in cases:
        problem = await preview(api_client, right, wrong, status=status)
        assert problem["code"] == code, problem
        pointers = [error["pointer"] for error in problem["errors"]]
        assert pointers == ([f"#/readings/1/{name}"] if name else []), problem
    crowd = [
        right | {"meter_id": str(uuid4()), "values": [1], "start_at": (
            midnight_utc(make.BERLIN, DAY) + timedelta(hours=hour % 24)
        ).isoformat()}
        for hour in range(51)
    ]  # fmt: skip
    assert (await preview(api_client, *crowd, status=422))["code"] == "correction_too_large"
    found = await preview(api_client, right)
    another = await clients("another")
    problem = await preview(another, right, status=404)
    assert problem["code"] == "meter_unknown"
    answer = await another.get(f"/v1/corrections/preview/{found['preview_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "correction_preview_unknown")
