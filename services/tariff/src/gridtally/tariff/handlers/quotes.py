"""Quotes: what tariffs would charge a meter, by the code that issues invoices. Nothing is stored.

Reads the versions, calendars and prices that are needed, so that what is computed afterwards needs
no connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.database.pages import PagePosition
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.periods import Period
from gridtally.rating import prices as rating
from gridtally.rating import tariff as rating_tariff
from gridtally.tariff.documents import check_tariff_shape
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.quotes import prices_for_rating
from gridtally.tariff.domain.tariff_versions import tariff_described
from gridtally.tariff.domain.versions import Document
from gridtally.tariff.handlers import catalogue, versions
from gridtally.tariff.handlers.tariff_versions import complete_document
from gridtally.tariff.store import prices
from gridtally.tariff.store.catalogue import list_resources, matching
from gridtally.tariff.store.price_series import PRICE_SERIES
from gridtally.tariff.store.tariff_versions import TARIFF_VERSIONS
from gridtally.tariff.store.tariffs import TARIFFS

DAYS_AROUND = 2
"""A meter's day may be two dates away from that of a market on the other side of the world."""


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """A stored series, as known now or at an instant."""

    series_id: UUID
    as_of: datetime | None


async def load_version(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, number: int
) -> tuple[str, rating_tariff.TariffVersion]:
    """A stored version, of whatever status, and a name for it; NotFound."""
    tariff = (await catalogue.load(read, tenant_id, TARIFFS, tariff_id)).resource
    stored = await versions.load(read, tenant_id, TARIFF_VERSIONS, tariff_id, number)
    version = stored.resource
    document, _ = await complete_document(read, tenant_id, version.terms.document)
    return f"{tariff.code}/{number}", tariff_described(version.id, document)


async def load_document(
    read: ReadConnection, tenant_id: str, document: Document, path: str
) -> rating_tariff.TariffVersion:
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
    codes: set[str],
    inline: Mapping[str, rating.PriceSeries],
    stored: Mapping[str, StoredPrices],
    days: Period,
) -> rating.Prices:
    """The prices that tariffs charge by, by the code that a tariff has for them: those in the
    request itself (`inline`), else of the stored series that the request names for the code, else
    of the series with that code.

    What is nowhere is left out, and rating will report it. NotFound for a named series.
    """
    loaded = {code: inline[code] for code in codes & inline.keys()}
    around = _around(days)
    for code in sorted(codes - inline.keys()):
        series, as_of = await _series_for(read, tenant_id, code, stored.get(code))
        if series is None:
            continue
        known = await prices.list_days(read, tenant_id, series.id, around, as_of, around.days)
        if (priced := prices_for_rating(series, known)) is not None:
            loaded[code] = priced
    return loaded


async def _series_for(
    read: ReadConnection, tenant_id: str, code: str, stored: StoredPrices | None
) -> tuple[PriceSeries | None, datetime | None]:
    """The series that has the prices for a code, if there is one, and as of when it is read."""
    if stored is not None:
        series = await catalogue.load(read, tenant_id, PRICE_SERIES, stored.series_id)
        return series.resource, stored.as_of
    has_code = matching(PRICE_SERIES.table, {"code": code})
    by_code = await list_resources(read, tenant_id, PRICE_SERIES, has_code, PagePosition(1))
    return (by_code[0].resource if by_code else None), None


def _around(days: Period) -> Period:
    start = max(days.start_on.toordinal() - DAYS_AROUND, date.min.toordinal())
    end = min(days.end_on.toordinal() + DAYS_AROUND, date.max.toordinal())
    return Period(date.fromordinal(start), date.fromordinal(end))
