"""`/v1/quotes`, `/v1/compare`: what tariffs would charge a meter. Nothing is stored.

What takes long is computed in a thread, after the database's connection was given back.
"""

import asyncio
from uuid import UUID

from fastapi import APIRouter

from database import Database, snapshot
from kernel.errors import Fault, Rejected
from rating import quote as rating
from rating.prices import Prices
from rating.tariff import TariffVersion
from serving.context import Db
from tariff.api.callers import Reader
from tariff.api.quote_forms import (
    ChosenTariff,
    Comparison,
    ComparisonRequest,
    Meter,
    Quote,
    QuoteRequest,
    VersionQuoteRequest,
)
from tariff.api.versions import Number
from tariff.domain.quotes import Measured, series_named
from tariff.handlers import quotes as handlers

router = APIRouter(prefix="/v1", tags=["quotes"])


@router.post("/quotes")
async def quote(asked: QuoteRequest, db: Db, caller: Reader) -> Quote:
    """What a tariff would charge a meter, line by line, by the code that issues invoices. The
    tariff is a stored version or a document of the caller's."""
    _, version = await _version(db, caller.tenant_id, asked.tariff, "/tariff")
    return await _quote(db, caller.tenant_id, version, asked)


@router.post("/tariffs/{tariff_id}/versions/{number}/quote")
async def quote_version(
    tariff_id: UUID, number: Number, asked: VersionQuoteRequest, db: Db, caller: Reader
) -> Quote:
    """What a version, of whatever status, would charge a meter, line by line."""
    chosen = ChosenTariff(tariff_id=tariff_id, number=number)
    _, version = await _version(db, caller.tenant_id, chosen, "")
    return await _quote(db, caller.tenant_id, version, asked)


@router.post("/compare")
async def compare(asked: ComparisonRequest, db: Db, caller: Reader) -> Comparison:
    """What several tariffs would charge the same meter: a row for each, the cheapest first."""
    versions: dict[str, TariffVersion] = {}
    for place, chosen in enumerate(asked.tariffs):
        path = f"/tariffs/{place}"
        name, version = await _version(db, caller.tenant_id, chosen, path)
        name = chosen.name or name
        if name in versions:
            fault = Fault(f"{path}/name", f"another one is {name!r} too")
            raise Rejected("duplicate_name", f"two tariffs are {name!r}", (fault,))
        versions[name] = version
    first = next(iter(versions.values()))
    of = await asyncio.to_thread(asked.measured, first.zone)
    prices = await _prices(db, caller.tenant_id, asked, of, list(versions.values()))
    return Comparison.model_validate(
        await asyncio.to_thread(lambda: rating.compare(versions, asked.usages(of), prices=prices))
    )


async def _quote(
    db: Database, tenant_id: str, version: TariffVersion, asked: VersionQuoteRequest
) -> Quote:
    state = await asyncio.to_thread(asked.state_before)
    of = await asyncio.to_thread(asked.measured, version.zone)
    prices = await _prices(db, tenant_id, asked, of, [version])
    return Quote.model_validate(
        await asyncio.to_thread(
            lambda: rating.quote(version, asked.usages(of), state=state, prices=prices)
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
    db: Database, tenant_id: str, asked: Meter, of: Measured, versions: list[TariffVersion]
) -> Prices:
    """The prices that the versions ask for by name."""
    wanted = series_named(versions)
    if not wanted:
        return {}
    given = await asyncio.to_thread(asked.given_prices)
    async with snapshot(db, tenant=tenant_id) as read:
        return await handlers.load_prices(
            read, tenant_id, wanted, given, asked.stored_prices(), of.days
        )
