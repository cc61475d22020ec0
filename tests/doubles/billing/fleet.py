"""A customer with a fleet, to whom sites, meters, tariffs and usage come, and what it costs."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from gridtally.contracts.catalogue import RegionChanged
from gridtally.contracts.metering import (
    Definition,
    MeterDefined,
    PropertyChanged,
    Term,
    UsageRecorded,
)

ZONE = "Africa/Johannesburg"
WEDNESDAY = date(2025, 3, 12)
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
DOMESTIC = {
    "currency": "ZAR",
    "zone": ZONE,
    "calendar": {
        "day_types": [
            {"name": "weekday", "weekdays": WORKDAYS},
            {"name": "weekend", "weekdays": ["sat", "sun"]},
        ]
    },
    "components": [
        {"kind": "fixed", "id": "base", "rate": "120", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [
                {"name": "Standard", "rate": "2.50"},
                {"name": "Peak", "rate": "4.00"},
                {"name": "Off-Peak", "rate": "1.50"},
            ],
            "windows": [
                {
                    "band": "Peak",
                    "from_time": "17:00",
                    "to_time": "20:00",
                    "day_types": ["weekday"],
                },
                {
                    "band": "Off-Peak",
                    "from_time": "00:00",
                    "to_time": "00:00",
                    "day_types": ["weekend"],
                },
            ],
            "default_band": "Standard",
        },
        {"kind": "tax", "id": "vat", "rate": "0.15", "component_ids": ["base", "energy"]},
    ],
}
"""A municipality's `Domestic TOU`: 2.50 by default, Peak on weekdays, Off-Peak on weekends."""


def energy(currency, rate, **more):
    return {
        "currency": currency,
        "zone": ZONE,
        "components": [{"kind": "energy", "id": "energy", "rate": rate}],
    } | more


class Fleet:
    """A customer with a site in a municipality, and what the API says of what it costs."""

    def __init__(self, world, make, api):
        self.world, self.make, self.api = world, make, api
        self.customer_id, self.site_id, self.region_id = str(uuid4()), uuid4(), uuid4()
        self.versions = 0

    async def begin(self):
        named = {"id": self.customer_id, "name": "City", "currency": "ZAR"}
        assert (await self.api.post("/v1/customers", json=named)).status_code == 201
        await self.map(self.region_id, "Stellenbosch")
        await self.own(self.site_id)
        return self

    async def own(self, site_id, customer_id=None):
        site = PropertyChanged(
            property_id=site_id,
            name="Town hall",
            zone=ZONE,
            customer_id=customer_id or self.customer_id,
            version=1,
        )
        await self.world.locate(site)

    async def map(self, region_id, name, **more):
        fields = {"code": f"r-{region_id}", "name": name, "zone": ZONE, "kind": "municipality"}
        region = RegionChanged(region_id=region_id, version=1, **(fields | more))
        await self.world.map(region)

    async def offer(self, document=DOMESTIC, **more):
        """A tariff of a region, the municipality's unless another is named."""
        fields = {"region_id": self.region_id} | more
        tariff_id = fields.pop("tariff_id", None) or uuid4()
        await self.world.publish(self.make.published(tariff_id, document, **fields))
        return tariff_id

    async def device(self, name="Pump", *, meter_type="device", site_id=None, region_id="own"):
        """A meter at the site."""
        meter_id = uuid4()
        meter = self.make.registered(
            meter_id,
            name=name,
            meter_type=meter_type,
            property_id=site_id or self.site_id,
            region_id=self.region_id if region_id == "own" else region_id,
        )
        await self.world.register(meter)
        return meter_id

    async def define(self, meter_id, *definitions):
        """What a derived meter adds and subtracts, from a day on or for ever."""
        self.versions += 1
        await self.world.define(
            MeterDefined(
                meter_id=meter_id,
                version=self.versions,
                definitions=[
                    Definition(
                        from_on=from_on,
                        version=number,
                        terms=[
                            Term(meter_id=part, sign=sign, flow="import")
                            for sign, parts in ((1, added), (-1, subtracted))
                            for part in parts
                        ],
                    )
                    for number, (from_on, added, subtracted) in enumerate(definitions, start=1)
                ],
            )
        )

    async def agree(self, meter_id, tariff_id, start_on="2025-01-01", **more):
        """An agreement of the customer."""
        fields = {"customer_id": self.customer_id, "meter_id": str(meter_id),
                  "tariff_id": str(tariff_id), "start_on": start_on}  # fmt: skip
        answer = await self.api.post("/v1/agreements", json=fields | more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def use(
        self, meter_id, kwh_by_hour, *, day=WEDNESDAY, zone=ZONE, hours=24, flow="import"
    ):
        """Energy of the hours of a local day, an hour as six equal intervals of 10 minutes."""
        values = [None] * (hours * 6)
        for hour, kwh in kwh_by_hour.items():
            values[hour * 6 : hour * 6 + 6] = [int(Decimal(kwh) * 1000) // 6] * 6
        await self.record(meter_id, values, day=day, zone=zone, flow=flow)

    async def record(self, meter_id, values, *, day=WEDNESDAY, zone=ZONE, flow="import"):
        self.versions += 1
        event = UsageRecorded(
            meter_id=meter_id, flow=flow, day=day, zone=zone, minutes=10, version=self.versions,
            values=values, quality="".join("-" if v is None else "A" for v in values),
            recorded_at=self.make.NOW,
        )  # fmt: skip
        await self.world.use(event)

    async def get(self, from_at="2025-03-12T00:00Z", to_at="2025-03-13T00:00Z", path="", **more):
        params = {"from": from_at, "to": to_at} | more
        answer = await self.api.get(
            f"/v1/fleet/customers/{self.customer_id}/cost{path}", params=params
        )
        assert answer.status_code == 200, answer.text
        return answer if path.startswith("/export") else answer.json()

    async def without_tariff(self, **window):
        items = (await self.get(path="/hours-without-tariff", **window))["items"]
        return [(item["reason"], item["from"][:16], item["to"][:16], item["kwh"]) for item in items]
