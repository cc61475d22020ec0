"""What a customer's fleet costs: by what each hour is priced, and that nothing counts twice."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from doubles.billing.fleet import WEDNESDAY, ZONE, Fleet, energy


@pytest.fixture
async def fleet(world, make, clients):
    return await Fleet(world, make, await clients(world.tenant)).begin()


def figures(cost):
    names = ("total_kwh", "total_base_cost", "total_vat_amount", "total_cost")
    return tuple(Decimal(cost[name]) for name in names)


async def test_a_municipalitys_device_costs_161(fleet):
    """2000, 2020 and 2050 kWh at 10:00, 10:20 and 10:40 UTC are 50 kWh in that hour; 6 kWh more at
    08:00. 56 × 2.50 = 140.00 by the default band at noon local time, 15 % are 21.00."""
    await fleet.offer()
    pump = await fleet.device()
    values = [None] * 144
    values[10 * 6 : 11 * 6] = [1_000] * 6  # 08:00 UTC
    values[12 * 6 : 12 * 6 + 4] = [10_000, 10_000, 15_000, 15_000]
    await fleet.record(pump, values)
    assert await fleet.get() == {
        "customer_id": fleet.customer_id,
        "from": "2025-03-12T00:00:00Z",
        "to": "2025-03-13T00:00:00Z",
        "currency": "ZAR",
        "total_kwh": "56.000",
        "total_base_cost": "140.00",
        "total_vat_amount": "21.00",
        "total_cost": "161.00",
        "totals": [
            {
                "currency": "ZAR",
                "total_kwh": "56.000",
                "total_base_cost": "140.00",
                "total_vat_amount": "21.00",
                "total_cost": "161.00",
            }
        ],
        "buckets": 2,
        "buckets_without_tariff": 0,
        "daily": [
            {
                "date": "2025-03-12",
                "currency": "ZAR",
                "kwh": "56.000",
                "base_cost": "140.00",
                "vat_amount": "21.00",
                "total_cost": "161.00",
            }
        ],
        "per_device": [
            {
                "device_id": str(pump),
                "device_name": "Pump",
                "municipality_name": "Stellenbosch",
                "currency": "ZAR",
                "kwh": "56.000",
                "base_cost": "140.00",
                "vat_amount": "21.00",
                "total_cost": "161.00",
                "buckets": 2,
                "buckets_without_tariff": 0,
            }
        ],
        "not_counted": [],
        "fixed_monthly_charges_included": False,
    }
    # a correction of the past shows at once
    values[10 * 6 : 11 * 6] = [2_000] * 6
    await fleet.record(pump, values)
    assert figures(await fleet.get()) == (62, 155, Decimal("23.25"), Decimal("178.25"))


async def test_bands_are_of_local_time_and_daily_rows_of_utc_days(fleet):
    """Wednesday 16–17 standard, 17–20 peak; Saturday off-peak. 23:00 UTC is 01:00 on Thursday."""
    await fleet.offer()
    pump = await fleet.device()
    await fleet.use(pump, {16: 6, 17: 6, 19: 6, 20: 6})
    await fleet.use(pump, {1: 6}, day=date(2025, 3, 13))
    await fleet.use(pump, {18: 6}, day=date(2025, 3, 15))
    cost = await fleet.get(to_at="2025-03-16T00:00Z")
    assert [(day["date"], day["kwh"], day["base_cost"]) for day in cost["daily"]] == [
        ("2025-03-12", "30.000", "93.00"),  # 18 kWh × 2.50 + 12 × 4.00
        ("2025-03-15", "6.000", "9.00"),
    ]
    assert cost["buckets"] == 6


async def test_tax_and_tariff_change_at_local_midnight(fleet):
    """22:00 UTC is local midnight: 6 kWh on each side, 15 % of 15.00 and 20 % of 18.00."""
    old = energy("ZAR", "2.50")
    old["components"].append(
        {"kind": "tax", "id": "vat", "rate": "0.15", "component_ids": ["energy"]}
    )
    tariff_id = await fleet.offer(old, until=date(2025, 3, 13))
    new = energy("ZAR", "3")
    new["components"] += [
        {"kind": "tax", "id": "old-vat", "rate": "0.15", "component_ids": ["energy"],
         "to_on": "2025-03-14"},
        {"kind": "tax", "id": "vat", "rate": "0.20", "component_ids": ["energy"],
         "from_on": "2025-03-14"},
    ]  # fmt: skip
    await fleet.offer(new, tariff_id=tariff_id, number=2, since=date(2025, 3, 13))
    pump = await fleet.device()
    await fleet.use(pump, {23: 6})
    await fleet.use(pump, {0: 6, 23: 6}, day=date(2025, 3, 13))
    await fleet.use(pump, {0: 6}, day=date(2025, 3, 14))
    hours = [
        figures(await fleet.get(f"2025-03-{day}T{hour}:00Z", f"2025-03-{day}T{hour + 1}:00Z"))
        for day, hour in ((12, 21), (12, 22), (13, 21), (13, 22))
    ]
    assert [(base, tax) for _, base, tax, _ in hours] == [
        (15, Decimal("2.25")),
        (18, Decimal("2.7")),
        (18, Decimal("2.7")),
        (18, Decimal("3.6")),
    ]
    whole = figures(await fleet.get(to_at="2025-03-15T00:00Z"))
    assert whole == tuple(map(sum, zip(*hours, strict=True)))


async def test_a_day_of_25_hours_has_25_buckets(fleet):
    """In Berlin 2025-10-26 lasts from 22:00 UTC to 23:00 UTC a day later."""
    await fleet.offer(energy("ZAR", "1", zone="Europe/Berlin"))
    pump = await fleet.device()
    values = [1_000] * (25 * 6)
    await fleet.record(pump, values, day=date(2025, 10, 26), zone="Europe/Berlin")
    cost = await fleet.get("2025-10-25T22:00Z", "2025-10-26T23:00Z")
    assert (cost["buckets"], cost["total_kwh"], cost["total_cost"]) == (25, "150.000", "150.00")
    assert [day["kwh"] for day in cost["daily"]] == ["12.000", "138.000"]


async def test_hours_without_a_tariff_are_named_with_their_reason(fleet):
    """A site in no region; a municipality whose tariff begins on the 13th, local midnight."""
    await fleet.offer(since=date(2025, 3, 13))
    nowhere = await fleet.device("Nowhere", region_id=None)
    pump = await fleet.device("Pump")
    await fleet.use(nowhere, {5: 6, 6: 6, 9: 6})
    await fleet.use(pump, {5: 6, 6: 6})
    await fleet.use(pump, {0: 6}, day=date(2025, 3, 13))
    cost = await fleet.get()
    assert figures(cost)[:2] == (36, 15)
    assert (cost["buckets"], cost["buckets_without_tariff"]) == (6, 5)
    assert await fleet.without_tariff() == [
        ("no_region", "2025-03-12T03:00", "2025-03-12T05:00", "12.000"),
        ("no_region", "2025-03-12T07:00", "2025-03-12T08:00", "6.000"),
        ("none_in_force", "2025-03-12T03:00", "2025-03-12T05:00", "12.000"),
    ]


async def test_the_nearest_region_with_a_tariff_in_force_counts(fleet):
    """The province has a tariff all year, the district none, the municipality one from the 13th."""
    province, district = uuid4(), uuid4()
    await fleet.map(province, "Western Cape", kind="grid_area")
    await fleet.map(district, "Winelands", kind="grid_area", parent_id=province)
    await fleet.map(fleet.region_id, "Stellenbosch", parent_id=district)
    await fleet.offer(energy("ZAR", "1"), region_id=province)
    await fleet.offer(energy("ZAR", "3"), since=date(2025, 3, 13))
    pump = await fleet.device()
    await fleet.use(pump, {12: 6})
    await fleet.use(pump, {12: 6}, day=date(2025, 3, 13))
    cost = await fleet.get(to_at="2025-03-14T00:00Z")
    assert [day["base_cost"] for day in cost["daily"]] == ["6.00", "18.00"]


async def test_what_measures_the_whole_or_only_adds_up_does_not_count_twice(fleet):
    await fleet.offer(energy("ZAR", "1"))
    for kind, kwh in (("total", 6), ("main", 12), ("gg", 18), ("sub", 18), ("unmetered", 24)):
        await fleet.use(await fleet.device(kind, meter_type=kind), {9: kwh})
    never_read = uuid4()
    await fleet.own(never_read)
    await fleet.device("Blank", meter_type="total", site_id=never_read)
    for name in ("A", "B"):
        lamp = await fleet.device(name, site_id=never_read)
        await fleet.use(lamp, {9: 30})
    cost = await fleet.get()
    assert [device["device_name"] for device in cost["per_device"]] == ["A", "B", "total"]
    assert cost["total_kwh"] == "66.000"


async def test_agreements_price_their_meters_and_other_customers_pay_their_own(fleet, make):
    """At the site one lamp is on an agreement of the city, one on somebody else's until the 13th;
    a meter elsewhere has an agreement of the city from the 13th, whose tariff, which came after it,
    is in euros."""
    await fleet.offer(energy("ZAR", "1"))
    own, let, abroad = [await fleet.device(name) for name in ("Own", "Let", "Abroad")]
    elsewhere = uuid4()
    await fleet.world.register(
        make.registered(abroad, name="Abroad", property_id=elsewhere, version=2)
    )
    dear, euros = await fleet.offer(energy("ZAR", "10"), region_id=None), uuid4()
    city = {"customer_id": fleet.customer_id}
    other = {"customer_id": (await fleet.api.post("/v1/customers", json={
        "name": "Tenant", "currency": "ZAR"})).json()["id"]}  # fmt: skip
    for fields in (
        city | {"meter_id": str(own), "tariff_id": str(dear), "start_on": "2025-01-01"},
        other | {"meter_id": str(let), "tariff_id": str(dear), "start_on": "2025-01-01",
                 "end_on": "2025-03-13"},
        city | {"meter_id": str(abroad), "tariff_id": str(euros), "start_on": "2025-03-13"},
    ):  # fmt: skip
        assert (await fleet.api.post("/v1/agreements", json=fields)).status_code == 201
    await fleet.offer(energy("EUR", "10"), region_id=None, tariff_id=euros)
    for meter_id in (own, let, abroad):
        for day in (WEDNESDAY, date(2025, 3, 13)):
            await fleet.use(meter_id, {12: 6}, day=day)
    cost = await fleet.get(to_at="2025-03-14T00:00Z")
    assert [
        (device["device_name"], device["currency"], device["kwh"], device["base_cost"])
        for device in cost["per_device"]
    ] == [
        ("Abroad", "EUR", "6.000", "60.00"),
        ("Let", "ZAR", "6.000", "6.00"),
        ("Own", "ZAR", "12.000", "120.00"),
    ]
    assert [(total["currency"], total["total_kwh"], total["total_cost"]) for total in
            cost["totals"]] == [("ZAR", "18.000", "126.00"), ("EUR", "6.000", "60.00")]  # fmt: skip
    assert (cost["total_kwh"], cost["total_cost"], cost["buckets"]) == ("18.000", "126.00", 4)


async def test_tiers_cost_what_each_hour_adds_to_its_days_bill(fleet):
    """31 kWh in the month of March are 1 kWh a day at 1.00, what is above at 5.00."""
    tiers = {
        "kind": "tiered",
        "id": "energy",
        "tiers": [{"limit": "31", "rate": "1"}, {"rate": "5"}],
    }
    await fleet.offer({"currency": "ZAR", "zone": ZONE, "components": [tiers]})
    pump = await fleet.device()
    await fleet.use(pump, {0: "0.6", 5: "0.6", 6: "0.6"})
    at = datetime(2025, 3, 11, 22, tzinfo=UTC)
    parts = [
        figures(await fleet.get((at + timedelta(hours=hour)).isoformat(),
                                (at + timedelta(hours=hour + 1)).isoformat()))[1]
        for hour in (0, 5, 6)
    ]  # fmt: skip
    assert parts == [Decimal("0.6"), Decimal("1.4"), Decimal("3.0")]
    whole = await fleet.get("2025-03-11T00:00Z")
    assert whole["total_base_cost"] == "5.00"
    assert [day["base_cost"] for day in whole["daily"]] == ["0.60", "4.40"]


async def test_spot_prices_that_are_missing_leave_their_day_without_a_price(fleet, make):
    spot = {"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.05"}
    await fleet.offer({"currency": "EUR", "zone": "Europe/Berlin", "components": [spot]})
    pump = await fleet.device()
    for day in (WEDNESDAY, date(2025, 3, 13)):
        await fleet.use(pump, {12: 6}, day=day, zone="Europe/Berlin")
    await fleet.world.price(make.priced(WEDNESDAY, "0.10"))
    cost = await fleet.get(to_at="2025-03-14T00:00Z")
    assert [(total["currency"], total["total_cost"], total["total_kwh"]) for total in
            cost["totals"]] == [("ZAR", "0.00", "6.000"), ("EUR", "0.90", "6.000")]  # fmt: skip
    window = {"to_at": "2025-03-14T00:00Z"}
    assert [item[0] for item in await fleet.without_tariff(**window)] == ["prices_missing"]


async def test_the_cost_is_a_file_too(fleet):
    await fleet.offer()
    await fleet.use(await fleet.device("=Pump"), {12: 6})
    text = (await fleet.get(path="/export", by="device")).text
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["kwh"], row["base_cost"], row["total_cost"]) == ("6.000", "15.00", "17.25")
    assert row["device_name"] != "=Pump"  # no formula
    file = (await fleet.get(path="/export", by="day", format="parquet")).content
    assert pq.read_table(io.BytesIO(file)).to_pylist()[0]["date"] == WEDNESDAY
    assert (await fleet.get(path="/export", format="xlsx")).content[:2] == b"PK"


@pytest.mark.parametrize(
    ("from_at", "to_at"),
    [
        ("2025-03-12T00:00Z", "2025-03-12T00:00Z"),
        ("2025-03-12T00:00Z", "2025-03-11T00:00Z"),
        ("2025-01-01T00:00Z", "2026-01-02T00:01Z"),
        ("1999-12-31T00:00Z", "2000-01-02T00:00Z"),
        ("2025-03-12", "2025-03-12"),
    ],
)
async def test_a_window_that_cannot_be_answered_is_a_bad_request(fleet, from_at, to_at):
    path = f"/v1/fleet/customers/{fleet.customer_id}/cost"
    answer = await fleet.api.get(path, params={"from": from_at, "to": to_at})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_window")


async def test_a_customer_of_nobody_or_of_another_tenant_is_unknown(fleet, clients):
    window = {"from": "2025-03-12", "to": "2025-03-13"}
    another = await clients("another")
    for api, customer_id in ((fleet.api, uuid4()), (another, fleet.customer_id)):
        answer = await api.get(f"/v1/fleet/customers/{customer_id}/cost", params=window)
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_unknown")
    unread = await fleet.get()
    assert (unread["total_cost"], unread["per_device"], unread["daily"]) == ("0.00", [], [])
