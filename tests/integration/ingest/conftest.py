"""A migrated ingest on the real database, with a clock that a test sets, and its API."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    ReadingRecorded,
    ReadingsReceived,
)
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.ingest.app import build
from gridtally.ingest.domain.archive import ArchiveSettings
from gridtally.ingest.events.blocks import read_block
from gridtally.ingest.handlers.alerts import check_due_meters
from gridtally.ingest.handlers.archive import archive_oldest
from gridtally.ingest.handlers.derived_meters import add_up_due_days
from gridtally.ingest.handlers.pending_blocks import record_pending
from gridtally.ingest.handlers.periods import close_due_periods, plan_periods
from gridtally.ingest.handlers.registers import convert_due_registers
from gridtally.ingest.handlers.usage import publish_usage
from gridtally.ingest.settings import Settings
from gridtally.ingest.store.archive.shards import lock_settings, upsert_settings
from gridtally.messaging import ReceivedMessage
from gridtally.service.service import Process
from integration.apps import app_of
from integration.ingest.archive_readings import spring
from live_streams import (
    database,
    key_of,
    listen,
    listen_socket,
    listen_sse,
    open_socket,
    sent,
    tenant,
)

__all__ = [
    "database",
    "key_of",
    "listen",
    "listen_socket",
    "listen_sse",
    "open_socket",
    "sent",
    "spring",
    "tenant",
]

SECRET = "s" * 43
ZONE = "Europe/Berlin"
FIFTEEN = ({"flow": "import", "minutes": 15, "interval_wh_max": 10_000},)


class Sent(list):
    """A publisher that remembers what it is given."""

    async def publish(self, messages):
        self.extend(messages)
        return {}


class Ingest:
    """The service's handlers over a real database, without a broker."""

    def __init__(self, database, url, directory):
        self.database = database
        self.now = datetime(2025, 6, 1, 12, tzinfo=UTC)
        self.sent = Sent()
        self.settings = Settings(
            database_url=url, kafka_bootstrap_servers="unused:1", archive_directory=directory
        )
        stop = asyncio.Event()
        self.parts = build(Process("ingest", self.settings, database, self.sent, self.clock, stop))
        self.recorder = self.parts.state["recorder"]
        names = ("readings", "meters", "agreements", "registers", "definitions", "device_events")
        handlers = [subscription.handle for subscription in self.parts.subscriptions]
        self.handle = dict(zip(names, handlers, strict=True))

    def block(self, meter_id, start_at, values, **more):
        """A message with a block of readings, sent now."""
        return block(meter_id, start_at, values, **({"at": self.now} | more))

    def message(self, event, **more):
        """An event, sent now."""
        return message(event, **({"at": self.now} | more))

    def clock(self):
        return self.now

    def later(self, **span):
        self.now += timedelta(**span)

    async def deliver(self, *messages, kind="readings"):
        """What the consumer does with one batch."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            await self.handle[kind](tx, list(messages))

    async def register(self, meter_id, *, tenant="acme", zone=ZONE, channels=FIFTEEN, version=1,
                       kind="main", property_id=None):  # fmt: skip
        event = MeterRegistered(
            meter_id=meter_id, property_id=property_id or uuid4(), meter_type=kind, name="a meter",
            zone=zone, channels=list(channels), version=version,
        )  # fmt: skip
        await self.deliver(message(event, tenant), kind="meters")

    async def define(self, meter_id, *terms, from_on=None, version=1, tenant="acme"):
        """Define a derived meter, by terms of meter, sign and flow."""
        definition = {
            "from_on": from_on,
            "terms": [
                {"meter_id": input_id, "sign": sign, "flow": flow} for input_id, sign, flow in terms
            ],
        }
        event = MeterDefined(meter_id=meter_id, definitions=[definition], version=version)
        await self.deliver(message(event, tenant), kind="definitions")

    async def add_up(self):
        """Publish usage and add up the sums of what has changed, until nothing has."""
        await self.publish_usage()
        while await self.poll(add_up_due_days, self.recorder, self.now):
            pass
        return await self.publish_usage()

    async def end_meter(self, meter_id, *, tenant="acme"):
        """A tombstone."""
        last = message(MeterRegistered.model_construct(meter_id=meter_id), tenant)
        tombstone = ReceivedMessage(None, last.envelope, last.topic, 0, 0, last.key, None)
        await self.deliver(tombstone, kind="meters")

    async def agree(self, meter_id, start_on, end_on=None, *, tenant="acme", agreement_id=None,
                    closing="wait", grace_hours=72, version=1):  # fmt: skip
        event = AgreementChanged(
            agreement_id=agreement_id or uuid4(), customer_id=uuid4(), meter_id=meter_id,
            tariff_id=uuid4(), start_on=start_on, end_on=end_on, closing=closing,
            grace_hours=grace_hours, version=version,
        )  # fmt: skip
        await self.deliver(message(event, tenant), kind="agreements")
        return event.agreement_id

    async def poll(self, work, *parts):
        """One poll of a loop, in a transaction of its own; how much it did."""
        async with transaction(self.database, tenant=ALL_TENANTS) as tx:
            return await work(tx, *parts)

    async def record_pending(self):
        """Record pending blocks whose meter is known by now; how many."""
        return await self.poll(record_pending, self.recorder, self.now)

    async def convert(self):
        """Turn all registers that are due into intervals."""
        while await self.poll(convert_due_registers, self.recorder, self.now):
            pass

    async def publish_usage(self):
        """Publish all usage that is due; the events."""
        self.sent.clear()
        while await self.poll(publish_usage, self.sent, self.now):
            pass
        return [orjson.loads(message.value) for message in self.sent]

    async def check_alerts(self):
        """Publish usage and look at all meters that are due; how many alerts were raised and
        cleared so far."""
        await self.publish_usage()
        while await self.poll(check_due_meters, self.now):
            pass
        topics = ("alert.raised.v1", "alert.cleared.v1")
        return tuple([len(await self.outbox(topic)) for topic in topics])

    async def close(self):
        """Publish usage, plan and close all that is due; the period.closed events, oldest first."""
        await self.publish_usage()
        while await self.poll(plan_periods, self.recorder.archive, self.now):
            pass
        while await self.poll(
            close_due_periods, self.recorder.archive, self.now, self.settings.revision_delay
        ):
            pass
        return await self.outbox("period.closed.v1")

    async def archive(self, months=3, tenant="acme"):
        """Publish and close what is due, and have a tenant's old months archived, all that may
        leave; how many rows that were."""
        self.later(minutes=1)
        await self.close()
        async with transaction(self.database, tenant=tenant) as tx:
            before = await lock_settings(tx, tenant)
            settings = ArchiveSettings(months, before.version + 1)
            await upsert_settings(tx, tenant, settings)
        rows = 0
        while archived := await self.poll(archive_oldest, self.recorder.archive, self.now):
            rows += archived
        return rows

    async def outbox(self, topic):
        rows = await self.rows(
            "SELECT value, correlation_id FROM outbox WHERE topic = :topic ORDER BY seq",
            topic=topic,
        )
        return [orjson.loads(row["value"]) | {"cause": row["correlation_id"]} for row in rows]

    async def rows(self, sql, **parameters):
        async with snapshot(self.database, tenant=ALL_TENANTS) as read:
            return await read.all(sa.text(sql), parameters)

    async def days(self, tenant="acme"):
        """{(meter, flow, day): (values, quality)} of a tenant."""
        rows = await self.rows("SELECT * FROM channel_day WHERE tenant_id = :tenant", tenant=tenant)
        return {
            (row["meter_id"], row["flow"], row["day"]): (row["values"], row["quality"])
            for row in rows
        }

    async def counts(self, tenant="acme"):
        """The intake counts of a tenant, over all partitions."""
        [row] = await self.rows(
            "SELECT sum(received)::int AS received, sum(stored)::int AS stored, "
            "sum(duplicates)::int AS duplicates, sum(quarantined)::int AS quarantined, "
            "sum(pending)::int AS pending, sum(dropped)::int AS dropped, "
            "sum(readings_new)::int AS new, "
            "sum(readings_corrected)::int AS corrected, "
            "sum(readings_unchanged)::int AS unchanged FROM intake_count "
            "WHERE tenant_id = :tenant",
            tenant=tenant,
        )
        return dict(row)


def message(event, tenant="acme", *, event_id=None, at=None, correlation_id=None, partition=0):
    """An event as the consumer decodes it."""
    event_id = event_id or uuid4()
    envelope = Envelope(
        event_id, event.TOPIC, "test", at or datetime(2025, 6, 1, tzinfo=UTC), tenant,
        correlation_id or f"c-{event_id}",
    )  # fmt: skip
    value = event.model_dump_json().encode()
    decoded = read_block(value) if isinstance(event, ReadingsReceived) else event
    return ReceivedMessage(
        decoded, envelope, event.TOPIC, partition, 0, f"{tenant}:{event.key()}", value
    )


def block(meter_id, start_at, values, *, tenant="acme", flow="import", minutes=15, unit="Wh",
          quality="actual", read_at=None, **envelope):  # fmt: skip
    """A message with a block of readings; `start_at` may be text."""
    event = ReadingsReceived(
        meter_id=meter_id, flow=flow, start_at=start_at, minutes=minutes, unit=unit,
        values=values, quality=quality, read_at=read_at,
    )  # fmt: skip
    return message(event, tenant, **envelope)


@pytest.fixture
async def ingest_url(service_url):
    return await service_url("ingest")


@pytest.fixture
async def ingest(ingest_url, tmp_path):
    async with await Database.connect(ingest_url, application="test") as database:
        yield Ingest(database, ingest_url, tmp_path / "archive")


@pytest.fixture
def reader(ingest):
    """Delivers register readings of one meter; the same id again is the next version."""
    meter_id, versions = uuid4(), {}

    def entry(read_at, value, *, reading_id=None, kind="reading", digits=6, multiplier=1,
              quality="actual"):  # fmt: skip
        reading_id = reading_id or uuid4()
        versions[reading_id] = versions.get(reading_id, 0) + 1
        ingest.later(seconds=1)
        return ReadingRecorded(
            entry_id=uuid4(), reading_id=reading_id, version=versions[reading_id],
            meter_id=meter_id, property_id=uuid4(), flow="import", kind=kind,
            value=Decimal(value), digits=digits, decimals=3, multiplier=Decimal(multiplier),
            quality=quality, read_at=read_at, recorded_at=ingest.now,
        )  # fmt: skip

    async def deliver(*events):
        await ingest.deliver(*map(ingest.message, events), kind="registers")

    async def read(read_at, value, **more):
        event = entry(read_at, value, **more)
        await deliver(event)
        return event.reading_id

    read.meter_id, read.entry, read.deliver = meter_id, entry, deliver
    return read


def ingest_app(ingest):
    """The API over the database that `ingest` works on."""
    return app_of(
        "ingest",
        ingest.parts.routers,
        database=ingest.database,
        settings=ingest.settings,
        clock=ingest.clock,
        state=ingest.parts.state,
    )


@pytest.fixture
def clients(ingest, clients_of):
    """Opens a client of the API: `acme = await clients("acme", "ingest:read")`."""
    return clients_of(ingest_app(ingest), ingest.database)
