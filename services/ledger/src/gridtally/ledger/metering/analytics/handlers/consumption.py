"""What meters counted and show: loads the registers that a question comes down to.

What takes long is computed beside the event loop.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.ledger.metering.analytics.domain.consumption import (
    EnergySource,
    RegisterData,
    SourceConsumption,
    Window,
)
from gridtally.ledger.metering.analytics.handlers.definitions import fetch_network
from gridtally.ledger.metering.analytics.store import curves
from gridtally.ledger.registry.domain.meters import ActiveFlow, RegisterKey
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.handlers.meters import unknown_meter
from gridtally.ledger.registry.store import meters, properties


async def fetch_source(
    read: ReadConnection, tenant_id: str, meter_id: UUID, flow: ActiveFlow | None
) -> tuple[EnergySource, Property]:
    """A meter's register, its main one unless `flow` is given, and its property; NotFound."""
    stored = (await meters.fetch_meters(read, tenant_id, [meter_id])).get(meter_id)
    if stored is None:
        raise unknown_meter()
    meter = stored.resource
    by_id = await properties.fetch_properties(read, tenant_id, [meter.property_id])
    if not meter.is_derived:
        flow = flow or meter.main_flow
        if flow not in {register.flow for register in meter.registers}:
            raise NotFound("register_unknown", "the meter has no such register")
    elif flow is not None:
        raise NotFound("register_unknown", "a derived meter has no registers")
    return EnergySource(meter, flow), by_id[meter.property_id].resource


async def fetch_register_data(
    read: ReadConnection,
    tenant_id: str,
    sources: Sequence[EnergySource],
    window: Window,
    as_of: datetime | None,
) -> RegisterData:
    """All that is needed to tell what energy sources counted and showed in a time."""
    roots = {source.meter.id: source.meter for source in sources}
    network = await fetch_network(read, tenant_id, list(roots.values()), as_of)
    keys: set[RegisterKey] = {
        (source.meter.id, source.flow) for source in sources if source.flow is not None
    }
    moments = [window[0], *network.changes(*window)]
    for source in sources:
        for moment in moments if source.flow is None else ():
            try:
                keys |= network.factors(source.meter.id, moment).keys()
            except Rejected:
                continue  # reported where the sum is asked for
    in_order = sorted(keys, key=str)
    return RegisterData(
        network, await curves.fetch_curves(read, tenant_id, in_order, window, as_of)
    )


async def count(
    data: RegisterData, sources: Sequence[EnergySource], windows: Sequence[Window]
) -> list[SourceConsumption]:
    """What each source counted in each piece of a time, piece by piece."""

    def compute() -> list[SourceConsumption]:
        return [data.consumption(source, window) for window in windows for source in sources]

    return await asyncio.to_thread(compute)


async def show(
    data: RegisterData, source: EnergySource, moments: Sequence[datetime]
) -> list[Decimal | None]:
    """What a source shows at each moment, in kWh; None where that is not known."""

    def compute() -> list[Decimal | None]:
        return [data.shown_kwh(source, moment) for moment in moments]

    return await asyncio.to_thread(compute)
