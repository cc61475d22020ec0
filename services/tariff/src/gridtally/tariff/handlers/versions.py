"""Versions of tariffs and of calendars, found by their numbers."""

from typing import TypeVar
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.versions import unknown_version
from gridtally.tariff.store import versions
from gridtally.tariff.store.versions import VersionTable

T = TypeVar("T")


async def load(
    read: ReadConnection, tenant_id: str, table: VersionTable[T], owner_id: UUID, number: int
) -> Stored[T]:
    """The owner's version of that number; NotFound where there is none."""
    version = await versions.fetch_numbered(read, tenant_id, table, owner_id, number)
    if version is None:
        raise unknown_version()
    return version


async def lock(
    tx: WriteConnection, tenant_id: str, table: VersionTable[T], owner_id: UUID, number: int
) -> Stored[T]:
    """As `load`, locked until the transaction ends."""
    version = await versions.fetch_numbered(tx, tenant_id, table, owner_id, number, lock=True)
    if version is None:
        raise unknown_version()
    return version
