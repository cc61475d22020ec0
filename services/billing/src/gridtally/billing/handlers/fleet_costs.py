"""A customer's fleet is priced, some devices at a time."""

import asyncio
from functools import partial
from uuid import UUID

from gridtally.billing.domain.fleet_costs.costs import FleetCost, FleetSum
from gridtally.billing.domain.fleet_costs.devices import devices_of
from gridtally.billing.domain.fleet_costs.price_grids import Window
from gridtally.billing.domain.reference_data import ReferenceData, read_version
from gridtally.billing.store import customers
from gridtally.billing.store import fleet_costs as store
from gridtally.database import Database, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import Part, TariffVersion

DEVICES_AT_ONCE = 100
"""A year of 15 minutes of so many devices is 14 MB."""


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
        devices = devices_of(fleet.meters, fleet.catalogue)
        fleet_sum = FleetSum(
            FleetCost(customer.currency, window),
            fleet.catalogue,
            partial(_version_of, tenant_id, fleet.known),
            partial(_prices_for, tenant_id, fleet.known),
        )
        for first in range(0, len(devices), DEVICES_AT_ONCE):
            some = devices[first : first + DEVICES_AT_ONCE]
            ids = [meter.id for meter in some]
            usage = await store.fetch_usage(read, tenant_id, ids, window.days)
            await asyncio.to_thread(fleet_sum.add, some, usage)
    return await asyncio.to_thread(fleet_sum.finish)


def _version_of(tenant_id: str, known: ReferenceData, version_id: UUID) -> TariffVersion:
    return read_version(version_id, known.documents[tenant_id, version_id])


def _prices_for(
    tenant_id: str, known: ReferenceData, version: TariffVersion, days: Period
) -> Prices:
    of_part = known.prices_for(tenant_id, [Part(days, version)])
    return {code: versioned.series for code, versioned in of_part.items()}
