"""Ingest's handlers of meters, agreements and periods, over the store or over its double."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import numpy as np

from doubles.ingest.store import DayRow, Tables, mark_ended_months
from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import Channel, MeterRegistered, ReadingsReceived
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.domain.merge import MISSING, NO_QUALITY, QUALITY_CODES
from gridtally.ingest.domain.readings import OWN_STORE, DayKey
from gridtally.ingest.events import SOURCE_REGISTERS
from gridtally.ingest.events.blocks import block_of, in_columns
from gridtally.ingest.handlers.agreements import apply_agreements
from gridtally.ingest.handlers.meters import apply_meters
from gridtally.ingest.handlers.periods import close_due_periods, force_close, plan_periods
from gridtally.ingest.handlers.usage import publish_usage
from gridtally.kernel.periods import midnight_utc, slots_in_day
from gridtally.messaging import ReceivedMessage

TENANT = "acme"
ZONE = "Europe/Berlin"
REVISION_DELAY = timedelta(seconds=2)
HOURLY = (("import", 60),)
POLLS_MAX = 20


class World:
    """What happens to meters, agreements and periods; the store is a subclass's."""

    def __init__(self, now):
        self.now = now

    def later(self, **span):
        self.now += timedelta(**span)

    async def register(self, meter_id, *, channels=HOURLY, version=1):
        event = MeterRegistered(
            meter_id=meter_id, property_id=uuid4(), meter_type="main", name="a meter", zone=ZONE,
            channels=[Channel(flow=flow, minutes=minutes, interval_wh_max=1_000,
                              **(times[0] if times else {}))
                      for flow, minutes, *times in channels],
            version=version,
        )  # fmt: skip
        async with self.transaction() as tx:
            await apply_meters(tx, [message(event)], self.now)

    async def end_meter(self, meter_id):
        """A tombstone."""
        event = MeterRegistered.model_construct(meter_id=meter_id)
        async with self.transaction() as tx:
            await apply_meters(tx, [message(event, tombstone=True)], self.now)

    async def agree(self, meter_id, start_on, end_on=None, *, agreement_id=None, closing="wait",
                    grace_hours=72, version=1, **calendars):  # fmt: skip
        event = AgreementChanged(
            agreement_id=agreement_id or uuid4(), customer_id=uuid4(), meter_id=meter_id,
            tariff_id=uuid4(), start_on=start_on, end_on=end_on, closing=closing,
            grace_hours=grace_hours, version=version, **calendars,
        )  # fmt: skip
        async with self.transaction() as tx:
            await apply_agreements(tx, [message(event)])
        return event.agreement_id

    async def close(self):
        """Plan and close all that is due; the events so far, oldest first."""
        await self.publish_usage()
        for poll in (self.plan, self.close_due):
            await until_idle(poll)
        return await self.events()

    async def plan(self):
        async with self.transaction() as tx:
            return await plan_periods(tx, self.archive, self.now)

    async def close_due(self):
        async with self.transaction() as tx:
            return await close_due_periods(tx, self.archive, self.now, REVISION_DELAY)

    async def force(self, agreement_id, start_on):
        async with self.transaction() as tx:
            await force_close(tx, self.archive, TENANT, agreement_id, start_on, self.now)


async def until_idle(poll):
    """Poll until nothing is due; what is due for ever is a defect."""
    for _ in range(POLLS_MAX):
        if not await poll():
            return
    raise AssertionError(f"something is still due after {POLLS_MAX} polls")


def message(event, *, tombstone=False):
    envelope = Envelope(uuid4(), event.TOPIC, "test", datetime(2025, 1, 1, tzinfo=UTC), TENANT, "c")
    key = f"{TENANT}:{event.key()}"
    return ReceivedMessage(
        None if tombstone else event, envelope, event.TOPIC, 0, 0, key, None if tombstone else b""
    )


class NothingArchived:
    """Of a world in memory, in which nothing leaves."""

    async def recall(self, tx, wanted, now):
        pass

    async def recall_each(self, tx, wanted, now):
        return set(wanted)


class MemoryWorld(World):
    """Over the double."""

    archive = NothingArchived()

    def __init__(self, now, monkeypatch):
        super().__init__(now)
        self.tables = Tables()
        self.tables.stand_in(monkeypatch)

    @asynccontextmanager
    async def transaction(self):
        yield None

    async def store(self, meter_id, days, *, flow="import", minutes=60, cause="c"):
        """A value for all intervals of each day; None voids what was there."""
        self.later(milliseconds=1)
        for number, (day, value) in enumerate(days.items()):
            slots = slots_in_day(ZONE, day, minutes)
            code = NO_QUALITY if value is None else QUALITY_CODES["estimated"]
            key = DayKey(TENANT, meter_id, flow, minutes, day)
            self.tables.days[key] = DayRow(
                np.full(slots, MISSING if value is None else value, np.int32),
                np.full(slots, code, np.uint8),
                self.now - timedelta(microseconds=len(days) - 1 - number),
                cause,
            )
            mark_ended_months(self.tables, key, self.now)

    async def publish_usage(self):
        """Marks are set where days are stored."""

    async def events(self):
        return [
            json.loads(sent.value) | {"cause": sent.envelope.correlation_id}
            for sent in self.tables.outbox
        ]

    async def periods(self):
        return sorted(
            (key[2], row.planned.end_on, row.revision)
            for key, row in self.tables.periods.items()
            if not row.is_cancelled
        )


class StoreWorld(World):
    """Over PostgreSQL; `ingest` is the fixture of the integration tests."""

    def __init__(self, now, ingest):
        super().__init__(now)
        self.ingest = ingest
        self.recorder = replace(ingest.recorder, announce_delay=timedelta())
        self.archive = ingest.recorder.archive

    def transaction(self):
        return transaction(self.ingest.database, tenant=ALL_TENANTS)

    async def store(self, meter_id, days, *, flow="import", minutes=60, cause="c"):
        """Blocks as of a register, which can void values, too; each is read later than the last."""
        self.later(milliseconds=1)
        events = [
            ReadingsReceived(
                meter_id=meter_id, flow=flow, start_at=midnight_utc(ZONE, day), minutes=minutes,
                values=[value] * slots_in_day(ZONE, day, minutes), quality="estimated",
                read_at=self.now,
            )
            for day, value in days.items()
        ]  # fmt: skip
        envelopes = [
            Envelope(uuid4(), event.TOPIC, SOURCE_REGISTERS, self.now, TENANT, cause)
            for event in events
        ]
        values = [event.model_dump_json().encode() for event in events]
        blocks = [block_of(event) for event in events]
        received = in_columns(envelopes, blocks, values, [OWN_STORE] * len(blocks))
        async with self.transaction() as tx:
            outcomes = await self.recorder.record(tx, received, self.now)
        assert set(outcomes) <= {"stored"}

    async def publish_usage(self):
        while await self.ingest.poll(publish_usage, self.ingest.sent, self.now):
            pass

    async def events(self):
        return await self.ingest.outbox("period.closed.v1")

    async def periods(self):
        rows = await self.ingest.rows(
            "SELECT start_on, end_on, revision FROM period WHERE state <> 'cancelled' ORDER BY 1"
        )
        return [tuple(row.values()) for row in rows]


def days_of(start_on: date, end_on: date, value=5, *, leave_out=()):
    """A value for each day but those left out, by their number from 0."""
    count = (end_on - start_on).days
    return {start_on + timedelta(days=n): value for n in range(count) if n not in leave_out}
