"""Recording readings: the one way into the store, for what Kafka brings and what we kept ourselves.

Load → decide → save in the caller's transaction. Whatever becomes of an event is counted there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from database import WriteConnection, copy
from ingest.domain.checks import Refusal
from ingest.domain.intake import Sorted, sort_out
from ingest.domain.merge import MISSING, Days, Index, Layer, agrees, fill, lay, resolve
from ingest.store import intake as kept
from ingest.store import readings
from ingest.store.meters import Meters
from ingest.store.partitions import Partitions
from ingest.wire import Arrival, rejected, to_block
from messaging import enqueue


@dataclass(frozen=True, slots=True)
class Recorder:
    """What recording needs beside its transaction; one per process."""

    meters: Meters
    partitions: Partitions
    announce_delay: timedelta

    async def record(
        self,
        tx: WriteConnection,
        arrivals: Sequence[Arrival],
        now: datetime,
        *,
        origin: kept.Origin = "received",
    ) -> list[kept.Fate]:
        """Store, quarantine or keep waiting; what became of each.

        Transient when another writer was faster; then nothing of the transaction may be kept.
        """
        batch = await self._sort_out(tx, arrivals, now)
        tally = kept.Tally()
        fates: list[kept.Fate] = ["duplicates"] * len(arrivals)
        if batch.keys:
            for n in await self._store(tx, arrivals, batch, now, tally):
                fates[n] = "stored"
        for n in await _quarantine(tx, arrivals, batch.refused, now):
            fates[n] = "quarantined"
        for n in await _keep_waiting(tx, arrivals, batch.unknown, now):
            fates[n] = "waiting"
        tally.events(arrivals, origin, fates)
        await tally.add(tx)
        return fates

    async def refusal(self, tx: WriteConnection, arrival: Arrival, now: datetime) -> Refusal | None:
        """Why a block cannot be stored now, if it cannot."""
        batch = await self._sort_out(tx, [arrival], now)
        if batch.unknown:
            return Refusal("unknown_meter", "this meter is not known")
        return batch.refused.get(0)

    async def _sort_out(
        self, tx: WriteConnection, arrivals: Sequence[Arrival], now: datetime
    ) -> Sorted:
        known = await self.meters.fetch(
            tx, {(one.envelope.tenant_id, one.event.meter_id) for one in arrivals}
        )
        blocks = [
            to_block(
                one.event,
                tenant_id=one.envelope.tenant_id,
                meter=known.get((one.envelope.tenant_id, one.event.meter_id)),
                read_at=one.read_at,
            )
            for one in arrivals
        ]
        return sort_out(blocks, now)

    async def _store(
        self,
        tx: WriteConnection,
        arrivals: Sequence[Arrival],
        batch: Sorted,
        now: datetime,
        tally: kept.Tally,
    ) -> set[int]:
        """Merge the pieces into their channel-days; the arrivals that brought a new one."""
        await self.partitions.ensure(tx, {key[4] for key in batch.keys})
        days, versions = await readings.fetch_days(tx, batch)
        before = days.copy()
        contested = fill(days, batch.pieces)
        fresh = np.ones(batch.pieces.counts.size, np.bool_)
        if contested.any():
            disputed = np.flatnonzero(contested[batch.pieces.days])
            fresh[disputed] = await _settle(tx, arrivals, batch, days, disputed)
        chosen = np.flatnonzero(fresh)
        differs = (days.values != before.values) | (days.quality != before.quality)
        changed = np.flatnonzero(days.per_day(differs))
        latest = np.zeros(days.slots.size, np.int64)
        latest[batch.pieces.days[chosen]] = chosen
        causes = [arrivals[batch.owners[n]] for n in latest[changed].tolist()]
        await readings.upsert_days(
            tx,
            batch,
            days,
            readings.ChangedDays(
                changed, versions[changed], [one.envelope.correlation_id for one in causes]
            ),
            now=now,
            announce_delay=self.announce_delay,
        )
        await readings.insert_blocks(tx, arrivals, batch, chosen, now)
        _count_readings(tally, arrivals, batch, before, differs)
        return {batch.owners[n] for n in chosen.tolist()}


async def _settle(
    tx: WriteConnection,
    arrivals: Sequence[Arrival],
    batch: Sorted,
    days: Days,
    disputed: Index,
) -> list[bool]:
    """Lay the disputed pieces into their days; which of them are stored for the first time."""
    keys, pieces = list(batch.keys), batch.pieces
    events = [arrivals[batch.owners[n]].envelope.event_id for n in disputed.tolist()]
    identities = [
        readings.PieceKey(keys[day], event_id, batch.starts[n])
        for n, day, event_id in zip(
            disputed.tolist(), pieces.days[disputed].tolist(), events, strict=True
        )
    ]
    stored = await readings.fetch_stored_pieces(tx, identities)
    seen = {identities[n] for n in stored}
    begins = pieces.begins
    fresh: list[bool] = []
    added: dict[int, list[Layer]] = {}
    for n, identity in zip(disputed.tolist(), identities, strict=True):
        fresh.append(identity not in seen)
        if not fresh[-1]:
            continue
        seen.add(identity)
        layer = Layer(
            int(pieces.slots[n]),
            pieces.values[begins[n] : begins[n] + pieces.counts[n]],
            int(pieces.quality[n]),
            copy.microseconds(arrivals[batch.owners[n]].read_at),
            identity.event_id.bytes,
        )
        added.setdefault(int(pieces.days[n]), []).append(layer)
    await _lay_or_resolve(tx, batch, days, added)
    return fresh


async def _lay_or_resolve(
    tx: WriteConnection, batch: Sorted, days: Days, added: dict[int, list[Layer]]
) -> None:
    """Add layers to their days; a day where they disagree is made anew of all its blocks."""
    keys = list(batch.keys)
    anew: list[int] = []
    for day, layers in added.items():
        part = days.part(day)
        values, quality = days.values[part], days.quality[part]
        for layer in layers:
            if not agrees(values, quality, layer):
                anew.append(day)
                break
            lay(values, quality, layer)
    if not anew:
        return
    stored = await readings.fetch_layers(tx, [keys[day] for day in anew])
    for day, layers in zip(anew, stored, strict=True):
        part = days.part(day)
        resolve(days.values[part], days.quality[part], [*layers, *added[day]])


async def _quarantine(
    tx: WriteConnection, arrivals: Sequence[Arrival], refused: dict[int, Refusal], now: datetime
) -> list[int]:
    """Put the refused into quarantine and tell so; the numbers of those that are new there."""
    ids = {kept.quarantine_id(arrivals[n]): n for n in reversed(refused)}
    added = await kept.insert_quarantined(
        tx, {one: (arrivals[n], refused[n]) for one, n in ids.items()}, now
    )
    await enqueue(tx, [rejected(arrivals[ids[one]], refused[ids[one]], one, now) for one in added])
    return [ids[one] for one in added]


async def _keep_waiting(
    tx: WriteConnection, arrivals: Sequence[Arrival], unknown: Sequence[int], now: datetime
) -> list[int]:
    """Keep blocks of unknown meters; the numbers of those that are new."""
    keys = {
        (
            arrivals[n].envelope.tenant_id,
            arrivals[n].event.meter_id,
            arrivals[n].envelope.event_id,
        ): n
        for n in reversed(unknown)
    }
    added = await kept.insert_waiting(tx, {key: arrivals[n] for key, n in keys.items()}, now)
    return [keys[key] for key in added]


def _count_readings(
    tally: kept.Tally,
    arrivals: Sequence[Arrival],
    batch: Sorted,
    before: Days,
    differs: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> None:
    """Count values by tenant: those that filled a gap, that changed another, that changed none."""
    absent = before.values == MISSING
    new, corrected = before.per_day(differs & absent), before.per_day(differs & ~absent)
    pieces = batch.pieces
    held = np.add.reduceat(pieces.values != MISSING, pieces.begins, dtype=np.int64)
    came = np.zeros(new.size, np.int64)
    np.add.at(came, pieces.days, held)
    partitions = {a.envelope.tenant_id: a.partition for a in arrivals}
    counts = np.column_stack((new, corrected, came - new - corrected))
    tenants = np.array([key[0] for key in batch.keys])
    for tenant_id, partition in partitions.items():
        tally.readings(tenant_id, partition, counts[tenants == tenant_id].sum(axis=0).tolist())
