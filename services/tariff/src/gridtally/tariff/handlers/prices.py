"""Prices of a series: uploading and correcting them by whole days, and publishing each day.

Whoever changes prices locks the series' row, so that versions of a day follow one another.
"""

from dataclasses import dataclass
from datetime import datetime

from gridtally.database import WriteConnection
from gridtally.kernel.resources import Cause
from gridtally.messaging import enqueue
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.price_uploads import Outcome, Upload, merge, recorded_at
from gridtally.tariff.events import prices_published
from gridtally.tariff.store import prices


@dataclass(frozen=True, slots=True)
class RecordedPrices:
    """What an upload did, and when."""

    outcome: Outcome
    recorded_at: datetime


async def record_prices(
    tx: WriteConnection, cause: Cause, series: PriceSeries, upload: Upload, now: datetime
) -> RecordedPrices:
    """Add the prices of an upload to a locked series, all or nothing; Rejected with its faults.

    Prices that are known already change nothing; others make the next version of their day.
    """
    uploaded = upload.by_day()
    known = await prices.fetch_newest(tx, cause.tenant_id, series.id, list(uploaded))
    outcome, at = merge(series, uploaded, known), recorded_at(known, now)
    await prices.insert_days(tx, cause.tenant_id, series.id, outcome.days, at, cause.key_id)
    await enqueue(tx, prices_published(series, outcome.days, cause, at))
    return RecordedPrices(outcome, at)
