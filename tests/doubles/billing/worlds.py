"""A tenant of billing to whom things happen, on PostgreSQL or in memory.

The handlers are called as billing's consumers and loops call them. What can be asked of a tenant is
the same in both worlds, so that a scenario need not know in which one it plays.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from doubles.billing import store as memory
from doubles.billing.balances import Balances
from doubles.billing.drafts import Drafts
from doubles.billing.due_days import DueDays
from doubles.billing.events import (
    FLAT,
    NOW,
    agreement,
    agreement_event,
    published,
    received,
    registered,
)
from gridtally.billing.domain.customers import Customer
from gridtally.billing.handlers import (
    agreements,
    collective_invoices,
    collective_members,
    customers,
    daily_costs,
    periods,
    reference_data,
    repeated_credits,
    sites,
)
from gridtally.billing.handlers import drafts as draft_handlers
from gridtally.billing.handlers import held_periods as held_handlers
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.kernel.resources import Cause


def fresh_tenant():
    """A tenant that nothing has happened to."""
    return f"t-{uuid4().hex[:8]}"


@dataclass
class World:
    """What happens to a tenant; where it is stored is the subclass's."""

    def transaction(self):
        """A transaction of all tenants, as workers have it."""
        raise NotImplementedError

    def another(self):
        """Another tenant of the same world."""
        return replace(self, tenant=fresh_tenant())

    async def agree(self, *, currency="EUR", **changes):
        """A new customer's agreement."""
        return await self.agree_on(agreement(**changes), currency=currency)

    async def home(self, *, document=FLAT, **changes):
        """An agreement whose tariff and meter are known."""
        tariff_id, meter_id = uuid4(), uuid4()
        await self.publish(published(tariff_id, document))
        await self.register(registered(meter_id))
        return await self.agree(tariff_id=tariff_id, meter_id=meter_id, **changes)

    async def apply_agreements(self, *changed):
        """Agreements are published and come back."""
        await self._apply(reference_data.apply_agreements, map(agreement_event, changed))

    async def publish(self, *events):
        """Tariff versions arrive."""
        await self._apply(reference_data.apply_tariffs, events)

    async def register(self, *events):
        """Meters arrive."""
        await self._apply(reference_data.apply_meters, events)

    async def locate(self, *events):
        """Sites arrive."""
        await self._apply(sites.apply_sites, events)

    async def map(self, *events):
        """Regions arrive."""
        await self._apply(sites.apply_regions, events)

    async def define(self, *events):
        """What derived meters are the sum of arrives."""
        await self._apply(sites.apply_definitions, events)

    async def default(self, *events):
        """Tenants' defaults arrive."""
        await self._apply(reference_data.apply_defaults, events)

    async def price(self, *events):
        """Prices arrive in one batch."""
        await self._apply(reference_data.apply_prices, events)

    async def owe(self, *events):
        """Customers' balances arrive in one batch."""
        await self._apply(reference_data.apply_balances, events)

    async def close(self, *events, now=NOW):
        """Closed periods arrive in one batch."""
        await self._apply(periods.bill_closed_periods, events, now)

    async def use(self, *events):
        """Usage arrives in one batch."""
        await self._apply(daily_costs.apply_usage, events, NOW)

    async def _apply(self, handle, events, *now):
        async with self.transaction() as tx:
            await handle(tx, [received(event, self.tenant) for event in events], *now)

    async def price_due(self):
        """Days that are due are priced again."""
        async with self.transaction() as tx:
            return await daily_costs.price_due_days(tx, NOW)

    async def retry(self, **limit):
        """What is due is tried again."""
        async with self.transaction() as tx:
            return await periods.retry_held_periods(tx, NOW, **limit)

    async def retry_all(self):
        """What is due is tried again until nothing is."""
        while await self.retry():
            pass


@dataclass
class StoredWorld(World):
    """A tenant in PostgreSQL."""

    database: Database
    tenant: str = field(default_factory=fresh_tenant)

    def transaction(self):
        return transaction(self.database, tenant=ALL_TENANTS)

    async def issue_collective(self, now=NOW):
        """Collective invoices that are due are issued, until none is."""
        while True:
            async with self.transaction() as tx:
                if not await collective_invoices.issue_collective_invoices(tx, now):
                    return

    async def agree_on(self, agreement, *, currency="EUR", **terms):
        """The agreement and its customer are made."""
        customer = Customer(agreement.customer_id, "Ada", None, currency, **terms)
        async with transaction(self.database, tenant=self.tenant) as tx:
            await customers.register_customers(tx, self.tenant, [customer], NOW)
            cause = Cause(self.tenant, "test", "c-0")
            await agreements.register_agreements(tx, cause, [agreement], NOW)
        return agreement

    async def rows(self, sql, *arguments, tenant=None):
        """Rows as plain dicts."""
        async with snapshot(self.database, tenant=tenant or self.tenant) as read:
            return [dict(row) for row in await read.raw.fetch(sql, *arguments)]

    async def execute(self, sql):
        """Change something behind billing's back."""
        async with transaction(self.database, tenant=self.tenant) as tx:
            await tx.raw.execute(sql)

    async def value(self, sql, *arguments):
        """The first column of the only row."""
        ((value,),) = [row.values() for row in await self.rows(sql, *arguments)]
        return value

    async def invoices(self):
        """The tenant's invoices with the number of the note that cancelled each, by number."""
        return await self.rows(
            "SELECT i.*, c.number AS credited_by FROM invoice i LEFT JOIN credit_note c "
            "ON c.tenant_id = i.tenant_id AND c.invoice_id = i.id AND c.extent <> 'part' "
            "ORDER BY i.number"
        )

    async def held(self):
        """What is held, by agreement and first day."""
        return await self.rows(
            "SELECT agreement_id, start_on, revision, reason, detail, held_at, due "
            "FROM held_period ORDER BY agreement_id, start_on"
        )

    async def emitted(self):
        """Topic and correlation id of what was put into the outbox, in order."""
        rows = await self.rows(
            "SELECT topic, correlation_id FROM outbox WHERE tenant_id = $1 "
            "AND topic <> 'agreement.changed.v1' ORDER BY seq",
            self.tenant,
            tenant=ALL_TENANTS,
        )
        return [(row["topic"], row["correlation_id"]) for row in rows]


@dataclass
class MemoryWorld(World):
    """A tenant in memory; `in_memory` makes the handlers use it."""

    tables: memory.Tables = field(default_factory=memory.Tables)
    tenant: str = field(default_factory=fresh_tenant)

    @asynccontextmanager
    async def transaction(self):
        yield None

    async def agree_on(self, agreement, *, currency="EUR"):
        """The agreement and its customer are made."""
        self.tables.currencies[self.tenant, agreement.customer_id] = currency
        self.tables.agreements[self.tenant, agreement.id] = agreement
        return agreement

    async def invoices(self):
        """The tenant's invoices with the number of the credit note of each, by number."""
        credited = {note.invoice_id: note.number for note in self.tables.credit_notes}
        rows = [
            {name: getattr(invoice, name) for name in invoice.__slots__}
            | {"credited_by": credited.get(invoice.id)}
            for (tenant_id, _), invoice in self.tables.invoices.items()
            if tenant_id == self.tenant
        ]
        return sorted(rows, key=lambda row: row["number"])

    async def held(self):
        """What is held, by agreement and first day."""
        return [
            {
                "agreement_id": key[1],
                "start_on": key[2],
                "revision": row.held.closed.revision,
                "reason": row.held.reason,
                "detail": row.held.detail,
                "held_at": row.held_at,
                "due": row.due,
            }
            for key, row in sorted(self.tables.held.items(), key=lambda item: item[0])
            if key[0] == self.tenant
        ]

    async def emitted(self):
        """Topic and correlation id of what was put into the outbox, in order."""
        return [
            (message.topic, message.envelope.correlation_id)
            for message in self.tables.outbox
            if message.envelope.tenant_id == self.tenant
        ]


async def states_of(world):
    """Month, revision, restatement and total of each invoice, and whether it is live."""
    return [
        (
            invoice["start_on"].month,
            invoice["revision"],
            invoice["restatement"],
            str(invoice["total"]),
            invoice["credited_by"] is None,
        )
        for invoice in await world.invoices()
    ]


async def live(world):
    """The total of the live invoice of each month."""
    return {
        invoice["start_on"].month: str(invoice["total"])
        for invoice in await world.invoices()
        if invoice["credited_by"] is None
    }


async def held(world):
    """The reason of each held month."""
    return {row["start_on"].month: row["reason"] for row in await world.held()}


def in_memory(monkeypatch):
    """A tenant in memory, whom the handlers serve until `monkeypatch` is undone."""
    world = MemoryWorld()
    doubles = {
        "agreements": memory.Agreements,
        "reference_data": memory.ReferenceDataStore,
        "periods": memory.Periods,
        "held_periods": memory.HeldPeriods,
        "due_days": DueDays,
        "invoices": memory.Invoices,
        "evidence": memory.Evidence,
        "credit_notes": memory.CreditNotes,
        "given_credits": memory.GivenCredits,
        "adopted_invoices": memory.AdoptedInvoices,
        "numbers": memory.Numbers,
        "balances": Balances,
        "drafts": Drafts,
        "collective_members": memory.CollectiveMembers,
    }
    for handlers in (
        periods, reference_data, draft_handlers, held_handlers, collective_members,
        repeated_credits,
    ):  # fmt: skip
        for name, double in doubles.items():
            if hasattr(handlers, name):
                monkeypatch.setattr(handlers, name, double(world.tables))
    monkeypatch.setattr(periods, "enqueue", memory.Outbox(world.tables).enqueue)
    return world
