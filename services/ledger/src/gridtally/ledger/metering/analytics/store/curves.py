"""The readings that tell how registers ran: those within a time, and the nearest around it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.database.rows import Row
from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.consumption import Window
from gridtally.ledger.metering.readings.store.readings import FOR_EVER
from gridtally.ledger.registry.domain.meters import RegisterKey
from gridtally.metering.curves import RegisterCurve, register_curve
from gridtally.metering.readings import RegisterReading

READINGS_MAX = 200_000
"""The most readings that one request may be computed from."""

# Of each register three ranges of its index: the last reading before the window, those within it,
# and the first one after it, so that the curve reaches both ends where it can. The limits end a
# query that would be refused anyway.
_AROUND = """
SELECT reading.*
  FROM unnest($2::uuid[], $3::text[]) AS wanted (meter_id, flow)
 CROSS JOIN LATERAL (
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
           AND e.read_at <= $5
         ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1)
       UNION ALL
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
           AND e.read_at > $5 AND e.read_at < $6
         LIMIT $7)
       UNION ALL
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
           AND e.read_at >= $6 AND e.read_at > $5
         ORDER BY e.read_at, e.kind = 'exchange_initial' LIMIT 1)) AS reading
 ORDER BY reading.meter_id, reading.flow, reading.read_at, reading.kind = 'exchange_initial'
 LIMIT $7
"""


async def fetch_curves(
    read: ReadConnection,
    tenant_id: str,
    registers: Sequence[RegisterKey],
    window: Window,
    as_of: datetime | None,
) -> dict[RegisterKey, RegisterCurve]:
    """How each register ran between two moments, and up to the nearest readings around them.

    Rejected where that takes more than `READINGS_MAX` readings.
    """
    rows = await read.raw.fetch(
        _AROUND,
        tenant_id,
        [meter_id for meter_id, _ in registers],
        [flow for _, flow in registers],
        as_of or FOR_EVER,
        *window,
        READINGS_MAX + 1,
    )
    if len(rows) > READINGS_MAX:
        raise Rejected(
            "window_too_wide",
            f"more than {READINGS_MAX} readings lie in it; ask for a shorter time or fewer meters",
        )
    # Beside the event loop, since so many readings take a second.
    return await asyncio.to_thread(_curves, registers, rows)


def _curves(
    registers: Sequence[RegisterKey], rows: Sequence[Row]
) -> dict[RegisterKey, RegisterCurve]:
    readings: defaultdict[RegisterKey, list[RegisterReading]] = defaultdict(list)
    for row in rows:
        readings[row["meter_id"], row["flow"]].append(_reading(row))
    return {key: register_curve(readings[key]) for key in registers}


# Of each register the last reading up to a moment, by the end of its index.
_LAST = """
SELECT reading.*
  FROM unnest($2::uuid[], $3::text[]) AS wanted (meter_id, flow)
 CROSS JOIN LATERAL (
       SELECT e.* FROM reading_known_at($4) e
        WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
          AND e.read_at <= $5
        ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1) AS reading
"""


async def fetch_last_readings(
    read: ReadConnection,
    tenant_id: str,
    registers: Sequence[RegisterKey],
    upto: datetime,
    as_of: datetime | None,
) -> dict[RegisterKey, tuple[UUID, RegisterReading]]:
    """The last reading of each register up to a moment, with its id; registers that were never
    read are left out."""
    rows = await read.raw.fetch(
        _LAST,
        tenant_id,
        [meter_id for meter_id, _ in registers],
        [flow for _, flow in registers],
        as_of or FOR_EVER,
        upto,
    )
    return {(row["meter_id"], row["flow"]): (row["reading_id"], _reading(row)) for row in rows}


def _reading(row: Row) -> RegisterReading:
    return RegisterReading(
        read_at=row["read_at"],
        recorded_at=row["created_at"],
        kind=row["kind"],
        value=row["value"],
        digits=row["digits"],
        multiplier=row["multiplier"],
        decimals=row["decimals"],
        quality=row["quality"],
        rollover_kwh=row["rollover_kwh"],
    )
