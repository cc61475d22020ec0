"""Costs per meter and local day over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from billing.api.callers import Reader
from billing.store import listing
from contracts.model import Amount
from database import snapshot
from kernel.errors import Fault, Rejected
from serving.context import Db

router = APIRouter(prefix="/v1/meters", tags=["rollups"])
DAYS_MAX = 366


class Rollup(BaseModel):
    """What a local day costs so far, without fixed and capacity charges."""

    day: date
    agreement_id: UUID
    tariff_version_id: UUID
    usage_version: int
    import_wh: int
    export_wh: int
    currency: str
    net: Amount
    tax: Amount
    gross: Amount


class Rollups(BaseModel):
    """The days that can be priced, in order."""

    items: list[Rollup]


@router.get("/{meter_id}/rollups")
async def list_rollups(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    start_on: Annotated[date, Query(alias="from")],
    end_on: Annotated[date, Query(alias="to")],
) -> Rollups:
    """A meter's costs on local days from `from` up to, but without, `to`."""
    if not 0 < (end_on - start_on).days <= DAYS_MAX:
        fault = Fault("/query/to", f"must be 1 to {DAYS_MAX} days after `from`")
        raise Rejected("invalid_window", "the window cannot be answered", (fault,))
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.fetch_costs(read, caller.tenant_id, meter_id, start_on, end_on)
    return Rollups(items=[Rollup.model_validate(dict(row)) for row in rows])
