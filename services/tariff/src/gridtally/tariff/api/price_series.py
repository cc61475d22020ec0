"""`/v1/price-series`: series of spot prices."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Response

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
from gridtally.tariff.documents import Name
from gridtally.tariff.domain import price_series as domain
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import price_series as handlers
from gridtally.tariff.store.catalogue import list_resources, matching
from gridtally.tariff.store.price_series import PRICE_SERIES

router = Router(prefix="/v1/price-series", tags=["prices"])


class NewPriceSeries(Body):
    """A series of prices in `currency` per kWh, one for every `minutes`, on the clock of `zone`.
    Tariffs name it by its code. All but the name stays."""

    id: UUID | None = None
    """The series' id; made by the service unless the caller names one."""
    code: Name
    """The name by which tariffs refer to it, unique among the tenant's series."""
    name: Text
    """What people call it."""
    currency: Currency
    """The currency of its prices (ISO 4217)."""
    zone: Zone
    """The IANA time zone that cuts it into local days."""
    minutes: domain.SeriesMinutes
    """The length of every interval, in minutes."""

    def to_domain(self) -> domain.PriceSeries:
        """The series."""
        return domain.PriceSeries(**self.model_dump() | {"id": self.id or new_id()})


class PriceSeriesChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    """What people call it."""


class PriceSeries(StoredModel):
    """A series of prices in `currency` per kWh."""

    id: UUID
    """The series' id."""
    code: str
    """The name by which tariffs refer to it, unique among the tenant's series."""
    name: str
    """What people call it."""
    currency: str
    """The currency of its prices (ISO 4217)."""
    zone: str
    """The IANA time zone that cuts it into local days."""
    minutes: domain.SeriesMinutes
    """The length of every interval, in minutes."""

    @classmethod
    def of(cls, series: Stored[domain.PriceSeries]) -> Self:
        """The series as the API shows it."""
        return cls(**fields(series))


@router.post("", status_code=201)
async def create_price_series(
    new: NewPriceSeries, db: Db, cause: WriteCause, now: Now, response: Response
) -> PriceSeries:
    """Create a series; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await catalogue.create(tx, cause, PRICE_SERIES, new.to_domain(), now)
    location = f"/v1/price-series/{stored.resource.id}"
    return answer_created(response, stored, PriceSeries.of, created=created, location=location)


@router.get("")
async def list_price_series(
    db: Db,
    caller: Reader,
    page: Sorted,
    code: Code | None = None,
    currency: Currency | None = None,
    zone: Zone | None = None,
    minutes: domain.SeriesMinutes | None = None,
    text: SearchText = None,
) -> Page[PriceSeries]:
    """Series, oldest first unless another order is asked for."""
    filters = {"code": code, "currency": currency, "zone": zone, "minutes": minutes}
    clauses = matching(PRICE_SERIES.table, filters, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_resources(read, caller.tenant_id, PRICE_SERIES, clauses, page.position())
    return page.cut(rows, PriceSeries.of)


@router.get("/{series_id}")
async def get_price_series(
    series_id: UUID, db: Db, caller: Reader, response: Response
) -> PriceSeries:
    """One series."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await catalogue.load(read, caller.tenant_id, PRICE_SERIES, series_id)
    return answer(response, stored, PriceSeries.of)


@router.patch("/{series_id}")
async def change_price_series(
    series_id: UUID,
    change: PriceSeriesChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> PriceSeries:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, PRICE_SERIES, series_id)
        if_match.check(current.version)
        changed = await catalogue.change(tx, cause, PRICE_SERIES, current, change.changes(), now)
    return answer(response, changed, PriceSeries.of)


@router.delete("/{series_id}", status_code=204)
async def delete_price_series(
    series_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a series without prices; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, PRICE_SERIES, series_id)
        if_match.check(current.version)
        await handlers.delete_series(tx, cause, current)
