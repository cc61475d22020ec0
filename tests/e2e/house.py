"""A house whose register is read by hand, with its customer and agreement."""

import asyncio
import time
from decimal import Decimal
from uuid import uuid4

ZONE = "Europe/Berlin"
LIMIT_S = 180.0
POLL_S = 0.2


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
        return {invoice["start_on"]: invoice["total"] for invoice in page["items"]}

    async def withdraw(self, reading_id):
        await self.api.call("ledger", "DELETE", f"/v1/readings/{reading_id}")

    async def exceptions(self):
        """Why two readings of the register make no energy."""
        page = await self.api.get("ingest", "/v1/register-exceptions", meter_id=self.meter_id)
        return [exception["reason"] for exception in page["items"]]

    async def held(self):
        """Why periods are held."""
        page = await self.api.get("billing", "/v1/held-invoices")
        return [
            period["reason"]
            for period in page["items"]
            if period["agreement_id"] == self.agreement_id
        ]

    async def owed(self):
        """What the customer owes by the ledger."""
        page = await self.api.get("ledger", "/v1/accounts", customer_id=self.customer_id)
        return sum(
            Decimal(account["balance"])
            for account in page["items"]
            if account["account_class"] == "receivable"
        )


async def until(ask, expected):
    """Ask until the answer is this; where it never is, the last answer is reported."""
    deadline_s = time.monotonic() + LIMIT_S
    while True:
        answer = await ask()
        if answer == expected or time.monotonic() > deadline_s:
            break
        await asyncio.sleep(POLL_S)
    assert answer == expected


async def house_on(api, *charges):
    """A house in Berlin from February to March on a tariff of these charges."""
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
    document = {"currency": "EUR", "zone": ZONE, "components": [*charges]}
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
    meter_id = next(meter["id"] for meter in made["meters"] if meter["meter_type"] == "total")
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
