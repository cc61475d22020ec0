"""Regions, tariffs, calendars and price series: finding them and their versions, creating them by
the caller's id, and changing them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import Region, Thing, check_lineage, exists, unknown, unknown_region
from tariff.domain.stored import Stored
from tariff.domain.versions import unknown_version
from tariff.store import catalogue, regions
from tariff.store.catalogue import REGIONS, Kind
from tariff.store.numbered import Numbered, fetch_numbered
from tariff.wire import Cause

T = TypeVar("T")


async def find(
    read: ReadConnection, tenant_id: str, kind: Kind[Thing], id_: UUID, *, lock: bool = False
) -> Stored[Thing]:
    """The thing; with `lock`, held until the transaction ends. NotFound where there is none."""
    one = await catalogue.fetch(read, tenant_id, kind, id_, lock=lock)
    if one is None:
        raise unknown(kind.what)
    return one


async def find_version(
    read: ReadConnection,
    tenant_id: str,
    versions: Numbered[T],
    owner_id: UUID,
    number: int,
    *,
    lock: bool = False,
) -> Stored[T]:
    """The version of that number; with `lock`, held. NotFound where there is none."""
    one = await fetch_numbered(read, tenant_id, versions, owner_id, number, lock=lock)
    if one is None:
        raise unknown_version()
    return one


async def create(
    tx: WriteConnection, cause: Cause, kind: Kind[Thing], new: Thing
) -> tuple[Stored[Thing], bool]:
    """The thing, and whether it is new; Conflict for an id or code of another."""
    created = await catalogue.insert(tx, cause.tenant_id, kind, new)
    if created is not None:
        return created, True
    known = await catalogue.fetch(tx, cause.tenant_id, kind, new.id)
    if known is None or known.thing != new:
        raise exists(kind.what, new.id)
    return known, False


async def change(
    tx: WriteConnection,
    cause: Cause,
    kind: Kind[Thing],
    current: Stored[Thing],
    changes: Mapping[str, Any],
) -> Stored[Thing]:
    """Change a locked thing."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    return await catalogue.update(tx, cause.tenant_id, kind, wanted)


async def create_region(
    tx: WriteConnection, cause: Cause, new: Region
) -> tuple[Stored[Region], bool]:
    """The region, and whether it is new; Rejected where it cannot lie within its parent."""
    await _check_parent(tx, cause, new)
    return await create(tx, cause, REGIONS, new)


async def change_region(
    tx: WriteConnection, cause: Cause, current: Stored[Region], changes: Mapping[str, Any]
) -> Stored[Region]:
    """Change a locked region; Rejected where it cannot lie within its parent."""
    wanted = replace(current.thing, **changes)
    if wanted.parent_id != current.thing.parent_id:
        await _check_parent(tx, cause, wanted)
    return await change(tx, cause, REGIONS, current, changes)


async def _check_parent(tx: WriteConnection, cause: Cause, wanted: Region) -> None:
    if wanted.parent_id is None:
        return
    await regions.lock_tree(tx, cause.tenant_id)
    above = await regions.fetch_above(tx, cause.tenant_id, wanted.parent_id)
    if not above:
        raise unknown_region("/parent_id")
    below = await regions.count_levels_below(tx, cause.tenant_id, wanted.id)
    check_lineage(wanted.id, above, below)
