"""The last values of meters, those of derived ones computed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.consumption import sources_of
from gridtally.ledger.metering.analytics.domain.current_readings import (
    CurrentReading,
    last_of_register,
    last_of_sum,
)
from gridtally.ledger.metering.analytics.handlers.definitions import fetch_network
from gridtally.ledger.metering.analytics.store import curves
from gridtally.ledger.registry.domain.meters import Meter, RegisterKey


async def fetch_current_readings(
    read: ReadConnection,
    tenant_id: str,
    own: Sequence[Meter],
    upto: datetime,
    as_of: datetime | None,
) -> list[CurrentReading]:
    """The last values of everything that counts among meters, of what was read up to a moment."""
    sources = sources_of(own)
    network = await fetch_network(read, tenant_id, own, as_of)
    factors: dict[UUID, dict[RegisterKey, int]] = {}
    for source in sources:
        if source.flow is None:
            try:
                factors[source.meter.id] = network.factors(source.meter.id, upto)
            except Rejected:
                factors[source.meter.id] = {}
    direct = {(source.meter.id, source.flow) for source in sources if source.flow is not None}
    keys = sorted(direct.union(*factors.values()), key=str)
    last = await curves.fetch_last_readings(read, tenant_id, keys, upto, as_of)
    return [
        last_of_sum(source, factors[source.meter.id], last)
        if source.flow is None
        else last_of_register(source, last, (source.meter.id, source.flow))
        for source in sources
    ]
