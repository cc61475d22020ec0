"""`/v1/regions`: municipalities and grid areas, and the tariffs in them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.model import Code, Text, Zone
from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import RequiredMatch
from serving.paging import Page
from tariff.api.callers import Reader, WriteCause
from tariff.api.forms import Body, NotNull, Shown, answered, created_or_known, fields
from tariff.api.listing import Ordered, SearchText
from tariff.api.tariffs import InForceOn, Tariff, shown_tariff
from tariff.domain import catalogue as domain
from tariff.domain.catalogue import RegionKind
from tariff.domain.stored import Stored
from tariff.handlers import catalogue
from tariff.handlers.catalogue import find
from tariff.store import regions
from tariff.store.catalogue import REGIONS, TARIFFS, delete, list_page
from tariff.store.tariffs import TariffFilter

router = APIRouter(prefix="/v1/regions", tags=["regions"])


class NewRegion(Body):
    """A municipality or grid area."""

    id: UUID | None = None
    code: Code
    name: Text
    zone: Zone
    kind: RegionKind = "municipality"
    parent_id: UUID | None = None

    def to_domain(self) -> domain.Region:
        """The region."""
        return domain.Region(**self.model_dump() | {"id": self.id or new_id()})


class RegionChange(Body):
    """What is to be different; what is left out stays."""

    code: Annotated[Code | None, NotNull] = None
    name: Annotated[Text | None, NotNull] = None
    zone: Annotated[Zone | None, NotNull] = None
    kind: Annotated[RegionKind | None, NotNull] = None
    parent_id: UUID | None = None


class Region(Shown):
    """A municipality or grid area; a region may lie within another one, its parent."""

    id: UUID
    code: str
    name: str
    zone: str
    kind: RegionKind
    parent_id: UUID | None


def shown_region(one: Stored[domain.Region]) -> Region:
    """A region as the API shows it."""
    return Region(**fields(one))


@router.post("", status_code=201)
async def create_region(new: NewRegion, db: Db, cause: WriteCause, response: Response) -> Region:
    """Create a region; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        told = await catalogue.create_region(tx, cause, new.to_domain())
    return created_or_known(response, told, shown_region)


@router.get("")
async def list_regions(
    db: Db,
    caller: Reader,
    listing: Ordered,
    code: Code | None = None,
    zone: Zone | None = None,
    kind: RegionKind | None = None,
    parent_id: UUID | None = None,
    text: SearchText = None,
) -> Page[Region]:
    """Regions, oldest first unless another order is asked for."""
    filters = {"code": code, "zone": zone, "kind": kind, "parent_id": parent_id}
    clauses = REGIONS.matching(filters, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_page(read, caller.tenant_id, REGIONS, clauses, listing.place)
    return listing.cut(rows, shown_region)


@router.get("/{region_id}")
async def get_region(region_id: UUID, db: Db, caller: Reader, response: Response) -> Region:
    """One region."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await find(read, caller.tenant_id, REGIONS, region_id)
    return answered(response, one, shown_region)


@router.get("/{region_id}/tariffs")
async def list_tariffs_of_region(
    region_id: UUID,
    db: Db,
    caller: Reader,
    listing: Ordered,
    *,
    inherited: Annotated[
        bool, Query(description="Also those of the regions that the region lies within")
    ] = False,
    in_force_on: InForceOn = None,
) -> Page[Tariff]:
    """The tariffs that apply to the sites in a region."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        above = await regions.fetch_above(read, caller.tenant_id, region_id)
        if not above:
            raise domain.unknown("region")
        wanted = TariffFilter(
            region_ids=above if inherited else [region_id], in_force_on=in_force_on
        )
        rows = await list_page(read, caller.tenant_id, TARIFFS, wanted.clauses(), listing.place)
    return listing.cut(rows, shown_tariff)


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
        current = await find(tx, cause.tenant_id, REGIONS, region_id, lock=True)
        if_match.check(current.revision)
        changed = await catalogue.change_region(tx, cause, current, change.changes())
    return answered(response, changed, shown_region)


@router.delete("/{region_id}", status_code=204)
async def delete_region(
    region_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a region; 409 where regions or tariffs lie in it."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, REGIONS, region_id, lock=True)
        if_match.check(current.revision)
        await delete(tx, cause.tenant_id, REGIONS, region_id)
