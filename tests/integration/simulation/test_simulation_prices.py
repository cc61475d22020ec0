"""Tariffs that bill by published prices: a house bill is the invoice, by prices of the start."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc, slots_in_day
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.usage import Usage
from integration.simulation.conftest import ZONE
from integration.simulation.runs import APRIL, bills_of, completed, made, run_of
from integration.simulation.test_simulation_comparisons import (
    PATH,
    SHARE,
    compared,
    comparison_of,
    ended,
    results_of,
)

SERIES = {"code": "day-ahead", "name": "Day ahead", "currency": "EUR", "zone": ZONE, "minutes": 60}
SPOT = {
    "currency": "EUR",
    "zone": ZONE,
    "components": [
        {"kind": "fixed", "id": "base", "rate": "3.00", "per": "month"},
        {"kind": "spot", "id": "energy", "series": "day-ahead", "markup": "0.01"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}
FLAT = SPOT | {"components": [{"kind": "energy", "id": "energy", "rate": "0.20"}]}
WINDOW = Period(APRIL.start_on - ONE_DAY, APRIL.end_on + ONE_DAY)


def price(day, hour):
    """From -0.04 to 0.19 a day, and a little more each day."""
    return Decimal(hour - 4) / 100 + Decimal(day.day) / 1000


def prices_of(days):
    return {day: [price(day, hour) for hour in range(slots_in_day(ZONE, day, 60))] for day in days}


async def upload(tariff_client, series_id, prices):
    items = [
        {"start_utc": (midnight_utc(ZONE, day).astimezone(UTC) + timedelta(hours=hour)).isoformat(),
         "price": str(value)}
        for day, values in prices.items() for hour, value in enumerate(values) if value is not None
    ]  # fmt: skip
    rows = ["start_utc,price", *(f"{item['start_utc']},{item['price']}" for item in items)]
    answer = await tariff_client.post(
        f"/v1/price-series/{series_id}/prices",
        content="\n".join(rows),
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 200, answer.text


async def series(tariff_client, prices=None):
    answer = await tariff_client.post("/v1/price-series", json=SERIES)
    assert answer.status_code == 201, answer.text
    if prices:
        await upload(tariff_client, answer.json()["id"], prices)
    return answer.json()["id"]


async def versions_of(tariff_client, *documents):
    """A policy by each document, as drafts of one tariff."""
    terms = {"code": "spot", "name": "Spot", "currency": "EUR", "zone": ZONE}
    tariff = (await tariff_client.post("/v1/tariffs", json=terms)).json()
    policies = []
    for number, document in enumerate(documents):
        answer = await tariff_client.post(
            f"/v1/tariffs/{tariff['id']}/versions",
            json={"effective_from": f"202{5 + number}-01-01", "document": document},
        )
        assert answer.status_code == 201, answer.text
        policies.append({"type": "TARIFF", "tariff_version_id": answer.json()["id"]})
    return policies


async def start(client, run):
    return await client.post(f"/v1/simulation-runs/{run['id']}/start")


async def test_a_house_bill_is_the_invoice_by_the_same_prices(simulation, clients, tariff_client):
    """5 kWh from 18:00 of the 1st at 0.141 and 2 kWh from 02:00 of the 2nd at -0.018, with a cent
    for each kWh: 0.705 - 0.036 + 0.07 = 0.739; with 3.00 and 19 % of tax 4.45."""
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={18: "5", 26: "2"})
    prices = prices_of(WINDOW.dates())
    await series(tariff_client, prices)
    [policy] = await versions_of(tariff_client, SPOT)
    run = await completed(simulation, acme, run_of(house_id, policy))
    assert (run["status"], run["error"]) == ("COMPLETED", None)
    [bill] = await bills_of(acme, run)
    usage = Usage(ZONE, APRIL, 60, {"import": imported({18: 5_000, 26: 2_000})}, Decimal(15))
    days = [PriceDay(day, ZONE, 60, "EUR", 1, tuple(values)) for day, values in prices.items()]
    [invoice] = rate(
        tariff_version(UUID(policy["tariff_version_id"]), SPOT),
        [usage],
        prices={"day-ahead": versioned_series(days).series},  # as billing joins them
    )
    assert bill["calculated_bill_amount"] == str(invoice.total) == "4.45"
    assert [Decimal(line["amount_exact"]) for line in bill["bill_details"]["lines"]] == [
        line.amount_exact for line in invoice.lines
    ]
    [used] = run["prices"]
    assert used.pop("sha256")
    assert used == {"code": "day-ahead", "currency": "EUR", "zone": ZONE, "days": 32,
                    "first_on": "2025-03-31", "last_on": "2025-05-01"}  # fmt: skip


def imported(wh_by_hour):
    values = np.zeros(720, np.int64)
    for hour, energy_wh in wh_by_hour.items():
        values[hour] = energy_wh
    return values


async def test_prices_that_are_corrected_change_what_starts_later(
    simulation, clients, tariff_client
):
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={18: "100"})
    series_id = await series(tariff_client, prices_of(WINDOW.dates()))
    flat, spot = await versions_of(tariff_client, FLAT, SPOT)
    body = comparison_of(
        house_id, scenarios=[("flat", flat), ("spot", spot)], months=1, shift=SHARE
    )
    first = await compared(simulation, acme, body)
    assert first["status"] == "COMPLETED", first
    before = await results_of(acme, first)
    # 100 kWh at 0.151 and 3.00, with 19 %: 21.539
    assert [item["revenue"] for item in before["scenarios"]] == ["20.00", "21.54"]
    first_on = date(2025, 4, 1)
    await upload(tariff_client, series_id, {first_on: [Decimal("0.5")] * 24})
    repeated = await acme.post(f"{PATH}/{first['id']}/repeat")
    assert repeated.status_code == 201, repeated.text
    again = await ended(simulation, acme, repeated.json())
    assert (await results_of(acme, again))["scenarios"] == before["scenarios"]
    assert again["prices"] == first["prices"]
    later = await compared(simulation, acme, body)
    [now], [then] = later["prices"], first["prices"]
    assert now.pop("sha256") != then.pop("sha256")
    assert now == then
    # 100 kWh at 0.51 and 3.00, with 19 %: 64.26
    assert [item["revenue"] for item in (await results_of(acme, later))["scenarios"]] == [
        "20.00", "64.26",
    ]  # fmt: skip


async def test_prices_that_are_not_there(simulation, clients, tariff_client):
    """None of a series is said at the start, a single hour when a bill needs it."""
    acme = await clients("acme")
    house_id, meter_id = await simulation.house()
    await simulation.read(meter_id, APRIL, import_={18: "100"})
    [policy] = await versions_of(tariff_client, SPOT)
    run = await made(acme, run_of(house_id, policy))
    unknown = await start(acme, run)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "prices_missing")
    assert "day-ahead" in unknown.json()["detail"]
    series_id = await series(tariff_client)
    empty = await start(acme, run)
    assert (empty.status_code, empty.json()["code"]) == (422, "prices_missing")
    prices = prices_of(WINDOW.dates())
    prices[date(2025, 4, 1)][18] = None
    await upload(tariff_client, series_id, prices)
    assert (await start(acme, run)).status_code == 200
    await simulation.work()
    failed = (await acme.get(f"/v1/simulation-runs/{run['id']}")).json()
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "prices_missing")
    assert "2025-04-01 18:00" in failed["error"]["detail"]
    assert await simulation.rows("SELECT 1 FROM run_price_day") != []
    deleted = await acme.delete(
        f"/v1/simulation-runs/{run['id']}", headers={"If-Match": f'"{failed["version"]}"'}
    )
    assert deleted.status_code == 204
    assert await simulation.rows("SELECT 1 FROM run_price_day") == []
