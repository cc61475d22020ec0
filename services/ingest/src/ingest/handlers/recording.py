"""Recording readings: the one way into the store, for what Kafka brings and what we kept ourselves.

Load → decide → save in the caller's transaction. Whatever becomes of an event is counted there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from database import WriteConnection, copy
from ingest.domain.checks import Refusal
from ingest.domain.intake import Batch, Cut, Sorted, channels_of, sort_out
from ingest.domain.merge import MISSING, Days, Index, Layer, agrees, fill, lay, resolve
from ingest.store import intake as kept
from ingest.store import readings
from ingest.store.meters import Meters
from ingest.store.partitions import Partitions
from ingest.store.rows import key_fields
from ingest.wire import Arrivals, rejected
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
        arrivals: Arrivals,
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
        if batch.cut.keys:
            for n in await self._store(tx, arrivals, batch.cut, now, tally):
                fates[n] = "stored"
        for n in await _quarantine(tx, arrivals, batch.refused, now):
            fates[n] = "quarantined"
        for n in await _keep_waiting(tx, arrivals, batch.unknown, now):
            fates[n] = "waiting"
        tally.events(arrivals, origin, fates)
        await tally.add(tx)
        return fates

    async def refusal(
        self, tx: WriteConnection, arrivals: Arrivals, now: datetime
    ) -> Refusal | None:
        """Why the first block cannot be stored now, if it cannot."""
        batch = await self._sort_out(tx, arrivals, now)
        if batch.unknown:
            return Refusal("unknown_meter", "this meter is not known")
        return batch.refused.get(0)

    async def _sort_out(self, tx: WriteConnection, arrivals: Arrivals, now: datetime) -> Sorted:
        channels = channels_of(arrivals.tenants, arrivals.blocks)
        meters = await self.meters.fetch(tx, [key[:2] for key in channels.keys])
        letters = arrivals.letters()
        return sort_out(Batch(channels, meters, arrivals.read_at, letters, arrivals.blocks), now)

    async def _store(
        self,
        tx: WriteConnection,
        arrivals: Arrivals,
        cut: Cut,
        now: datetime,
        tally: kept.Tally,
    ) -> set[int]:
        """Merge the pieces into their channel-days; the arrivals that brought a new one."""
        await self.partitions.ensure(tx, {key.day for key in cut.keys})
        keys = key_fields(cut.keys)
        days, versions = await readings.fetch_days(tx, cut, keys)
        before = days.copy()
        contested = fill(days, cut.pieces)
        fresh = np.ones(cut.pieces.counts.size, np.bool_)
        if contested.any():
            disputed = np.flatnonzero(contested[cut.pieces.days])
            fresh[disputed] = await _settle(tx, arrivals, cut, days, disputed)
        chosen = np.flatnonzero(fresh)
        differs = (days.values != before.values) | (days.quality != before.quality)
        changed = np.flatnonzero(days.per_day(differs))
        latest = np.zeros(days.slots.size, np.int64)
        latest[cut.pieces.days[chosen]] = chosen
        causes = [cut.owners[n] for n in latest[changed].tolist()]
        await readings.upsert_days(
            tx,
            arrivals,
            cut,
            keys,
            days,
            readings.ChangedDays(changed, versions[changed], causes),
            now=now,
            announce_delay=self.announce_delay,
        )
        await readings.insert_blocks(tx, arrivals, cut, keys, chosen, now)
        _count_readings(tally, arrivals, cut, before, days, differs)
        return {cut.owners[n] for n in chosen.tolist()}


async def _settle(
    tx: WriteConnection, arrivals: Arrivals, cut: Cut, days: Days, disputed: Index
) -> list[bool]:
    """Lay the disputed pieces into their days; which of them are stored for the first time."""
    pieces = cut.pieces
    events = [arrivals.envelopes[cut.owners[n]].event_id for n in disputed.tolist()]
    identities = [
        readings.PieceKey(cut.keys[day], event_id, cut.starts[n])
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
            copy.microseconds(arrivals.read_at[cut.owners[n]]),
            identity.event_id.bytes,
        )
        added.setdefault(int(pieces.days[n]), []).append(layer)
    await _lay_or_resolve(tx, cut, days, added)
    return fresh


async def _lay_or_resolve(
    tx: WriteConnection, cut: Cut, days: Days, added: dict[int, list[Layer]]
) -> None:
    """Add layers to their days; a day where they disagree is made anew of all its blocks."""
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
    stored = await readings.fetch_layers(tx, [cut.keys[day] for day in anew])
    for day, layers in zip(anew, stored, strict=True):
        part = days.part(day)
        resolve(days.values[part], days.quality[part], [*layers, *added[day]])


async def _quarantine(
    tx: WriteConnection, arrivals: Arrivals, refused: dict[int, Refusal], now: datetime
) -> list[int]:
    """Put the refused into quarantine and tell so; the numbers of those that are new there."""
    ids = {kept.quarantine_id(arrivals, n): n for n in reversed(refused)}
    added = await kept.insert_quarantined(
        tx, arrivals, {one: (n, refused[n]) for one, n in ids.items()}, now
    )
    told = [(one, ids[one]) for one in added]
    await enqueue(
        tx,
        [
            rejected(arrivals.blocks[n], arrivals.envelopes[n], refused[n], one, now)
            for one, n in told
        ],
    )
    return [n for _, n in told]


async def _keep_waiting(
    tx: WriteConnection, arrivals: Arrivals, unknown: Sequence[int], now: datetime
) -> list[int]:
    """Keep blocks of unknown meters; the numbers of those that are new."""
    keys: dict[kept.WaitingKey, int] = {}
    for n in reversed(unknown):
        envelope = arrivals.envelopes[n]
        keys[envelope.tenant_id, arrivals.blocks[n].meter_id, envelope.event_id] = n
    added = await kept.insert_waiting(tx, arrivals, keys, now)
    return [keys[key] for key in added]


def _count_readings(
    tally: kept.Tally,
    arrivals: Arrivals,
    cut: Cut,
    before: Days,
    days: Days,
    differs: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> None:
    """Count values by tenant: those that filled a gap, that changed another, that changed none.

    A value that was taken back leaves its gap, so it is one less of the first.
    """
    was, there = before.values != MISSING, days.values != MISSING
    filled, corrected = before.per_day(there & ~was), before.per_day(differs & was & there)
    new = filled - before.per_day(was & ~there)
    pieces = cut.pieces
    held = np.add.reduceat(pieces.values != MISSING, pieces.begins, dtype=np.int64)
    came = np.zeros(new.size, np.int64)
    np.add.at(came, pieces.days, held)
    partitions = dict(zip(arrivals.tenants, arrivals.partitions, strict=True))
    unchanged = np.maximum(came - filled - corrected, 0)
    counts = np.column_stack((new, corrected, unchanged))
    tenants = np.array([key.tenant_id for key in cut.keys])
    for tenant_id, partition in partitions.items():
        tally.readings(tenant_id, partition, counts[tenants == tenant_id].sum(axis=0).tolist())
