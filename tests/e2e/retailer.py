"""What a retailer does at the APIs: sites, customers, tariffs, agreements, readings, and bills."""

from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID, uuid4

from e2e.installation import empty_gridtally
from gridtally.client import AsyncClient
from gridtally.client.generated.billing_models import AgreementChange, NewRebilling

ZONE = "Europe/Berlin"
CHANNEL = {"flow": "import", "minutes": 60, "interval_wh_max": 100_000}


class Retailer:
    """A retailer in Berlin, at the APIs of the services."""

    def __init__(self, api, billing):
        self.api, self.billing = api, billing

    async def tariff(self, *components, since="2025-01-01", id_=None, **terms):
        """A published tariff of these components; `terms` are others of its document."""
        tariff_id = id_ or str(uuid4())
        new = {"id": tariff_id, "code": f"t-{tariff_id[:8]}", "name": "Home", "zone": ZONE,
               "currency": terms.get("currency", "EUR")}  # fmt: skip
        await self.api.post("tariff", "/v1/tariffs", new)
        await self.version(tariff_id, *components, since=since, **terms)
        return tariff_id

    async def version(self, tariff_id, *components, since, **terms):
        """Another version of a tariff from a day on."""
        document = {"currency": "EUR", "zone": ZONE, "components": list(components)} | terms
        path = f"/v1/tariffs/{tariff_id}/versions"
        body = {"effective_from": since, "document": document}
        made = await self.api.post("tariff", path, body)
        await self.api.post("tariff", f"{path}/{made['number']}/publish")

    async def meter(self):
        """The total meter of a new house, whose register is read by hand."""
        new = {"name": "House", "zone": ZONE, "channels": {"total": [CHANNEL]}}
        made = await self.api.post("ledger", "/v1/properties", new)
        return next(meter["id"] for meter in made["meters"] if meter["meter_type"] == "total")

    async def customer(self, name):
        new = {"name": name, "currency": "EUR"}
        return (await self.api.post("billing", "/v1/customers", new))["id"]

    async def agree(self, customer_id, meter_id, tariff_id, start_on, **more):
        new = {"customer_id": customer_id, "meter_id": meter_id, "tariff_id": tariff_id,
               "start_on": start_on}  # fmt: skip
        return (await self.api.post("billing", "/v1/agreements", new | more))["id"]

    async def end(self, agreement_id, end_on):
        """End an agreement as it is now."""
        version = (await self.billing.get_agreement(UUID(agreement_id))).version
        change = AgreementChange(end_on=date.fromisoformat(end_on))
        await self.billing.change_agreement(UUID(agreement_id), change, if_match=version)

    async def cancel(self, agreement_id, from_on, reason, *, again=False, **replacement):
        """Cancel an agreement that is billed from a day on; `replacement` differs from it, or the
        same is agreed `again`."""
        version = (await self.billing.get_agreement(UUID(agreement_id))).version
        fields = {
            "from_on": from_on,
            "reason": reason,
            "replacement": replacement if again else replacement or None,
        }
        order = NewRebilling.model_validate(fields)
        await self.billing.create_rebilling(UUID(agreement_id), order, if_match=version)

    async def read(self, meter_id, value, read_at):
        new = {"value": value, "read_at": read_at}
        return (await self.api.post("ledger", f"/v1/meters/{meter_id}/readings", new))["id"]

    async def exchange(self, meter_id, final, initial, read_at, **more):
        new = {"final_value": final, "initial_value": initial, "read_at": read_at}
        return await self.api.post("ledger", f"/v1/meters/{meter_id}/exchanges", new | more)

    async def bills(self, *customers):
        """Live invoices of customers, in the order of their days: first day, end, total."""
        live = []
        for customer_id in customers:
            page = await self.api.get(
                "billing", "/v1/invoices", customer_id=customer_id, state="issued"
            )
            live += [(own["start_on"], own["end_on"], own["total"]) for own in page["items"]]
        return sorted(live)

    async def lines(self, customer_id, start_on):
        """The lines of the live invoice of the period that begins on a day: quantity, amount."""
        page = await self.api.get(
            "billing", "/v1/invoices", customer_id=customer_id, state="issued"
        )
        (invoice_id,) = [own["id"] for own in page["items"] if own["start_on"] == start_on]
        invoice = await self.api.get("billing", f"/v1/invoices/{invoice_id}")
        return [
            (line["component_id"], line["band"], line["quantity"], line["amount"])
            for line in invoice["lines"]
        ]

    async def balances(self, *customers):
        """What each customer owes by the ledger; nothing for whom it has no account."""
        owed = []
        for customer_id in customers:
            answer = await self.api.get("ledger", f"/v1/customers/{customer_id}/balance")
            owed.append("".join(item["balance"] for item in answer["currencies"]))
        return owed

    async def periods(self, agreement_id, state):
        """The days of an agreement's periods in this state of ingest."""
        page = await self.api.get("ingest", "/v1/periods", agreement_id=agreement_id, state=state)
        return sorted((period["start_on"], period["end_on"]) for period in page["items"])

    async def reconciled(self):
        """What the services find when they compare their books, and what is held."""
        figures = {
            service: await self.api.get(service, "/v1/reconciliation")
            for service in ("ingest", "billing", "ledger")
        }
        agree = [figures[name].get("ok", figures[name].get("holds")) for name in figures]
        return agree, (await self.api.get("billing", "/v1/held-invoices"))["items"]


@asynccontextmanager
async def empty_retailer(stack_servers):
    """A retailer on an empty Gridtally."""
    async with empty_gridtally(stack_servers) as gridtally:
        installation = gridtally.installation
        async with (
            installation.as_tenant() as api,
            AsyncClient(installation.urls, installation.api_key) as client,
        ):
            yield Retailer(api, client.billing)
