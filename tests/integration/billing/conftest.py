"""Billing's own database, and a tenant with customers, meters and tariffs in it."""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import numpy as np
import pytest

from billing.api import ROUTERS
from billing.domain.agreements import Agreement, Customer
from billing.handlers import agreements, days, facts, periods
from billing.settings import Settings
from contracts.commerce import AgreementChanged, TariffPublished
from contracts.envelope import Envelope
from contracts.metering import Channel, MeterRegistered, PeriodClosed, Series, UsageRecorded
from database import ALL_TENANTS, Database, snapshot, transaction
from kernel.periods import month_of, slots_in_day
from messaging import Outgoing, Received
from observability.health import Health
from observability.metrics import Metrics
from serving.api import build_app

SECRET = "s" * 43
NOW = datetime(2025, 5, 2, 10, tzinfo=UTC)
MARCH = month_of(date(2025, 3, 1))
BERLIN = "Europe/Berlin"
FLAT = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
        {"kind": "energy", "id": "energy", "rate": "0.30"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}
CAPACITY = {"kind": "capacity", "id": "capacity", "rate": "2", "per": "month"}
FEED_IN = {"kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export"}


def received(event, tenant, correlation_id="c-1"):
    """An event as a handler gets it."""
    value = event.model_dump_json().encode()
    envelope = Envelope(uuid4(), event.TOPIC, "test", NOW, tenant, correlation_id)
    return Received(event, envelope, event.TOPIC, 0, 0, f"{tenant}:{event.key()}", value)


def outgoing(event, tenant, correlation_id="c-1"):
    """An event as another service sends it."""
    return Outgoing.of(
        event,
        tenant_id=tenant,
        correlation_id=correlation_id,
        source="test",
        event_id=uuid4(),
        occurred_at=NOW,
    )


def closed(agreement, *, period=MARCH, revision=1, wh=100, zone=BERLIN, minutes=15, **changes):
    """A period of constant usage, closed."""
    slots = period.slots(zone, minutes)
    values = changes.pop("values", [wh] * slots)
    flows = changes.pop("flows", ["import"])
    series = [
        Series(flow=flow, minutes=minutes, values=values, quality="A" * slots) for flow in flows
    ]
    fields = {
        "agreement_id": agreement.id,
        "meter_id": agreement.meter_id,
        "zone": zone,
        "start_on": period.start_on,
        "end_on": period.end_on,
        "revision": revision,
        "closed_by": "complete",
        "closed_at": NOW,
        "expected_intervals": slots,
        "present_intervals": slots,
        "series": series,
        "digest": hashlib.sha256(np.array(values, float).tobytes()).hexdigest(),
    }
    return PeriodClosed(**(fields | changes))


def used(meter_id, day, *, version=1, wh=100, flow="import", zone=BERLIN, minutes=15):
    """A day of constant usage."""
    slots = slots_in_day(zone, day, minutes)
    return UsageRecorded(
        meter_id=meter_id,
        flow=flow,
        day=day,
        zone=zone,
        minutes=minutes,
        version=version,
        values=[wh] * slots,
        quality="A" * slots,
        recorded_at=NOW,
    )


def published(tariff_id, document=FLAT, *, number=1, since=date(2025, 1, 1), until=None, **more):
    """A tariff version."""
    return TariffPublished(
        tariff_id=tariff_id,
        version_id=more.pop("version_id", None) or uuid4(),
        number=number,
        code="home",
        name="Home",
        effective_from=since,
        effective_to=until,
        document=document,
        **more,
    )


def registered(meter_id, *, flows=("import",), connected_kw="15", version=1):
    """A meter."""
    return MeterRegistered(
        meter_id=meter_id,
        property_id=uuid4(),
        type="main",
        name="Meter",
        zone=BERLIN,
        connected_kw=connected_kw and Decimal(connected_kw),
        channels=[Channel(flow=flow, minutes=15, interval_wh_max=10_000) for flow in flows],
        version=version,
    )


def agreement(*, tariff_id, meter_id=None, start_on=date(2025, 1, 1), end_on=None):
    """An agreement of a customer yet to be made."""
    return Agreement(
        id=uuid4(),
        customer_id=uuid4(),
        meter_id=meter_id or uuid4(),
        tariff_id=tariff_id,
        start_on=start_on,
        end_on=end_on,
        closing="wait",
        grace_hours=72,
        version=1,
    )


def agreement_event(one):
    """As billing announces it."""
    return AgreementChanged.model_validate(asdict(one) | {"agreement_id": one.id})


@dataclass
class World:
    """A tenant of billing, which the handlers are called for as its consumers do."""

    database: Database
    tenant: str = field(default_factory=lambda: f"t-{uuid4().hex[:8]}")

    async def agree(self, **changes):
        """A new customer's agreement."""
        return await self.agree_on(agreement(**changes))

    async def agree_on(self, agreement, *, currency="EUR"):
        """The agreement and its customer are made."""
        customer = Customer(agreement.customer_id, "Ada", None, currency)
        async with transaction(self.database, tenant=self.tenant) as tx:
            await agreements.register_customers(tx, self.tenant, [customer], NOW)
            await agreements.register_agreements(
                tx, self.tenant, [agreement], correlation_id="c-0", now=NOW
            )
        return agreement

    async def take_up(self, *changed):
        """Agreements are announced and come back."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await facts.take_up_agreements(
                tx, [received(agreement_event(one), self.tenant) for one in changed]
            )

    async def home(self, *, document=FLAT, **changes):
        """An agreement whose tariff and meter are known."""
        tariff_id, meter_id = uuid4(), uuid4()
        await self.publish(published(tariff_id, document))
        await self.register(registered(meter_id))
        return await self.agree(tariff_id=tariff_id, meter_id=meter_id, **changes)

    async def publish(self, *events):
        """Tariff versions arrive."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await facts.copy_tariffs(tx, [received(event, self.tenant) for event in events])

    async def register(self, *events):
        """Meters arrive."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await facts.copy_meters(tx, [received(event, self.tenant) for event in events])

    async def close(self, *events, now=NOW):
        """Closed periods arrive in one batch."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await periods.bill_closed_periods(
                tx, [received(event, self.tenant) for event in events], now
            )

    async def use(self, *events):
        """Usage arrives in one batch."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await days.roll_up_usage(tx, [received(event, self.tenant) for event in events], NOW)

    async def price_due(self):
        """Days that are due are priced again."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            return await days.price_due_days(tx, NOW)

    async def retry(self):
        """What is due is tried again."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            return await periods.retry_held_periods(tx, NOW)

    async def rows(self, sql, *arguments, tenant=None):
        """Rows as plain dicts."""
        async with snapshot(self.database, tenant=tenant or self.tenant) as read:
            return [dict(row) for row in await read.raw.fetch(sql, *arguments)]

    async def execute(self, sql):
        """Change something behind billing's back."""
        async with transaction(self.database, tenant=self.tenant) as tx:
            await tx.raw.execute(sql)

    async def one(self, sql, *arguments):
        """The first column of the only row."""
        ((value,),) = [row.values() for row in await self.rows(sql, *arguments)]
        return value

    async def invoices(self):
        """The tenant's invoices with whether they are live."""
        return await self.rows(
            "SELECT i.*, c.number AS credited_by FROM invoice i LEFT JOIN credit_note c "
            "ON c.tenant_id = i.tenant_id AND c.invoice_id = i.id ORDER BY i.number"
        )


@pytest.fixture
async def migrated_url(service_url):
    """The URL of a fresh database with billing's schema."""
    return await service_url("billing")


@pytest.fixture
async def billing_database(migrated_url):
    """Billing's database, opened."""
    async with await Database.connect(migrated_url, application="test") as database:
        yield database


@pytest.fixture
def world(billing_database):
    """One tenant."""
    return World(billing_database)


@pytest.fixture
def make():
    """Builders of events and agreements, and the constants they use."""
    return SimpleNamespace(
        FLAT=FLAT,
        CAPACITY=CAPACITY,
        FEED_IN=FEED_IN,
        MARCH=MARCH,
        BERLIN=BERLIN,
        NOW=NOW,
        agreement=agreement,
        closed=closed,
        outgoing=outgoing,
        published=published,
        received=received,
        registered=registered,
        used=used,
    )


@pytest.fixture
def clients(billing_database, migrated_url, clients_of):
    """Opens a client of the API: `acme = await clients("acme", "billing:read", …)`."""
    settings = Settings(database_url=migrated_url, kafka_bootstrap_servers="unused:1")
    app = build_app(
        title="billing",
        version="1",
        routers=ROUTERS,
        database=billing_database,
        health=Health(),
        metrics=Metrics("billing"),
        settings=settings,
    )
    return clients_of(app, billing_database)
