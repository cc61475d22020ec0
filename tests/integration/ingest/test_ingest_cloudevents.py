"""Events that a generic producer makes, with the official SDK of CloudEvents, become readings and
events of devices."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent

from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.contracts.envelope import event_id_of
from gridtally.contracts.metering import Channel, MeterRegistered, ReadingsReceived
from gridtally.database import Database, snapshot
from gridtally.http.context import utc_now
from gridtally.ingest.app import SERVICE
from gridtally.messaging import Consumer, OutgoingMessage, Progress, ensure_topics
from gridtally.service.service import Process

WAIT_S = 120
CONSUMED = (ReadingsReceived, MeterRegistered, DeviceEventReceived)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
GATEWAY, OTHER_GATEWAY = "https://meters.example/gateway/7", "urn:example:gateway:8"
METERS = "SELECT FROM meter WHERE tenant_id = $1"
BLOCKS = (
    "SELECT event_id, source, correlation_id, start_at, values FROM reading_block "
    "WHERE tenant_id = $1 ORDER BY start_at"
)
DEAD = (
    'SELECT "offset" FROM dead_letter '
    "WHERE headers::text LIKE '%' || $1 || '%' OR encode(value, 'escape') LIKE '%' || $1 || '%'"
)


@asynccontextmanager
async def consuming(ingest_url, bootstrap, publisher):
    """Ingest's consumers of these, on a database of their own."""
    stop = asyncio.Event()
    settings = SERVICE.settings_class(database_url=ingest_url, kafka_bootstrap_servers=bootstrap)
    async with await Database.connect(ingest_url, application="test") as database:
        process = Process("ingest", settings, database, publisher, utc_now, stop)
        async with asyncio.TaskGroup() as group:
            for subscription in SERVICE.build(process).subscriptions:
                if subscription.event in CONSUMED:
                    progress = Progress(subscription.event.TOPIC)
                    consumer = Consumer(
                        database, bootstrap, "ingest", subscription, progress=progress, stop=stop
                    )
                    group.create_task(consumer.run())
            try:
                yield database
            finally:
                stop.set()


async def eventually(database, tenant, sql, count):
    """The rows of a query, once there are so many."""
    async with asyncio.timeout(WAIT_S):
        while True:
            async with snapshot(database, tenant=tenant) as read:
                rows = await read.raw.fetch(sql, tenant)
            if len(rows) == count:
                return rows
            await asyncio.sleep(0.05)


@pytest.fixture
def tenant():
    return f"t-{uuid4().hex[:8]}"


@pytest.fixture
def meter_id():
    return uuid4()


def registration(tenant, meter_id):
    event = MeterRegistered(
        meter_id=meter_id, property_id=uuid4(), meter_type="main", name="m", zone="UTC", version=1,
        channels=[Channel(flow="import", minutes=15, interval_wh_max=1_000)],
    )  # fmt: skip
    return OutgoingMessage.of(
        event, tenant_id=tenant, correlation_id="c", source="test", event_id=uuid4(),
        occurred_at=NOON,
    )  # fmt: skip


def made_by_sdk(tenant, meter_id, id_, hour, *, source=GATEWAY, as_bytes=False):
    """An event with one value, which is its hour."""
    data = {
        "meter_id": str(meter_id), "flow": "import", "minutes": 15, "values": [hour],
        "start_at": (NOON.replace(hour=0) + timedelta(hours=hour)).isoformat(),
    }  # fmt: skip
    attributes = {
        "id": id_, "source": source, "type": ReadingsReceived.TOPIC, "tenantid": tenant,
        "time": NOON, "datacontenttype": "application/json", "partitionkey": f"{tenant}:{meter_id}",
    }  # fmt: skip
    return CloudEvent(attributes, json.dumps(data).encode() if as_bytes else data)


async def send(bootstrap, messages, topic=ReadingsReceived.TOPIC):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for message in messages:
            await producer.send_and_wait(
                topic,
                message.value,
                key=message.key.encode(),
                headers=list(message.headers.items()),
            )


async def test_both_modes_are_stored_once_by_source_and_id(
    ingest_url, kafka_bootstrap, publishing, tenant, meter_id
):
    uuid = str(uuid4())
    first = made_by_sdk(tenant, meter_id, "day/1", 1)
    second = made_by_sdk(tenant, meter_id, "day/2", 2)
    same_id = made_by_sdk(tenant, meter_id, "day/1", 3, source=OTHER_GATEWAY)
    as_bytes = made_by_sdk(tenant, meter_id, uuid, 4, as_bytes=True)
    await ensure_topics(kafka_bootstrap)
    async with (
        publishing() as publisher,
        consuming(ingest_url, kafka_bootstrap, publisher) as database,
    ):
        await publisher.publish([registration(tenant, meter_id)])
        await eventually(database, tenant, METERS, 1)
        await send(
            kafka_bootstrap,
            [
                kafka.to_binary_event(first),
                kafka.to_structured_event(second),
                kafka.to_structured_event(first),  # the same event, in the other mode
                kafka.to_structured_event(same_id),
                kafka.to_structured_event(as_bytes),
            ],
        )
        rows = await eventually(database, tenant, BLOCKS, 4)
        assert await eventually(database, tenant, DEAD, 0) == []
    assert [(row["source"], row["correlation_id"], row["values"]) for row in rows] == [
        (GATEWAY, "day/1", [1]),
        (GATEWAY, "day/2", [2]),
        (OTHER_GATEWAY, "day/1", [3]),
        (GATEWAY, uuid, [4]),
    ]
    assert [row["event_id"] for row in rows] == [
        event_id_of(row["source"], row["correlation_id"]) for row in rows
    ]
    assert str(rows[3]["event_id"]) == uuid


NOTED = (
    "SELECT id, source, kind, severity, detail FROM device_event WHERE tenant_id = $1 "
    "ORDER BY happened_at"
)
REASONS = "SELECT reason FROM dead_letter WHERE encode(value, 'escape') LIKE '%' || $1 || '%'"


def noted_by_sdk(tenant, meter_id, id_, kind, hour, source=GATEWAY, **more):
    data = {
        "meter_id": str(meter_id), "kind": kind, "detail": tenant,
        "happened_at": NOON.replace(hour=hour).isoformat(),
    } | more  # fmt: skip
    attributes = {
        "id": id_, "source": source, "type": DeviceEventReceived.TOPIC, "tenantid": tenant,
        "time": NOON, "datacontenttype": "application/json", "partitionkey": f"{tenant}:{meter_id}",
    }  # fmt: skip
    return kafka.to_structured_event(CloudEvent(attributes, data))


async def test_events_of_devices_are_stored_once_and_wrong_ones_are_dead_letters(
    ingest_url, kafka_bootstrap, publishing, tenant, meter_id
):
    await ensure_topics(kafka_bootstrap)
    first = noted_by_sdk(tenant, meter_id, "40", "terminal_cover_opened", 1)
    messages = [
        first,
        first,
        noted_by_sdk(tenant, meter_id, "41", "terminal_cover_opened", 1),  # the same, renamed
        noted_by_sdk(tenant, meter_id, "40", "clock_set", 2),  # another one under its id
        noted_by_sdk(tenant, meter_id, "40", "power_outage", 3, OTHER_GATEWAY),
        noted_by_sdk(tenant, meter_id, "42", "coffee_spilled", 4),
        noted_by_sdk(tenant, meter_id, "43", "clock_set", 5, happened_at="1999-01-01T00:00:00Z"),
    ]
    async with (
        publishing() as publisher,
        consuming(ingest_url, kafka_bootstrap, publisher) as database,
    ):
        await send(kafka_bootstrap, messages, DeviceEventReceived.TOPIC)
        letters = await eventually(database, tenant, REASONS, 3)
        rows = await eventually(database, tenant, NOTED, 2)
    assert [tuple(row) for row in rows] == [
        (event_id_of(GATEWAY, "40"), GATEWAY, "terminal_cover_opened", "tamper", tenant),
        (event_id_of(OTHER_GATEWAY, "40"), OTHER_GATEWAY, "power_outage", "warning", tenant),
    ]
    for said in ("event_id_reused", "kind", "too_old"):
        assert [said in letter["reason"] for letter in letters].count(True) == 1, said
