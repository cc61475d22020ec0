"""`/v1/tariffs`: what customers sign up for, and which version of it is in force when."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.model import Code, Currency
from database import snapshot, transaction
from kernel.errors import NotFound
from serving.context import Db
from serving.etags import RequiredMatch, tag
from serving.paging import Page, Paging
from tariff.api.models import (
    NewTariff,
    Reader,
    Tariff,
    TariffChange,
    Version,
    WriteCause,
    given,
    instant,
    position,
    shown_tariff,
    shown_version,
)
from tariff.handlers import catalogue
from tariff.store import tariffs, versions

router = APIRouter(prefix="/v1/tariffs", tags=["tariffs"])


@router.post("", status_code=201)
async def create_tariff(new: NewTariff, db: Db, cause: WriteCause, response: Response) -> Tariff:
    """Create a tariff; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        one, created = await catalogue.create_tariff(tx, cause, new.to_domain())
    response.status_code = 201 if created else 200
    tag(response, one.revision)
    return shown_tariff(one)


@router.get("")
async def list_tariffs(
    db: Db,
    caller: Reader,
    paging: Paging,
    code: Code | None = None,
    currency: Currency | None = None,
    region_id: UUID | None = None,
) -> Page[Tariff]:
    """Tariffs, oldest first."""
    filters = given(code=code, currency=currency, region_id=region_id)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await tariffs.list_tariffs(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=shown_tariff, position=position)


@router.get("/{tariff_id}")
async def get_tariff(tariff_id: UUID, db: Db, caller: Reader, response: Response) -> Tariff:
    """One tariff."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await tariffs.fetch_tariff(read, caller.tenant_id, tariff_id)
    if found is None:
        raise catalogue.unknown_tariff()
    tag(response, found.revision)
    return shown_tariff(found)


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
        current = await tariffs.fetch_tariff(tx, cause.tenant_id, tariff_id, lock=True)
        if current is None:
            raise catalogue.unknown_tariff()
        if_match.check(current.revision)
        changes = {name: getattr(change, name) for name in change.model_fields_set}
        changed = await catalogue.change_tariff(tx, cause, current, changes)
    tag(response, changed.revision)
    return shown_tariff(changed)


@router.get("/{tariff_id}/version-in-force")
async def get_version_in_force(
    tariff_id: UUID, on: date, db: Db, caller: Reader, response: Response
) -> Version:
    """The published version whose dates hold `on` and that began last; of those that began on the
    same date, the highest number. 404 where there is none."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await versions.fetch_in_force(read, caller.tenant_id, tariff_id, on)
    if found is None:
        raise NotFound("no_version_in_force", f"no version of this tariff is in force on {on}")
    tag(response, found.revision)
    return shown_version(found)
