"""The readings of derived meters, which are computed."""

import asyncio
from datetime import datetime

from gridtally.database import ReadConnection
from gridtally.ledger.metering.analytics.domain.computed_readings import values_of_sum
from gridtally.ledger.metering.analytics.domain.consumption import EnergySource, Value
from gridtally.ledger.metering.analytics.handlers.consumption import fetch_register_data
from gridtally.ledger.moments import EARLIEST_AT


async def fetch_values_of_sum(
    read: ReadConnection,
    tenant_id: str,
    source: EnergySource,
    window: tuple[datetime | None, datetime | None],
    as_of: datetime | None,
    now: datetime,
) -> list[tuple[datetime, Value]]:
    """What a derived meter showed at each moment in [from, to) at which an input was read and all
    are known, in order."""
    closed = (window[0] or EARLIEST_AT, window[1] or now)
    data = await fetch_register_data(read, tenant_id, [source], closed, as_of)
    return await asyncio.to_thread(values_of_sum, data, source, closed)
