"""The requests for quotes and comparisons.

What takes long is computed in a thread, after the database's connection was returned.
"""

import asyncio
from uuid import UUID

from gridtally.database import Database, snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import Fault, Rejected
from gridtally.rating import quote as rating
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import TariffVersion
from gridtally.tariff.api.callers import Reader
from gridtally.tariff.api.models import Number
from gridtally.tariff.api.quotes.models import (
    ChosenTariff,
    Comparison,
    ComparisonRequest,
    Quote,
    QuotedMeter,
    QuoteRequest,
    VersionQuoteRequest,
)
from gridtally.tariff.domain.quotes import MeteredIntervals, price_series_codes
from gridtally.tariff.handlers import quotes as handlers

router = Router(prefix="/v1", tags=["quotes"])


@router.post("/quotes")
async def quote_tariff(request: QuoteRequest, db: Db, caller: Reader) -> Quote:
    """What a tariff would charge a meter, line by line, by the code that issues invoices. The
    tariff is a stored version or a document of the caller's."""
    _, version = await _version(db, caller.tenant_id, request.tariff, "/tariff")
    return await _quote(db, caller.tenant_id, version, request)


@router.post("/tariffs/{tariff_id}/versions/{number}/quote")
async def quote_tariff_version(
    tariff_id: UUID, number: Number, request: VersionQuoteRequest, db: Db, caller: Reader
) -> Quote:
    """What a version, of whatever status, would charge a meter, line by line."""
    chosen = ChosenTariff(tariff_id=tariff_id, number=number)
    _, version = await _version(db, caller.tenant_id, chosen, "")
    return await _quote(db, caller.tenant_id, version, request)


@router.post("/compare")
async def compare_tariffs(request: ComparisonRequest, db: Db, caller: Reader) -> Comparison:
    """What several tariffs would charge the same meter: a row for each, the cheapest first."""
    versions: dict[str, TariffVersion] = {}
    for index, chosen in enumerate(request.tariffs):
        path = f"/tariffs/{index}"
        name, version = await _version(db, caller.tenant_id, chosen, path)
        name = chosen.name or name
        if name in versions:
            fault = Fault(f"{path}/name", f"another one is {name!r} too")
            raise Rejected("duplicate_name", f"two tariffs are {name!r}", (fault,))
        versions[name] = version
    first = next(iter(versions.values()))
    intervals = await asyncio.to_thread(request.intervals, first.zone)
    prices = await _prices(db, caller.tenant_id, request, intervals, list(versions.values()))
    return Comparison.model_validate(
        await asyncio.to_thread(
            lambda: rating.compare(versions, request.usages(intervals), prices=prices)
        )
    )


async def _quote(
    db: Database, tenant_id: str, version: TariffVersion, request: VersionQuoteRequest
) -> Quote:
    state = await asyncio.to_thread(request.state_before)
    intervals = await asyncio.to_thread(request.intervals, version.zone)
    prices = await _prices(db, tenant_id, request, intervals, [version])
    return Quote.model_validate(
        await asyncio.to_thread(
            lambda: rating.quote(version, request.usages(intervals), state=state, prices=prices)
        )
    )


async def _version(
    db: Database, tenant_id: str, chosen: ChosenTariff, path: str
) -> tuple[str, TariffVersion]:
    """The version that is chosen, and a name for it."""
    async with snapshot(db, tenant=tenant_id) as read:
        if chosen.tariff_id is not None and chosen.number is not None:
            return await handlers.load_version(read, tenant_id, chosen.tariff_id, chosen.number)
        document = chosen.document or {}
        version = await handlers.load_document(read, tenant_id, document, path)
        return path.removeprefix("/"), version


async def _prices(
    db: Database,
    tenant_id: str,
    request: QuotedMeter,
    intervals: MeteredIntervals,
    versions: list[TariffVersion],
) -> Prices:
    """The prices that the versions charge by, by code."""
    codes = price_series_codes(versions)
    if not codes:
        return {}
    inline = await asyncio.to_thread(request.inline_prices)
    async with snapshot(db, tenant=tenant_id) as read:
        return await handlers.load_prices(
            read, tenant_id, codes, inline, request.stored_prices(), intervals.days
        )
