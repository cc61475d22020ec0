"""`/v1/meters`: every meter of the tenant."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request, Response

from gridtally.contracts.metering import MeterType
from gridtally.database import Database, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import IfMatch, OptionalMatch, RequiredMatch
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import answer
from gridtally.http.sorting import SortedPage
from gridtally.kernel.resources import Cause
from gridtally.ledger.callers import Reader, WriteCause, named_filters
from gridtally.ledger.registry.handlers import meters
from gridtally.ledger.registry.schemas.meters import (
    Meter,
    MeterChange,
    MeterReplacement,
    Meters,
    NewMeters,
    channels_of,
    registers_of,
)
from gridtally.ledger.registry.store import meters as store
from gridtally.ledger.registry.store.meter_uses import MeterUses

router = Router(prefix="/v1/meters", tags=["meters"])


async def _meter_uses(request: Request) -> MeterUses:
    uses: MeterUses = request.app.state.meter_uses
    return uses


Uses = Annotated[MeterUses, Depends(_meter_uses)]
"""What other features use meters for, as the composition root has given it."""


@router.post("/batch", status_code=201, response_model=Meters)
async def add_meters(new: NewMeters, db: Db, cause: WriteCause, request: Idempotent) -> Response:
    """Add up to 500 meters to their properties, all or nothing; those that exist already with the
    same content are answered as they are, with 200 where all of them do."""
    requested = [item.to_domain(item.property_id) for item in new.items]
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        added = await meters.add_meters(tx, cause, requested)
        body = Meters(items=[Meter.of(meter) for meter, _ in added])
        status = 201 if any(created for _, created in added) else 200
        return await request.store_answer(tx, status, body)


@router.get("")
async def list_meters(
    db: Db,
    caller: Reader,
    paging: Paging,
    property_id: UUID | None = None,
    meter_type: MeterType | None = None,
    name: str | None = None,
    sort: Literal["created_at", "-created_at", "name", "-name"] = "created_at",
) -> Page[Meter]:
    """Meters, oldest first unless sorted otherwise."""
    filters = named_filters(property_id=property_id, meter_type=meter_type, name=name)
    page = SortedPage(paging, sort)
    position = page.position()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_meters(read, caller.tenant_id, filters, position)
    return page.cut(rows, Meter.of)


@router.get("/{meter_id}")
async def get_meter(meter_id: UUID, db: Db, caller: Reader, response: Response) -> Meter:
    """One meter."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        meter = (await store.fetch_meters(read, caller.tenant_id, [meter_id])).get(meter_id)
    if meter is None:
        raise meters.unknown_meter()
    return answer(response, meter, Meter.of)


@router.patch("/{meter_id}")
async def change_meter(
    meter_id: UUID,
    change: MeterChange,
    db: Db,
    cause: WriteCause,
    uses: Uses,
    if_match: RequiredMatch,
    response: Response,
) -> Meter:
    """Change a meter's name, or replace its channels or registers. The digits and multiplier of a
    register that was read change with an exchange only."""
    return await _change(db, cause, uses, meter_id, change.changes(), if_match, response)


@router.put("/{meter_id}")
async def replace_meter(
    meter_id: UUID,
    replacement: MeterReplacement,
    db: Db,
    cause: WriteCause,
    uses: Uses,
    if_match: RequiredMatch,
    response: Response,
) -> Meter:
    """Replace everything about a meter that can change."""
    return await _change(db, cause, uses, meter_id, dict(replacement), if_match, response)


async def _change(
    db: Database,
    cause: Cause,
    uses: MeterUses,
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
        current, property_ = await meters.lock_meter(tx, cause.tenant_id, meter_id)
        if_match.check(current.version)
        changed = await meters.change_meter(tx, cause, current, property_, changes, uses)
    return answer(response, changed, Meter.of)


@router.delete("/{meter_id}", status_code=204)
async def delete_meter(
    meter_id: UUID, db: Db, cause: WriteCause, uses: Uses, if_match: OptionalMatch, now: Now
) -> None:
    """Remove a meter; 409 while a derived meter is a sum of it, or an agreement that bills it has
    not ended, which `errors` names. Its readings stay in the ledger, and count no more. Users whose
    default meter it was have none then."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current, property_ = await meters.lock_meter(tx, cause.tenant_id, meter_id)
        if_match.check(current.version)
        await meters.remove_meter(tx, cause, current, property_, uses, now)
