"""Register readings become blocks of interval energy, which are recorded like any other.

A reading is only kept when it comes; the loop turns what has changed into intervals, once the meter
is known. Blocks made of registers are estimated, so that what a meter measured by interval counts
before them, and are ranked by when they were made, so that a later reading or correction replaces
them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.metering import ReadingRecorded, ReadingsReceived
from database import ALL_TENANTS, Database, WriteConnection, transaction
from ingest.domain.meters import Channel, Meter
from ingest.domain.registers import Run, edges_around, runs, spread, stretches
from ingest.handlers.recording import Recorder
from ingest.store import registers
from ingest.store.meters import fetch_meters
from ingest.wire import OWN_STORE, SOURCE, Arrivals
from kernel.errors import Poison
from kernel.ids import derive_id
from messaging import Received

REGISTERS_MAX = 100
"""Registers that are turned into intervals in one transaction."""
VALUES_MAX = 1_000_000
"""Intervals after which a transaction takes no further register."""
_MICROSECOND = timedelta(microseconds=1)


async def keep_entries(tx: WriteConnection, batch: Sequence[Received[ReadingRecorded]]) -> None:
    """Keep the newest entry of each reading; Poison for a tombstone, which readings do not have."""
    newest: dict[tuple[str, UUID], registers.Entry] = {}
    for message in batch:
        event, envelope = message.event, message.envelope
        if event is None:
            raise Poison(f"{ReadingRecorded.TOPIC} has no tombstones")
        key = envelope.tenant_id, event.reading_id
        if key not in newest or newest[key][2].version < event.version:
            newest[key] = (envelope.tenant_id, envelope.correlation_id, event)
    await registers.upsert_entries(tx, list(newest.values()))


async def convert_due(database: Database, recorder: Recorder, now: datetime) -> int:
    """Turn registers whose reads have changed into intervals; how many."""
    done = values = 0
    envelopes: list[Envelope] = []
    blocks: list[ReadingsReceived] = []
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        due = await registers.lock_due(tx, REGISTERS_MAX)
        meters = await fetch_meters(tx, {one.key[:2] for one in due})
        for one in due:
            ranked_at = one.ranked_at + _MICROSECOND
            for block in await _blocks(tx, one, meters[one.key[:2]], ranked_at):
                envelopes.append(_envelope(one, block))
                blocks.append(block)
                values += len(block.values)
            await registers.mark_done(tx, one.key, ranked_at)
            done += 1
            if values >= VALUES_MAX:
                break
        if blocks:
            await recorder.record(tx, _arrivals(envelopes, blocks), now)
    return done


async def _blocks(
    tx: WriteConnection, due: registers.Due, meter: Meter, ranked_at: datetime
) -> list[ReadingsReceived]:
    """The intervals between the reads around the change, from all reads that touch them."""
    channel = meter.channel(due.key[2])
    assert channel is not None  # noqa: S101 - lock_due asked for it
    first_at, last_at = await registers.fetch_neighbours(tx, due.key, due.from_at, due.to_at)
    edges = edges_around(meter.zone, channel.minutes, first_at, last_at)
    around = await registers.fetch_neighbours(tx, due.key, edges[0], edges[-1])
    reads = await registers.fetch_reads(tx, due.key, *around)
    values = spread(stretches(reads), edges)
    return [_block(due.key[1], channel, run, ranked_at) for run in runs(edges, values)]


def _block(meter_id: UUID, channel: Channel, run: Run, ranked_at: datetime) -> ReadingsReceived:
    return ReadingsReceived(
        meter_id=meter_id,
        flow=channel.flow,
        start_at=run.start_at,
        minutes=channel.minutes,
        values=run.values,
        quality="estimated",
        source="registers",
        read_at=ranked_at,
    )


def _envelope(due: registers.Due, block: ReadingsReceived) -> Envelope:
    return Envelope(
        derive_id("register.block", *due.key, block.start_at, block.read_at),
        ReadingsReceived.TOPIC,
        SOURCE,
        due.ranked_at,
        due.key[0],
        due.correlation_id,
    )


def _arrivals(envelopes: list[Envelope], blocks: list[ReadingsReceived]) -> Arrivals:
    values = [block.model_dump_json().encode() for block in blocks]
    return Arrivals.of(envelopes, blocks, values, [OWN_STORE] * len(blocks))
