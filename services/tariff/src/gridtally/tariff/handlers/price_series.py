"""Price series: deleting those that have no prices. The rest is every resource's `catalogue`."""

from gridtally.database import WriteConnection
from gridtally.kernel.resources import Cause, Stored
from gridtally.tariff.domain.catalogue import in_use
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.store import prices
from gridtally.tariff.store.price_series import PRICE_SERIES


async def delete_series(tx: WriteConnection, cause: Cause, current: Stored[PriceSeries]) -> None:
    """Delete a locked series; Conflict where it has prices, which no foreign key shows."""
    if await prices.has_prices(tx, cause.tenant_id, current.resource.id):
        raise in_use(PRICE_SERIES.noun, "prices")
    await catalogue.delete(tx, cause, PRICE_SERIES, current)
