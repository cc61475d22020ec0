"""Reading channel-days back, as they are or as they were known at an instant."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np

from gridtally.database import ReadConnection, copy
from gridtally.ingest.domain.archive import ArchivedBlock
from gridtally.ingest.domain.local_days import days_between
from gridtally.ingest.domain.merge import (
    MISSING,
    NO_QUALITY,
    Qualities,
    RankedPiece,
    rebuild_day,
)
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.series import StoredDays
from gridtally.ingest.store.archive.archive import ALL_FLOWS, Archive
from gridtally.ingest.store.readings import fetch_ranked_pieces
from gridtally.kernel.periods import Period, day_minutes

_DAYS = """
SELECT day, quality, array_send(array_replace(values, NULL, -1)) AS sent
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = $2 AND flow = $3 AND minutes = $4 AND day >= $5 AND day < $6
"""


async def fetch_days(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter_id: UUID,
    channel: Channel,
    window: tuple[date, date],
) -> StoredDays:
    """The newest state of a channel's days, `window` half-open.

    Only where days are missing is the archive looked at.
    """
    rows = await read.raw.fetch(_DAYS, tenant_id, meter_id, channel.flow, channel.minutes, *window)
    days: StoredDays = {
        row["day"]: (
            copy.split_int4_arrays(row["sent"])[0],
            np.frombuffer(row["quality"].encode(), np.uint8),
        )
        for row in rows
    }
    if len(days) < (window[1] - window[0]).days:
        archived = await archive.fetch_channels(
            read, tenant_id, [meter_id], [channel.flow], Period(*window)
        )
        for part in archived:
            if part.minutes == channel.minutes:
                days |= part.stored.by_day()
    return days


async def fetch_days_known_at(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter: Meter,
    channel: Channel,
    window: tuple[date, date],
    known_at: datetime,
) -> StoredDays:
    """The same, rebuilt of the blocks that were recorded up to `known_at`."""
    dates = days_between(*window)
    keys = [DayKey(tenant_id, meter.meter_id, channel.flow, channel.minutes, day) for day in dates]
    days: StoredDays = {}
    pieces_by_day = await fetch_ranked_pieces(read, keys, known_at=known_at)
    archived = await archive.fetch_blocks(read, keys)
    if archived:
        for day, pieces in (await _counting(read, tenant_id, archived, known_at)).items():
            pieces_by_day[(day - window[0]).days] += pieces
    for day, pieces in zip(dates, pieces_by_day, strict=True):
        slots = day_minutes(meter.zone, day) // channel.minutes
        values, quality = np.full(slots, MISSING, np.int32), np.full(slots, NO_QUALITY, np.uint8)
        rebuild_day(values, quality, pieces)
        days[day] = (values, quality)
    return days


_WITHDRAWN = """
SELECT meter_id, flow, event_id FROM withdrawn_event
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND withdrawn_at <= $3
"""


async def _counting(
    read: ReadConnection, tenant_id: str, blocks: Sequence[ArchivedBlock], known_at: datetime
) -> dict[date, list[RankedPiece]]:
    """Of archived blocks of one channel those that counted at `known_at`, by day."""
    meter_ids = list({block.meter_id for block in blocks})
    rows = await read.raw.fetch(_WITHDRAWN, tenant_id, meter_ids, known_at)
    withdrawn = {tuple(row) for row in rows}
    pieces: dict[date, list[RankedPiece]] = {}
    for block in blocks:
        event = (block.meter_id, block.flow, block.event_id)
        if block.recorded_at <= known_at and event not in withdrawn:
            piece = RankedPiece(
                block.slot,
                block.values,
                ord(block.quality),
                copy.microseconds(block.read_at),
                block.event_id.bytes,
            )
            pieces.setdefault(block.day, []).append(piece)
    return pieces


# Per row the letters of one quality are what is left when those of the others are taken out.
_COMPLETENESS = """
SELECT day, flow, minutes, present, version, recorded_at,
       length(translate(quality, 'AS-', '')) AS estimated,
       length(translate(quality, 'AE-', '')) AS substituted
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = $2 AND day >= $3 AND day < $4
"""


async def fetch_completeness(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter_id: UUID,
    window: tuple[date, date],
) -> dict[tuple[date, str, int], Any]:
    """What is there per day, flow and interval length."""
    rows = await read.raw.fetch(_COMPLETENESS, tenant_id, meter_id, *window)
    present: dict[tuple[date, str, int], Any] = {
        (row["day"], row["flow"], row["minutes"]): row for row in rows
    }
    archived = await archive.fetch_channels(
        read, tenant_id, [meter_id], ALL_FLOWS, Period(*window), with_facts=True
    )
    for part in archived:
        days = part.stored.by_day().items()
        for (day, (_, letters)), facts in zip(days, part.facts, strict=True):
            present[day, part.flow, part.minutes] = {
                "present": facts.present,
                "version": facts.version,
                "recorded_at": facts.recorded_at,
                "estimated": count_of(letters, "E"),
                "substituted": count_of(letters, "S"),
            }
    return present


def count_of(letters: Qualities, letter: str) -> int:
    """How many of a day's letters of quality are this one."""
    return int(np.count_nonzero(letters == ord(letter)))
