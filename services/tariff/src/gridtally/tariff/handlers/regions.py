"""Regions: creating them and moving them, so that none lies within itself, and publishing them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gridtally.database import WriteConnection
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue
from gridtally.tariff.domain.regions import Region, check_lineage, unknown_region
from gridtally.tariff.events import region_changed, region_ended
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.store import regions
from gridtally.tariff.store.regions import REGIONS

REGIONS_MAX = 1_000
"""Published in one transaction."""


async def create_region(
    tx: WriteConnection, cause: Cause, new: Region, now: datetime
) -> tuple[Stored[Region], bool]:
    """The region, and whether it is new; Rejected where it cannot lie within its parent."""
    await _check_parent(tx, cause, new)
    return await catalogue.create(tx, cause, REGIONS, new, now)


async def change_region(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[Region],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[Region]:
    """Change a locked region; Rejected where it cannot lie within its parent."""
    changed = replace(current.resource, **changes)
    if changed.parent_id != current.resource.parent_id:
        await _check_parent(tx, cause, changed)
    return await catalogue.change(tx, cause, REGIONS, current, changes, now)


async def delete_region(
    tx: WriteConnection, cause: Cause, current: Stored[Region], now: datetime
) -> None:
    """Delete a locked region and publish its end; Conflict where others are built on it."""
    await catalogue.delete(tx, cause, REGIONS, current)
    await enqueue(tx, [region_ended(current, cause, now)])


async def publish_regions(tx: WriteConnection, now: datetime) -> int:
    """Put region.changed into the outbox for up to `REGIONS_MAX` regions that were not published
    as they are. Returns how many that were."""
    unpublished = await regions.claim_unpublished(tx, REGIONS_MAX)
    if unpublished:
        await enqueue(tx, [region_changed(tenant, region, now) for tenant, region in unpublished])
        keys = [(tenant_id, region.resource.id) for tenant_id, region in unpublished]
        await regions.update_published(tx, keys)
    return len(unpublished)


async def _check_parent(tx: WriteConnection, cause: Cause, region: Region) -> None:
    if region.parent_id is None:
        return
    await regions.lock_tree(tx, cause.tenant_id)
    above = await regions.fetch_above(tx, cause.tenant_id, region.parent_id)
    if not above:
        raise unknown_region("/parent_id")
    below = await regions.count_levels_below(tx, cause.tenant_id, region.id)
    check_lineage(region.id, above, below)
