"""Previews over HTTP: beside the invoices of the same periods, otherwise, and refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from gridtally.billing.api import previews as api
from gridtally.kernel.periods import Period, month_of

TIME_OF_USE = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "9.90", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "day", "rate": "0.3199"}, {"name": "night", "rate": "0.1777"}],
            "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
            "default_band": "day",
        },
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}
PARTS = ("lines", "net", "tax", "total")


@pytest.fixture
async def api_client(world, clients):
    return await clients(world.tenant)


def reading(day, slot):
    """Some Wh, unlike for each interval, and the same in both events."""
    return (day.toordinal() * 37 + slot * 101) % 900


async def use(world, make, home, days, **more):
    """Usage of each interval of these days."""
    events = []
    for day in days:
        event = make.used(home.meter_id, day, **more)
        count = len(event.values)
        events.append(event.model_copy(
            update={"values": [reading(day, slot) for slot in range(count)]}
        ))  # fmt: skip
    await world.use(*events)


async def close(world, make, home, period):
    """The period is closed with the same values."""
    values = []
    for day in period.dates():
        slots = Period(day, day + timedelta(days=1)).slots(make.BERLIN, 15)
        values += [reading(day, slot) for slot in range(slots)]
    await world.close(make.closed(home, period=period, values=values))


async def preview(client, home, on=None, status=200):
    params = {} if on is None else {"on": str(on)}
    answer = await client.get(f"/v1/agreements/{home.id}/preview", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def what_if(client, home, status=200, **changes):
    answer = await client.post(f"/v1/agreements/{home.id}/preview", json=changes)
    assert answer.status_code == status, answer.text
    return answer.json()


async def contents(world):
    """How many rows each of the tenant's tables has, and when it was last written."""
    tables = await world.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity ORDER BY relname"
    )
    counted = {}
    for row in tables:
        name = row["relname"]
        counted[name] = await world.value(f"SELECT count(*) FROM {name}")  # noqa: S608
        counted[f"{name} xmin"] = await world.value(
            f"SELECT coalesce(max(xmin::text::bigint), 0) FROM {name}"  # noqa: S608
        )
    return counted


@pytest.mark.parametrize("document", [TIME_OF_USE, "TIERED"], ids=["time of use", "tiers"])
async def test_the_preview_of_a_complete_period_is_its_invoice(world, make, api_client, document):
    """Months in turn, one with 23 hours; each is previewed before it is closed, carrying on from
    periods with and without an invoice, and after."""
    home = await world.home(document=getattr(make, document) if document == "TIERED" else document)
    months = [make.JANUARY, make.FEBRUARY, make.MARCH, month_of(date(2025, 4, 1))]
    await use(world, make, home, Period(months[0].start_on, months[-1].end_on).dates())
    before = {month: await preview(api_client, home, month.start_on) for month in months}
    for month in months:
        assert before[month]["invoice_id"] is None
        await close(world, make, home, month)
    for month, stored in zip(months, await world.invoices(), strict=True):
        invoice = (await api_client.get(f"/v1/invoices/{stored['id']}")).json()
        after = await preview(api_client, home, month.start_on)
        assert (after["invoice_id"], after["carries_on_from"]) == (str(stored["id"]), [])
        for made in (before[month], after):
            for bill in (made["so_far"], made["forecast"]):
                assert {name: bill[name] for name in PARTS} == {
                    name: invoice[name] for name in PARTS
                }
            assert made["forecast"]["spread"]["low"] == invoice["total"]
    unissued = len(before[months[2]]["carries_on_from"])
    assert unissued == (2 if document == "TIERED" else 0)


async def test_a_preview_of_the_open_period_by_hand(world, make, api_client):
    """The agreement begins on the last of April, which has 9.6 kWh × 0.30 = 2.88 and 1/30 of 12.50
    = 0.42; 19 % of 3.30 (3.2967 before rounding) = 0.63."""
    home = await world.home(start_on=date(2025, 4, 30))
    await world.use(make.used(home.meter_id, date(2025, 4, 30)))
    april = await preview(api_client, home, date(2025, 4, 30))
    assert [line["amount"] for line in april["so_far"]["lines"]] == ["0.42", "2.88", "0.63"]
    assert april["so_far"]["total"] == "3.93"
    assert (april["kind"], april["start_on"], april["end_on"]) == (
        "preview",
        "2025-04-30",
        "2025-05-01",
    )
    assert "number" not in april


async def test_the_open_period_is_that_of_today(world, make, api_client):
    today = datetime.now(UTC).date()
    month = month_of(today)
    home = await world.home(start_on=date(2025, 1, 1))
    first = min(month.start_on, today - timedelta(days=10))
    await use(world, make, home, Period(first, today).dates())
    made = await preview(api_client, home)
    assert made["start_on"] in {str(month.start_on), str(month_of(month.end_on).start_on)}
    so_far, forecast = made["so_far"], made["forecast"]
    assert forecast["energy_wh"]["import"] > so_far["energy_wh"]["import"]
    assert forecast["expected_intervals"] == forecast["present_intervals"]
    assert forecast["method"] == "weekday_and_time"
    spread = forecast["spread"]
    assert float(spread["low"]) <= float(forecast["total"]) <= float(spread["high"])


async def test_a_preview_changes_nothing(world, make, api_client):
    home = await world.home(document=make.TIERED)
    await use(world, make, home, make.JANUARY.dates())
    await close(world, make, home, make.JANUARY)
    before = await contents(world)
    await preview(api_client, home, date(2025, 1, 5))
    await what_if(api_client, home, start_on="2025-02-01", end_on="2025-03-01", readings=[
        {"start_at": "2025-02-01T00:00:00Z", "minutes": 15, "values": [5, None]}
    ])  # fmt: skip
    assert await contents(world) == before


async def test_another_version_other_readings_and_other_days(world, make, api_client):
    """A day of 96 × 100 Wh at 0.30: 2.88 + 12.50 / 31 = 0.40; 19 % of 3.28 = 0.62; 3.90."""
    home = await world.home()
    await world.use(make.used(home.meter_id, date(2025, 3, 3)))
    day = {"start_on": "2025-03-03", "end_on": "2025-03-04"}
    assert (await what_if(api_client, home, **day))["so_far"]["total"] == "3.90"

    version_id = uuid4()
    dear = {"currency": "EUR", "zone": make.BERLIN, "components": [
        {"kind": "energy", "id": "energy", "rate": "1"}
    ]}  # fmt: skip
    later = make.published(uuid4(), dear, version_id=version_id, since=date(2026, 1, 1))
    await world.publish(later)
    made = await what_if(api_client, home, **day, tariff_version_id=str(version_id))
    assert made["so_far"]["total"] == "9.60"
    assert {part["tariff_version_id"] for part in made["parts"]} == {str(version_id)}

    # 4 of the 96 intervals hold 1.1 kWh more in all: 10.7 kWh, of which 0.1 is taken away again
    readings = [
        {"start_at": "2025-03-03T10:00:00Z", "minutes": 15, "values": [400, 400, 400, 300]},
        {"start_at": "2025-03-02T23:00:00Z", "minutes": 15, "values": [None]},
    ]
    made = await what_if(
        api_client, home, **day, tariff_version_id=str(version_id), readings=readings
    )
    assert made["so_far"]["energy_wh"]["import"] == 10_600
    assert (made["so_far"]["total"], made["so_far"]["present_intervals"]) == ("10.60", 95)
    # the interval that was taken away is expected like the others of its weekday and time: at all
    assert made["forecast"]["present_intervals"] == 96


async def test_an_agreement_that_ended_is_previewed_until_its_last_invoice(world, make, api_client):
    home = await world.home(end_on=date(2025, 2, 1))
    await use(world, make, home, make.JANUARY.dates())
    assert (await preview(api_client, home))["start_on"] == "2025-01-01"
    await close(world, make, home, make.JANUARY)
    assert (await preview(api_client, home, status=422))["code"] == "agreement_ended"
    assert (await preview(api_client, home, date(2025, 1, 9)))["invoice_id"] is not None


async def test_each_bad_question_gets_a_clear_problem(world, make, api_client, clients):
    home = await world.home(start_on=date(2025, 2, 1))
    fresh = await world.home()
    await use(world, make, home, make.MARCH.dates())
    unpriced = await world.agree(tariff_id=uuid4(), meter_id=uuid4())
    await world.register(make.registered(unpriced.meter_id))
    await world.use(make.used(unpriced.meter_id, date(2025, 3, 1)))
    swiss = await world.agree(tariff_id=uuid4())
    await world.register(make.registered(swiss.meter_id))
    await world.publish(make.published(swiss.tariff_id, make.FLAT | {"currency": "CHF"}))
    await world.use(make.used(swiss.meter_id, date(2025, 3, 1)))
    another = world.another()
    anothers = make.published(uuid4(), version_id=uuid4())
    await another.publish(anothers)
    anothers_id = str(anothers.version_id)
    march = {"start_on": "2025-03-01", "end_on": "2025-04-01"}
    late = {"start_at": "2025-03-03T10:01:00Z", "minutes": 15, "values": [1]}
    whole, early = late | {"start_at": "2025-03-03T10:00:00Z"}, {"start_at": "2020-03-03T10:00:00Z"}
    ending = {"start_at": "2025-03-31T21:45:00Z", "values": [1, 1]}  # midnight is at 22:00
    long = {"start_on": "2025-03-01", "end_on": "2026-03-03"}
    cases = [
        (replace(home, id=uuid4()), {}, 404, "agreement_unknown"),
        (home, {"start_on": "2025-01-01", "end_on": "2025-03-01"}, 422, "agreement_not_begun"),
        (fresh, march, 422, "no_usage_yet"),
        (unpriced, march, 422, "tariff_missing"),
        (swiss, march, 422, "currency_differs"),
        (home, march | {"tariff_version_id": anothers_id}, 404, "tariff_version_unknown"),
        (home, march | {"readings": [late]}, 422, "readings_misfit"),
        (home, march | {"readings": [late | {"minutes": 5}]}, 422, "readings_misfit"),
        (home, march | {"readings": [whole, whole | early]}, 422, "readings_misfit"),
        (home, march | {"readings": [whole | ending]}, 422, "readings_misfit"),
        (home, march | {"readings": [late | {"values": [-1]}]}, 422, "invalid_request"),
        (home, march | {"readings": [late | {"minutes": 7}]}, 422, "invalid_request"),
        (home, {"start_on": "2025-04-01", "end_on": "2025-03-01"}, 400, "invalid_window"),
        (home, {"start_on": "2025-04-01"}, 400, "invalid_window"),
        (home, long, 400, "invalid_window"),
    ]
    for agreement, asked, status, code in cases:
        problem = await what_if(api_client, agreement, status=status, **asked)
        assert problem["code"] == code, problem
    outside = await what_if(api_client, home, 422, **march, readings=[whole, whole | early])
    assert [error["pointer"] for error in outside["errors"]] == ["#/readings/1/start_at"]
    other_tenant = await clients("another")
    assert (await preview(other_tenant, home, status=404))["code"] == "agreement_unknown"


async def test_days_in_another_age_are_answered(world, make, api_client):
    """A bill of energy alone is expected of the last six weeks; prices of that day are not."""
    home, spot = await world.home(), await world.home(document=make.SPOT)
    today = datetime.now(UTC).date()
    far = {"start_on": "2190-01-01", "end_on": "2191-01-01"}
    days = [today - timedelta(days=number) for number in range(1, 8)]
    await world.price(*(make.priced(day) for day in days))
    for agreement in (home, spot):
        await world.use(*(make.used(agreement.meter_id, day) for day in days))
    made = await what_if(api_client, home, **far)
    assert made["forecast"]["present_intervals"] == made["forecast"]["expected_intervals"]
    assert (await what_if(api_client, spot, status=422, **far))["code"] == "prices_missing"


async def test_a_question_has_a_bound(world, api_client):
    home = await world.home()
    block = {"start_at": "2025-03-01T00:00:00Z", "minutes": 5}
    full = [block | {"values": [1] * api.BLOCK_VALUES_MAX}] * 41
    problem = await what_if(api_client, home, status=422, readings=full)
    assert problem["code"] == "invalid_request"
