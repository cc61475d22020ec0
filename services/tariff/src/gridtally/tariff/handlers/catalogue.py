"""Regions, tariffs, calendars and price series: loading them, creating them by the caller's id,
changing and deleting them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.resources import Cause, Stored
from gridtally.tariff.domain.catalogue import Resource, id_taken, unknown
from gridtally.tariff.store import catalogue
from gridtally.tariff.store.catalogue import ResourceTable


async def load(
    read: ReadConnection, tenant_id: str, resources: ResourceTable[Resource], id_: UUID
) -> Stored[Resource]:
    """The resource of that id; NotFound where there is none."""
    stored = await catalogue.fetch_resource(read, tenant_id, resources, id_)
    if stored is None:
        raise unknown(resources.noun)
    return stored


async def lock(
    tx: WriteConnection, tenant_id: str, resources: ResourceTable[Resource], id_: UUID
) -> Stored[Resource]:
    """As `load`, locked until the transaction ends."""
    stored = await catalogue.lock_resource(tx, tenant_id, resources, id_)
    if stored is None:
        raise unknown(resources.noun)
    return stored


async def create(
    tx: WriteConnection,
    cause: Cause,
    resources: ResourceTable[Resource],
    new: Resource,
    now: datetime,
) -> tuple[Stored[Resource], bool]:
    """The resource, and whether it is new; Conflict for an id or code of another."""
    created = await catalogue.insert_resource(tx, cause.tenant_id, resources, new, now)
    if created is not None:
        return created, True
    known = await catalogue.fetch_resource(tx, cause.tenant_id, resources, new.id)
    if known is None or known.resource != new:
        raise id_taken(resources.noun, new.id)
    return known, False


async def change(
    tx: WriteConnection,
    cause: Cause,
    resources: ResourceTable[Resource],
    current: Stored[Resource],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[Resource]:
    """Change some fields of a locked resource; its version stays where they are so already."""
    changed = replace(current.resource, **changes)
    if changed == current.resource:
        return current
    return await catalogue.update_resource(tx, cause.tenant_id, resources, changed, now)


async def delete(
    tx: WriteConnection,
    cause: Cause,
    resources: ResourceTable[Resource],
    current: Stored[Resource],
) -> None:
    """Delete a locked resource; Conflict where others are built on it."""
    await catalogue.delete_resource(tx, cause.tenant_id, resources, current.resource.id)
