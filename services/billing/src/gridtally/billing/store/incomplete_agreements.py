"""Which agreements lack their meter or their tariff, the oldest first."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.billing import tables
from gridtally.billing.domain.incomplete_agreements import IncompleteAgreement, Missing
from gridtally.billing.store.agreements import agreement_of
from gridtally.database import ReadConnection
from gridtally.database.pages import page_after

agreement, meter, version = tables.agreement, tables.meter, tables.tariff_version
LACKS: dict[Missing, sa.ColumnElement[bool]] = {
    "meter": ~sa.exists().where(
        meter.c.tenant_id == agreement.c.tenant_id, meter.c.id == agreement.c.meter_id
    ),
    "tariff": ~sa.exists().where(
        version.c.tenant_id == agreement.c.tenant_id,
        version.c.tariff_id == agreement.c.tariff_id,
        version.c.status == "published",
    ),
}
"""What a row of `agreement` is like whose meter was never registered, or whose tariff has no
published version."""


async def list_incomplete(
    read: ReadConnection,
    tenant_id: str,
    missing: Missing | None,
    customer_id: UUID | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[IncompleteAgreement]:
    """Agreements that lack something, or what is named; those made after the instant and id
    `after`. Cancelled ones lack nothing."""
    lacking = LACKS.values() if missing is None else [LACKS[missing]]
    shown = [condition.label(f"lacks_{name}") for name, condition in LACKS.items()]
    query = sa.select(agreement, *shown).where(
        agreement.c.tenant_id == tenant_id,
        sa.or_(agreement.c.end_on.is_(None), agreement.c.end_on > agreement.c.start_on),
        sa.or_(*lacking),
    )
    if customer_id is not None:
        query = query.where(agreement.c.customer_id == customer_id)
    order = (agreement.c.created_at, agreement.c.id)
    return [
        IncompleteAgreement(
            agreement_of(row),
            [name for name in LACKS if row[f"lacks_{name}"]],
            row["created_at"],
        )
        for row in await read.all(page_after(query, order, after=after, rows_max=rows_max))
    ]
