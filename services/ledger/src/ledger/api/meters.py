"""`/v1/meters`: every meter of the tenant."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.metering import MeterType
from database import snapshot, transaction
from ledger.api.models import (
    Meter,
    MeterChange,
    Reader,
    WriteCause,
    channels_of,
    given,
    instant,
    position,
    shown_meter,
)
from ledger.handlers import registry
from ledger.store import meters
from serving.context import Db
from serving.etags import RequiredMatch, tag
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/meters", tags=["meters"])


@router.get("")
async def list_meters(
    db: Db,
    caller: Reader,
    paging: Paging,
    property_id: UUID | None = None,
    type: MeterType | None = None,  # noqa: A002 - the query's name
) -> Page[Meter]:
    """Meters, oldest first."""
    filters = given(property_id=property_id, type=type)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await meters.list_meters(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=shown_meter, position=position)


@router.get("/{meter_id}")
async def get_meter(meter_id: UUID, db: Db, caller: Reader, response: Response) -> Meter:
    """One meter."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = (await meters.fetch_meters(read, caller.tenant_id, [meter_id])).get(meter_id)
    if found is None:
        raise registry.unknown_meter()
    tag(response, found.version)
    return shown_meter(found)


@router.patch("/{meter_id}")
async def change_meter(
    meter_id: UUID,
    change: MeterChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Meter:
    """Change a meter's name, or replace its channels."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    if change.channels is not None:
        changes["channels"] = channels_of(change.channels)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current, place = await registry.lock_meter(tx, cause.tenant_id, meter_id)
        if_match.check(current.version)
        changed = await registry.change_meter(tx, cause, current, place, changes)
    tag(response, changed.version)
    return shown_meter(changed)
