"""Regions and tariffs: creating them by the caller's id, and changing them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import IntegrityError

from database import WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Rejected
from tariff.domain.catalogue import Region, Tariff
from tariff.domain.stored import Stored
from tariff.store import regions, tariffs
from tariff.wire import Cause


async def create_region(
    tx: WriteConnection, cause: Cause, new: Region
) -> tuple[Stored[Region], bool]:
    """The region, and whether it is new; Conflict for an id or code of another."""
    try:
        created = await regions.insert_region(tx, cause.tenant_id, new)
    except IntegrityError:
        raise _code_taken("region") from None
    if created is not None:
        return created, True
    known = await regions.fetch_region(tx, cause.tenant_id, new.id)
    if known is None or known.thing != new:
        raise Conflict("region_exists", f"another region has the id {new.id}")
    return known, False


async def change_region(
    tx: WriteConnection, cause: Cause, current: Stored[Region], changes: Mapping[str, Any]
) -> Stored[Region]:
    """Change a locked region."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    try:
        return await regions.update_region(tx, cause.tenant_id, wanted)
    except IntegrityError:
        raise _code_taken("region") from None


async def create_tariff(
    tx: WriteConnection, cause: Cause, new: Tariff
) -> tuple[Stored[Tariff], bool]:
    """The tariff, and whether it is new; Conflict for an id or code of another."""
    try:
        created = await tariffs.insert_tariff(tx, cause.tenant_id, new)
    except IntegrityError as failure:
        if "tariff_region" in str(failure.orig):
            raise _unknown_region() from None
        raise _code_taken("tariff") from None
    if created is not None:
        return created, True
    known = await tariffs.fetch_tariff(tx, cause.tenant_id, new.id)
    if known is None or known.thing != new:
        raise Conflict("tariff_exists", f"another tariff has the id {new.id}")
    return known, False


async def change_tariff(
    tx: WriteConnection, cause: Cause, current: Stored[Tariff], changes: Mapping[str, Any]
) -> Stored[Tariff]:
    """Change a locked tariff."""
    wanted = replace(current.thing, **changes)
    if wanted == current.thing:
        return current
    try:
        return await tariffs.update_tariff(tx, cause.tenant_id, wanted)
    except IntegrityError:
        raise _unknown_region() from None


def unknown_region() -> NotFound:
    """There is no such region."""
    return NotFound("region_unknown", "no region has this id")


def unknown_tariff() -> NotFound:
    """There is no such tariff."""
    return NotFound("tariff_unknown", "no tariff has this id")


def _code_taken(what: str) -> Conflict:
    return Conflict("code_taken", f"another {what} has this code")


def _unknown_region() -> Rejected:
    fault = Fault("/region_id", "must be a region that exists")
    return Rejected("unknown_region", "the region does not exist", (fault,))
