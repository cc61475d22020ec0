"""`/v1/tariffs`: what customers sign up for."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.model import Code, Currency, Text, Zone
from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import RequiredMatch
from serving.paging import Page
from tariff.api.callers import Reader, WriteCause
from tariff.api.forms import Body, NotNull, Shown, answered, created_or_known, fields
from tariff.api.listing import Ordered, SearchText
from tariff.domain import catalogue as domain
from tariff.domain.stored import Stored
from tariff.domain.versions import Status
from tariff.handlers import catalogue
from tariff.handlers.catalogue import find
from tariff.store.catalogue import TARIFFS, delete, list_page
from tariff.store.tariffs import TariffFilter

router = APIRouter(prefix="/v1/tariffs", tags=["tariffs"])
InForceOn = Annotated[
    date | None, Query(description="A local date on which one of its versions is in force")
]


class NewTariff(Body):
    """A tariff. Its code, currency and zone stay; every version has its currency and zone."""

    id: UUID | None = None
    code: Code
    name: Text
    currency: Currency
    zone: Zone
    region_id: UUID | None = None

    def to_domain(self) -> domain.Tariff:
        """The tariff."""
        return domain.Tariff(**self.model_dump() | {"id": self.id or new_id()})


class TariffChange(Body):
    """What is to be different; what is left out stays. Versions that were published before keep
    the name and region that they were published with."""

    name: Annotated[Text | None, NotNull] = None
    region_id: UUID | None = None


class Tariff(Shown):
    """What customers sign up for."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    region_id: UUID | None


def shown_tariff(one: Stored[domain.Tariff]) -> Tariff:
    """A tariff as the API shows it."""
    return Tariff(**fields(one))


@router.post("", status_code=201)
async def create_tariff(new: NewTariff, db: Db, cause: WriteCause, response: Response) -> Tariff:
    """Create a tariff; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        told = await catalogue.create(tx, cause, TARIFFS, new.to_domain())
    return created_or_known(response, told, shown_tariff)


@router.get("")
async def list_tariffs(
    db: Db,
    caller: Reader,
    listing: Ordered,
    code: Code | None = None,
    currency: Currency | None = None,
    zone: Zone | None = None,
    region_id: UUID | None = None,
    status: Annotated[Status | None, Query(description="Of one of its versions")] = None,
    in_force_on: InForceOn = None,
    text: SearchText = None,
) -> Page[Tariff]:
    """Tariffs, oldest first unless another order is asked for."""
    wanted = TariffFilter(
        equal={"code": code, "currency": currency, "zone": zone, "region_id": region_id},
        text=text,
        status=status,
        in_force_on=in_force_on,
    )
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_page(read, caller.tenant_id, TARIFFS, wanted.clauses(), listing.place)
    return listing.cut(rows, shown_tariff)


@router.get("/{tariff_id}")
async def get_tariff(tariff_id: UUID, db: Db, caller: Reader, response: Response) -> Tariff:
    """One tariff."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await find(read, caller.tenant_id, TARIFFS, tariff_id)
    return answered(response, one, shown_tariff)


@router.patch("/{tariff_id}")
async def change_tariff(
    tariff_id: UUID,
    change: TariffChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Tariff:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, TARIFFS, tariff_id, lock=True)
        if_match.check(current.revision)
        changed = await catalogue.change(tx, cause, TARIFFS, current, change.changes())
    return answered(response, changed, shown_tariff)


@router.delete("/{tariff_id}", status_code=204)
async def delete_tariff(
    tariff_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a tariff without versions; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, TARIFFS, tariff_id, lock=True)
        if_match.check(current.revision)
        await delete(tx, cause.tenant_id, TARIFFS, tariff_id)
