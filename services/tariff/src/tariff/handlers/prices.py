"""Prices of a series: uploading and correcting them by whole days, and telling of each day.

Whoever changes prices holds the series' row, so that versions of a day follow one another.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from database import WriteConnection
from messaging import enqueue
from tariff.domain.catalogue import PriceSeries
from tariff.domain.prices import Outcome, Upload, merge
from tariff.handlers.catalogue import find
from tariff.store import prices
from tariff.store.catalogue import PRICE_SERIES
from tariff.wire import Cause, prices_published


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an upload did, and when."""

    outcome: Outcome
    recorded_at: datetime


async def lock_series(tx: WriteConnection, tenant_id: str, series_id: UUID) -> PriceSeries:
    """The series, held until the transaction ends; NotFound."""
    return (await find(tx, tenant_id, PRICE_SERIES, series_id, lock=True)).thing


async def record_prices(
    tx: WriteConnection, cause: Cause, series: PriceSeries, upload: Upload
) -> Recorded:
    """Add the prices of an upload to a locked series, all or nothing; Rejected with its faults.

    Prices that are known already change nothing; others make the next version of their day.
    """
    uploaded = upload.by_day()
    known = await prices.fetch_known(tx, cause.tenant_id, series.id, list(uploaded))
    outcome = merge(series, uploaded, known)
    at = await prices.insert_days(tx, cause.tenant_id, series.id, outcome.days, cause.key_id)
    await enqueue(tx, prices_published(series, outcome.days, cause, at))
    return Recorded(outcome, at)
