"""`/v1/properties`: places that are metered, and the meters that come with them."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.model import Zone
from database import Database, snapshot, transaction
from ledger.api.models import (
    Meter,
    NewMeter,
    NewProperties,
    NewProperty,
    Properties,
    Property,
    PropertyChange,
    PropertyWithMeters,
    Reader,
    WholeProperty,
    WriteCause,
    given,
    shown_meter,
    shown_property,
    shown_with_meters,
)
from ledger.api.sorting import Sorting
from ledger.handlers import registry
from ledger.store import meters, properties
from ledger.wire import Cause
from serving.context import Db
from serving.etags import IfMatch, OptionalMatch, RequiredMatch, etag, tag
from serving.idempotency import Idempotent
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/properties", tags=["properties"])


@router.post("", status_code=201, response_model=PropertyWithMeters)
async def create_property(
    new: NewProperty, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Register a property with its four meters; the same again answers 200 with what exists."""
    asked = new.to_domain(cause.tenant_id)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        [one] = await registry.create_properties(tx, cause, [asked])
        shown = shown_with_meters(one.property, one.meters)
        headers = {"ETag": etag(shown.version)}
        return await once.keep(tx, 201 if one.created else 200, shown, headers)


@router.post("/batch", status_code=201, response_model=Properties)
async def create_properties(
    new: NewProperties, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Register up to 1 000 properties, all or nothing; some may exist already, just so."""
    asked = [each.to_domain(cause.tenant_id) for each in new.items]
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        registered = await registry.create_properties(tx, cause, asked)
        items = [shown_with_meters(one.property, one.meters) for one in registered]
        return await once.keep(tx, 201, Properties(items=items))


@router.get("")
async def list_properties(
    db: Db,
    caller: Reader,
    paging: Paging,
    name: str | None = None,
    zone: Zone | None = None,
    region_id: UUID | None = None,
    parent_id: UUID | None = None,
    under: UUID | None = None,
    sort: Literal["created_at", "-created_at", "name", "-name"] = "created_at",
) -> Page[Property]:
    """Properties, oldest first unless sorted otherwise; `under` takes all below one in the tree."""
    filters = given(name=name, zone=zone, region_id=region_id, parent_id=parent_id)
    sorting = Sorting(sort)
    order = sorting.order(paging)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await properties.list_properties(
            read, caller.tenant_id, filters, order, paging.rows, under=under
        )
    return paging.cut(rows, item=shown_property, position=sorting.position())


@router.get("/{property_id}")
async def get_property(
    property_id: UUID, db: Db, caller: Reader, response: Response
) -> PropertyWithMeters:
    """One property with its meters."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await properties.fetch_properties(read, caller.tenant_id, [property_id])
        if property_id not in found:
            raise registry.unknown_property()
        own = await meters.fetch_meters_of(read, caller.tenant_id, [property_id])
    tag(response, found[property_id].version)
    return shown_with_meters(found[property_id], own.get(property_id, []))


@router.patch("/{property_id}")
async def change_property(
    property_id: UUID,
    change: PropertyChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Property:
    """Change what is named; meters follow where they inherit it."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    return await _change(db, cause, property_id, changes, if_match, response)


@router.put("/{property_id}")
async def replace_property(
    property_id: UUID,
    whole: WholeProperty,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Property:
    """Change all that can be said of a property; meters follow where they inherit it."""
    return await _change(db, cause, property_id, dict(whole), if_match, response)


async def _change(
    db: Database,
    cause: Cause,
    property_id: UUID,
    changes: dict[str, Any],
    if_match: IfMatch,
    response: Response,
) -> Property:
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await registry.lock_property(tx, cause.tenant_id, property_id)
        if_match.check(current.version)
        changed = await registry.change_property(tx, cause, current, changes)
    tag(response, changed.version)
    return shown_property(changed)


@router.delete("/{property_id}", status_code=204)
async def delete_property(
    property_id: UUID, db: Db, cause: WriteCause, if_match: OptionalMatch
) -> None:
    """Remove a property with its meters and users; 409 while others hang under it or are sums of
    its meters. What was read stays in the ledger, and counts no more."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await registry.lock_property(tx, cause.tenant_id, property_id)
        if_match.check(current.version)
        await registry.delete_property(tx, cause, current)


@router.get("/{property_id}/meters")
async def list_meters_of_property(property_id: UUID, db: Db, caller: Reader) -> list[Meter]:
    """The meters of a property."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        own = await meters.fetch_meters_of(read, caller.tenant_id, [property_id])
        if not own and not await properties.fetch_properties(read, caller.tenant_id, [property_id]):
            raise registry.unknown_property()
    return [shown_meter(one) for one in own.get(property_id, [])]


@router.post("/{property_id}/initialize-meters")
async def initialize_meters(
    property_id: UUID, db: Db, cause: WriteCause, response: Response
) -> list[Meter]:
    """See that a property has its own four meters, and answer all it has: 201 where one was
    missing and is made anew, 200 where all were there."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        place = await registry.lock_property(tx, cause.tenant_id, property_id)
        own, created = await registry.initialize_meters(tx, cause, place.thing)
    response.status_code = 201 if created else 200
    return [shown_meter(one) for one in own]


@router.post("/{property_id}/meters", status_code=201, response_model=Meter)
async def add_meter(
    property_id: UUID, new: NewMeter, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Add a meter; the same again answers 200 with what exists."""
    asked = new.to_domain(property_id)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        one, created = await registry.add_meter(tx, cause, asked)
        headers = {"ETag": etag(one.version)}
        return await once.keep(tx, 201 if created else 200, shown_meter(one), headers)
