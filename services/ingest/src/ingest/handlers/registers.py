"""Register readings become blocks of interval energy, which are recorded like any other.

A reading is only kept when it comes; the loop turns what has changed into intervals, once the meter
is known. Blocks made of registers are estimated, so that what a meter measured by interval counts
before them, and are ranked by when they were made, so that a later reading or correction replaces
them. Each says all that the register tells of its intervals: where that is nothing any more, what
older ones told is void (`domain.merge`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.metering import ReadingRecorded, ReadingsReceived
from database import ALL_TENANTS, Database, WriteConnection, transaction
from ingest.domain.meters import Channel, Meter
from ingest.domain.registers import (
    Read,
    Rest,
    Run,
    Span,
    beyond,
    held,
    next_edges,
    said,
    spread,
    stretches,
    whole,
    worth_saying,
)
from ingest.handlers.recording import Recorder
from ingest.store import registers
from ingest.store.meters import fetch_meters
from ingest.wire import OWN_STORE, SOURCE_REGISTERS, Arrivals
from ingest.wire.blocks import block_of
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
        due = await registers.lock_due(tx, now, REGISTERS_MAX)
        meters = await fetch_meters(tx, {one.key[:2] for one in due})
        for one in due:
            task = _task(one, meters[one.key[:2]], now)
            for block in await _convert(tx, task):
                envelopes.append(_envelope(one, block))
                blocks.append(block)
                values += len(block.values)
            done += 1
            if values >= VALUES_MAX:
                break
        if blocks:
            await recorder.record(tx, _arrivals(envelopes, blocks), now)
    return done


@dataclass(frozen=True, slots=True)
class _Task:
    """The intervals between `edges` of a register, to be made anew, and what is left for later."""

    due: registers.Due
    channel: Channel
    edges: Sequence[datetime]
    rest: Rest | None

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The part of the change that is dealt with, half-open."""
        return self.due.from_at, self.rest.from_at if self.rest else self.due.to_at


def _task(due: registers.Due, meter: Meter, now: datetime) -> _Task:
    channel = meter.channel(due.key[2])
    assert channel is not None  # noqa: S101 - lock_due asked for it
    edges, rest = next_edges(meter.zone, channel.minutes, due.from_at, due.to_at, now)
    return _Task(due, channel, edges, rest)


async def _convert(tx: WriteConnection, task: _Task) -> list[ReadingsReceived]:
    """The blocks of a task, of all reads that touch it; what is held is kept beside.

    What is more than the channel carries comes in blocks of its own, which end up in quarantine; so
    the others can be stored. Those count last, for when they are replayed.
    """
    due, channel, edges = task.due, task.channel, task.edges
    reads = await _reads_around(tx, task)
    begin_at, end_at = task.window
    doubtful = [one for one in held(reads) if begin_at <= one.start_at < end_at]
    await registers.replace_held(tx, due.key, task.window, doubtful)
    edges, values = worth_saying(edges, spread(stretches(reads), edges), due.told)
    first_at, last_at = due.ranked_at + _MICROSECOND, due.ranked_at + 2 * _MICROSECOND
    told = _together(due.told, said(edges, values))
    await registers.mark_done(tx, due.key, last_at, task.rest, told)
    most = channel.interval_wh_max
    fitting = [_block(due, channel, run, first_at) for run in whole(edges, values, most)]
    refused = [_block(due, channel, run, last_at) for run in beyond(edges, values, most)]
    return fitting + refused


def _together(before: Span | None, now: Span | None) -> Span | None:
    return before | now if before and now else before or now


async def _reads_around(tx: WriteConnection, task: _Task) -> list[Read]:
    """All reads of the task, and those before and after its first and last edge."""
    first_at, end_at = task.window
    moments = [first_at, end_at, *task.edges]
    around = await registers.fetch_neighbours(tx, task.due.key, min(moments), max(moments))
    return await registers.fetch_reads(tx, task.due.key, *around)


def _block(due: registers.Due, channel: Channel, run: Run, ranked_at: datetime) -> ReadingsReceived:
    return ReadingsReceived(
        meter_id=due.key[1],
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
        SOURCE_REGISTERS,
        due.ranked_at,
        due.key[0],
        due.correlation_id,
    )


def _arrivals(envelopes: list[Envelope], events: list[ReadingsReceived]) -> Arrivals:
    values = [event.model_dump_json().encode() for event in events]
    blocks = [block_of(event) for event in events]
    return Arrivals.of(envelopes, blocks, values, [OWN_STORE] * len(blocks))
