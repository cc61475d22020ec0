"""Billing calendars other than months, over real Kafka: two months, a read cycle, and the month of
a derived meter; with a change of tariff and a correction, each bill worked by hand."""

from uuid import uuid4

import pytest

from e2e.house import ZONE, until

HOUSE_START, END = "2024-12-31T23:00:00Z", "2025-04-30T22:00:00Z"
"""Midnights in Berlin: the first of January, and of May."""
HOURS = 31 * 24 + 28 * 24 + 31 * 24 - 1 + 30 * 24


class Customer:
    """A customer of two meters and their sum, by three billing calendars."""

    def __init__(self, api):
        self.api = api
        self.agreements = {}

    async def set_up(self):
        """0.30 per kWh, and 0.20 from February on; two meters of whole hours."""
        property_id, self.customer_id, self.tariff_id = (str(uuid4()) for _ in range(3))
        tariff = {"id": self.tariff_id, "code": f"t-{self.tariff_id[:8]}", "name": "Two prices",
                  "currency": "EUR", "zone": ZONE}  # fmt: skip
        await self.api.post("tariff", "/v1/tariffs", tariff)
        for since, rate in (("2025-01-01", "0.30"), ("2025-02-01", "0.20")):
            charge = {"kind": "energy", "id": "energy", "rate": rate}
            document = {"currency": "EUR", "zone": ZONE, "components": [charge]}
            path = f"/v1/tariffs/{self.tariff_id}/versions"
            body = {"effective_from": since, "document": document}
            version = await self.api.post("tariff", path, body)
            await self.api.post("tariff", f"{path}/{version['number']}/publish")
        await self.api.post("ledger", "/v1/properties",
                            {"id": property_id, "name": "House", "zone": ZONE})  # fmt: skip
        channel = {"flow": "import", "minutes": 60, "interval_wh_max": 100_000}
        self.meters = {}
        for name, kind, channels in (("a", "main", [channel]), ("b", "main", [channel]),
                                     ("sum", "derived", [])):  # fmt: skip
            body = {"meter_type": kind, "name": name, "channels": channels}
            path = f"/v1/properties/{property_id}/meters"
            self.meters[name] = (await self.api.post("ledger", path, body))["id"]
        terms = [{"meter_id": self.meters["a"]}, {"meter_id": self.meters["b"]}]
        await self.api.post("ledger", f"/v1/meters/{self.meters['sum']}/definitions",
                            {"from_on": "2025-01-01", "terms": terms})  # fmt: skip
        await self.api.post("billing", "/v1/customers",
                            {"id": self.customer_id, "name": "Ada", "currency": "EUR"})  # fmt: skip

    async def agree(self, meter, start_on, end_on, calendar=None):
        body = {"customer_id": self.customer_id, "meter_id": self.meters[meter],
                "tariff_id": self.tariff_id, "start_on": start_on, "end_on": end_on}  # fmt: skip
        if calendar is not None:
            body["billing_calendar"] = calendar
        made = await self.api.post("billing", "/v1/agreements", body)
        self.agreements[meter] = made["id"]

    async def send(self, meter, values, start_at=HOUSE_START):
        block = {"meter_id": self.meters[meter], "flow": "import", "start_at": start_at,
                 "minutes": 60, "values": values}  # fmt: skip
        answer = await self.api.post("ingest", "/v1/readings", {"items": [block]})
        assert answer["refused"] == 0, answer

    async def live(self):
        """By meter the periods and totals of live invoices."""
        bills = {}
        for meter, agreement_id in self.agreements.items():
            page = await self.api.get(
                "billing", "/v1/invoices", agreement_id=agreement_id, state="issued"
            )
            bills[meter] = sorted(
                (own["start_on"], own["end_on"], own["total"]) for own in page["items"]
            )
        return bills

    async def credited(self):
        page = await self.api.get("billing", "/v1/credit-notes", customer_id=self.customer_id)
        return sorted(own["total"] for own in page["items"])


@pytest.fixture
async def customer(api):
    made = Customer(api)
    await made.set_up()
    cycle = {"dates": ["2025-01-15", "2025-03-10", "2025-04-20"]}
    await api.call("billing", "PUT", "/v1/read-cycles/north", json_body=cycle)
    await made.agree("a", "2025-01-01", "2025-05-01", {"months": 2, "anchor_month": 1})
    await made.agree("b", "2025-01-15", "2025-04-20", {"read_cycle": "north"})
    await made.agree("sum", "2025-01-15", "2025-02-01")
    return made


async def test_bills_of_two_months_of_a_read_cycle_and_of_a_sum(customer, api):
    """1 kWh an hour, and 2. January has 744 hours, February 672, March 743, April 720: two months
    are 744 × 0.30 + 672 × 0.20 = 357.60 and 1463 × 0.20 = 292.60. The cycle's first period has
    408, 672 and 216 hours, 816 × 0.30 + 1776 × 0.20 = 600.00; the second 983, 393.20. The sum of
    both has 408 hours of 3 kWh, 367.20. Ten kWh more of the 20th of January are 3.00 on two."""
    await customer.send("a", [1000] * HOURS)
    await customer.send("b", [2000] * HOURS)
    first, second = ("2025-01-01", "2025-03-01"), ("2025-03-01", "2025-05-01")
    bills = {
        "a": [(*first, "357.60"), (*second, "292.60")],
        "b": [("2025-01-15", "2025-03-10", "600.00"), ("2025-03-10", "2025-04-20", "393.20")],
        "sum": [("2025-01-15", "2025-02-01", "367.20")],
    }
    await until(customer.live, bills)
    for meter, periods in bills.items():
        for start_on, end_on, total in periods:
            preview = await api.post(
                "billing",
                f"/v1/agreements/{customer.agreements[meter]}/preview",
                {"start_on": start_on, "end_on": end_on},
            )
            assert preview["so_far"]["total"] == total, (meter, start_on)

    await customer.send("a", [11_000], start_at="2025-01-20T09:00:00Z")
    bills["a"][0] = (*first, "360.60")
    bills["sum"] = [("2025-01-15", "2025-02-01", "370.20")]
    await until(customer.live, bills)
    await until(customer.credited, ["357.60", "367.20"])

    async def owed():
        page = await api.get("ledger", "/v1/accounts", customer_id=customer.customer_id)
        return {own["balance"] for own in page["items"] if own["account_class"] == "receivable"}

    await until(owed, {"2016.60"})
    page = await api.get(
        "billing", "/v1/invoices", agreement_id=customer.agreements["sum"], state="issued"
    )
    path = f"/v1/invoices/{page['items'][0]['id']}"
    parts = (await api.get("billing", f"{path}/explanation"))["summed"]
    assert {(own["meter_id"], own["energy_wh"]) for own in parts} == {
        (customer.meters["a"], 418_000), (customer.meters["b"], 816_000),
    }  # fmt: skip
    assert (await api.get("billing", f"{path}/recalculation"))["agrees"]
