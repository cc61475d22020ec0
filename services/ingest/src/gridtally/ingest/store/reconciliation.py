"""The figures of the reconciliation, in one snapshot; what is archived counts by its manifest."""

from dataclasses import dataclass
from typing import Any

from gridtally.database import ReadConnection
from gridtally.ingest.domain.archive import FlowTotal
from gridtally.ingest.store.archive.shards import fetch_archived_totals

_COUNTED = """
SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
       coalesce(sum(duplicates), 0)::bigint AS duplicates,
       coalesce(sum(quarantined), 0)::bigint AS quarantined,
       coalesce(sum(pending), 0)::bigint AS pending,
       coalesce(sum(dropped), 0)::bigint AS dropped,
       coalesce(sum(readings_new), 0)::bigint AS new,
       coalesce(sum(readings_corrected), 0)::bigint AS corrected,
       coalesce(sum(readings_unchanged), 0)::bigint AS unchanged
  FROM intake_count WHERE tenant_id = $1
"""
_STORED = "SELECT count(*) FROM reading_block WHERE tenant_id = $1 AND piece = 0"
_QUARANTINED = """
SELECT count(*) FROM quarantine WHERE tenant_id = $1 AND replayed_at IS NULL
"""
_PENDING = "SELECT count(*) FROM pending_block WHERE tenant_id = $1"
_CLOSED_PERIODS = "SELECT count(*) FROM period WHERE tenant_id = $1 AND state = 'closed'"
_ENERGY = """
WITH stored AS (
    SELECT flow, coalesce(sum((SELECT sum(v) FROM unnest(values) AS v)), 0)::bigint AS wh,
           sum(present)::bigint AS present
      FROM channel_day WHERE tenant_id = $1 GROUP BY flow),
closed AS (
    SELECT e.key AS flow, sum(e.value::bigint)::bigint AS wh
      FROM period, jsonb_each_text(energy_wh) AS e
     WHERE tenant_id = $1 AND state = 'closed' GROUP BY e.key)
SELECT flow, coalesce(s.present, 0) AS present, coalesce(s.wh, 0) AS stored_wh,
       coalesce(c.wh, 0) AS closed_wh
  FROM (SELECT flow FROM stored UNION SELECT unnest($2::text[]) COLLATE "C") AS f
  LEFT JOIN stored s USING (flow) LEFT JOIN closed c USING (flow) ORDER BY flow
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted, and what lies in the tables (`found`)."""

    counted: dict[str, int]
    found: dict[str, int]
    values: dict[str, int]
    values_found: int
    closed_periods: int
    energy: list[dict[str, Any]]


async def fetch_reconciliation(read: ReadConnection, tenant_id: str) -> Figures:
    """A tenant's figures; duplicates and what was dropped are in no table, so `found` has them as
    they were counted."""
    row = dict(await read.raw.fetchrow(_COUNTED, tenant_id) or {})
    values = {name: row.pop(name) for name in ("new", "corrected", "unchanged")}
    stored = {
        "stored": await read.raw.fetchval(_STORED, tenant_id),
        "duplicates": row["duplicates"],
        "quarantined": await read.raw.fetchval(_QUARANTINED, tenant_id),
        "pending": await read.raw.fetchval(_PENDING, tenant_id),
        "dropped": row["dropped"],
    }
    archived_events, archived = await fetch_archived_totals(read, tenant_id)
    stored["stored"] += archived_events
    energy, present = [], 0
    for flow in await read.raw.fetch(_ENERGY, tenant_id, list(archived)):
        of_archive = archived.get(flow["flow"], FlowTotal(0, 0))
        stored_wh = flow["stored_wh"] + of_archive.energy_wh
        present += flow["present"] + of_archive.present
        energy.append(
            {
                "flow": flow["flow"],
                "stored_wh": stored_wh,
                "closed_wh": flow["closed_wh"],
                "open_wh": stored_wh - flow["closed_wh"],
            }
        )
    return Figures(
        row,
        {"received": sum(stored.values()), **stored},
        values,
        present,
        await read.raw.fetchval(_CLOSED_PERIODS, tenant_id),
        energy,
    )
