"""Figures about the values of one meter."""

from datetime import datetime

from gridtally.database import ReadConnection
from gridtally.ledger.metering.analytics.domain.consumption import EnergySource
from gridtally.ledger.metering.analytics.domain.statistics import (
    Statistics,
    TimedValue,
    mean_of,
    statistics_of,
)
from gridtally.ledger.metering.analytics.handlers.computed_readings import fetch_values_of_sum
from gridtally.ledger.metering.readings.store import readings
from gridtally.ledger.metering.readings.store.readings import Selection


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
        values = await fetch_values_of_sum(read, tenant_id, source, window, as_of, now)
        return statistics_of(
            [TimedValue(value.kwh, at) for at, value in values if value.kwh is not None]
        )
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
