"""Costs per meter and local day over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from gridtally.billing.api.callers import Reader
from gridtally.billing.store import daily_costs as store
from gridtally.contracts.model import Amount
from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import Fault, Rejected

router = Router(prefix="/v1/meters", tags=["daily costs"])
DAYS_MAX = 366


class DailyCost(BaseModel):
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


class DailyCosts(BaseModel):
    """The days that can be priced, in order."""

    items: list[DailyCost]


@router.get("/{meter_id}/daily-costs")
async def list_daily_costs(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    start_on: Annotated[date, Query(alias="from")],
    end_on: Annotated[date, Query(alias="to")],
) -> DailyCosts:
    """A meter's costs on local days from `from` up to, but without, `to`."""
    if not 0 < (end_on - start_on).days <= DAYS_MAX:
        fault = Fault("/query/to", f"must be 1 to {DAYS_MAX} days after `from`")
        raise Rejected("invalid_window", "the window cannot be answered", (fault,))
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.fetch_daily_costs(read, caller.tenant_id, meter_id, start_on, end_on)
    return DailyCosts(items=[DailyCost.model_validate(dict(row)) for row in rows])
