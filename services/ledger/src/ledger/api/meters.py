"""`/v1/meters`: every meter of the tenant."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.metering import MeterType
from database import Database, snapshot, transaction
from ledger.api.models import (
    Meter,
    MeterChange,
    Reader,
    WholeMeter,
    WriteCause,
    channels_of,
    given,
    registers_of,
    shown_meter,
)
from ledger.api.sorting import Sorting
from ledger.handlers import registry
from ledger.store import meters
from ledger.wire import Cause
from serving.context import Db
from serving.etags import IfMatch, OptionalMatch, RequiredMatch, tag
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/meters", tags=["meters"])


@router.get("")
async def list_meters(
    db: Db,
    caller: Reader,
    paging: Paging,
    property_id: UUID | None = None,
    type: MeterType | None = None,  # noqa: A002 - the query's name
    name: str | None = None,
    sort: Literal["created_at", "-created_at", "name", "-name"] = "created_at",
) -> Page[Meter]:
    """Meters, oldest first unless sorted otherwise."""
    filters = given(property_id=property_id, type=type, name=name)
    sorting = Sorting(sort)
    order = sorting.order(paging)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await meters.list_meters(read, caller.tenant_id, filters, order, paging.rows)
    return paging.cut(rows, item=shown_meter, position=sorting.position())


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
    """Change a meter's name, or replace its channels or registers. The digits and multiplier of a
    register that was read change with an exchange only."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    return await _change(db, cause, meter_id, changes, if_match, response)


@router.put("/{meter_id}")
async def replace_meter(
    meter_id: UUID,
    whole: WholeMeter,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Meter:
    """Change all that can be said of a meter."""
    return await _change(db, cause, meter_id, dict(whole), if_match, response)


async def _change(
    db: Database,
    cause: Cause,
    meter_id: UUID,
    changes: dict[str, Any],
    if_match: IfMatch,
    response: Response,
) -> Meter:
    if "channels" in changes:
        changes["channels"] = channels_of(changes["channels"])
    if "registers" in changes:
        changes["registers"] = registers_of(changes["registers"])
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current, place = await registry.lock_meter(tx, cause.tenant_id, meter_id)
        if_match.check(current.version)
        changed = await registry.change_meter(tx, cause, current, place, changes)
    tag(response, changed.version)
    return shown_meter(changed)


@router.delete("/{meter_id}", status_code=204)
async def delete_meter(meter_id: UUID, db: Db, cause: WriteCause, if_match: OptionalMatch) -> None:
    """Remove a meter; 409 while a derived meter is a sum of it. What was read stays in the ledger,
    and counts no more. Whose default meter it was has none then."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current, _ = await registry.lock_meter(tx, cause.tenant_id, meter_id)
        if_match.check(current.version)
        await registry.remove_meter(tx, cause, current)
