"""Register readings become blocks of interval energy, which are recorded like any other.

A reading is only stored when it comes; a loop turns what has changed into intervals, once the meter
is known. Blocks made of registers are estimated, so that what a meter measured by interval takes
precedence, and are ranked by when they were made, so that a later reading or correction replaces
them. Each has all that the register reports of its intervals: where that is nothing any more, what
older ones reported is void (`domain.merge`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingRecorded, ReadingsReceived
from gridtally.database import WriteConnection
from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import OWN_STORE, ReceivedBlocks
from gridtally.ingest.domain.registers import (
    DoneRegister,
    DueRegister,
    IntervalRun,
    RegisterEntry,
    Remainder,
    TimeRange,
    known_run,
    newer_entries,
    next_edges,
    reportable_run,
    runs_above,
    runs_within,
)
from gridtally.ingest.events import SOURCE_REGISTERS
from gridtally.ingest.events.blocks import block_of, in_columns
from gridtally.ingest.events.messages import register_entry
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import register_exceptions, register_sums, registers
from gridtally.ingest.store.meters import fetch_meters
from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import derive_id
from gridtally.messaging import ReceivedMessage
from gridtally.metering.intervals import Edges, spread_evenly
from gridtally.metering.readings import (
    RegisterException,
    RegisterReading,
    counted_energy,
    exceptions,
    instant,
)

REGISTERS_MAX = 200
"""Registers that are turned into intervals in one transaction."""
SLOTS_MAX = 1_000_000
"""Intervals after which a transaction takes no further register."""
PART_MAX = timedelta(days=100)
"""Time of registers together after which the readings of further ones are fetched later: whoever
reads each minute has 144 000 of them."""
_MICROSECOND = timedelta(microseconds=1)


async def apply_register_readings(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[ReadingRecorded]]
) -> None:
    """Store the newest entry of each reading; registers that it changes become due.

    Poison for a tombstone, which readings do not have.
    """
    newest: dict[tuple[str, UUID], RegisterEntry] = {}
    for message in batch:
        if message.event is None:
            raise Poison(f"{ReadingRecorded.TOPIC} has no tombstones")
        envelope = message.envelope
        entry = register_entry(envelope.tenant_id, envelope.correlation_id, message.event)
        key = entry.tenant_id, entry.reading_id
        if key not in newest or newest[key].version < entry.version:
            newest[key] = entry
    newer, due = newer_entries(list(newest.values()), await registers.lock_entries(tx, newest))
    await registers.upsert_entries(tx, newer)
    await registers.mark_due(tx, due)


async def convert_due_registers(tx: WriteConnection, recorder: Recorder, now: datetime) -> int:
    """Turn registers whose readings have changed into intervals; how many registers."""
    due = await registers.lock_due_registers(tx, now, REGISTERS_MAX)
    meters = await fetch_meters(tx, {register.key[:2] for register in due})
    conversions: list[_Conversion] = []
    slots = 0
    for register in due:
        conversions.append(_conversion(register, meters[register.key[:2]], now))
        slots += conversions[-1].edges.size
        if slots >= SLOTS_MAX:
            break
    made: list[_Converted] = []
    for part in _parts(conversions):
        spans = [(conversion.due.key, *conversion.reach) for conversion in part]
        readings = await registers.fetch_readings_around(tx, spans)
        made += [_convert(*pair) for pair in zip(part, readings, strict=True)]
    if made:
        await _store(tx, recorder, made, now)
    return len(made)


@dataclass(frozen=True, slots=True)
class _Conversion:
    """The intervals between `edges` of a register, to be made again, and what is left for later."""

    due: DueRegister
    channel: Channel
    edges: Edges
    remainder: Remainder | None

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The part of the change that is converted, half-open."""
        return self.due.from_at, self.remainder.from_at if self.remainder else self.due.to_at

    @property
    def reach(self) -> tuple[datetime, datetime]:
        """The first and the last moment of window and edges."""
        ends = (*self.edges[:1].tolist(), *self.edges[-1:].tolist())
        moments = [*self.window, *map(instant, ends)]
        return min(moments), max(moments)


@dataclass(frozen=True, slots=True)
class _Converted:
    """What a conversion has made."""

    conversion: _Conversion
    done: DoneRegister
    blocks: list[ReadingsReceived]
    exceptions: list[RegisterException]


def _conversion(due: DueRegister, meter: Meter, now: datetime) -> _Conversion:
    channel = meter.channel(due.key[2])
    assert channel is not None  # noqa: S101 - lock_due_registers selects those with a channel
    edges, remainder = next_edges(meter.zone, channel.minutes, due.from_at, due.to_at, now)
    return _Conversion(due, channel, edges, remainder)


def _parts(conversions: Sequence[_Conversion]) -> Iterator[list[_Conversion]]:
    """Conversions whose readings are fetched together."""
    part: list[_Conversion] = []
    time = timedelta()
    for conversion in conversions:
        part.append(conversion)
        begin_at, end_at = conversion.reach
        time += end_at - begin_at
        if time >= PART_MAX:
            yield part
            part, time = [], timedelta()
    if part:
        yield part


def _convert(conversion: _Conversion, readings: Sequence[RegisterReading]) -> _Converted:
    """The blocks of a conversion, of all readings that touch it, and what makes no energy.

    What is more than the channel carries comes in blocks of its own, which end up in quarantine; so
    the others can be stored. Those rank last, for when they are replayed.
    """
    due, channel = conversion.due, conversion.channel
    begin_at, end_at = conversion.window
    in_window = [
        exception
        for exception in exceptions(readings, OLDEST_AT)
        if begin_at <= exception.start_at < end_at
    ]
    spread = spread_evenly(counted_energy(readings, OLDEST_AT), conversion.edges)
    edges, values = reportable_run(conversion.edges, spread, due.reported)
    first_at, last_at = due.ranked_at + _MICROSECOND, due.ranked_at + 2 * _MICROSECOND
    reported = _together(due.reported, known_run(edges, values))
    most_wh = channel.interval_wh_max
    fitting = [_block(due, channel, run, first_at) for run in runs_within(edges, values, most_wh)]
    above = [_block(due, channel, run, last_at) for run in runs_above(edges, values, most_wh)]
    done = DoneRegister(due.key, last_at, conversion.remainder, reported)
    return _Converted(conversion, done, fitting + above, in_window)


def _together(before: TimeRange | None, now: TimeRange | None) -> TimeRange | None:
    return before | now if before and now else before or now


async def _store(
    tx: WriteConnection, recorder: Recorder, made: Sequence[_Converted], now: datetime
) -> None:
    windows = [(converted.done.key, *converted.conversion.window) for converted in made]
    without_energy = [(item.done.key, exception) for item in made for exception in item.exceptions]
    await register_exceptions.replace_exceptions(tx, windows, without_energy)
    await register_sums.mark_registers(tx, windows)
    await registers.mark_done(tx, [converted.done for converted in made])
    blocks = [(item.conversion.due, block) for item in made for block in item.blocks]
    if blocks:
        envelopes = [_envelope(due, block) for due, block in blocks]
        await recorder.record(tx, _received(envelopes, [block for _, block in blocks]), now)


def _block(
    due: DueRegister, channel: Channel, run: IntervalRun, ranked_at: datetime
) -> ReadingsReceived:
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


def _envelope(due: DueRegister, block: ReadingsReceived) -> Envelope:
    return Envelope(
        derive_id("register.block", *due.key, block.start_at, block.read_at),
        ReadingsReceived.TOPIC,
        SOURCE_REGISTERS,
        due.ranked_at,
        due.key[0],
        due.correlation_id,
    )


def _received(envelopes: list[Envelope], events: list[ReadingsReceived]) -> ReceivedBlocks:
    values = [event.model_dump_json().encode() for event in events]
    blocks = [block_of(event) for event in events]
    return in_columns(envelopes, blocks, values, [OWN_STORE] * len(blocks))
