"""Derived meters that are billed: what they are made of, and their days, added up from their parts.

A changed day of a part marks the sums that it is in, when it is published; a loop adds those up and
stores them like the days of any meter, so that usage, periods and corrections follow by
themselves. Derived meters without a period are not added up: the ledger answers for those.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from gridtally.contracts.metering import MeterDefined
from gridtally.database import ReadConnection, WriteConnection
from gridtally.ingest.domain.derived_meters import (
    MeterNetwork,
    PartDay,
    SummedDay,
    add_up,
    part_days,
)
from gridtally.ingest.domain.meters import Meter, MeterKey
from gridtally.ingest.domain.readings import OWN_STORE, DayKey, DayPieces, ReceivedBlocks
from gridtally.ingest.domain.validation import Block
from gridtally.ingest.events.messages import meter_definitions
from gridtally.ingest.handlers.readings import Recorder, count_values
from gridtally.ingest.store import derived_meters, meters, periods, readings, usage
from gridtally.ingest.store.derived_meters import DueDay
from gridtally.ingest.store.intake_counts import IntakeCounts
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import ONE_DAY, midnight_utc
from gridtally.messaging import ReceivedMessage, newest_events
from gridtally.metering.derived_meters import DEPTH_MAX, Definition, Factors, Register

DAYS_MAX = 100
"""Days of derived meters that are added up in one transaction, of a thousand registers at most."""


async def apply_definitions(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[MeterDefined]], now: datetime
) -> None:
    """Store the newest definitions of each derived meter; the billed ones that change by that are
    added up again."""
    newest = newest_events(batch, lambda event: event.version)
    defined = [meter_definitions(tenant_id, event) for (tenant_id, _), event in newest.items()]
    await meters.count_change(tx)
    await refresh_sums(tx, await derived_meters.upsert_definitions(tx, defined), now)


# Who brings meters or definitions has counted the change before, and who brings periods counts it
# here: that lock keeps two apart of whom neither would see what the other brings.
async def refresh_sums(tx: WriteConnection, keys: Collection[MeterKey], now: datetime) -> None:
    """Something about these meters has changed: the billed sums among them, and those that they
    are parts of, get the channels that they have by now, and are added up again."""
    billed = await derived_meters.fetch_billed_sums(tx, keys)
    if not billed:
        return
    await meters.count_change(tx)
    networks = await _fetch_networks(tx, billed)
    known = [key for key in billed if key[1] in networks[key[0]].meters]
    await derived_meters.replace_inputs(
        tx, {(tenant_id, id_): networks[tenant_id].sums.inputs(id_) for tenant_id, id_ in known}
    )
    await derived_meters.update_channels(
        tx, {(tenant_id, id_): networks[tenant_id].channels(id_) for tenant_id, id_ in known}
    )
    causes = {key: str(derive_id("meter.summed", *key, now)) for key in known}
    await derived_meters.mark_periods_of(tx, causes, now.date() + ONE_DAY)
    await periods.check_periods_of_meters(tx, known, now)


async def _fetch_networks(
    read: ReadConnection, keys: Sequence[MeterKey]
) -> dict[str, MeterNetwork]:
    """Derived meters with all that they are made of, by tenant; one round of queries for each level
    of sums of sums."""
    known: dict[MeterKey, Meter] = {}
    defined: dict[MeterKey, tuple[Definition, ...]] = {}
    fresh = set(keys)
    for _ in range(DEPTH_MAX + 1):
        if not fresh:
            break
        found = await meters.fetch_meters(read, fresh)
        known |= found
        derived = [key for key, meter in found.items() if meter.is_derived]
        own = await derived_meters.fetch_definitions(read, derived) if derived else {}
        defined |= own
        fresh = {
            (tenant_id, term.meter_id)
            for (tenant_id, _), definitions in own.items()
            for definition in definitions
            for term in definition.terms
        } - known.keys()
    return {
        tenant_id: MeterNetwork.of(
            {id_: meter for (tenant, id_), meter in known.items() if tenant == tenant_id},
            {id_: own for (tenant, id_), own in defined.items() if tenant == tenant_id},
        )
        for tenant_id in {tenant_id for tenant_id, _ in keys}
    }


async def add_up_due_days(tx: WriteConnection, recorder: Recorder, now: datetime) -> int:
    """Add up days of derived meters whose parts have changed; how many.

    Transient when another writer was faster.
    """
    due = await derived_meters.claim_due_days(tx, DAYS_MAX)
    if due:
        networks = await _fetch_networks(tx, sorted({key[:2] for key in due}))
        sums = [planned for day in due if (planned := _plan(networks[day.tenant_id], day))]
        if sums:
            await _store(tx, recorder, sums, now)
    return len(due)


@dataclass(frozen=True, slots=True)
class _Sum:
    """A day of a derived meter, and the registers that it is the sum of then."""

    due: DueDay
    meter: Meter
    factors: Factors
    parts: Mapping[UUID, Meter]

    @property
    def keys(self) -> list[DayKey]:
        """Its channel-days."""
        tenant_id, meter_id, day, _ = self.due
        return [
            DayKey(tenant_id, meter_id, channel.flow, channel.minutes, day)
            for channel in self.meter.channels
        ]

    @property
    def part_keys(self) -> list[tuple[Register, DayKey]]:
        """The registers that it is the sum of, each with its channel-days."""
        return [
            ((meter_id, flow), DayKey(self.due.tenant_id, meter_id, flow, channel.minutes, day))
            for meter_id, flow in self.factors
            if (channel := self.parts[meter_id].channel(flow)) is not None
            for day in part_days(self.meter.zone, self.due.day, self.parts[meter_id].zone)
        ]


# A billed sum has the channels that `refresh_sums` gave it. Those of another are of its
# registration, of any flow and length: its days are marked again once it is billed.
def _plan(network: MeterNetwork, due: DueDay) -> _Sum | None:
    """A day to add up; None of a meter that has gone, is billed no more, or of which nothing is
    known yet."""
    meter = network.meters.get(due.meter_id)
    if meter is None or not meter.channels or meter.channels != network.channels(due.meter_id):
        return None
    factors = network.factors(due.meter_id, midnight_utc(meter.zone, due.day))
    return _Sum(due, meter, factors, network.meters)


# The days of the sums are read before those of their parts. So whoever reads older parts than
# another writer has read the sum's version before that one wrote it, and fails.
async def _store(
    tx: WriteConnection, recorder: Recorder, sums: Sequence[_Sum], now: datetime
) -> None:
    """Add days up, and store those that have changed as their next version."""
    keys = [key for own in sums for key in own.keys]
    zones = [own.meter.zone for own in sums for _ in own.keys]
    await recorder.partitions.ensure(tx, [key.day for key in keys])
    batch = DayPieces.none_of(keys, zones)
    part_keys = [key for own in sums for _, key in own.part_keys]
    await recorder.archive.recall_keys(tx, [*keys, *part_keys], now)
    columns = readings.channel_day_columns(keys)
    days, versions = await readings.fetch_days(tx, batch, columns)
    before = days.copy()
    stored = await _fetch_part_days(tx, sums)
    summed = [_add_up(own, stored) for own in sums]
    parts = {own.due[:3]: day.parts for own, day in zip(sums, summed, strict=True)}
    causes = [number for number, own in enumerate(sums) for _ in own.keys]
    for index, (key, cause) in enumerate(zip(keys, causes, strict=True)):
        days.values[days.part(index)] = summed[cause].values[key.flow]
        days.quality[days.part(index)] = summed[cause].quality
    await derived_meters.upsert_parts(tx, parts)
    differs = (days.values != before.values) | (days.quality != before.quality)
    changed = np.flatnonzero(days.per_day(differs))
    if not changed.size:
        return
    received = _received(sums)
    changes = readings.DayChanges(
        changed, versions[changed], [causes[day] for day in changed.tolist()]
    )
    await readings.upsert_days(tx, received, batch, columns, days, changes, now)
    await usage.queue_changed_days(tx, now + recorder.announce_delay)
    counts = IntakeCounts()
    count_values(counts, received, batch, before, days, differs)
    await counts.save(tx)


def _add_up(own: _Sum, stored: Mapping[DayKey, PartDay]) -> SummedDay:
    days: dict[Register, list[PartDay]] = {}
    for register, key in own.part_keys:
        if key in stored:
            days.setdefault(register, []).append(stored[key])
    return add_up(own.meter.zone, own.due.day, own.meter.channels, own.factors, days)


async def _fetch_part_days(tx: WriteConnection, sums: Sequence[_Sum]) -> dict[DayKey, PartDay]:
    """The stored days of the parts of these sums."""
    zones = {key: own.parts[key.meter_id].zone for own in sums for _, key in own.part_keys}
    keys = list(zones)
    if not keys:
        return {}
    batch = DayPieces.none_of(keys, list(zones.values()))
    columns = readings.channel_day_columns(keys)
    days, versions = await readings.fetch_days(tx, batch, columns)
    return {
        key: PartDay(
            zones[key],
            key.day,
            key.minutes,
            int(versions[index]),
            days.values[days.part(index)],
            days.quality[days.part(index)],
        )
        for index, key in enumerate(keys)
        if versions[index]
    }


def _received(sums: Sequence[_Sum]) -> ReceivedBlocks:
    """Sums as the causes of what becomes of their days."""
    blocks = [
        Block(
            own.due.meter_id,
            "import",
            midnight_utc(own.meter.zone, own.due.day),
            own.meter.channels[0].minutes,
            "Wh",
            (),
            "actual",
            "",
            None,
        )
        for own in sums
    ]
    return ReceivedBlocks(
        tenants=[own.due.tenant_id for own in sums],
        event_ids=[derive_id("summed", *own.due[:3]) for own in sums],
        sources=[""] * len(sums),
        occurred_at=[block.start_at for block in blocks],
        correlation_ids=[own.due.correlation_id for own in sums],
        partitions=[OWN_STORE] * len(sums),
        blocks=blocks,
        values=[b""] * len(sums),
        read_at=[block.start_at for block in blocks],
        quality_codes=[0] * len(sums),
    )
