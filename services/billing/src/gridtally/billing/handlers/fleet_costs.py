"""A customer's fleet is priced, some devices at a time."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from gridtally.billing.domain.fleet_costs.costs import ChannelDays, FleetCost, FleetSum
from gridtally.billing.domain.fleet_costs.counted import Device, count_fleet
from gridtally.billing.domain.fleet_costs.price_grids import Window
from gridtally.billing.domain.recorded_usage import recorded_usage
from gridtally.billing.domain.reference_data import ReferenceData, read_version
from gridtally.billing.domain.summed_usage import summed_days
from gridtally.billing.store import customers
from gridtally.billing.store import fleet_costs as store
from gridtally.database import Database, ReadConnection, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.metering.derived_meters import Network
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import Part, TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, Flow

DEVICES_AT_ONCE = 100
"""A year of 15 minutes of so many devices is 14 MB."""
PART_DAYS_AT_ONCE = 36_600
"""Days of parts of a derived meter, of all together: as many."""


async def cost_of_fleet(
    db: Database, tenant_id: str, customer_id: UUID, window: Window
) -> FleetCost:
    """What the fleet costs in the window; NotFound where there is no such customer.

    All of it is read in one snapshot. The devices are priced in a thread, some at a time, so
    that neither other requests wait nor a year of all of them is in memory.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        customer = (await customers.fetch_customers(read, tenant_id, [customer_id])).get(
            customer_id
        )
        if customer is None:
            raise NotFound("customer_unknown", f"there is no customer {customer_id}")
        fleet = await store.fetch_fleet(read, tenant_id, customer_id, window.days)
        counted = count_fleet(fleet.meters, fleet.catalogue, window.days)
        fleet_sum = FleetSum(
            FleetCost(customer.currency, window, not_counted=counted.not_counted),
            fleet.catalogue,
            partial(_version_of, tenant_id, fleet.known),
            partial(_prices_for, tenant_id, fleet.known),
        )
        for first in range(0, len(counted.devices), DEVICES_AT_ONCE):
            some = counted.devices[first : first + DEVICES_AT_ONCE]
            usage = await fetch_device_usage(
                read, tenant_id, some, fleet.catalogue.network, window.days
            )
            await asyncio.to_thread(fleet_sum.add, some, usage)
    return await asyncio.to_thread(fleet_sum.finish)


async def fetch_device_usage(
    read: ReadConnection,
    tenant_id: str,
    devices: Sequence[Device],
    network: Network,
    days: Period,
    flows: Collection[Flow] = ACTIVE_FLOWS,
) -> list[ChannelDays]:
    """All that was recorded of devices on these days; days of derived meters that nobody has added
    up, or of which not all counts, are added up from their parts."""
    rests = {device.meter.id: [run for run, _ in device.rest] for device in devices}
    usage = [
        block.without(rests[block.meter_id])
        for block in await store.fetch_usage(read, tenant_id, list(rests), days, flows)
    ]
    for device in devices:
        if device.meter.is_derived:
            own = [block for block in usage if block.meter_id == device.meter.id]
            usage += await _add_up(read, tenant_id, device, network, days, own)
    return usage


async def _add_up(
    read: ReadConnection,
    tenant_id: str,
    device: Device,
    network: Network,
    days: Period,
    own: Sequence[ChannelDays],
) -> list[ChannelDays]:
    recorded = {int(number) for block in own for number in block.days}
    part_ids = network.inputs(device.meter.id) & network.flows.keys()
    days_at_once = max(1, PART_DAYS_AT_ONCE // max(1, len(part_ids)))
    summed: list[ChannelDays] = []
    for first in range(0, days.days, days_at_once):
        start_on = days.start_on + first * ONE_DAY
        some = Period(start_on, min(start_on + days_at_once * ONE_DAY, days.end_on))
        wider = Period(some.start_on - ONE_DAY, some.end_on + ONE_DAY)  # parts of other zones
        blocks = await store.fetch_usage(read, tenant_id, part_ids, wider)
        usages = {
            part_id: recorded_usage(of_part, of_part[0].zone, None)
            for part_id in part_ids
            if (of_part := [block for block in blocks if block.meter_id == part_id])
        }
        summed += await asyncio.to_thread(
            summed_days, device.meter.id, device.sums(network, some), usages, recorded
        )
    return summed


def _version_of(tenant_id: str, known: ReferenceData, version_id: UUID) -> TariffVersion:
    return read_version(version_id, known.documents[tenant_id, version_id])


def _prices_for(
    tenant_id: str, known: ReferenceData, version: TariffVersion, days: Period
) -> Prices:
    of_part = known.prices_for(tenant_id, [Part(days, version)])
    return {code: versioned.series for code, versioned in of_part.items()}
