"""Evidence: what an invoice rests on, as `domain.replay` takes it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from billing.domain.facts import read_version
from billing.domain.prices import PriceDay, copied_series
from billing.domain.replay import Kept
from billing.store.facts import price_day_of
from billing.store.rows import columns_of
from billing.wire import energy_of, unpack_usage
from database import ReadConnection
from kernel.errors import Rejected
from kernel.periods import Period
from rating.prices import PriceSeries
from rating.state import read_state
from rating.tariff import Part

_INVOICE = """
SELECT i.start_on, i.end_on, e.*
  FROM invoice i JOIN invoice_evidence e ON e.tenant_id = i.tenant_id AND e.invoice_id = i.id
 WHERE i.tenant_id = $1 AND i.id = $2
"""
_VERSIONS = """
SELECT id, document::text AS document FROM tariff_version WHERE tenant_id = $1 AND id = ANY($2)
"""
_PRICES = """
SELECT p.* FROM unnest($2::text[], $3::date[], $4::int[]) AS k (code, day, version)
  JOIN price_day p ON p.tenant_id = $1
   AND (p.code, p.day, p.version) = (k.code, k.day, k.version)
"""


async def fetch_kept(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> Kept:
    """What the invoice, which exists, was computed from."""
    row: Any = await read.raw.fetchrow(_INVOICE, tenant_id, invoice_id)
    series = unpack_usage(row["usage"])
    return Kept(
        zone=row["zone"],
        period=Period(row["start_on"], row["end_on"]),
        minutes={one.flow: one.minutes for one in series},
        series={one.flow: energy_of(one.values) for one in series},
        connected_kw=row["connected_kw"],
        missing="refused" if row["closed_by"] == "complete" else "nothing",
        parts=await _parts(read, tenant_id, row["parts"]),
        state_before=read_state(row["state_before"]),
        prices=await _prices(read, tenant_id, row["prices"]),
    )


async def _parts(
    read: ReadConnection, tenant_id: str, parts: Sequence[Mapping[str, str]]
) -> list[Part]:
    ids = [UUID(part["tariff_version_id"]) for part in parts]
    rows = await read.raw.fetch(_VERSIONS, tenant_id, ids)
    versions = {row["id"]: read_version(row["id"], row["document"]) for row in rows}
    if not parts or not versions.keys() >= set(ids):
        raise Rejected("evidence_incomplete", "the tariff versions of the invoice are not kept")
    return [
        Part(
            Period(date.fromisoformat(part["start_on"]), date.fromisoformat(part["end_on"])),
            versions[version_id],
        )
        for part, version_id in zip(parts, ids, strict=True)
    ]


async def _prices(
    read: ReadConnection, tenant_id: str, used: Mapping[str, Mapping[str, int]]
) -> dict[str, PriceSeries]:
    wanted = [
        (code, date.fromisoformat(day), version)
        for code, versions in used.items()
        for day, version in versions.items()
    ]
    days: defaultdict[str, list[PriceDay]] = defaultdict(list)
    for row in await read.raw.fetch(_PRICES, tenant_id, *columns_of(wanted, 3)):
        days[row["code"]].append(price_day_of(row))
    return {code: copied_series(several).series for code, several in days.items()}
