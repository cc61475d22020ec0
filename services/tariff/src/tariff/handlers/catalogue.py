"""Regions, tariffs, calendars and price series: creating them by the caller's id, changing and
deleting them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from database import WriteConnection
from tariff.domain.catalogue import (
    Calendar,
    PriceSeries,
    Region,
    Tariff,
    check_lineage,
    exists,
    unknown,
    unknown_region,
)
from tariff.domain.stored import Stored
from tariff.store import calendars, prices, regions, tariffs
from tariff.wire import Cause

T = TypeVar("T", Region, Tariff, Calendar, PriceSeries)


async def create_region(
    tx: WriteConnection, cause: Cause, new: Region
) -> tuple[Stored[Region], bool]:
    """The region, and whether it is new; Conflict for an id or code of another."""
    await _check_parent(tx, cause, new)
    created = await regions.insert_region(tx, cause.tenant_id, new)
    if created is not None:
        return created, True
    return _same("region", new, await regions.fetch_region(tx, cause.tenant_id, new.id)), False


async def change_region(
    tx: WriteConnection, cause: Cause, current: Stored[Region], changes: Mapping[str, Any]
) -> Stored[Region]:
    """Change a locked region."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    if wanted.parent_id != current.thing.parent_id:
        await _check_parent(tx, cause, wanted)
    return await regions.update_region(tx, cause.tenant_id, wanted)


async def _check_parent(tx: WriteConnection, cause: Cause, wanted: Region) -> None:
    if wanted.parent_id is None:
        return
    await regions.lock_tree(tx, cause.tenant_id)
    above = await regions.fetch_above(tx, cause.tenant_id, wanted.parent_id)
    if not above:
        raise unknown_region("/parent_id")
    below = await regions.count_levels_below(tx, cause.tenant_id, wanted.id)
    check_lineage(wanted.id, above, below)


async def create_tariff(
    tx: WriteConnection, cause: Cause, new: Tariff
) -> tuple[Stored[Tariff], bool]:
    """The tariff, and whether it is new; Conflict for an id or code of another."""
    created = await tariffs.insert_tariff(tx, cause.tenant_id, new)
    if created is not None:
        return created, True
    return _same("tariff", new, await tariffs.fetch_tariff(tx, cause.tenant_id, new.id)), False


async def change_tariff(
    tx: WriteConnection, cause: Cause, current: Stored[Tariff], changes: Mapping[str, Any]
) -> Stored[Tariff]:
    """Change a locked tariff."""
    wanted = replace(current.thing, **changes)
    same = wanted == current.thing
    return current if same else await tariffs.update_tariff(tx, cause.tenant_id, wanted)


async def create_calendar(
    tx: WriteConnection, cause: Cause, new: Calendar
) -> tuple[Stored[Calendar], bool]:
    """The calendar, and whether it is new; Conflict for an id or code of another."""
    created = await calendars.insert_calendar(tx, cause.tenant_id, new)
    if created is not None:
        return created, True
    known = await calendars.fetch_calendar(tx, cause.tenant_id, new.id)
    return _same("calendar", new, known), False


async def change_calendar(
    tx: WriteConnection, cause: Cause, current: Stored[Calendar], changes: Mapping[str, Any]
) -> Stored[Calendar]:
    """Change a locked calendar."""
    wanted = replace(current.thing, **changes)
    same = wanted == current.thing
    return current if same else await calendars.update_calendar(tx, cause.tenant_id, wanted)


async def create_series(
    tx: WriteConnection, cause: Cause, new: PriceSeries
) -> tuple[Stored[PriceSeries], bool]:
    """The series, and whether it is new; Conflict for an id or code of another."""
    created = await prices.insert_series(tx, cause.tenant_id, new)
    if created is not None:
        return created, True
    known = await prices.fetch_series(tx, cause.tenant_id, new.id)
    return _same("price series", new, known), False


async def change_series(
    tx: WriteConnection, cause: Cause, current: Stored[PriceSeries], changes: Mapping[str, Any]
) -> Stored[PriceSeries]:
    """Change a locked series."""
    wanted = replace(current.thing, **changes)
    same = wanted == current.thing
    return current if same else await prices.update_series(tx, cause.tenant_id, wanted)


def found(what: str, one: Stored[T] | None) -> Stored[T]:
    """The thing; NotFound where there is none."""
    if one is None:
        raise unknown(what)
    return one


def _same(what: str, new: T, known: Stored[T] | None) -> Stored[T]:
    """The known thing where it is what is to be created, else Conflict."""
    if known is None or known.thing != new:
        raise exists(what, new.id)
    return known
