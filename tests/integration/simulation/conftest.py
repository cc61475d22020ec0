"""A migrated simulation on the real database, beside a real ingest whose API it reads."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.simulation import SimulationChunkRequested
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.ingest.settings import Settings as IngestSettings
from gridtally.kernel.periods import midnight_utc
from gridtally.messaging import ReceivedMessage
from gridtally.service.service import Process
from gridtally.simulation.app import build
from gridtally.simulation.handlers.runs import end_due_runs
from gridtally.simulation.settings import Settings
from gridtally.tariff.app import build as build_tariff
from gridtally.tariff.settings import Settings as TariffSettings
from integration.apps import app_of
from integration.ingest.conftest import Ingest, ingest_app

TOKEN = "t" * 43
ZONE = "Europe/Berlin"
HOURLY = tuple(
    {"flow": flow, "minutes": 60, "interval_wh_max": 10_000_000} for flow in ("import", "export")
)


class Simulation:
    """The service's handlers over a real database, without a broker."""

    def __init__(self, database, url, ingest):
        self.database, self.ingest = database, ingest
        self.now = datetime(2025, 6, 1, 12, tzinfo=UTC)
        self.settings = Settings(
            database_url=url, kafka_bootstrap_servers="unused:1", service_token=TOKEN
        )
        process = Process("simulation", self.settings, database, None, self.clock, asyncio.Event())
        self.parts = build(process)
        self.services = self.parts.state["services"]
        handlers = [subscription.handle for subscription in self.parts.subscriptions]
        self.handle = dict(zip(("properties", "meters", "chunks"), handlers, strict=True))

    def clock(self):
        return self.now

    async def deliver(self, *messages, kind):
        """What the consumer does with one batch."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await self.handle[kind](tx, list(messages))

    async def house(self, *, kw="15", parent_id=None, zone=ZONE, tenant="acme", channels=HOURLY,
                    meter_type="total"):  # fmt: skip
        """A property with a meter, here and in ingest; the ids of both."""
        property_id, meter_id = await self.node(kw=kw, parent_id=parent_id, zone=zone), uuid4()
        meter = MeterRegistered(
            meter_id=meter_id, property_id=property_id, meter_type=meter_type, name="a meter",
            zone=zone, channels=list(channels), version=1,
        )  # fmt: skip
        await self.deliver(message(meter, tenant), kind="meters")
        await self.ingest.register(meter_id, tenant=tenant, zone=zone, channels=channels)
        return property_id, meter_id

    async def node(self, *, kw=None, parent_id=None, zone=ZONE, tenant="acme"):
        """A property without meters."""
        event = PropertyChanged(
            property_id=uuid4(), name="Home", zone=zone, connected_kw=kw, parent_id=parent_id,
            version=1,
        )  # fmt: skip
        await self.deliver(message(event, tenant), kind="properties")
        return event.property_id

    async def read(self, meter_id, month, **kwh_by_hour):
        """A month of hourly readings: `import_={20: "142"}` are 142 kWh in the 21st hour."""
        for flow in ("import", "export"):
            values = [0] * month.slots(ZONE, 60)
            for hour, kwh in kwh_by_hour.get(f"{flow}_", {}).items():
                values[hour] = round(float(kwh) * 1000)
            start_at = midnight_utc(ZONE, month.start_on)
            await self.ingest.deliver(
                self.ingest.block(meter_id, start_at, values, flow=flow, minutes=60)
            )

    async def requested(self):
        """The chunks in the outbox, as the consumer gets them; taken off it."""
        rows = await self.rows(
            "SELECT * FROM outbox WHERE topic = :topic ORDER BY seq",
            topic=SimulationChunkRequested.TOPIC,
        )
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await tx.execute(
                sa.text("DELETE FROM outbox WHERE topic = :topic"),
                {"topic": SimulationChunkRequested.TOPIC},
            )
        return [
            message(SimulationChunkRequested.model_validate_json(row["value"]), row["tenant_id"])
            for row in rows
        ]

    async def work(self):
        """Rate all chunks that are requested, and end the runs that are due."""
        for chunk in await self.requested():
            await self.deliver(chunk, kind="chunks")
        await self.end_due()

    async def end_due(self):
        while await self.poll():
            pass

    async def poll(self):
        """One poll of the loop that ends runs; how many it ended."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            return await end_due_runs(
                tx, self.now, timedelta(seconds=self.settings.stalled_after_s)
            )

    async def rows(self, sql, **parameters):
        async with snapshot(self.database, tenant=ALL_TENANTS) as read:
            return await read.all(sa.text(sql), parameters)


def message(event, tenant="acme"):
    """An event as the consumer decodes it."""
    envelope = Envelope(
        uuid4(), event.TOPIC, "test", datetime(2025, 6, 1, tzinfo=UTC), tenant, "c-1"
    )
    value = event.model_dump_json().encode()
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, f"{tenant}:{event.key()}", value)


@pytest.fixture
async def simulation(service_url, tmp_path):
    ingest_url, url = await service_url("ingest"), await service_url("simulation")
    async with (
        await Database.connect(ingest_url, application="test") as of_ingest,
        await Database.connect(url, application="test") as database,
    ):
        ingest = Ingest(of_ingest, ingest_url, tmp_path)
        ingest.settings = IngestSettings(
            database_url=ingest_url,
            kafka_bootstrap_servers="unused:1",
            service_token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        )
        simulation = Simulation(database, url, ingest)
        transport = httpx.ASGITransport(app=ingest_app(ingest))
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
            simulation.services._clients["ingest"] = client
            yield simulation


@pytest.fixture
async def tariff_client(simulation, service_url, clients_of):
    """The API of a real tariff service, which the simulation reads too, as somebody who writes."""
    url = await service_url("tariff")
    settings = TariffSettings(
        database_url=url,
        kafka_bootstrap_servers="unused:1",
        service_token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
    )
    async with await Database.connect(url, application="test") as database:
        process = Process("tariff", settings, database, None, simulation.clock, asyncio.Event())
        app = app_of(
            "tariff",
            build_tariff(process).routers,
            database=database,
            settings=settings,
            clock=simulation.clock,
        )
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tariff") as client:
            simulation.services._clients["tariff"] = client
            yield await clients_of(app, database)("acme")


@pytest.fixture
def clients(simulation, clients_of):
    """Opens clients of the API: `acme = await clients("acme")`."""
    app = app_of(
        "simulation",
        simulation.parts.routers,
        database=simulation.database,
        settings=simulation.settings,
        clock=simulation.clock,
        state=simulation.parts.state,
    )
    return clients_of(app, simulation.database)
