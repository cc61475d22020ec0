"""The reads that tell how registers went: those within a time, and the nearest around it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from database import ReadConnection
from kernel.errors import Rejected
from ledger.domain.curves import Curve, Read, curve
from ledger.domain.derived import Leaf
from ledger.store.readings import FOR_EVER
from ledger.store.rows import Row, register_of

READS_MAX = 200_000
"""The most reads that one request may be computed from."""

_AROUND = """
SELECT found.*
  FROM unnest($2::uuid[], $3::text[]) AS leaf (meter_id, flow)
 CROSS JOIN LATERAL (
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = leaf.meter_id AND e.flow = leaf.flow
           AND e.read_at <= $5
         ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1)
       UNION ALL
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = leaf.meter_id AND e.flow = leaf.flow
           AND e.read_at > $5 AND e.read_at < $6
         LIMIT $7)
       UNION ALL
       (SELECT e.* FROM reading_known_at($4) e
         WHERE e.tenant_id = $1 AND e.meter_id = leaf.meter_id AND e.flow = leaf.flow
           AND e.read_at >= $6 AND e.read_at > $5
         ORDER BY e.read_at, e.kind = 'exchange_initial' LIMIT 1)) AS found
 ORDER BY found.meter_id, found.flow, found.read_at, found.kind = 'exchange_initial'
 LIMIT $7
"""
_LAST = """
SELECT found.*
  FROM unnest($2::uuid[], $3::text[]) AS leaf (meter_id, flow)
 CROSS JOIN LATERAL (
       SELECT e.* FROM reading_known_at($4) e
        WHERE e.tenant_id = $1 AND e.meter_id = leaf.meter_id AND e.flow = leaf.flow
          AND e.read_at <= $5
        ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1) AS found
"""


async def fetch_curves(
    read: ReadConnection,
    tenant_id: str,
    leaves: Sequence[Leaf],
    window: tuple[datetime, datetime],
    as_of: datetime | None,
) -> dict[Leaf, Curve]:
    """How each register went between two moments, and up to the nearest reads around them.

    Rejected where that takes more than `READS_MAX` reads.
    """
    rows = await read.raw.fetch(
        _AROUND,
        tenant_id,
        [meter_id for meter_id, _ in leaves],
        [flow for _, flow in leaves],
        as_of or FOR_EVER,
        *window,
        READS_MAX + 1,
    )
    if len(rows) > READS_MAX:
        raise Rejected(
            "window_too_wide",
            f"more than {READS_MAX} readings lie in it; ask for a shorter time or fewer meters",
        )
    return await asyncio.to_thread(_curves, leaves, rows)


def _curves(leaves: Sequence[Leaf], rows: Sequence[Row]) -> dict[Leaf, Curve]:
    """Beside the event loop, since it may take a second."""
    reads: defaultdict[Leaf, list[Read]] = defaultdict(list)
    for row in rows:
        reads[row["meter_id"], row["flow"]].append(_read(row))
    return {leaf: curve(reads[leaf]) for leaf in leaves}


async def fetch_last(
    read: ReadConnection,
    tenant_id: str,
    leaves: Sequence[Leaf],
    upto: datetime,
    as_of: datetime | None,
) -> dict[Leaf, tuple[UUID, Read]]:
    """The last reading of each register up to a moment, with its id."""
    rows = await read.raw.fetch(
        _LAST,
        tenant_id,
        [meter_id for meter_id, _ in leaves],
        [flow for _, flow in leaves],
        as_of or FOR_EVER,
        upto,
    )
    return {(row["meter_id"], row["flow"]): (row["reading_id"], _read(row)) for row in rows}


def _read(row: Row) -> Read:
    return Read(row["read_at"], row["kind"], row["value"], register_of(row), row["quality"])
