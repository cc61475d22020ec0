"""What does not go into the readings store: quarantine, waiting blocks, and the count of it all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.envelope import Envelope
from contracts.metering import ReadingsReceived
from database import WriteConnection
from ingest.domain.checks import Refusal
from ingest.wire import OWN_STORE, Arrivals
from ingest.wire.blocks import read_block
from kernel.ids import derive_id

Fate = Literal["stored", "duplicates", "quarantined", "waiting"]
Origin = Literal["received", "quarantined", "waiting"]

_QUARANTINE = """
INSERT INTO quarantine (tenant_id, id, event_id, meter_id, flow, reason, detail, source,
                        occurred_at, correlation_id, value, recorded_at)
SELECT *, $12 FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::timestamptz[], $10::text[], $11::bytea[])
ON CONFLICT DO NOTHING RETURNING id
"""
_WAIT = """
INSERT INTO waiting_block (tenant_id, meter_id, event_id, source, occurred_at, correlation_id,
                           value, recorded_at)
SELECT *, $8 FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[],
                         $6::text[], $7::bytea[])
ON CONFLICT DO NOTHING RETURNING tenant_id, meter_id, event_id
"""
# The meters that are waited for, from one to the next by the index, however many blocks each has.
_TAKE_UP = """
WITH RECURSIVE awaited AS (
    (SELECT tenant_id, meter_id FROM waiting_block ORDER BY tenant_id, meter_id LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.meter_id
      FROM awaited a CROSS JOIN LATERAL (
           SELECT w.tenant_id, w.meter_id FROM waiting_block w
            WHERE (w.tenant_id, w.meter_id) > (a.tenant_id, a.meter_id)
            ORDER BY w.tenant_id, w.meter_id LIMIT 1) AS n),
taken AS (
    SELECT w.tenant_id, w.meter_id, w.event_id
      FROM awaited a
      JOIN meter m ON m.tenant_id = a.tenant_id AND m.id = a.meter_id
      JOIN waiting_block w ON w.tenant_id = a.tenant_id AND w.meter_id = a.meter_id
     ORDER BY w.seq LIMIT $1 FOR UPDATE OF w SKIP LOCKED)
DELETE FROM waiting_block w USING taken t
 WHERE w.tenant_id = t.tenant_id AND w.meter_id = t.meter_id AND w.event_id = t.event_id
RETURNING w.tenant_id, w.seq, w.event_id, w.source, w.occurred_at, w.correlation_id, w.value
"""
_TALLY = """
INSERT INTO tally AS t
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
ON CONFLICT (tenant_id, partition) DO UPDATE
   SET received = t.received + excluded.received, stored = t.stored + excluded.stored,
       duplicates = t.duplicates + excluded.duplicates,
       quarantined = t.quarantined + excluded.quarantined, waiting = t.waiting + excluded.waiting,
       readings_new = t.readings_new + excluded.readings_new,
       readings_corrected = t.readings_corrected + excluded.readings_corrected,
       readings_unchanged = t.readings_unchanged + excluded.readings_unchanged
"""


def quarantine_id(arrivals: Arrivals, n: int) -> UUID:
    """The id under which a block lies in quarantine, the same each time it comes."""
    envelope = arrivals.envelopes[n]
    meter_id = arrivals.blocks[n].meter_id
    return derive_id("quarantine", envelope.tenant_id, envelope.event_id, meter_id)


async def insert_quarantined(
    tx: WriteConnection,
    arrivals: Arrivals,
    refused: Mapping[UUID, tuple[int, Refusal]],
    now: datetime,
) -> set[UUID]:
    """Put refused blocks, by their numbers, into quarantine; the ids that were not there yet."""
    if not refused:
        return set()
    envelopes = [arrivals.envelopes[n] for n, _ in refused.values()]
    rows = await tx.raw.fetch(
        _QUARANTINE,
        [envelope.tenant_id for envelope in envelopes],
        list(refused),
        [envelope.event_id for envelope in envelopes],
        [arrivals.blocks[n].meter_id for n, _ in refused.values()],
        [arrivals.blocks[n].flow for n, _ in refused.values()],
        [refusal.reason for _, refusal in refused.values()],
        [refusal.detail for _, refusal in refused.values()],
        [envelope.source for envelope in envelopes],
        [envelope.occurred_at for envelope in envelopes],
        [envelope.correlation_id for envelope in envelopes],
        [arrivals.values[n] for n, _ in refused.values()],
        now,
    )
    return {row["id"] for row in rows}


WaitingKey = tuple[str, UUID, UUID]
"""Tenant, meter and event."""


async def insert_waiting(
    tx: WriteConnection, arrivals: Arrivals, waiting: Mapping[WaitingKey, int], now: datetime
) -> set[WaitingKey]:
    """Keep blocks of unknown meters, by their numbers; the keys that were not there yet."""
    if not waiting:
        return set()
    envelopes = [arrivals.envelopes[n] for n in waiting.values()]
    rows = await tx.raw.fetch(
        _WAIT,
        [key[0] for key in waiting],
        [key[1] for key in waiting],
        [key[2] for key in waiting],
        [envelope.source for envelope in envelopes],
        [envelope.occurred_at for envelope in envelopes],
        [envelope.correlation_id for envelope in envelopes],
        [arrivals.values[n] for n in waiting.values()],
        now,
    )
    return {(row["tenant_id"], row["meter_id"], row["event_id"]) for row in rows}


async def take_waiting(tx: WriteConnection, rows_max: int) -> Arrivals:
    """Remove and return blocks whose meter is known by now, in the order they came."""
    rows = await tx.raw.fetch(_TAKE_UP, rows_max)
    return kept_arrivals(sorted(rows, key=lambda row: row["seq"]))


def kept_arrivals(rows: Sequence[Any]) -> Arrivals:
    """Blocks out of quarantine or waiting, as they arrived."""
    envelopes = [
        Envelope(
            row["event_id"],
            ReadingsReceived.TOPIC,
            row["source"],
            row["occurred_at"],
            row["tenant_id"],
            row["correlation_id"],
        )
        for row in rows
    ]
    values = [row["value"] for row in rows]
    blocks = [read_block(value) for value in values]
    return Arrivals.of(envelopes, blocks, values, [OWN_STORE] * len(values))


class Tally:
    """Counts of one transaction, by tenant and partition."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int, str]] = Counter()

    def events(self, arrivals: Arrivals, origin: Origin, fates: Sequence[Fate]) -> None:
        """What was `origin` has become these `fates`."""
        step = 1 if origin == "received" else -1
        became = Counter(zip(arrivals.tenants, arrivals.partitions, fates, strict=True))
        for (tenant_id, partition, fate), count in became.items():
            self._counts[tenant_id, partition, origin] += step * count
            self._counts[tenant_id, partition, fate] += count

    def readings(self, tenant_id: str, partition: int, counts: Sequence[int]) -> None:
        """So many values were new, corrected and unchanged."""
        for name, count in zip(("new", "corrected", "unchanged"), counts, strict=True):
            self._counts[tenant_id, partition, f"readings_{name}"] += count

    async def add(self, tx: WriteConnection) -> None:
        """Add them to what is stored."""
        places = sorted({key[:2] for key in self._counts})
        columns = (
            "received", "stored", "duplicates", "quarantined", "waiting",
            "readings_new", "readings_corrected", "readings_unchanged",
        )  # fmt: skip
        await tx.raw.execute(
            _TALLY,
            [tenant for tenant, _ in places],
            [partition for _, partition in places],
            *([self._counts[*place, name] for place in places] for name in columns),
        )
