"""Figures about the values of one meter."""

import asyncio
from datetime import datetime

from gridtally.database import ReadConnection
from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.consumption import (
    EnergySource,
    RegisterData,
    Window,
)
from gridtally.ledger.metering.analytics.domain.statistics import (
    Statistics,
    TimedValue,
    mean_of,
    statistics_of,
)
from gridtally.ledger.metering.analytics.handlers.consumption import fetch_register_data
from gridtally.ledger.metering.readings.store import readings
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.ledger.moments import EARLIEST_AT


async def fetch_statistics(
    read: ReadConnection,
    tenant_id: str,
    source: EnergySource,
    window: tuple[datetime | None, datetime | None],
    as_of: datetime | None,
    now: datetime,
) -> Statistics:
    """Figures of a register's readings in [from, to); of a derived meter, of its values at each
    moment at which an input was read and all are known."""
    if source.flow is None:
        closed = (window[0] or EARLIEST_AT, window[1] or now)
        data = await fetch_register_data(read, tenant_id, [source], closed, as_of)
        return await asyncio.to_thread(_of_sum, data, source, closed)
    filters = {"meter_id": source.meter.id, "flow": source.flow}
    selection = Selection(filters, *window, as_of)
    summary = await readings.summarize(read, tenant_id, selection)
    ends = [
        TimedValue(recorded.entry.value, recorded.entry.read_at, recorded.entry.reading_id)
        for descending in (False, True)
        for recorded in await readings.list_readings(
            read, tenant_id, selection, None, 1, descending=descending
        )
    ]
    mean = mean_of(summary.sum, summary.count)
    first, last = ends or (None, None)
    return Statistics(summary.count, summary.min, summary.max, mean, first, last)


def _of_sum(data: RegisterData, source: EnergySource, window: Window) -> Statistics:
    moments = {
        moment
        for curve in data.curves.values()
        for moment in curve.moments
        if window[0] <= moment < window[1]
    }
    values = []
    for moment in sorted(moments):
        try:
            kwh = data.value(source, moment).kwh
        except Rejected:
            continue  # not defined yet
        if kwh is not None:
            values.append(TimedValue(kwh, moment))
    return statistics_of(values)
