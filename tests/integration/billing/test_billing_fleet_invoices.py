"""What a fleet costs is what the energy lines of its invoices for the same days say: with a derived
meter that is billed, a tariff that changes within the month, and corrections."""

import random
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from doubles.billing.fleet import DOMESTIC, ZONE, Fleet
from gridtally.kernel.periods import Period

MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
SLOTS = 144


def dearer(chance):
    """`Domestic TOU` at other rates, and another tax, with the peak an hour later."""
    fixed, energy, tax = DOMESTIC["components"]
    rates = [f"{chance.randint(1, 9)}.{chance.randint(0, 9999):04}" for _ in energy["bands"]]
    bands = [band | {"rate": rate} for band, rate in zip(energy["bands"], rates, strict=True)]
    peak, weekend = energy["windows"]
    later = [peak | {"from_time": "18:00", "to_time": "21:00"}, weekend]
    components = [fixed, energy | {"bands": bands, "windows": later}, tax | {"rate": "0.16"}]
    return DOMESTIC | {"components": components}


class Homes:
    """A main meter with a flat behind it, both billed: the flat, and what is left of the main."""

    def __init__(self, fleet, make, chance):
        self.fleet, self.make, self.chance = fleet, make, chance
        self.revision = 0

    async def begin(self, change_on):
        fleet = self.fleet
        self.main = await fleet.device("Main", meter_type="main")
        self.flat = await fleet.device("Flat", meter_type="sub")
        self.rest = await fleet.device("Rest", meter_type="derived")
        await fleet.define(self.rest, (date(2025, 1, 1), [self.main], [self.flat]))
        tariff_id = await fleet.offer(region_id=None, until=change_on)
        await fleet.offer(
            dearer(self.chance), region_id=None, tariff_id=tariff_id, number=2, since=change_on
        )
        self.agreements = {
            own: (self.make.agreement(tariff_id=tariff_id, meter_id=own),
                  (await fleet.agree(own, tariff_id))["id"])
            for own in (self.flat, self.rest)
        }  # fmt: skip
        slots = MARCH.days * SLOTS
        self.used = {self.flat: [self.chance.randint(0, 900) for _ in range(slots)]}
        self.used[self.main] = [wh + self.chance.randint(0, 900) for wh in self.used[self.flat]]
        await self.record(MARCH.dates())
        await self.close()

    async def record(self, days):
        """Days as ingest publishes them, those of the sum among them."""
        flat, main = self.used[self.flat], self.used[self.main]
        self.used[self.rest] = [whole - part for whole, part in zip(main, flat, strict=True)]
        for day in days:
            first = (day - MARCH.start_on).days * SLOTS
            for meter_id, values in self.used.items():
                await self.fleet.record(meter_id, values[first : first + SLOTS], day=day)

    async def correct(self):
        """The flat used less on a day, and what is left of the main meter something else."""
        day = MARCH.start_on + timedelta(days=self.chance.randrange(MARCH.days))
        first = (day - MARCH.start_on).days * SLOTS
        for slot in range(first, first + SLOTS):
            self.used[self.flat][slot] = self.chance.randint(0, self.used[self.flat][slot])
            self.used[self.main][slot] = self.used[self.flat][slot] + self.chance.randint(0, 1_200)
        await self.record([day])
        await self.close()

    async def close(self):
        """The month of both closes, each time as the next revision."""
        self.revision += 1
        for meter_id, (agreement, agreement_id) in self.agreements.items():
            closed = self.make.closed(
                agreement, zone=ZONE, minutes=10, values=self.used[meter_id], revision=self.revision
            )
            changes = {"agreement_id": UUID(agreement_id)}
            await self.fleet.world.close(closed.model_copy(update=changes))

    async def invoiced(self):
        """What the energy lines of the invoices that stand come to, exactly, and their kWh."""
        api = self.fleet.api
        page = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
        lines = [
            line
            for invoice in page
            for line in (await api.get(f"/v1/invoices/{invoice['id']}")).json()["lines"]
            if line["component_id"] == "energy"
        ]
        return len(page), sum(Decimal(line["amount_exact"]) for line in lines), sum(
            Decimal(line["quantity"]) for line in lines
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_a_fleet_costs_what_the_energy_lines_of_its_invoices_say(world, make, clients, seed):
    chance = random.Random(seed)
    fleet = await Fleet(world, make, await clients(world.tenant)).begin()
    homes = Homes(fleet, make, chance)
    await homes.begin(MARCH.start_on + timedelta(days=chance.randint(1, 30)))
    costs = []
    for _ in range(3):
        cost = await fleet.get("2025-02-28T22:00Z", "2025-03-31T22:00Z")
        count, exact, kwh = await homes.invoiced()
        assert count == 2
        assert (Decimal(cost["total_base_cost"]), Decimal(cost["total_kwh"])) == (exact, kwh)
        assert [own["device_name"] for own in cost["per_device"]] == ["Flat", "Rest"]
        assert kwh * 1000 == sum(homes.used[homes.main])
        middle = f"2025-03-{chance.randint(2, 30):02}T{chance.randint(0, 23):02}:00Z"
        parts = [await fleet.get("2025-02-28T22:00Z", middle),
                 await fleet.get(middle, "2025-03-31T22:00Z")]  # fmt: skip
        assert sum(Decimal(own["total_cost"]) for own in parts) == Decimal(cost["total_cost"])
        costs.append(cost["total_cost"])
        await homes.correct()
    assert len(set(costs)) == 3
