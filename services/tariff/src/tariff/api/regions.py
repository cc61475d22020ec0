"""`/v1/regions`: municipalities and grid areas."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.model import Code, Zone
from database import snapshot, transaction
from serving.context import Db
from serving.etags import RequiredMatch, tag
from serving.paging import Page, Paging
from tariff.api.models import (
    NewRegion,
    Reader,
    Region,
    RegionChange,
    WriteCause,
    given,
    instant,
    position,
    shown_region,
)
from tariff.handlers import catalogue
from tariff.store import regions

router = APIRouter(prefix="/v1/regions", tags=["regions"])


@router.post("", status_code=201)
async def create_region(new: NewRegion, db: Db, cause: WriteCause, response: Response) -> Region:
    """Create a region; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        one, created = await catalogue.create_region(tx, cause, new.to_domain())
    response.status_code = 201 if created else 200
    tag(response, one.revision)
    return shown_region(one)


@router.get("")
async def list_regions(
    db: Db, caller: Reader, paging: Paging, code: Code | None = None, zone: Zone | None = None
) -> Page[Region]:
    """Regions, oldest first."""
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await regions.list_regions(
            read, caller.tenant_id, given(code=code, zone=zone), after, paging.rows
        )
    return paging.cut(rows, item=shown_region, position=position)


@router.get("/{region_id}")
async def get_region(region_id: UUID, db: Db, caller: Reader, response: Response) -> Region:
    """One region."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await regions.fetch_region(read, caller.tenant_id, region_id)
    if found is None:
        raise catalogue.unknown_region()
    tag(response, found.revision)
    return shown_region(found)


@router.patch("/{region_id}")
async def change_region(
    region_id: UUID,
    change: RegionChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Region:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await regions.fetch_region(tx, cause.tenant_id, region_id, lock=True)
        if current is None:
            raise catalogue.unknown_region()
        if_match.check(current.revision)
        changes = {name: getattr(change, name) for name in change.model_fields_set}
        changed = await catalogue.change_region(tx, cause, current, changes)
    tag(response, changed.revision)
    return shown_region(changed)
