"""Drafts of invoices: one for each period that waits for approval; and which tenants approve."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.drafts import Draft, DraftState, RunsApprover
from gridtally.billing.domain.periods import PeriodKey
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, from_row, insert_rows

invoice_draft = tables.invoice_draft


# Of the tenants that have said so.
_APPROVING = """
SELECT tenant_id FROM invoicing_terms WHERE tenant_id = ANY($1::text[]) AND approval = 'required'
"""


async def fetch_approving(read: ReadConnection, tenants: Collection[str]) -> set[str]:
    """Those of these tenants that approve their invoices before they are issued."""
    rows = await read.raw.fetch(_APPROVING, sorted(set(tenants)))
    return {row["tenant_id"] for row in rows}


_RUNS_APPROVED_BY = "SELECT runs_approved_by FROM invoicing_terms WHERE tenant_id = $1"


async def fetch_runs_approver(read: ReadConnection, tenant_id: str) -> RunsApprover:
    """Who approves the tenant's billing runs."""
    approver: RunsApprover | None = await read.raw.fetchval(_RUNS_APPROVED_BY, tenant_id)
    return approver or "anyone"


_UPSERT_TERMS = """
ON CONFLICT (tenant_id) DO UPDATE
   SET approval = excluded.approval, runs_approved_by = excluded.runs_approved_by
"""


async def upsert_approval(
    tx: WriteConnection, tenant_id: str, approver: RunsApprover, *, is_required: bool
) -> None:
    """Whether the tenant approves its invoices from now on, and who its runs."""
    row = {
        "tenant_id": tenant_id,
        "approval": "required" if is_required else "none",
        "runs_approved_by": approver,
    }
    await insert_rows(tx, tables.invoicing_terms, [row], _UPSERT_TERMS)


# What waits for an approval that nobody needs any more.
_RELEASE = """
UPDATE held_period SET due = true
 WHERE tenant_id = $1 AND reason IN ('approval_pending', 'draft_rejected')
"""


async def mark_drafts_due(tx: WriteConnection, tenant_id: str) -> None:
    """The periods of all of a tenant's drafts are billed once more."""
    await tx.raw.execute(_RELEASE, tenant_id)


# By the primary key, whatever the planner believes of an empty table.
_DRAFTS = """
SELECT d.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM invoice_draft i
        WHERE (i.tenant_id, i.agreement_id, i.start_on)
            = (k.tenant_id, k.agreement_id, k.start_on) LIMIT 1) AS d
"""


async def fetch_drafts(read: ReadConnection, keys: Collection[PeriodKey]) -> dict[PeriodKey, Draft]:
    """The drafts of these periods, as far as they have one; their agreements are locked by whoever
    decides by them."""
    rows = await read.raw.fetch(_DRAFTS, *columns_of(keys, 3)) if keys else []
    drafts = [from_row(Draft, row) for row in rows]
    return {draft.key: draft for draft in drafts}


_REPLACE = ", ".join(
    f'"{column.name}" = excluded."{column.name}"'
    for column in invoice_draft.c
    if column.name not in ("tenant_id", "agreement_id", "start_on")
)


async def upsert_drafts(tx: WriteConnection, drafts: Mapping[str, Sequence[Draft]]) -> None:
    """Store drafts in the place of those of their periods, by the JSON of their lines."""
    rows = [
        as_row(draft, invoice_draft, lines=lines)
        for lines, same in drafts.items()
        for draft in same
    ]
    await insert_rows(
        tx,
        invoice_draft,
        rows,
        f"ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE SET {_REPLACE}",
    )


_DELETE = """
DELETE FROM invoice_draft d
 USING unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (d.tenant_id, d.agreement_id, d.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def delete_drafts(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """These periods have no draft any more: they are issued, or held for something else."""
    if keys:
        await tx.raw.execute(_DELETE, *columns_of(keys, 3))


_DECIDE = """
UPDATE invoice_draft d
   SET state = k.state, version = k.version, decided_by = k.decided_by,
       decided_at = k.decided_at, reason = k.reason
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::text[], $5::integer[], $6::text[],
              $7::timestamptz[], $8::text[])
       AS k (tenant_id, agreement_id, start_on, state, version, decided_by, decided_at, reason)
 WHERE (d.tenant_id, d.agreement_id, d.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def update_decisions(tx: WriteConnection, drafts: Sequence[Draft]) -> None:
    """Store what was decided of these drafts."""
    rows = [(*d.key, d.state, d.version, d.decided_by, d.decided_at, d.reason) for d in drafts]
    await tx.raw.execute(_DECIDE, *columns_of(rows, 8))


@dataclass(frozen=True, slots=True)
class DraftFilter:
    """None asks for all; periods lie within `start_on` to `end_on`, totals are at most `total_max`
    in `currency`, and drafts are of the billing run `run_id`."""

    customer_id: UUID | None = None
    agreement_id: UUID | None = None
    start_on: date | None = None
    end_on: date | None = None
    total_max: Decimal | None = None
    currency: str | None = None
    state: DraftState | None = None
    customer_ids: tuple[UUID, ...] | None = None
    run_id: UUID | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What a row of the table must be like."""
        draft = invoice_draft.c
        named: list[tuple[Callable[[Any], sa.ColumnElement[bool]], Any]] = [
            (draft.customer_id.__eq__, self.customer_id),
            (draft.agreement_id.__eq__, self.agreement_id),
            (draft.start_on.__ge__, self.start_on),
            (draft.end_on.__le__, self.end_on),
            (draft.total.__le__, self.total_max),
            (draft.currency.__eq__, self.currency),
            (draft.state.__eq__, self.state),
            (draft.customer_id.in_, self.customer_ids),
            (draft.run_id.__eq__, self.run_id),
        ]
        return [holds(value) for holds, value in named if value is not None]


async def list_drafts(
    read: ReadConnection,
    tenant_id: str,
    filters: DraftFilter,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Rows of drafts, by first day and id, those after the day and id `after`."""
    query = sa.select(invoice_draft).where(
        invoice_draft.c.tenant_id == tenant_id, *filters.conditions()
    )
    order = (invoice_draft.c.start_on, invoice_draft.c.id)
    return await read.all(page_after(query, order, after=after, rows_max=rows_max))


async def fetch_draft(read: ReadConnection, tenant_id: str, draft_id: UUID) -> RowMapping | None:
    """The row of a draft, or None."""
    return await read.one_or_none(
        sa.select(invoice_draft).where(
            invoice_draft.c.tenant_id == tenant_id, invoice_draft.c.id == draft_id
        )
    )
