"""Quotes: what tariffs would charge a meter, by the code that issues invoices. Nothing is stored.

Reads the versions, calendars and prices that are asked for, so that what is computed afterwards
needs no connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from database import ReadConnection
from kernel.errors import Fault, Rejected
from kernel.ids import new_id
from kernel.periods import Period
from rating.prices import Prices, PriceSeries
from rating.tariff import TariffVersion
from tariff.domain import catalogue
from tariff.domain.quotes import rated_prices
from tariff.domain.versions import Document, tariff_described
from tariff.handlers.catalogue import find, find_version
from tariff.handlers.versions import complete_document
from tariff.store import prices
from tariff.store.catalogue import PRICE_SERIES, TARIFFS, list_page
from tariff.store.rows import Place
from tariff.store.versions import TARIFF_VERSIONS
from tariff.wire import check_tariff_shape

DAYS_AROUND = 2
"""A meter's day may be two dates away from that of a market on the other side of the world."""


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """A stored series, as known now or at an instant."""

    series_id: UUID
    as_of: datetime | None


async def load_version(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, number: int
) -> tuple[str, TariffVersion]:
    """A stored version, of whatever status, and a name for it; NotFound."""
    tariff = (await find(read, tenant_id, TARIFFS, tariff_id)).thing
    one = await find_version(read, tenant_id, TARIFF_VERSIONS, tariff_id, number)
    document, _ = await complete_document(read, tenant_id, one.thing.terms.document)
    return f"{tariff.code}/{number}", tariff_described(one.thing.id, document)


async def load_document(
    read: ReadConnection, tenant_id: str, document: Document, path: str
) -> TariffVersion:
    """A document that is stored nowhere; Rejected with its faults, which begin with `path`."""
    try:
        complete, _ = await complete_document(read, tenant_id, document)
        described = tariff_described(new_id(), complete)
        check_tariff_shape(complete)
    except Rejected as refused:
        faults = tuple(Fault(path + fault.path, fault.detail) for fault in refused.faults)
        raise Rejected(refused.code, refused.detail, faults) from None
    return described


async def load_prices(
    read: ReadConnection,
    tenant_id: str,
    wanted: set[str],
    given: Mapping[str, PriceSeries],
    stored: Mapping[str, StoredPrices],
    days: Period,
) -> Prices:
    """The prices that tariffs ask for by name: those given, else the stored ones that are named
    for them, else those of the series with that code.

    What is nowhere is left out, and rating will say so. NotFound for a named series.
    """
    loaded = {name: given[name] for name in wanted & given.keys()}
    around = _around(days)
    for name in sorted(wanted - given.keys()):
        series, as_of = await _chosen(read, tenant_id, name, stored.get(name))
        if series is None:
            continue
        known = await prices.fetch_days(read, tenant_id, series.id, around, as_of, around.days)
        if (rated := rated_prices(series, known)) is not None:
            loaded[name] = rated
    return loaded


async def _chosen(
    read: ReadConnection, tenant_id: str, name: str, stored: StoredPrices | None
) -> tuple[catalogue.PriceSeries | None, datetime | None]:
    if stored is not None:
        return (await find(read, tenant_id, PRICE_SERIES, stored.series_id)).thing, stored.as_of
    has_code = PRICE_SERIES.matching({"code": name})
    by_code = await list_page(read, tenant_id, PRICE_SERIES, has_code, Place(limit=1))
    return (by_code[0].thing if by_code else None), None


def _around(days: Period) -> Period:
    start = max(days.start_on.toordinal() - DAYS_AROUND, date.min.toordinal())
    end = min(days.end_on.toordinal() + DAYS_AROUND, date.max.toordinal())
    return Period(date.fromordinal(start), date.fromordinal(end))
