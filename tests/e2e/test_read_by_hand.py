"""A house whose dial is read once a month, by hand: registers, a yearly ladder that bills climb one
after the other, spot prices that come late, and mistaken reads that are put right or taken back."""

import asyncio
import time
from decimal import Decimal
from uuid import uuid4

import pytest

from e2e.installation import empty_gridtally

ZONE = "Europe/Berlin"
LIMIT_S = 180.0
POLL_S = 0.2
LADDER = {
    "kind": "tiered",
    "id": "energy",
    "tiers": [{"limit": "300", "rate": "0.20"}, {"rate": "0.40"}],
    "limits": {"per": "period", "reset_months": 12},
}
SPOT = {"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.05"}


class House:
    """A house with its customer and agreement, seen through the services' APIs."""

    def __init__(self, api, meter_id, customer_id, agreement_id):
        self.api, self.meter_id = api, meter_id
        self.customer_id, self.agreement_id = customer_id, agreement_id

    async def read(self, value, read_at):
        answer = await self.api.post(
            "ledger",
            f"/v1/meters/{self.meter_id}/readings",
            {"value": value, "read_at": read_at, "flow": "import"},
        )
        return answer["id"]

    async def invoices(self):
        """Live totals by the first day of their period."""
        page = await self.api.get(
            "billing", "/v1/invoices", agreement_id=self.agreement_id, state="issued"
        )
        return {one["start_on"]: one["total"] for one in page["items"]}

    async def take_back(self, reading_id):
        await self.api.call("ledger", "DELETE", f"/v1/readings/{reading_id}")

    async def doubtful(self):
        """Why ingest holds what lies between two reads."""
        page = await self.api.get("ingest", "/v1/held-stretches", meter_id=self.meter_id)
        return [one["reason"] for one in page["items"]]

    async def held(self):
        """Why periods are held."""
        page = await self.api.get("billing", "/v1/held-invoices")
        return [one["reason"] for one in page["items"] if one["agreement_id"] == self.agreement_id]

    async def owed(self):
        """What the ledger says the customer owes."""
        page = await self.api.get("ledger", "/v1/accounts", customer_id=self.customer_id)
        return sum(
            Decimal(one["balance"]) for one in page["items"] if one["account_class"] == "receivable"
        )


async def until(ask, expected):
    """Ask until the answer is this; the last answer is told when it never is."""
    deadline_s = time.monotonic() + LIMIT_S
    while True:
        found = await ask()
        if found == expected or time.monotonic() > deadline_s:
            break
        await asyncio.sleep(POLL_S)
    assert found == expected


async def settle(api, charge):
    """A house in Berlin from February to March on a tariff of one charge."""
    property_id, customer_id, tariff_id, agreement_id = (str(uuid4()) for _ in range(4))
    await api.post(
        "tariff",
        "/v1/tariffs",
        {
            "id": tariff_id,
            "code": f"t-{tariff_id[:8]}",
            "name": "By hand",
            "currency": "EUR",
            "zone": ZONE,
        },
    )
    document = {"currency": "EUR", "zone": ZONE, "components": [charge]}
    version = await api.post(
        "tariff",
        f"/v1/tariffs/{tariff_id}/versions",
        {"effective_from": "2025-01-01", "document": document},
    )
    await api.post("tariff", f"/v1/tariffs/{tariff_id}/versions/{version['number']}/publish")
    channel = {"flow": "import", "minutes": 60, "interval_wh_max": 100_000}
    made = await api.post(
        "ledger",
        "/v1/properties",
        {"id": property_id, "name": "House", "zone": ZONE, "channels": {"total": [channel]}},
    )
    meter_id = next(one["id"] for one in made["meters"] if one["type"] == "total")
    await api.post(
        "billing", "/v1/customers", {"id": customer_id, "name": "Ada", "currency": "EUR"}
    )
    await api.post(
        "billing",
        "/v1/agreements",
        {
            "id": agreement_id,
            "customer_id": customer_id,
            "meter_id": meter_id,
            "tariff_id": tariff_id,
            "start_on": "2025-02-01",
            "end_on": "2025-04-01",
        },
    )
    return House(api, meter_id, customer_id, agreement_id)


@pytest.fixture(scope="module")
async def api(stack_servers):
    """The APIs of an empty Gridtally."""
    async with (
        empty_gridtally(stack_servers) as running,
        running.installation.as_tenant() as found,
    ):
        yield found


async def test_a_dial_that_is_read_by_hand_is_billed_and_put_right(api):
    """February 200 kWh, March 250: 200 × 0.20; 100 × 0.20 + 150 × 0.40."""
    house = await settle(api, LADDER)
    await house.read("1000", "2025-02-01T00:00:00+01:00")
    march = await house.read("1200", "2025-03-01T00:00:00+01:00")
    await house.read("1450", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "80.00"})

    # 1 March showed 1350: February 350 = 300 × 0.20 + 50 × 0.40, March 100 × 0.40
    await api.call(
        "ledger",
        "PUT",
        f"/v1/readings/{march}",
        json={"value": "1350", "read_at": "2025-03-01T00:00:00+01:00"},
    )
    await until(house.invoices, {"2025-02-01": "80.00", "2025-03-01": "40.00"})
    page = await api.get("billing", "/v1/invoices", agreement_id=house.agreement_id)
    for one in page["items"]:
        again = await api.get("billing", f"/v1/invoices/{one['id']}/recalculation")
        assert again["agrees"], one
    await until(house.owed, Decimal("120.00"))
    assert (await api.get("ledger", "/v1/reconciliation"))["ok"]


async def test_the_bill_follows_a_last_read_that_is_taken_back(api):
    """March waits for another read, and no further bill is made of the one that is gone."""
    house = await settle(api, LADDER)
    await house.read("1000", "2025-02-01T00:00:00+01:00")
    await house.read("1200", "2025-03-01T00:00:00+01:00")
    april = await house.read("1450", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "80.00"})

    await house.take_back(april)
    await until(house.held, ["values_missing"])

    # a dial that falls tells nothing
    mistyped = await house.read("1150", "2025-04-01T00:00:00+02:00")
    await until(house.doubtful, ["fall"])
    assert await house.held() == ["values_missing"]

    # 1 April showed 1250: March 50 × 0.20
    await house.take_back(mistyped)
    await house.read("1250", "2025-04-01T00:00:00+02:00")
    await until(house.invoices, {"2025-02-01": "40.00", "2025-03-01": "10.00"})
    await until(house.owed, Decimal("50.00"))
    assert (await house.held(), await house.doubtful()) == ([], [])
    for service in ("ingest", "billing", "ledger"):
        found = await api.get(service, "/v1/reconciliation")
        assert found.get("ok", found.get("holds")), service


async def test_a_bill_waits_for_prices_that_come_late(api):
    """1 kWh an hour, half the day at 0.10, half at 0.30: 336 × 0.10 + 336 × 0.30 = 134.40, and a
    mark-up of 672 × 0.05 = 33.60."""
    house = await settle(api, SPOT)
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
