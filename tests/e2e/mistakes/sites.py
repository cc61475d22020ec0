"""A customer's home as one history of a mistake has it: with the mistake put right, or without.

Every meter uses 1 kWh an hour; its register is read on the first of February, March and April.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

from e2e.house import ZONE, until
from e2e.retailer import CHANNEL, Retailer
from gridtally.cli.errors import CommandError
from gridtally.client import InvalidRequest

START, MARCH, END = "2025-02-01", "2025-03-01", "2025-04-01"
READ_AT = {
    "2025-02-01": "2025-02-01T00:00:00+01:00",
    "2025-03-01": "2025-03-01T00:00:00+01:00",
    "2025-04-01": "2025-04-01T00:00:00+02:00",
}
KWH = {"2025-02-01": "1000", "2025-03-01": "1672", "2025-04-01": "2415"}
"""What a register shows: 672 hours later, and 743."""
FRIDAY, SHORT_ON = "2025-03-14", date(2025, 3, 30)
FILE = {"name": "hours.csv", "zone": ZONE}
FLAT = [
    {"kind": "energy", "id": "energy", "rate": "0.20"},
    {"kind": "fixed", "id": "standing", "rate": "0.50", "per": "day"},
    {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy", "standing"]},
]
DEAR = [{"kind": "energy", "id": "energy", "rate": "0.50"}]


class End(NamedTuple):
    """How a customer ends up."""

    who: tuple
    bills: list
    open_items: list
    balances: dict
    instalments: list


class Site(Retailer):
    """What somebody does at the APIs for one history. `plans` are tariffs that all share."""

    def __init__(self, retailer, plans):
        super().__init__(retailer.api, retailer.billing)
        self.flat, self.dear = plans

    async def house(self, zone=ZONE, **meter):
        """Another house, whose meter is not read yet: property and meter."""
        new = {"name": "House", "zone": zone, "meters": []}
        made = await self.api.post("ledger", "/v1/properties", new)
        return made["id"], await self.add_meter(made["id"], **meter)

    async def add_meter(self, property_id, **more):
        new = {"meter_type": "main", "name": "Main", "channels": [CHANNEL]} | more
        return (await self.api.post("ledger", f"/v1/properties/{property_id}/meters", new))["id"]

    async def meter_read(self, *, but=(), **meter):
        """The meter of another house, with its readings but for those of some days."""
        _, meter_id = await self.house(**meter)
        await self.read_all(meter_id, but=but)
        return meter_id

    async def read_all(self, meter_id, *, but=()):
        for day in READ_AT:
            if day not in but:
                await self.read_on(meter_id, day)

    async def read_on(self, meter_id, day, kwh=None):
        return await self.read(meter_id, kwh or KWH[day], READ_AT[day])

    async def agreed(self, customer_id, meter_id, tariff_id=None, **more):
        """An agreement of February and March, unless `more` says otherwise."""
        days = {"start_on": START, "end_on": END} | more
        return await self.agree(customer_id, meter_id, tariff_id or self.flat, **days)

    async def at_home(self, tariff_id=None):
        """A customer who is billed for one month after the other, so that what is paid first is
        known: customer, agreement, meter."""
        meter_id, customer_id = await self.meter_read(but={END}), await self.customer("Ada")
        agreement_id = await self.agreed(customer_id, meter_id, tariff_id)
        await self.billed(customer_id, 1)
        await self.read_on(meter_id, END)
        await self.billed(customer_id)
        return customer_id, agreement_id, meter_id

    async def billed(self, customer_id, count=2):
        """Wait until this many live invoices of a customer are in the books."""

        async def are_booked():
            bills = await self.bills(customer_id)
            page = await self.api.get("ledger", "/v1/invoices", customer_id=customer_id)
            booked = [own for own in page["items"] if own["kind"] == "invoice"]
            booked = [own for own in booked if own["state"] != "void"]
            totals = sorted(Decimal(total) for *_, total in bills)
            return len(bills) == count and totals == sorted(Decimal(o["total"]) for o in booked)

        await until(are_booked, True)

    async def invoice(self, customer_id, start_on=MARCH):
        """The id of the live invoice of a period."""
        page = await self.api.get(
            "billing", "/v1/invoices", customer_id=customer_id, state="issued"
        )
        (invoice_id,) = [own["id"] for own in page["items"] if own["start_on"] == start_on]
        return invoice_id

    async def cancelled(self, agreement_id, from_on=START, **replacement):
        """Cancel what was agreed wrongly from a day on, once billing knows what is named."""

        async def is_done():
            try:
                await self.cancel(agreement_id, from_on, "it was a mistake", **replacement)
            except InvalidRequest as refused:
                if refused.code not in ("meter_missing", "tariff_missing"):
                    raise
                return False
            return True

        await until(is_done, True)

    async def post(self, path, customer_id, amount=None, service="ledger", **more):
        """Post something of a customer's account: what was answered."""
        body = {"customer_id": customer_id, "currency": "EUR"} | more
        return await self.api.post(
            service, path, body if amount is None else body | {"amount": amount}
        )

    async def credit(self, customer_id, amount):
        """Credit a part of the invoice of March by hand."""
        path = f"/v1/invoices/{await self.invoice(customer_id)}/credit-notes"
        await self.api.post("billing", path, {"amount": amount, "reason": "sorry"})

    async def reverse(self, transaction):
        path = f"/v1/transactions/{transaction['id']}/reversal"
        await self.api.post("ledger", path, {"reason": "it was a mistake"})

    async def change(self, service, path, **fields):
        """Change some fields of what stands at a path."""
        version = (await self.api.get(service, path))["version"]
        await self.api.call(service, "PATCH", path, json_body=fields, if_match=version)

    async def refused(self, code, making):
        """What is refused with this code has changed nothing."""
        with suppress(CommandError):
            await making
            raise AssertionError(f"was not refused with {code}")

    def energy(self, rate):
        """A tariff's only charge."""
        return [{"kind": "energy", "id": "energy", "rate": rate}]

    async def costs(self, meter_id, day=FRIDAY):
        """What a day of a meter costs, once that is known."""
        known = []

        async def are_known():
            known[:] = await self._costs(meter_id, day)
            return bool(known)

        await until(are_known, True)
        return known

    async def costs_move(self, meter_id, before, day=FRIDAY):
        """Wait until billing knows another price of a day."""

        async def have_moved():
            return await self._costs(meter_id, day) != before

        await until(have_moved, True)

    async def _costs(self, meter_id, day):
        until_on = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        path = f"/v1/meters/{meter_id}/daily-costs"
        page = await self.api.get("billing", path, **{"from": day, "to": until_on})
        return [own["gross"] for own in page["items"]]

    async def priced(self, series_id, days, price):
        """The same price in all hours of some days, which have 24, or 23 where clocks change."""
        prices = [
            {"day": day.isoformat(), "prices": [price] * (23 if day == SHORT_ON else 24)}
            for day in days
        ]
        path = f"/v1/price-series/{series_id}/prices"
        await self.api.post("tariff", path, {"days": prices})

    async def corrected(self, reading_id, value, read_at):
        new = {"value": value, "read_at": read_at}
        await self.api.call("ledger", "PUT", f"/v1/readings/{reading_id}", json_body=new)

    async def held(self, customer_id, reason):
        """Wait until periods of a customer are held for a reason."""

        async def reasons():
            page = await self.api.get("billing", "/v1/held-invoices", customer_id=customer_id)
            return {own["reason"] for own in page["items"]}

        await until(reasons, {reason})

    async def send(self, meter_id, block):
        answer = await self.api.post(
            "ingest", "/v1/readings", {"items": [{"meter_id": meter_id, **block}]}
        )
        assert answer["refused"] == 0, answer

    async def imported(self, meter_id, kwh):
        """Import a file with the same energy in all hours, and return its id."""
        at, rows = datetime.fromisoformat(READ_AT[START]).astimezone(UTC), []
        while at < datetime.fromisoformat(READ_AT[END]):
            rows.append(f"{at:%Y-%m-%dT%H:%MZ},{kwh}")
            at += timedelta(hours=1)
        table = "\n".join([f"Meter point: {meter_id}", "", "start_utc,kwh", *rows, ""])
        known = await self.api.call(
            "ingest", "POST", "/v1/imports", content=table.encode(), query=FILE,
            content_type="application/octet-stream",
        )  # fmt: skip
        path = f"/v1/imports/{known['id']}"
        if known["status"] == "proposed":
            mapping = {own["name"]: {"meter_id": meter_id, "flow": "import"}
                       for own in known["channels"]}  # fmt: skip
            declared = {"layout": known["layout"], "mapping": mapping}
            await self.api.post("ingest", f"{path}/run", declared)

        async def status():
            return (await self.api.get("ingest", path))["status"]

        await until(status, "done")
        return known["id"]

    async def raised(self, meter_id):
        """Wait until ingest knows the limit that all meters should have."""

        async def limits():
            known = await self.api.get("ingest", f"/v1/meters/{meter_id}")
            return [own["interval_wh_max"] for own in known["channels"]]

        await until(limits, [CHANNEL["interval_wh_max"]])

    async def outcome(self, customers):
        """How customers end up: who they are, what is live, open, held, and on their account."""
        return [await self._outcome(customer_id) for customer_id in customers]

    async def _outcome(self, customer_id):
        known = await self.api.get("billing", f"/v1/customers/{customer_id}")
        who = known["name"], known["currency"], known["billing_address"]
        items = await self.api.get("ledger", "/v1/invoices", customer_id=customer_id)
        open_items = sorted(
            (own["kind"], own["total"], own["open"])
            for own in items["items"]
            if Decimal(own["open"])
        )
        accounts = await self.api.get("ledger", "/v1/accounts", customer_id=customer_id)
        balances = {
            own["account_class"]: own["balance"]
            for own in accounts["items"]
            if Decimal(own["balance"])
        }
        plans = await self.api.get("ledger", "/v1/payment-plans", customer_id=customer_id)
        instalments = [
            [own["amount"] for own in plan["instalments"]]
            for plan in plans["items"]
            if plan["state"] != "cancelled"
        ]
        return End(who, await self.bills(customer_id), open_items, balances, instalments)


def hours_from(day, values):
    """Values for the hours from the midnight of a day on, as readings of an interval meter."""
    at = datetime.fromisoformat(READ_AT[day])
    return {"flow": "import", "start_at": at.isoformat(), "minutes": 60, "values": values}


def another_id():
    return str(uuid4())
