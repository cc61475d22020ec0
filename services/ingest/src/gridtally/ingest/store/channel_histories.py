"""What is remembered of channels, for the rules that need it, a whole batch at a time."""

from collections.abc import Sequence
from datetime import date

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.readings import ChannelKey
from gridtally.ingest.domain.validation_rules import HistoryKey
from gridtally.kernel.periods import local_date
from gridtally.metering.validation.history import Histories, read_histories, write_histories

_KEYS = "unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[])"
# LATERAL with OFFSET 0: one lookup in the primary key for each, whatever the planner believes.
_FETCH = f"""
SELECT k.n, h.history
  FROM {_KEYS} WITH ORDINALITY AS k (tenant_id, meter_id, flow, minutes, n)
 CROSS JOIN LATERAL (
       SELECT c.history FROM channel_history c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
          AND c.minutes = k.minutes
       OFFSET 0) AS h
"""  # noqa: S608 - made of this module's constants


async def fetch_histories(read: ReadConnection, keys: Sequence[HistoryKey]) -> Histories:
    """What is remembered of each channel; nothing of one that is new."""
    stored = [b""] * len(keys)
    for row in await read.raw.fetch(_FETCH, *columns_of(keys, 4)):
        stored[row["n"] - 1] = row["history"]
    return read_histories(stored)


# In the order of the keys, so that two writers of the same channels never wait in a circle.
_UPSERT = """
INSERT INTO channel_history AS c (tenant_id, meter_id, flow, minutes, history)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::bytea[])
           AS k (tenant_id, meter_id, flow, minutes, history)
 ORDER BY tenant_id, meter_id, flow, minutes
ON CONFLICT (tenant_id, meter_id, flow, minutes) DO UPDATE SET history = excluded.history
 WHERE c.history <> excluded.history
"""


async def upsert_histories(
    tx: WriteConnection, keys: Sequence[HistoryKey], histories: Histories
) -> None:
    """Remember channels as they are now, one history per key."""
    await tx.raw.execute(_UPSERT, *columns_of(keys, 4), write_histories(histories))


# The last exchange of each meter that has registers; one lookup in the index by reading time.
_EXCHANGES = """
SELECT k.tenant_id, k.meter_id, k.flow, m.zone, e.read_at
  FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, meter_id, flow)
 CROSS JOIN LATERAL (
       SELECT r.read_at FROM register_entry r
        WHERE r.tenant_id = k.tenant_id AND r.meter_id = k.meter_id AND r.flow = k.flow
          AND r.kind = 'exchange_initial'
        ORDER BY r.read_at DESC LIMIT 1) AS e
 CROSS JOIN LATERAL (
       SELECT t.zone FROM meter t
        WHERE t.tenant_id = k.tenant_id AND t.id = k.meter_id OFFSET 0) AS m
"""


async def fetch_exchanges(
    read: ReadConnection, keys: Sequence[HistoryKey]
) -> dict[ChannelKey, date]:
    """The local day of the last exchange of each channel's meter, where there was one."""
    rows = await read.raw.fetch(_EXCHANGES, *columns_of([key[:3] for key in keys], 3))
    return {
        (row["tenant_id"], row["meter_id"], row["flow"]): local_date(row["zone"], row["read_at"])
        for row in rows
    }
