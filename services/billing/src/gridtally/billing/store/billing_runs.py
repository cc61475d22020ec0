"""Billing runs as rows, and what is found of their drafts: totals, and what stands out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.billing import tables
from gridtally.billing.domain.billing_runs import BillingRun, FindingKind, RunState
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, from_row

billing_run = tables.billing_run


_INSERT = """
INSERT INTO billing_run (tenant_id, id, name, start_on, end_on, customer_ids, shock_percent,
                         created_by, created_at, version, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id
"""


async def insert_run(tx: WriteConnection, run: BillingRun) -> bool:
    """Store a run that nobody has decided, and return whether its id was free."""
    stored_id = await tx.raw.fetchval(
        _INSERT,
        run.tenant_id,
        run.id,
        run.name,
        run.start_on,
        run.end_on,
        list(run.customer_ids),
        run.shock_percent,
        run.created_by,
        run.created_at,
        run.version,
        run.state,
    )
    return stored_id is not None


async def fetch_run(
    read: ReadConnection, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> BillingRun | None:
    """A run, locked where it is to be decided of; None where there is none."""
    query = sa.select(billing_run).where(
        billing_run.c.tenant_id == tenant_id, billing_run.c.id == run_id
    )
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return None if row is None else _run_of(row)


async def list_runs(
    read: ReadConnection,
    tenant_id: str,
    state: RunState | None,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[BillingRun]:
    """Runs, the newest first."""
    query = sa.select(billing_run).where(billing_run.c.tenant_id == tenant_id)
    if state is not None:
        query = query.where(billing_run.c.state == state)
    order = (billing_run.c.created_at, billing_run.c.id)
    rows = await read.all(page_after(query, order, after=after, rows_max=rows_max, descending=True))
    return [_run_of(row) for row in rows]


def _run_of(row: Any) -> BillingRun:
    return from_row(BillingRun, row, customer_ids=tuple(row["customer_ids"]))


_UPDATE = """
UPDATE billing_run
   SET state = $3, version = $4, decided_by = $5, decided_at = $6, correlation_id = $7
 WHERE (tenant_id, id) = ($1, $2)
"""


async def update_run(tx: WriteConnection, run: BillingRun) -> None:
    """Store what was decided of a run."""
    await tx.raw.execute(
        _UPDATE,
        run.tenant_id,
        run.id,
        run.state,
        run.version,
        run.decided_by,
        run.decided_at,
        run.correlation_id,
    )


_CLAIM = """
SELECT * FROM billing_run WHERE state = 'approved'
 ORDER BY decided_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""


async def claim_approved_run(tx: WriteConnection) -> BillingRun | None:
    """The run that was approved first and is not issued, if nobody else works on it."""
    row = await tx.raw.fetchrow(_CLAIM)
    return None if row is None else _run_of(row)


async def mark_issued(tx: WriteConnection, run: BillingRun) -> None:
    """All drafts of the run are approved."""
    await tx.raw.execute(
        "UPDATE billing_run SET state = 'issued', version = version + 1"
        " WHERE (tenant_id, id) = ($1, $2)",
        run.tenant_id,
        run.id,
    )


# What a run selects: $1 tenant, $2 first day, $3 day after the last, $4 customers or none for all.
_CHOSEN = """
d.tenant_id = $1 AND d.start_on >= $2 AND d.end_on <= $3
    AND (cardinality($4::uuid[]) = 0 OR d.customer_id = ANY($4::uuid[]))
"""


def _selection(run: BillingRun) -> tuple[str, date, date, list[UUID]]:
    return run.tenant_id, run.start_on, run.end_on, list(run.customer_ids)


_DIGEST = """
SELECT encode(sha256(convert_to(coalesce(
       string_agg(d.id::text || d.digest, ' ' ORDER BY d.id), ''), 'UTF8')), 'hex')
  FROM invoice_draft d WHERE d.state = 'pending' AND
"""


async def fetch_digest(read: ReadConnection, run: BillingRun) -> str:
    """SHA-256 of which drafts wait, with their lines: another one as soon as any differs."""
    digest: str = await read.raw.fetchval(_DIGEST + _CHOSEN, *_selection(run))
    return digest


_AGREEMENTS = f"""
SELECT DISTINCT d.agreement_id FROM invoice_draft d WHERE d.state = 'pending' AND {_CHOSEN}
"""  # noqa: S608 - of constants


async def fetch_agreements(read: ReadConnection, run: BillingRun) -> list[UUID]:
    """The agreements whose drafts wait."""
    rows = await read.raw.fetch(_AGREEMENTS, *_selection(run))
    return [row["agreement_id"] for row in rows]


_MARK = f"""
UPDATE invoice_draft d SET run_id = $5
 WHERE d.state = 'pending' AND d.agreement_id = ANY($6::uuid[]) AND {_CHOSEN}
"""  # noqa: S608 - of constants
_OF_RUN = "d.tenant_id = $1 AND d.run_id = $2"


async def mark_drafts(tx: WriteConnection, run: BillingRun, agreements: Sequence[UUID]) -> str:
    """Have what waits of these agreements, which are locked, be the run's; the digest of just
    that."""
    await tx.raw.execute(_MARK, *_selection(run), run.id, agreements)
    digest: str = await tx.raw.fetchval(_DIGEST + _OF_RUN, run.tenant_id, run.id)
    return digest


# Each waiting draft with the live bill of the same customer's meter that ended last before it
# began, and what stands out: its cost per day differs by more than $5 percent of that one's, no
# line counts any kWh, or some rest on values that are not actual.
_JUDGED = f"""
SELECT d.*, last.total AS last_total,
       last.total IS NOT NULL
           AND abs(d.total * last.days - last.total * (d.end_on - d.start_on)) * 100
             > $5 * abs(last.total) * (d.end_on - d.start_on) AS is_shock,
       lines.has_use IS NOT TRUE AS is_no_use, coalesce(lines.is_doubtful, false) AS is_estimated
  FROM invoice_draft d
  LEFT JOIN LATERAL (
       SELECT i.total, i.end_on - i.start_on AS days FROM invoice i
        WHERE i.tenant_id = d.tenant_id AND i.meter_id = d.meter_id AND NOT i.is_collective
          AND i.customer_id = d.customer_id AND i.currency = d.currency AND i.end_on <= d.start_on
          AND NOT EXISTS (SELECT FROM credit_note c
                           WHERE c.tenant_id = i.tenant_id AND c.extent <> 'part'
                             AND c.invoice_id = coalesce(i.collective_id, i.id))
        ORDER BY i.end_on DESC LIMIT 1) AS last ON true
 CROSS JOIN LATERAL (
       SELECT bool_or(l ->> 'unit' = 'kWh' AND (l ->> 'quantity')::numeric <> 0) AS has_use,
              bool_or(l -> 'quality' ->> 'worst' <> 'actual') AS is_doubtful
         FROM jsonb_array_elements(d.lines) AS l) AS lines
 WHERE d.state = 'pending' AND {_CHOSEN}
"""  # noqa: S608 - of constants
_TOTALS = f"""
SELECT currency, count(*) AS bills, sum(net) AS net, sum(tax) AS tax, sum(total) AS total,
       count(last_total) AS compared_bills,
       coalesce(sum(total) FILTER (WHERE last_total IS NOT NULL), 0) AS compared_total,
       coalesce(sum(last_total), 0) AS last_total,
       count(*) FILTER (WHERE is_shock) AS bill_shocks,
       count(*) FILTER (WHERE is_no_use) AS without_use,
       count(*) FILTER (WHERE is_estimated) AS estimated
  FROM ({_JUDGED}) AS judged GROUP BY currency ORDER BY currency
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What waits in one currency; the last bills are those of the same meters, as far as they had
    one, and `compared_total` is what these come to now."""

    currency: str
    bills: int
    net: Decimal
    tax: Decimal
    total: Decimal
    compared_bills: int
    compared_total: Decimal
    last_total: Decimal
    bill_shocks: int
    without_use: int
    estimated: int


async def fetch_totals(read: ReadConnection, run: BillingRun) -> list[RunTotals]:
    """What the drafts that wait come to, by currency."""
    rows = await read.raw.fetch(_TOTALS, *_selection(run), run.shock_percent)
    return [from_row(RunTotals, row) for row in rows]


# Held for something that no approval brings, by the customers of their agreements.
_HELD = """
  FROM held_period h JOIN agreement a ON (a.tenant_id, a.id) = (h.tenant_id, h.agreement_id)
 WHERE h.tenant_id = $1 AND h.start_on >= $2 AND h.end_on <= $3
   AND h.reason <> 'approval_pending' AND h.dismissed_at IS NULL
   AND (cardinality($4::uuid[]) = 0 OR a.customer_id = ANY($4::uuid[]))
"""
_PROGRESS = f"""
SELECT (SELECT count(*) FROM invoice_draft d WHERE d.state = 'pending' AND {_CHOSEN}) AS pending,
       (SELECT count(*) FROM invoice_draft d
         WHERE d.state = 'approved' AND d.decided_at = $5 AND d.decided_by = $6
           AND {_CHOSEN}) AS approved,
       (SELECT count(*) FROM invoice d
         WHERE d.approved_at = $5 AND d.approved_by = $6 AND NOT d.is_collective
           AND {_CHOSEN}) AS issued,
       (SELECT count(*) {_HELD}) AS held
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How many bills wait, were approved with the run, were issued by it, and are held for
    something else."""

    pending: int
    approved: int
    issued: int
    held: int


async def fetch_progress(read: ReadConnection, run: BillingRun) -> RunProgress:
    """How far a run has come."""
    decided = (run.decided_at, run.decided_by)
    row = await read.raw.fetchrow(_PROGRESS, *_selection(run), *decided)
    assert row is not None  # noqa: S101 - of four counts there always is one
    return from_row(RunProgress, row)


_FINDINGS = f"""
SELECT * FROM (
       SELECT agreement_id, start_on, end_on, customer_id, meter_id, id AS draft_id, currency,
              total, last_total, NULL AS reason,
              array_remove(ARRAY[CASE WHEN is_shock THEN 'bill_shock' END,
                                 CASE WHEN is_no_use THEN 'no_use' END,
                                 CASE WHEN is_estimated THEN 'estimated' END], NULL) AS kinds
         FROM ({_JUDGED}) AS judged WHERE is_shock OR is_no_use OR is_estimated
       UNION ALL
       SELECT h.agreement_id, h.start_on, h.end_on, a.customer_id, h.meter_id, NULL, NULL,
              NULL, NULL, h.reason, ARRAY['held'] {_HELD}) AS finding
 WHERE ($6::date IS NULL OR (start_on, agreement_id) > ($6::date, $7::uuid))
   AND ($8::text IS NULL OR $8 = ANY(kinds))
 ORDER BY start_on, agreement_id LIMIT $9
"""  # noqa: S608 - of constants


async def list_findings(
    read: ReadConnection,
    run: BillingRun,
    kind: FindingKind | None,
    after: tuple[date, UUID] | None,
    rows_max: int,
) -> Sequence[Row]:
    """What stands out among the bills of a run, by first day and agreement."""
    begin = after or (None, None)
    return await read.raw.fetch(
        _FINDINGS, *_selection(run), run.shock_percent, *begin, kind, rows_max
    )
