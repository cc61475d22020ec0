"""`/v1/properties`: metered places, and the meters that come with them."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from fastapi import Response

from gridtally.contracts.model import Zone
from gridtally.database import Database, WriteConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import IfMatch, OptionalMatch, RequiredMatch, etag, tag
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import answer, location_of
from gridtally.http.sorting import SortedPage
from gridtally.kernel.resources import Cause
from gridtally.ledger.callers import Reader, WriteCause, named_filters
from gridtally.ledger.registry.api.meters import Uses
from gridtally.ledger.registry.domain import properties as domain
from gridtally.ledger.registry.domain.meters import Meter as DomainMeter
from gridtally.ledger.registry.handlers import meters, properties
from gridtally.ledger.registry.schemas.meters import Meter, NewMeter
from gridtally.ledger.registry.schemas.properties import (
    NewProperties,
    NewProperty,
    Properties,
    Property,
    PropertyChange,
    PropertyReplacement,
    PropertyWithMeters,
)
from gridtally.ledger.registry.store import meters as stored_meters
from gridtally.ledger.registry.store import properties as store
from gridtally.ledger.registry.store import tenant_defaults
from gridtally.ledger.registry.store.meter_uses import MeterUses

router = Router(prefix="/v1/properties", tags=["properties"])


@router.post("", status_code=201, response_model=PropertyWithMeters)
async def create_property(
    new: NewProperty, db: Db, cause: WriteCause, request: Idempotent
) -> Response:
    """Register a property with its meters; the same again answers 200 with what exists.

    Name and address suffice where the tenant has a default zone (`PUT /v1/tenant-defaults`).
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        requested = await _to_domain(tx, cause.tenant_id, [new])
        [registered] = await properties.create_properties(tx, cause, requested)
        body = PropertyWithMeters.with_meters(registered.property, registered.meters)
        location = location_of(f"/v1/properties/{body.id}", created=registered.created)
        headers = {"ETag": etag(body.version)} | location
        return await request.store_answer(tx, 201 if registered.created else 200, body, headers)


@router.post("/batch", status_code=201, response_model=Properties)
async def create_properties(
    new: NewProperties, db: Db, cause: WriteCause, request: Idempotent
) -> Response:
    """Register up to 1 000 properties, all or nothing; those that exist already with the same
    content are answered as they are, with 200 where all of them do."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        requested = await _to_domain(tx, cause.tenant_id, new.items)
        properties_ = await properties.create_properties(tx, cause, requested)
        items = [
            PropertyWithMeters.with_meters(registered.property, registered.meters)
            for registered in properties_
        ]
        status = 201 if any(registered.created for registered in properties_) else 200
        return await request.store_answer(tx, status, Properties(items=items))


async def _to_domain(
    tx: WriteConnection, tenant_id: str, new: Sequence[NewProperty]
) -> list[tuple[domain.Property, tuple[DomainMeter, ...]]]:
    """The properties and meters that are asked for, completed by the tenant's defaults."""
    defaults = await tenant_defaults.fetch_defaults(tx, tenant_id)
    ids = [item.id for item in new if item.id is not None]
    known = await store.fetch_properties(tx, tenant_id, ids) if ids else {}
    existing = {id_: stored.resource for id_, stored in known.items()}
    return [
        item.to_domain(tenant_id, defaults, existing.get(item.id) if item.id else None)
        for item in new
    ]


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
    filters = named_filters(name=name, zone=zone, region_id=region_id, parent_id=parent_id)
    page = SortedPage(paging, sort)
    position = page.position()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_properties(read, caller.tenant_id, filters, position, under=under)
    return page.cut(rows, Property.of)


@router.get("/{property_id}")
async def get_property(
    property_id: UUID, db: Db, caller: Reader, response: Response
) -> PropertyWithMeters:
    """One property with its meters."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        by_id = await store.fetch_properties(read, caller.tenant_id, [property_id])
        if property_id not in by_id:
            raise properties.unknown_property()
        own = await stored_meters.fetch_meters_of(read, caller.tenant_id, [property_id])
    tag(response, by_id[property_id].version)
    return PropertyWithMeters.with_meters(by_id[property_id], own.get(property_id, []))


@router.patch("/{property_id}")
async def change_property(
    property_id: UUID,
    change: PropertyChange,
    db: Db,
    cause: WriteCause,
    uses: Uses,
    if_match: RequiredMatch,
    response: Response,
) -> Property:
    """Change what is named; meters follow where they inherit it."""
    return await _change(db, cause, uses, property_id, change.changes(), if_match, response)


@router.put("/{property_id}")
async def replace_property(
    property_id: UUID,
    replacement: PropertyReplacement,
    db: Db,
    cause: WriteCause,
    uses: Uses,
    if_match: RequiredMatch,
    response: Response,
) -> Property:
    """Replace everything about a property that can change; meters follow where they inherit it."""
    return await _change(db, cause, uses, property_id, dict(replacement), if_match, response)


async def _change(
    db: Database,
    cause: Cause,
    uses: MeterUses,
    property_id: UUID,
    changes: dict[str, Any],
    if_match: IfMatch,
    response: Response,
) -> Property:
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await properties.lock_property(tx, cause.tenant_id, property_id)
        if_match.check(current.version)
        changed = await properties.change_property(tx, cause, current, changes, uses)
    return answer(response, changed, Property.of)


@router.delete("/{property_id}", status_code=204)
async def delete_property(
    property_id: UUID, db: Db, cause: WriteCause, uses: Uses, if_match: OptionalMatch, now: Now
) -> None:
    """Remove a property with its meters and users; 409 while other properties are below it, sums
    are made of its meters, or agreements that bill them have not ended, which `errors` names. Its
    readings stay in the ledger, and count no more."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await properties.lock_property(tx, cause.tenant_id, property_id)
        if_match.check(current.version)
        await properties.delete_property(tx, cause, current, uses, now)


@router.get("/{property_id}/meters")
async def list_meters_of_property(property_id: UUID, db: Db, caller: Reader) -> list[Meter]:
    """The meters of a property."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        own = await stored_meters.fetch_meters_of(read, caller.tenant_id, [property_id])
        if not own and not await store.fetch_properties(read, caller.tenant_id, [property_id]):
            raise properties.unknown_property()
    return [Meter.of(meter) for meter in own.get(property_id, [])]


@router.post("/{property_id}/initialize-meters")
async def initialize_meters(
    property_id: UUID, db: Db, cause: WriteCause, response: Response
) -> list[Meter]:
    """Create those of a property's own four meters that are missing, and answer all its meters:
    201 where one was missing, 200 where all existed."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored = await properties.lock_property(tx, cause.tenant_id, property_id)
        own, created = await meters.initialize_meters(tx, cause, stored.resource)
    response.status_code = 201 if created else 200
    return [Meter.of(meter) for meter in own]


@router.post("/{property_id}/meters", status_code=201, response_model=Meter)
async def add_meter(
    property_id: UUID, new: NewMeter, db: Db, cause: WriteCause, request: Idempotent
) -> Response:
    """Add a meter; the same again answers 200 with what exists."""
    requested = new.to_domain(property_id)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        meter, created = await meters.add_meter(tx, cause, requested)
        location = location_of(f"/v1/meters/{meter.resource.id}", created=created)
        headers = {"ETag": etag(meter.version)} | location
        return await request.store_answer(tx, 201 if created else 200, Meter.of(meter), headers)
