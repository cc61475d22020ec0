"""`/v1/regions`: municipalities and grid areas, and the tariffs in them."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response

from gridtally.contracts.model import Code, Text, Zone
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import RequiredMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page
from gridtally.http.resources import Body, NotNull, StoredModel, answer, answer_created, fields
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.tariff.api.callers import Reader, WriteCause
from gridtally.tariff.api.models import SearchText, Sorted
from gridtally.tariff.api.tariffs import InForceOn, Tariff
from gridtally.tariff.domain import regions as domain
from gridtally.tariff.domain.catalogue import unknown
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import regions as handlers
from gridtally.tariff.store import regions
from gridtally.tariff.store.catalogue import list_resources, matching
from gridtally.tariff.store.regions import REGIONS
from gridtally.tariff.store.tariffs import TARIFFS, TariffFilter

router = Router(prefix="/v1/regions", tags=["regions"])


class NewRegion(Body):
    """A municipality or grid area."""

    id: UUID | None = None
    """The region's id; made by the service unless the caller names one."""
    code: Code
    """A short name for programs, unique among the tenant's regions."""
    name: Text
    """What people call it."""
    zone: Zone
    """Its IANA time zone."""
    kind: domain.RegionKind = "municipality"
    """Whether it is a municipality or a grid area."""
    parent_id: UUID | None = None
    """The region that it lies in; null for none."""

    def to_domain(self) -> domain.Region:
        """The region."""
        return domain.Region(**self.model_dump() | {"id": self.id or new_id()})


class RegionChange(Body):
    """What is to be different; what is left out stays."""

    code: Annotated[Code | None, NotNull] = None
    """A short name for programs, unique among the tenant's regions."""
    name: Annotated[Text | None, NotNull] = None
    """What people call it."""
    zone: Annotated[Zone | None, NotNull] = None
    """Its IANA time zone."""
    kind: Annotated[domain.RegionKind | None, NotNull] = None
    """Whether it is a municipality or a grid area."""
    parent_id: UUID | None = None
    """The region that it lies in; null for none."""


class Region(StoredModel):
    """A municipality or grid area; a region may lie within another one, its parent."""

    id: UUID
    """The region's id."""
    code: str
    """A short name for programs, unique among the tenant's regions."""
    name: str
    """What people call it."""
    zone: str
    """Its IANA time zone."""
    kind: domain.RegionKind
    """Whether it is a municipality or a grid area."""
    parent_id: UUID | None
    """The region that it lies in; null for none."""

    @classmethod
    def of(cls, region: Stored[domain.Region]) -> Self:
        """The region as the API shows it."""
        return cls(**fields(region))


@router.post("", status_code=201)
async def create_region(
    new: NewRegion, db: Db, cause: WriteCause, now: Now, response: Response
) -> Region:
    """Create a region; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await handlers.create_region(tx, cause, new.to_domain(), now)
    location = f"/v1/regions/{stored.resource.id}"
    return answer_created(response, stored, Region.of, created=created, location=location)


@router.get("")
async def list_regions(
    db: Db,
    caller: Reader,
    page: Sorted,
    code: Code | None = None,
    zone: Zone | None = None,
    kind: domain.RegionKind | None = None,
    parent_id: UUID | None = None,
    text: SearchText = None,
) -> Page[Region]:
    """Regions, oldest first unless another order is asked for."""
    filters = {"code": code, "zone": zone, "kind": kind, "parent_id": parent_id}
    clauses = matching(REGIONS.table, filters, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_resources(read, caller.tenant_id, REGIONS, clauses, page.position())
    return page.cut(rows, Region.of)


@router.get("/{region_id}")
async def get_region(region_id: UUID, db: Db, caller: Reader, response: Response) -> Region:
    """One region."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await catalogue.load(read, caller.tenant_id, REGIONS, region_id)
    return answer(response, stored, Region.of)


@router.get("/{region_id}/tariffs")
async def list_tariffs_of_region(
    region_id: UUID,
    db: Db,
    caller: Reader,
    page: Sorted,
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
            raise unknown(REGIONS.noun)
        region_ids = above if inherited else [region_id]
        clauses = TariffFilter(region_ids=region_ids, in_force_on=in_force_on).clauses()
        rows = await list_resources(read, caller.tenant_id, TARIFFS, clauses, page.position())
    return page.cut(rows, Tariff.of)


@router.patch("/{region_id}")
async def change_region(
    region_id: UUID,
    change: RegionChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Region:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, REGIONS, region_id)
        if_match.check(current.version)
        changed = await handlers.change_region(tx, cause, current, change.changes(), now)
    return answer(response, changed, Region.of)


@router.delete("/{region_id}", status_code=204)
async def delete_region(
    region_id: UUID, db: Db, cause: WriteCause, now: Now, if_match: RequiredMatch
) -> None:
    """Delete a region; 409 where regions or tariffs lie in it."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, REGIONS, region_id)
        if_match.check(current.version)
        await handlers.delete_region(tx, cause, current, now)
