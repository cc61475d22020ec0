"""A house whose register is read once a month, by hand: yearly tiers that bills fill in sequence,
spot prices that come late, and mistaken readings that are corrected or withdrawn."""

from decimal import Decimal

from e2e.house import ZONE, house_on, until

TIERED = {
    "kind": "tiered",
    "id": "energy",
    "tiers": [{"limit": "300", "rate": "0.20"}, {"rate": "0.40"}],
    "limits": {"per": "period", "reset_months": 12},
}
SPOT = {"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.05"}


async def test_a_register_that_is_read_by_hand_is_billed_and_corrected(api):
    """February 200 kWh, March 250: 200 × 0.20; 100 × 0.20 + 150 × 0.40."""
    house = await house_on(api, TIERED)
    await house.read("1000", "2025-02-01T00:00:00+01:00")
    march = await house.read("1200", "2025-03-01T00:00:00+01:00")
    await house.read("1450", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "80.00"})

    # 1 March showed 1350: February 350 = 300 × 0.20 + 50 × 0.40, March 100 × 0.40
    await api.call(
        "ledger",
        "PUT",
        f"/v1/readings/{march}",
        json_body={"value": "1350", "read_at": "2025-03-01T00:00:00+01:00"},
    )
    await until(house.invoices, {"2025-02-01": "80.00", "2025-03-01": "40.00"})
    page = await api.get("billing", "/v1/invoices", agreement_id=house.agreement_id)
    for invoice in page["items"]:
        again = await api.get("billing", f"/v1/invoices/{invoice['id']}/recalculation")
        assert again["agrees"], invoice
    await until(house.owed, Decimal("120.00"))
    assert (await api.get("ledger", "/v1/reconciliation"))["ok"]


async def test_the_bill_follows_a_last_reading_that_is_withdrawn(api):
    """March waits for another reading, and no further bill is made of the withdrawn one."""
    house = await house_on(api, TIERED)
    await house.read("1000", "2025-02-01T00:00:00+01:00")
    await house.read("1200", "2025-03-01T00:00:00+01:00")
    april = await house.read("1450", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "80.00"})

    await house.withdraw(april)
    await until(house.held, ["values_missing"])

    # a register that decreases makes no energy
    mistyped = await house.read("1150", "2025-04-01T00:00:00+02:00")
    await until(house.exceptions, ["decrease"])
    assert await house.held() == ["values_missing"]

    # 1 April showed 1250: March 50 × 0.20
    await house.withdraw(mistyped)
    await house.read("1250", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "10.00"})
    await until(house.owed, Decimal("50.00"))
    assert (await house.held(), await house.exceptions()) == ([], [])
    for service in ("ingest", "billing", "ledger"):
        figures = await api.get(service, "/v1/reconciliation")
        assert figures.get("ok", figures.get("holds")), service


async def test_a_bill_waits_for_prices_that_come_late(api):
    """1 kWh an hour, half the day at 0.10, half at 0.30: 336 × 0.10 + 336 × 0.30 = 134.40, and a
    mark-up of 672 × 0.05 = 33.60."""
    house = await house_on(api, SPOT)
    await house.read("0", "2025-02-01T00:00:00+01:00")
    await house.read("672", "2025-03-01T00:00:00+01:00")
    await house.read("1415", "2025-04-01T00:00:00+02:00")
    await until(house.held, ["prices_missing"] * 2)
    series = await api.post(
        "tariff",
        "/v1/price-series",
        {"code": "DE-LU", "name": "Day ahead", "currency": "EUR", "zone": ZONE, "minutes": 60},
    )
    days = [f"2025-02-{day:02}" for day in range(1, 29)]
    prices = ["0.10"] * 12 + ["0.30"] * 12
    await api.post(
        "tariff",
        f"/v1/price-series/{series['id']}/prices",
        {"days": [{"day": day, "prices": prices} for day in days]},
    )
    await until(house.invoices, {"2025-02-01": "168.00"})
    assert await house.held() == ["prices_missing"]  # march has none
