"""`/v1/price-series`: series of spot prices."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.model import Code, Currency, Text, Zone
from contracts.tariff import Name
from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import RequiredMatch
from serving.paging import Page
from tariff.api.callers import Reader, WriteCause
from tariff.api.forms import Body, NotNull, Shown, answered, created_or_known, fields
from tariff.api.listing import Ordered, SearchText
from tariff.domain import catalogue as domain
from tariff.domain.catalogue import SeriesMinutes
from tariff.domain.stored import Stored
from tariff.handlers import catalogue
from tariff.handlers.catalogue import find
from tariff.store import prices
from tariff.store.catalogue import PRICE_SERIES, list_page

router = APIRouter(prefix="/v1/price-series", tags=["prices"])


class NewPriceSeries(Body):
    """A series of prices in `currency` per kWh, one for every `minutes`, on the clock of `zone`.
    Tariffs name it by its code. All but the name stays."""

    id: UUID | None = None
    code: Name
    name: Text
    currency: Currency
    zone: Zone
    minutes: SeriesMinutes

    def to_domain(self) -> domain.PriceSeries:
        """The series."""
        return domain.PriceSeries(**self.model_dump() | {"id": self.id or new_id()})


class PriceSeriesChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None


class PriceSeries(Shown):
    """A series of prices in `currency` per kWh."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    minutes: SeriesMinutes


def shown_series(one: Stored[domain.PriceSeries]) -> PriceSeries:
    """A series as the API shows it."""
    return PriceSeries(**fields(one))


@router.post("", status_code=201)
async def create_price_series(
    new: NewPriceSeries, db: Db, cause: WriteCause, response: Response
) -> PriceSeries:
    """Create a series; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        told = await catalogue.create(tx, cause, PRICE_SERIES, new.to_domain())
    return created_or_known(response, told, shown_series)


@router.get("")
async def list_price_series(
    db: Db,
    caller: Reader,
    listing: Ordered,
    code: Code | None = None,
    currency: Currency | None = None,
    zone: Zone | None = None,
    minutes: SeriesMinutes | None = None,
    text: SearchText = None,
) -> Page[PriceSeries]:
    """Series, oldest first unless another order is asked for."""
    filters = {"code": code, "currency": currency, "zone": zone, "minutes": minutes}
    clauses = PRICE_SERIES.matching(filters, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_page(read, caller.tenant_id, PRICE_SERIES, clauses, listing.place)
    return listing.cut(rows, shown_series)


@router.get("/{series_id}")
async def get_price_series(
    series_id: UUID, db: Db, caller: Reader, response: Response
) -> PriceSeries:
    """One series."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await find(read, caller.tenant_id, PRICE_SERIES, series_id)
    return answered(response, one, shown_series)


@router.patch("/{series_id}")
async def change_price_series(
    series_id: UUID,
    change: PriceSeriesChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> PriceSeries:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, PRICE_SERIES, series_id, lock=True)
        if_match.check(current.revision)
        changed = await catalogue.change(tx, cause, PRICE_SERIES, current, change.changes())
    return answered(response, changed, shown_series)


@router.delete("/{series_id}", status_code=204)
async def delete_price_series(
    series_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a series without prices; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, PRICE_SERIES, series_id, lock=True)
        if_match.check(current.revision)
        await prices.delete_series(tx, cause.tenant_id, series_id)
