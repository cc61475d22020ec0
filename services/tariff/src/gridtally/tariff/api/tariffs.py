"""`/v1/tariffs`: what customers sign up for."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response

from gridtally.contracts.model import Code, Currency, Text, Zone
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
from gridtally.tariff.domain import tariffs as domain
from gridtally.tariff.domain.versions import Status
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.store.catalogue import list_resources
from gridtally.tariff.store.tariffs import TARIFFS, TariffFilter

router = Router(prefix="/v1/tariffs", tags=["tariffs"])
InForceOn = Annotated[
    date | None, Query(description="A local date on which one of its versions is in force")
]


class NewTariff(Body):
    """A tariff. Its code, currency and zone stay; every version has its currency and zone."""

    id: UUID | None = None
    """The tariff's id; made by the service unless the caller names one."""
    code: Code
    """A short name for programs, unique among the tenant's tariffs."""
    name: Text
    """What people call it."""
    currency: Currency
    """The currency of all its versions (ISO 4217)."""
    zone: Zone
    """The IANA time zone on whose clock its versions read windows."""
    region_id: UUID | None = None
    """The region in which it is offered; null where it is bound to none."""

    def to_domain(self) -> domain.Tariff:
        """The tariff."""
        return domain.Tariff(**self.model_dump() | {"id": self.id or new_id()})


class TariffChange(Body):
    """What is to be different; what is left out stays. Versions that were published before keep
    the name and region that they were published with."""

    name: Annotated[Text | None, NotNull] = None
    """What people call it."""
    region_id: UUID | None = None
    """The region in which it is offered; null where it is bound to none."""


class Tariff(StoredModel):
    """What customers sign up for."""

    id: UUID
    """The tariff's id."""
    code: str
    """A short name for programs, unique among the tenant's tariffs."""
    name: str
    """What people call it."""
    currency: str
    """The currency of all its versions (ISO 4217)."""
    zone: str
    """The IANA time zone on whose clock its versions read windows."""
    region_id: UUID | None
    """The region in which it is offered; null where it is bound to none."""

    @classmethod
    def of(cls, tariff: Stored[domain.Tariff]) -> Self:
        """The tariff as the API shows it."""
        return cls(**fields(tariff))


@router.post("", status_code=201)
async def create_tariff(
    new: NewTariff, db: Db, cause: WriteCause, now: Now, response: Response
) -> Tariff:
    """Create a tariff; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await catalogue.create(tx, cause, TARIFFS, new.to_domain(), now)
    location = f"/v1/tariffs/{stored.resource.id}"
    return answer_created(response, stored, Tariff.of, created=created, location=location)


@router.get("")
async def list_tariffs(
    db: Db,
    caller: Reader,
    page: Sorted,
    code: Code | None = None,
    currency: Currency | None = None,
    zone: Zone | None = None,
    region_id: UUID | None = None,
    status: Annotated[Status | None, Query(description="Of one of its versions")] = None,
    in_force_on: InForceOn = None,
    text: SearchText = None,
) -> Page[Tariff]:
    """Tariffs, oldest first unless another order is asked for."""
    filters = TariffFilter(
        columns={"code": code, "currency": currency, "zone": zone, "region_id": region_id},
        text=text,
        status=status,
        in_force_on=in_force_on,
    )
    clauses = filters.clauses()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_resources(read, caller.tenant_id, TARIFFS, clauses, page.position())
    return page.cut(rows, Tariff.of)


@router.get("/{tariff_id}")
async def get_tariff(tariff_id: UUID, db: Db, caller: Reader, response: Response) -> Tariff:
    """One tariff."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await catalogue.load(read, caller.tenant_id, TARIFFS, tariff_id)
    return answer(response, stored, Tariff.of)


@router.patch("/{tariff_id}")
async def change_tariff(
    tariff_id: UUID,
    change: TariffChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Tariff:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, TARIFFS, tariff_id)
        if_match.check(current.version)
        changed = await catalogue.change(tx, cause, TARIFFS, current, change.changes(), now)
    return answer(response, changed, Tariff.of)


@router.delete("/{tariff_id}", status_code=204)
async def delete_tariff(
    tariff_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a tariff without versions; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, TARIFFS, tariff_id)
        if_match.check(current.version)
        await catalogue.delete(tx, cause, TARIFFS, current)
