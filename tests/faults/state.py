"""What every store and topic holds now, seen with connections of our own.

A superuser's, so that no row hides. Shares no code with the services; owns the list of what must
be empty and caught up once everything has been carried through.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

CONSUMES = {
    "ingest": (
        "readings.received.v1",
        "reading.recorded.v1",
        "meter.defined.v1",
        "meter.registered.v1",
        "agreement.changed.v1",
        "device_events.received.v1",
    ),
    "billing": (
        "period.closed.v1",
        "usage.recorded.v1",
        "tariff.published.v1",
        "prices.published.v1",
        "meter.registered.v1",
        "property.changed.v1",
        "region.changed.v1",
        "meter.defined.v1",
        "account.changed.v1",
        "budget_plan.changed.v1",
        "tenant_defaults.changed.v1",
        "invoice.issued.v1",
        "invoice.voided.v1",
        "credit_note.issued.v1",
        "payment.recorded.v1",
        "readings.rejected.v1",
        "alert.raised.v1",
        "alert.cleared.v1",
        "prepayment.changed.v1",
        "agreement.changed.v1",
    ),
    "ledger": (
        "seller.changed.v1",
        "customer.changed.v1",
        "prepayment.changed.v1",
        "agreement.changed.v1",
        "invoice.issued.v1",
        "credit_note.issued.v1",
        "invoice.voided.v1",
        "payment.received.v1",
    ),
    "simulation": (
        "property.changed.v1",
        "meter.registered.v1",
        "simulation.chunk_requested.v1",
    ),
    "tariff": (),
}
QUEUES = {
    "ingest": ("outbox", "changed_day", "period_check", "pending_block"),
    "billing": ("outbox", "due_agreement", "due_day", "held_period"),
    "ledger": ("outbox", "entry_queue"),
    "simulation": ("outbox", "staged_house_bill"),
    "tariff": ("outbox",),
}
FOLLOWED = (
    "readings.received.v1",
    "agreement.changed.v1",
    "usage.recorded.v1",
    "period.closed.v1",
    "invoice.issued.v1",
    "credit_note.issued.v1",
)
_CONSUMED = "SELECT topic, partition, next FROM consumed WHERE consumer <> 'own'"
_COUNT = "SELECT count(*) FROM {table} WHERE $1::text IS NULL OR tenant_id = $1"
CONNECT_LIMIT_S = 60
POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Locations:
    """Where to look: a superuser's URL of each service's database, and the broker."""

    databases: Mapping[str, str] = field(repr=False)
    bootstrap: str


Rows = dict[str, list[asyncpg.Record]]
"""By table."""
Log = dict[str, list[dict]]
"""Values by topic."""

TABLES = {
    "ingest": ("reading_block", "channel_day", "period", "intake_count"),
    "billing": (
        "agreement",
        "invoice",
        "invoice_line",
        "invoice_evidence",
        "credit_note",
        "daily_usage",
    ),
    "ledger": ("transaction", "posting", "account", "account_part"),
}


async def unfinished(locations: Locations, tenant_id: str | None = None) -> list[str]:
    """What still waits of a tenant (None: of all); empty when everything is carried through."""
    found: list[str] = []
    ends = await _end_offsets(locations.bootstrap)
    for service, url in locations.databases.items():
        async with _connected(url) as database:
            waiting = {
                queue: await database.fetchval(_COUNT.format(table=queue), tenant_id)
                for queue in QUEUES[service]
            }
            found += [f"unfinished: {n} rows in {service}.{q}" for q, n in waiting.items() if n]
            stored = {
                (row["topic"], row["partition"]): row["next"]
                for row in await database.fetch(_CONSUMED)
            }
            dead = await database.fetch("SELECT consumer, reason FROM dead_letter LIMIT 5")
            found += [f"unfinished: dead letter of {row[0]}: {row[1]}" for row in dead]
        for partition, end in ends.items():
            topic, number = partition
            if topic in CONSUMES[service] and stored.get(partition, 0) < end:
                lag = f"{topic}/{number} ends at {end}, consumed to {stored.get(partition, 0)}"
                found.append(f"unfinished: {service}: {lag}")
    return found


async def load_rows(locations: Locations, tenant_id: str) -> Rows:
    """The tenant's rows of every table that is compared."""
    rows: Rows = {}
    for service, tables in TABLES.items():
        async with _connected(locations.databases[service]) as database:
            for table in tables:
                rows[table] = await database.fetch(
                    f"SELECT * FROM {table} WHERE tenant_id = $1",  # noqa: S608 - of TABLES
                    tenant_id,
                )
    return rows


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    database = await asyncpg.connect(url, timeout=CONNECT_LIMIT_S)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """A consumer on every partition of every topic of ours."""
    topics = {topic for topics in CONSUMES.values() for topic in topics} | set(FOLLOWED)
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        await reader._client.force_metadata_update()  # partitions_for_topic looks only there
        yield (
            reader,
            [
                TopicPartition(topic, number)
                for topic in sorted(topics)
                for number in sorted(reader.partitions_for_topic(topic) or ())
            ],
        )
    finally:
        await reader.stop()


async def _end_offsets(bootstrap: str) -> dict[tuple[str, int], int]:
    async with _reader(bootstrap) as (reader, partitions):
        ends = await reader.end_offsets(partitions)
    return {(partition.topic, partition.partition): end for partition, end in ends.items()}


async def load_log(bootstrap: str, tenant_id: str) -> Log:
    """The tenant's values on each followed topic, in order within a partition."""
    log: Log = {topic: [] for topic in FOLLOWED}
    for record in await load_records(bootstrap, tenant_id, *FOLLOWED):
        if record.value is not None:
            log[record.topic].append(json.loads(record.value))
    return log


async def load_records(bootstrap: str, tenant_id: str, *topics: str) -> list[ConsumerRecord]:
    """All that these topics hold of the tenant now."""
    records: list[ConsumerRecord] = []
    async with _reader(bootstrap) as (reader, partitions):
        requested = [partition for partition in partitions if partition.topic in topics]
        ends = await reader.end_offsets(requested)
        waiting = {partition for partition in requested if ends[partition]}
        reader.assign(sorted(waiting))
        await reader.seek_to_beginning()
        while waiting:
            for batch in (await reader.getmany(timeout_ms=POLL_MS)).values():
                records += [record for record in batch if _tenant_of(record) == tenant_id]
            waiting = {
                partition
                for partition in waiting
                if await reader.position(partition) < ends[partition]
            }
    return records


def _tenant_of(record: ConsumerRecord) -> str:
    return dict(record.headers)["ce_tenantid"].decode()
